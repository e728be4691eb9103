/**
 * Where the ring of a thread is, for those who clean up after the thread if it dies.
 *
 * @module
 */

import { closeAbandoned, type Ring, type RingPlace } from "../../uring/ring.ts";

/** The numbers of a {@linkcode RingPlace}, in the order in which they are noted. */
const KEYS: readonly (keyof RingPlace)[] = [
  "fd",
  "queues",
  "queuesLength",
  "operations",
  "operationsLength",
  "headAt",
  "tailAt",
  "mask",
  "entriesAt",
];

/** The place of one ring in shared memory. */
export class RingNote {
  /** The shared memory, which can be posted to another thread. */
  readonly memory: SharedArrayBuffer;
  readonly #numbers: Float64Array;

  /** @param memory shared memory that another note has; by default it is new */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(KEYS.length * 8)) {
    this.memory = memory;
    this.#numbers = new Float64Array(memory);
  }

  /** Notes where a ring is. */
  note(ring: Ring): void {
    const { place } = ring;
    this.#numbers.set(KEYS.map((key) => place[key]));
  }

  /** The ring was closed. */
  forget(): void {
    this.#numbers.fill(0);
  }

  /**
   * Closes the ring, if its thread has left it open.
   *
   * @returns the connections that the kernel had accepted, and that the thread has not seen
   */
  clean(): readonly number[] {
    const place = Object.fromEntries(KEYS.map((key, at) => [key, this.#numbers[at]]));
    if (place.queues === 0) return [];
    this.forget();
    return closeAbandoned(place as unknown as RingPlace);
  }
}
