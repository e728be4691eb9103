/**
 * Decides which thread may touch a descriptor that several threads know.
 *
 * A thread that is blocked in `recv` can only be woken from outside, by `shutdown` on its
 * descriptor. But a moment after the owner has closed the descriptor, its number may belong to
 * another connection, and `shutdown` would hit that one. So each thread has a slot in shared
 * memory. The slot holds its descriptor and a state word. The owner's `close` and another thread's
 * `shutdown` both begin with a compare-and-swap on that word, so that one waits for the other. An
 * owner may also give its descriptor to another thread, where it lingers. Then it takes the
 * descriptor out of its slot first, in the same way.
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

/** How many 32-bit words a slot takes. It fills a cache line, so that no two threads share one. */
export const SLOT_WORDS = 16;

/** Where the states of slots in a row lie, in words; 0 is the state of a slot without a connection. */
export const SLOT_STATES = { first: STATE, stride: SLOT_WORDS } as const;

/** The descriptor that one thread is serving. Every thread has its own object for the same slot. */
export class DescriptorSlot {
  readonly #words: Int32Array;

  /** @param words {@linkcode SLOT_WORDS} words of shared memory */
  constructor(words: Int32Array) {
    this.#words = words;
  }

  /** Whether another thread has cut the present connection or, if there is none, the last one. */
  get wasCut(): boolean {
    return Atomics.load(this.#words, CUT) === 1;
  }

  /** Puts a connection into the slot. The owner calls this when it begins to serve. */
  own(fd: number): void {
    Atomics.store(this.#words, CUT, 0);
    Atomics.store(this.#words, FD, fd);
    Atomics.store(this.#words, STATE, OWNED);
  }

  /**
   * Takes the connection out of the slot. The owner calls this. If another thread is in `shutdown`,
   * it waits for that. Afterwards no other thread can reach the descriptor through this slot.
   *
   * @returns the descriptor, or -1 if it was no longer the owner's
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
   * Cuts the connection from another thread. The owner's blocked call returns, and the owner closes
   * the descriptor.
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
   * Says that the connection is to be cut, to an owner that is another process. Its descriptor means
   * nothing here. So the owner itself calls {@linkcode DescriptorSlot.cut}, when it hears of it.
   *
   * @returns whether there is a connection
   */
  askToCut(): boolean {
    if (this.held < 0) return false;
    Atomics.store(this.#words, CUT, 1);
    return true;
  }

  /** The descriptor that is being served; -1 if there is none. */
  get held(): number {
    return this.#words[STATE] === OWNED ? this.#words[FD] as number : -1;
  }

  /**
   * Takes the connection from an owner that may still run, and leaves the descriptor open. That
   * costs a descriptor. But whatever the thread still does with the number, it harms no other
   * connection.
   *
   * @returns whether there was a connection
   */
  abandon(): boolean {
    return Atomics.compareExchange(this.#words, STATE, OWNED, FREE) === OWNED;
  }

  /**
   * Closes the descriptor that a dead thread has left. The thread must not be running.
   *
   * @param sockets closes it, perhaps after it has lingered
   * @returns whether there was anything to close
   */
  reclaim(sockets: Pick<Sockets, "close">): boolean {
    if (Atomics.compareExchange(this.#words, STATE, OWNED, FREE) !== OWNED) return false;
    sockets.close(Atomics.load(this.#words, FD));
    return true;
  }
}
