/**
 * How many connections may wait for a PROXY header at a time. It stands apart from those who receive
 * them: the main thread of a server with blocking threads needs no more than this.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";

/** How many connections of a server may wait for their header at a time. The others wait unread. */
export const MOST_EXPECTED = 1_024;

/** How often a thread that waits for its turn looks whether the server ends, in milliseconds. */
const LOOK_MS = 100;

/** How many threads of a server may wait for a header at a time, in memory that they share. */
export class Places {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #left: Int32Array;

  /** @param memory from {@linkcode Places.create} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#left = new Int32Array(memory);
  }

  /**
   * Makes the memory, for a server that has more threads than there are places.
   *
   * @param threads how many threads there may be
   * @param most how many places there are
   * @param allocate makes the memory; by default only threads share it
   */
  static create(
    threads: number,
    most: number = MOST_EXPECTED,
    allocate: Allocate = ofThisProcess,
  ): Places | undefined {
    if (threads <= most) return undefined;
    const places = new Places(allocate(4));
    Atomics.store(places.#left, 0, most);
    return places;
  }

  /**
   * Takes a place. Blocks the thread until one is free.
   *
   * @param mayWait is asked now and then
   * @returns whether there was one
   */
  enter(mayWait: () => boolean): boolean {
    const left = this.#left;
    for (;;) {
      const free = Atomics.load(left, 0);
      if (free === 0) {
        if (!mayWait()) return false;
        Atomics.wait(left, 0, 0, LOOK_MS);
      } else if (Atomics.compareExchange(left, 0, free, free - 1) === free) return true;
    }
  }

  /** Gives a place back. */
  leave(): void {
    Atomics.add(this.#left, 0, 1);
    Atomics.notify(this.#left, 0, 1);
  }
}
