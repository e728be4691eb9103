/**
 * Who may touch a descriptor that several threads know.
 *
 * A thread that is blocked in `recv` can only be woken from outside, by `shutdown` on its
 * descriptor. But the number is somebody else's a moment after its owner closed it, and then that
 * `shutdown` would hit a stranger's connection. So each thread has a slot in shared memory with
 * its descriptor and a state word; `close` by the owner and `shutdown` by others go through
 * compare-and-swap on that word, and one waits for the other. An owner that gives its descriptor to
 * another thread, to have it linger, takes it out of its slot in the same way first.
 *
 * @module
 */

import type { Sockets } from "../../net/sockets.ts";

const FREE = 0;
const OWNED = 1;
const BEING_SHUT = 2;

const STATE = 0;
const FD = 1;
const CUT = 2;

/** How many 32-bit words a slot takes: a cache line, so that threads do not share one. */
export const SLOT_WORDS = 16;

/** The descriptor that one thread is serving. Every thread has an object of its own on it. */
export class DescriptorSlot {
  readonly #words: Int32Array;

  /** @param words {@linkcode SLOT_WORDS} words of shared memory */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Whether another thread ended the present connection, or the last one. */
  get wasCut(): boolean {
    return Atomics.load(this.#words, CUT) === 1;
  }

  /** The owner begins to serve a connection. */
  own(fd: number): void {
    Atomics.store(this.#words, CUT, 0);
    Atomics.store(this.#words, FD, fd);
    Atomics.store(this.#words, STATE, OWNED);
  }

  /**
   * The owner gives its connection up, after any other thread's `shutdown` is through. No other
   * thread reaches the descriptor through this slot any more.
   *
   * @returns the descriptor; -1 if it was no longer its own
   */
  release(): number {
    const words = this.#words;
    for (;;) {
      const state = Atomics.compareExchange(words, STATE, OWNED, FREE);
      if (state === FREE) return -1;
      if (state === OWNED) return Atomics.load(words, FD);
      Atomics.wait(words, STATE, BEING_SHUT);
    }
  }

  /**
   * Another thread ends the connection: the owner's blocked call returns, and the owner closes.
   *
   * @returns whether there was a connection to end
   */
  cut(sockets: Sockets): boolean {
    const words = this.#words;
    if (Atomics.compareExchange(words, STATE, OWNED, BEING_SHUT) !== OWNED) return false;
    Atomics.store(words, CUT, 1);
    sockets.shutdown(Atomics.load(words, FD), sockets.constants.SHUT_RDWR);
    Atomics.store(words, STATE, OWNED);
    Atomics.notify(words, STATE);
    return true;
  }

  /**
   * Takes the connection from an owner that may still run, and leaves the descriptor open: it
   * costs a descriptor, but whatever that thread still does with the number harms nobody.
   *
   * @returns whether there was a connection
   */
  abandon(): boolean {
    return Atomics.compareExchange(this.#words, STATE, OWNED, FREE) === OWNED;
  }

  /**
   * Closes what a dead thread has left. Only when the thread cannot run any more.
   *
   * @returns whether there was anything to close
   */
  reclaim(sockets: Sockets): boolean {
    if (Atomics.compareExchange(this.#words, STATE, OWNED, FREE) !== OWNED) return false;
    sockets.close(Atomics.load(this.#words, FD));
    return true;
  }
}
