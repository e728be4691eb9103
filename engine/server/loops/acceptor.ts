/**
 * Accepts connections without blocking. It accepts while there is room. When the server closes, it
 * accepts all connections that still wait.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../drivers/deadlines.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { boundAccepts } from "../../net/accept_alarm.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import type { Poller } from "../../net/poller.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import { tellWait } from "../core/observer.ts";
import type { LoopThread } from "./loop_thread.ts";

/** How many connections are accepted before the open ones get their turn. */
const BATCH = 128;

/** What an acceptor works with. */
export interface AcceptorParts {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Watches the listener. */
  readonly poller: Poller;
  /** Runs the timer for the next attempt. */
  readonly deadlines: Deadlines;
  /** A listening socket. The poller already watches it. */
  readonly listener: number;
  /** Whether connections are refused for which there is no room. */
  readonly refuses?: boolean;
  /**
   * Receives each connection with its peer's address, and whether the gate counts it already. It
   * must copy the address to keep it.
   */
  onConnection(fd: number, sockaddr: Uint8Array, isCounted: boolean): void;
}

/** Accepts connections from a listener that a poller watches. */
export class Acceptor {
  readonly #thread: LoopThread;
  readonly #parts: AcceptorParts;
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  readonly #policy: AcceptPolicy;
  readonly #retry = new Deadline(() => this.#watch());
  /**
   * Connections that were accepted when the server began to close, and wait until there is room.
   */
  readonly #rescued: { readonly fd: number; readonly sockaddr: Uint8Array }[] = [];
  #isWatching = true;
  #isClosing = false;
  /** Whether the accept queue has been emptied for the last time. */
  #isClosed = false;

  /**
   * @param thread the thread of the loop
   * @param parts what the acceptor works with
   */
  constructor(thread: LoopThread, parts: AcceptorParts) {
    const { gate } = thread;
    this.#thread = thread;
    thread.onAccepted = (fd, sockaddr) => this.#rescued.push({ fd, sockaddr });
    this.#parts = parts;
    // One that was opened elsewhere may block.
    if (runtime.os === "linux") boundAccepts(parts.sockets, parts.listener);
    this.#policy = new AcceptPolicy({
      ceiling: () => gate.ceiling,
      nextDescriptor: () => parts.sockets.nextDescriptor(),
    });
  }

  /** Whether all connections that waited in the accept queue at closing have begun to be served. */
  get isEmpty(): boolean {
    return this.#rescued.length === 0 && (this.#isClosed || !this.#isClosing);
  }

  /** Accepts the connections that wait, while there is room. */
  accept(): void {
    if (!this.#isWatching || this.#isClosing) return;
    const { gate, counters } = this.#thread;
    for (let turn = 0; turn < BATCH; turn++) {
      if (this.#policy.isShort) {
        return this.#rest(this.#policy.pause(), "nearly out of descriptors");
      }
      // Watch the listener again when a conversation is over.
      if (!this.#refuses && !gate.tryEnter()) return this.#unwatch();
      try {
        const fd = this.#acceptOne();
        if (fd === undefined) return this.#forgo();
        this.#policy.accepted(fd);
        this.#serve(fd, this.#sockaddr, !this.#refuses);
      } catch (error) {
        this.#forgo();
        const waitMs = this.#policy.failed(error);
        if (waitMs > 0) return this.#rest(waitMs, (error as Error).message);
        counters.lost();
      }
    }
  }

  /** There was no connection to let in. */
  #forgo(): void {
    if (!this.#refuses) this.#thread.gate.leave();
  }

  /** Whether connections are refused for which there is no room. They are accepted first. */
  get #refuses(): boolean {
    return this.#parts.refuses === true;
  }

  /** Accepts a connection. Returns `undefined` if none waits (EAGAIN). */
  #acceptOne(): number | undefined {
    const { sockets, listener } = this.#parts;
    const fd = sockets.acceptNonBlocking(listener, this.#sockaddr);
    if (fd >= 0) return fd;
    if (fd === -sockets.constants.errno.EAGAIN) return undefined;
    // This is how an empty queue looks after `shutdown`.
    if (fd === -sockets.constants.errno.EINVAL && this.#isClosing) return undefined;
    throw new SocketError("accept", -fd);
  }

  /** Goes on accepting, because a connection has ended and there is room for another one. */
  onRoom(): void {
    if (this.#isClosing) this.close();
    else if (!this.#retry.queue) this.#watch();
  }

  /**
   * Takes all connections out of the accept queue, because closing would reset them, unless others
   * accept from it too. It is called again while more may come, or if there were too few descriptors.
   * Then it stops listening.
   */
  close(): void {
    this.#isClosing = true;
    this.#retry.lift();
    if (!this.#isClosed) {
      if (this.#thread.gate.leavesQueue) this.#stopListening();
    }
    if (!this.#isClosed) {
      // Look first: once nobody can come any more, the queue is empty for good.
      const isLast = this.#thread.gate.mayStopListening;
      const isRescued = this.#policy.rescue(
        () => this.#acceptOne(),
        (fd) => this.#rescued.push({ fd, sockaddr: this.#sockaddr.slice() }),
        () => this.#thread.counters.lost(),
      );
      if (!isRescued) this.#unwatch();
      else if (isLast) this.#stopListening();
      else this.#watch();
    }
    while (this.#rescued.length > 0 && this.#thread.gate.tryEnter()) this.#serveRescued();
  }

  /** Begins to serve all rescued connections, so that they are cut with the others. */
  release(): void {
    if (!this.#isClosed) this.#stopListening();
    while (this.#rescued.length > 0) this.#serveRescued();
  }

  #serveRescued(): void {
    const { fd, sockaddr } = this.#rescued.shift() as { fd: number; sockaddr: Uint8Array };
    this.#serve(fd, sockaddr, true);
  }

  #serve(fd: number, sockaddr: Uint8Array, isCounted: boolean): void {
    this.#thread.synLog?.tell(fd, this.#parts.sockets.readAddress(sockaddr));
    this.#parts.onConnection(fd, sockaddr, isCounted);
  }

  /** Stops listening. The main thread closes the descriptor. */
  #stopListening(): void {
    this.#isClosed = true;
    this.#unwatch();
    this.#thread.stoppedListening();
  }

  /** Stops accepting for a while. */
  #rest(ms: number, reason: string): void {
    tellWait(this.#thread.journal, ms, reason);
    this.#unwatch();
    this.#parts.deadlines.set(this.#retry, ms);
  }

  #watch(): void {
    const { poller, listener, sockets } = this.#parts;
    if (!this.#isWatching) poller.add(listener, sockets.constants.POLLIN);
    this.#isWatching = true;
  }

  #unwatch(): void {
    if (this.#isWatching) this.#parts.poller.remove(this.#parts.listener);
    this.#isWatching = false;
  }
}
