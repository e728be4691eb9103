/**
 * Accepts connections without blocking. It accepts while there is room. When the server closes, it
 * accepts all connections that still wait. A loop of readiness does it by itself, one of completion
 * has the kernel do it: `ring_acceptor.ts`.
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
  /** Runs the timer for the next attempt. */
  readonly deadlines: Deadlines;
  /** A listening socket. */
  readonly listener: number;
  /** Whether connections are refused for which there is no room. */
  readonly refuses?: boolean;
  /**
   * Receives each connection with its peer's address, and whether the gate counts it already. It
   * must copy the address to keep it.
   */
  onConnection(fd: number, sockaddr: Uint8Array, isCounted: boolean): void;
}

/** Accepts connections from a listener. */
export abstract class Acceptor {
  /** The thread of the loop. */
  protected readonly thread: LoopThread;
  /** What it works with. */
  protected readonly parts: AcceptorParts;
  /** Decides whether there are enough descriptors, and what an error means. */
  protected readonly policy: AcceptPolicy;
  /** Is filled with the address of each peer. */
  protected readonly sockaddr: Uint8Array = new Uint8Array(SOCKADDR_SIZE);
  readonly #retry = new Deadline(() => this.watch());
  /** Connections that were accepted before there was room for them, and wait until there is. */
  readonly #held: { readonly fd: number; readonly sockaddr: Uint8Array }[] = [];
  #isClosing = false;
  /** Whether the accept queue has been emptied for the last time. */
  #isClosed = false;

  /**
   * @param thread the thread of the loop
   * @param parts what the acceptor works with
   */
  constructor(thread: LoopThread, parts: AcceptorParts) {
    const { gate } = thread;
    this.thread = thread;
    thread.onAccepted = (fd, sockaddr) => this.#held.push({ fd, sockaddr });
    this.parts = parts;
    // One that was opened elsewhere may block.
    if (runtime.os === "linux") boundAccepts(parts.sockets, parts.listener);
    this.policy = new AcceptPolicy({
      ceiling: () => gate.ceiling,
      nextDescriptor: () => parts.sockets.nextDescriptor(),
    });
  }

  /** Makes sure that connections that come are heard of. It may be called again. */
  protected abstract watch(): void;

  /** Makes sure that they are not. It may be called again. */
  protected abstract unwatch(): void;

  /** Whether nothing but {@linkcode Acceptor.close} takes connections any more. */
  protected stopTaking(): boolean {
    return true;
  }

  /** Whether the server closes. */
  protected get isClosing(): boolean {
    return this.#isClosing;
  }

  /** Whether accepting waits for descriptors, or for a machine that recovers. */
  protected get isResting(): boolean {
    return this.#retry.queue !== undefined;
  }

  /** Whether connections are refused for which there is no room. They are accepted first. */
  protected get refuses(): boolean {
    return this.parts.refuses === true;
  }

  /** Whether all connections that waited in the accept queue at closing have begun to be served. */
  get isEmpty(): boolean {
    return this.#held.length === 0 && (this.#isClosed || !this.#isClosing);
  }

