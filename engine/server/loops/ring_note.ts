/**
 * Where the ring of a thread is, for those who clean up after the thread if it dies.
 *
 * @module
 */

import { abandonedDescriptors, type Ring } from "../../uring/ring.ts";

const WORDS = 6;

/** The place of one ring in shared memory. */
export class RingNote {
  /** The shared memory, which can be posted to another thread. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory shared memory that another note has; by default it is new */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(WORDS * 4)) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /** Notes where a ring is. */
  note(ring: Ring): void {
    const { fd, length, headAt, tailAt, mask, entriesAt } = ring.place;
    // No instance of io_uring has the number 0, which is standard input.
    this.#words.set([fd, length, headAt, tailAt, mask, entriesAt]);
  }

  /** The ring was closed. */
  forget(): void {
    this.#words[0] = 0;
  }

  /**
   * Closes the ring, if its thread has left it open.
   *
   * @returns the connections that the kernel had accepted, and that the thread has not seen
   */
  clean(): readonly number[] {
    const [fd = 0, length = 0, headAt = 0, tailAt = 0, mask = 0, entriesAt = 0] = this.#words;
    if (fd === 0) return [];
    this.forget();
    return abandonedDescriptors({ fd, length, headAt, tailAt, mask, entriesAt });
  }
}
