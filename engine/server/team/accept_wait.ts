/**
 * How a thread waits in accept(2) and can still be woken.
 *
 * Nothing wakes a thread in accept(2) but a connection, and `shutdown` of the listener: that would
 * reset everybody who waits, and all processes that share the listener would hear nobody any more.
 * So a thread waits for two descriptors: for the listener, and for one that only says that the
 * server closes. Several threads may wait for the same listener. With `EPOLLEXCLUSIVE` (epoll_ctl(2))
 * the kernel wakes one of them for a connection, as it does in accept(2), and not all of them. Whoever
 * was woken like that must accept, for nobody else was. A thread that waits alone does without.
 *
 * A thread that has much to do rarely waits: it asks first, and where the listener does not block
 * that takes a single call.
 *
 * @module
 */

import { EpollEvents, PollSet } from "../../net/poll_sets.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";

/** The places of the two descriptors among those that are watched. */
const LISTENER = 0;
const WAKE = 1;

/** What {@linkcode AcceptWait} works with. */
export interface AcceptWaitParts {
  /** Plain Berkeley calls: `--trace-calls` does not show how a thread waits. */
  readonly sockets: Sockets;
  /** The listener. */
  readonly listener: number;
  /** Is ready to be read from when the server closes, and from then on. */
  readonly wake: number;
  /** Whether other threads of this server wait for the same listener. */
  readonly isCrowded: boolean;
  /** Where the main thread finds the descriptor to close if this thread dies: its number plus 1. */
  readonly epoll: Int32Array;
}

/** Waits for a thread until a connection can be accepted. */
export class AcceptWait {
  /** Whether the listener itself does not wait, so that it may be asked at any time. */
  readonly mayAsk: boolean;
  readonly #parts: AcceptWaitParts;
  readonly #set = new PollSet(2);
  readonly #events = new EpollEvents(2);
  #epoll = -1;
  #isOpen = false;

  /** @param parts what it works with */
  constructor(parts: AcceptWaitParts) {
    this.#parts = parts;
    const { sockets, listener, wake } = parts;
    const { POLLIN } = sockets.constants;
    this.mayAsk = sockets.isNonBlocking(listener);
    this.#set.watch(LISTENER, listener, POLLIN);
    this.#set.watch(WAKE, wake, POLLIN);
  }

  /**
   * Waits until there is a connection, or until the server closes. A signal that the kernel gives to
   * this thread ends the wait too: then an accept(2) that blocks would block for ever.
   *
   * @returns whether there is a connection; another thread may be faster all the same
   */
  wait(): boolean {
    if (!this.#isOpen) this.#open();
    const { sockets } = this.#parts;
    if (this.#epoll < 0) {
      return sockets.pollAll(this.#set, -1) > 0 && this.#set.eventsAt(LISTENER) !== 0;
    }
    const count = sockets.epollWait(this.#epoll, this.#events, -1);
    for (let index = 0; index < count; index++) {
      if (this.#events.tokenAt(index) === LISTENER) return true;
    }
    return false;
  }

  #open(): void {
    this.#isOpen = true;
    const { sockets, listener, wake, epoll, isCrowded } = this.#parts;
    const { EPOLL_CTL_ADD, EPOLLIN, EPOLLEXCLUSIVE } = sockets.constants;
    // Without epoll, and when there is no descriptor for it, all threads are woken.
    if (EPOLLEXCLUSIVE === 0) return;
    try {
      this.#epoll = sockets.epollCreate();
      Atomics.store(epoll, 0, this.#epoll + 1);
      sockets.epollControl(
        this.#epoll,
        EPOLL_CTL_ADD,
        listener,
        isCrowded ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN,
        LISTENER,
      );
      sockets.epollControl(this.#epoll, EPOLL_CTL_ADD, wake, EPOLLIN, WAKE);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.close();
    }
  }

  /** Gives its descriptor back. */
  close(): void {
    closeWait(this.#parts.sockets, this.#parts.epoll);
    this.#epoll = -1;
  }
}

/**
 * Gives back the descriptor with which a thread waits. A thread does it itself; if it is dead, the
 * main thread does.
 *
 * @param sockets the Berkeley calls
 * @param epoll see {@linkcode AcceptWaitParts.epoll}
 */
export function closeWait(sockets: Sockets, epoll: Int32Array): void {
  const number = Atomics.exchange(epoll, 0, 0);
  if (number > 0) sockets.close(number - 1);
}