  /** Accepts a connection. Returns `undefined` if none waits (EAGAIN). */
  protected acceptOne(): number | undefined {
    const { sockets, listener } = this.parts;
    const fd = sockets.acceptNonBlocking(listener, this.sockaddr);
    if (fd >= 0) return fd;
    if (fd === -sockets.constants.errno.EAGAIN) return undefined;
    // This is how an empty queue looks after `shutdown`.
    if (fd === -sockets.constants.errno.EINVAL && this.#isClosing) return undefined;
    throw new SocketError("accept", -fd);
  }

  /** Goes on accepting, because a connection has ended and there is room for another one. */
  onRoom(): void {
    if (this.#isClosing) return this.close();
    this.#serveHeld();
    if (!this.isResting) this.watch();
  }

  /**
   * Takes all connections out of the accept queue, because closing would reset them, unless others
   * accept from it too. It is called again while more may come, or if there were too few descriptors.
   * Then it stops listening.
   */
  close(): void {
    this.#isClosing = true;
    this.#retry.lift();
    if (!this.#isClosed && this.stopTaking()) {
      if (this.thread.gate.leavesQueue) this.#stopListening();
      else this.#rescue();
    }
    this.#serveHeld();
  }

  #rescue(): void {
    // Look first: once nobody can come any more, the queue is empty for good.
    const isLast = this.thread.gate.mayStopListening;
    const isRescued = this.policy.rescue(
      () => this.acceptOne(),
      (fd) => this.hold(fd),
      () => this.thread.counters.lost(),
    );
    if (!isRescued) this.unwatch();
    else if (isLast) this.#stopListening();
    else this.watch();
  }

  /** Keeps a connection until there is room for it. Its address has been filled in. */
  protected hold(fd: number): void {
    this.#held.push({ fd, sockaddr: this.sockaddr.slice() });
  }

  /** Begins to serve all connections that are held, so that they are cut with the others. */
  release(): void {
    if (!this.#isClosed) this.#stopListening();
    while (this.#held.length > 0) this.#serveOne();
  }

  #serveHeld(): void {
    while (this.#held.length > 0 && this.thread.gate.tryEnter()) this.#serveOne();
  }

  #serveOne(): void {
    const { fd, sockaddr } = this.#held.shift() as { fd: number; sockaddr: Uint8Array };
    this.serve(fd, sockaddr, true);
  }

  /** Begins to serve a connection. @param isCounted whether the gate counts it already */
  protected serve(fd: number, sockaddr: Uint8Array, isCounted: boolean): void {
    this.thread.synLog?.tell(fd, this.parts.sockets.readAddress(sockaddr));
    this.parts.onConnection(fd, sockaddr, isCounted);
  }

  /** Stops listening. The main thread closes the descriptor. */
  #stopListening(): void {
    this.#isClosed = true;
    this.unwatch();
    this.thread.stoppedListening();
  }

  /** Accepting has failed. @param error why */
  protected failed(error: unknown): void {
    const waitMs = this.policy.failed(error);
    if (waitMs > 0) this.rest(waitMs, (error as Error).message);
    else this.thread.counters.lost();
  }

  /** Stops accepting for a while. */
  protected rest(ms: number, reason: string): void {
    tellWait(this.thread.journal, ms, reason);
    this.unwatch();
    this.parts.deadlines.set(this.#retry, ms);
  }
}

/** Accepts connections from a listener that a poller watches. */
export class ReadyAcceptor extends Acceptor {
  readonly #poller: Poller;
  #isWatching = true;

  /**
   * @param thread the thread of the loop
   * @param parts what it works with, and a poller that watches the listener already
   */
  constructor(thread: LoopThread, parts: AcceptorParts & { readonly poller: Poller }) {
    super(thread, parts);
    this.#poller = parts.poller;
  }

  /** Accepts the connections that wait, while there is room. */
  accept(): void {
    if (!this.#isWatching || this.isClosing) return;
    const { gate } = this.thread;
    for (let turn = 0; turn < BATCH; turn++) {
      if (this.policy.isShort) {
        return this.rest(this.policy.pause(), "nearly out of descriptors");
      }
      // Watch the listener again when a conversation is over.
      if (!this.refuses && !gate.tryEnter()) return this.unwatch();
      try {
        const fd = this.acceptOne();
        if (fd === undefined) return this.#forgo();
        this.policy.accepted(fd);
        this.serve(fd, this.sockaddr, !this.refuses);
      } catch (error) {
        this.#forgo();
        this.failed(error);
        if (this.isResting) return;
      }
    }
  }

  /** There was no connection to let in. */
  #forgo(): void {
    if (!this.refuses) this.thread.gate.leave();
  }

  protected override watch(): void {
    const { listener, sockets } = this.parts;
    if (!this.#isWatching) this.#poller.add(listener, sockets.constants.POLLIN);
    this.#isWatching = true;
  }

  protected override unwatch(): void {
    if (this.#isWatching) this.#poller.remove(this.parts.listener);
    this.#isWatching = false;
  }
}
