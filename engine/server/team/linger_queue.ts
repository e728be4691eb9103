/**
 * How a worker gives a lingering connection to the main thread: through shared memory.
 *
 * The peer of such a connection may still be sending. If the worker itself waited for the last
 * bytes, a peer that trickles could hold it. So the worker puts the descriptor in here and goes on
 * with its next connection. It releases its slot first (`descriptor_slot.ts`), and does not touch
 * the descriptor afterwards. From then on only the {@linkcode DescriptorLingerer} closes it.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";

/** Whether the main thread already looks into the queue, so that nobody has to wake it. */
const CALLED = 0;
/**
 * How many descriptors are in the queue or about to be, and where the next producer tries first.
 */
const LENGTH = 1;
const NEXT = 2;
/**
 * Where the places begin: behind the control words' cache line. Each is 0 or a descriptor plus 1.
 */
const PLACES = 16;

const EMPTY = 0;

/** How many descriptors the queue holds. The main thread empties it every few milliseconds. */
const CAPACITY = 1_024;

/** Where a thread leaves connections that have to linger. */
export type Leaving = Pick<LingerQueue, "put" | "mustCall">;

/** The queue. Many threads put descriptors in, one thread takes them out, and none sleeps on it. */
export class LingerQueue {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory the memory of a queue that {@linkcode LingerQueue.create} has made */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /**
   * Makes an empty queue.
   *
   * @param allocate makes the memory; by default only threads share it
   */
  static create(allocate: Allocate = ofThisProcess): LingerQueue {
    return new LingerQueue(allocate((PLACES + CAPACITY) * 4));
  }

  /**
   * Gives a descriptor away.
   *
   * @returns whether there was room; if not, the descriptor is still the caller's
   */
  put(fd: number): boolean {
    const words = this.#words;
    // This comes first, because `take` looks at the places only if the length is not 0.
    Atomics.add(words, LENGTH, 1);
    for (let tries = 0; tries < CAPACITY; tries++) {
      const place = PLACES + (Atomics.add(words, NEXT, 1) & (CAPACITY - 1));
      if (Atomics.compareExchange(words, place, EMPTY, fd + 1) === EMPTY) return true;
    }
    Atomics.sub(words, LENGTH, 1);
    return false;
  }

  /**
   * Call this after a `put`.
   *
   * @returns whether the main thread must be woken, because it does not look by itself
   */
  mustCall(): boolean {
    return Atomics.exchange(this.#words, CALLED, 1) === 0;
  }

  /** The main thread stops looking. Whoever puts something in from now on has to wake it. */
  rest(): void {
    Atomics.store(this.#words, CALLED, 0);
  }

  /** Whether the queue is empty. */
  get isEmpty(): boolean {
    return Atomics.load(this.#words, LENGTH) === 0;
  }

  /** Takes all descriptors out. */
  take(): number[] {
    const words = this.#words;
    const taken: number[] = [];
    if (this.isEmpty) return taken;
    for (let place = PLACES; place < PLACES + CAPACITY; place++) {
      const found = Atomics.exchange(words, place, EMPTY);
      if (found !== EMPTY) taken.push(found - 1);
    }
    Atomics.sub(words, LENGTH, taken.length);
    return taken;
  }
}
