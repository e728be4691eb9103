/**
 * Accepting without blocking: as far as there is room, and at closing everybody who waits.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../drivers/deadlines.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import { Backoff, isOfOneConnection } from "../../net/backoff.ts";
import type { Poller } from "../../net/poller.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { LoopThread } from "./loop_thread.ts";
import { tellWait } from "../core/observer.ts";

/** How many connections are accepted before others get their turn. */
const BATCH = 128;

/** The most connections taken out of the accept queue at closing: no kernel's queue is longer. */
const MOST_HELD = 65_536;

/** What an acceptor works with. */
export interface AcceptorParts {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Watches the listener. */
  readonly poller: Poller;
  /** Keeps the time until the next attempt. */
  readonly deadlines: Deadlines;
  /** A listening socket that does not block. */
  readonly listener: number;
  /** Is given each connection, with the address of its peer, which it may not keep. */
  onConnection(fd: number, sockaddr: Uint8Array): void;
}

/** Accepts connections from a listener that a poller watches. */
export class Acceptor {
  readonly #thread: LoopThread;
  readonly #parts: AcceptorParts;
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  readonly #backoff = new Backoff();
  readonly #retry = new Deadline(() => this.#watch());
  /** Accepted when the server began to close, to be served when there is room. */
  readonly #held: { readonly fd: number; readonly sockaddr: Uint8Array }[] = [];
  #isWatching = false;
  #isClosed = false;
  #lastAccepted = -1;

  /** @param thread the loop's @param parts what to work with */
  constructor(thread: LoopThread, parts: AcceptorParts) {
    this.#thread = thread;
    this.#parts = parts;
    this.#watch();
  }

  /** Whether nobody waits any more who was accepted. */
  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  /** Accepts who waits, as far as there is room. */
  accept(): void {
    if (!this.#isWatching) return;
    const { sockets, listener } = this.#parts;
    const { gate, counters } = this.#thread;
    const { EAGAIN } = sockets.constants.errno;
    for (let turn = 0; turn < BATCH; turn++) {
      if (this.#isShort()) return this.#rest("nearly out of descriptors");
      // Until another conversation is over.
      if (!gate.tryEnter()) return this.#unwatch();
      const fd = sockets.acceptNonBlocking(listener, this.#sockaddr);
      if (fd >= 0) {
        this.#backoff.reset();
        this.#lastAccepted = fd;
        this.#parts.onConnection(fd, this.#sockaddr);
        continue;
      }
      gate.leave();
      if (fd === -EAGAIN) return;
      const error = new SocketError("accept", -fd);
      if (isOfOneConnection(error)) counters.lost();
      else return this.#rest(error.message);
    }
  }

  /** A connection has ended: there is room for another. */
  onRoom(): void {
    if (this.#isClosed) this.#serveHeld();
    else if (!this.#retry.queue) this.#watch();
  }

  /** Takes everybody out of the accept queue, whom closing would reset, and listens no more. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const { sockets, listener } = this.#parts;
    this.#retry.lift();
    this.#unwatch();
    while (this.#held.length < MOST_HELD && !this.#isShort()) {
      const fd = sockets.acceptNonBlocking(listener, this.#sockaddr);
      if (fd >= 0) {
        this.#lastAccepted = fd;
        this.#held.push({ fd, sockaddr: this.#sockaddr.slice() });
      } else if (isOfOneConnection(new SocketError("accept", -fd))) this.#thread.counters.lost();
      else break;
    }
    // The number stays taken until all threads are done with it.
    sockets.shutdown(listener, sockets.constants.SHUT_RDWR);
    this.#serveHeld();
  }

  /** Serves all who are held, to be cut with the rest. */
  release(): void {
    for (const { fd, sockaddr } of this.#held.splice(0)) this.#parts.onConnection(fd, sockaddr);
  }

  #serveHeld(): void {
    while (this.#held.length > 0 && this.#thread.gate.tryEnter()) {
      const { fd, sockaddr } = this.#held.shift() as { fd: number; sockaddr: Uint8Array };
      this.#parts.onConnection(fd, sockaddr);
    }
  }

  /**
   * Whether so few descriptors are left that they are kept for the server itself. They are given
   * out lowest number first, so the last one says how many are in use at least.
   */
  #isShort(): boolean {
    const { ceiling } = this.#thread.gate;
    if (this.#lastAccepted < ceiling) return false;
    const next = this.#parts.sockets.nextDescriptor();
    if (next >= 0) this.#lastAccepted = next;
    return this.#lastAccepted >= ceiling;
  }

  /** Waits a while, longer each time. */
  #rest(reason: string): void {
    const ms = this.#backoff.next();
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
