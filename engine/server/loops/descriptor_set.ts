/**
 * The descriptors that a thread has open, for those who must close them if the thread dies.
 *
 * @module
 */

/**
 * A set of descriptors in shared memory. One thread changes it. Others read it when that thread is
 * dead.
 */
export class DescriptorSet {
  /** The shared memory, which can be posted to another thread: one bit for each descriptor. */
  readonly memory: SharedArrayBuffer;
  readonly #bits: Uint8Array;

  /** @param memory shared memory that {@linkcode DescriptorSet.create} made on some thread */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#bits = new Uint8Array(memory);
  }

  /**
   * Makes an empty set.
   *
   * @param limit a number above all descriptors
   */
  static create(limit: number): DescriptorSet {
    return new DescriptorSet(new SharedArrayBuffer(Math.ceil(limit / 8)));
  }

  /** Adds a descriptor. */
  add(fd: number): void {
    this.#bits[fd >> 3]! |= 1 << (fd & 7);
  }

  /** Removes a descriptor. */
  delete(fd: number): void {
    this.#bits[fd >> 3]! &= ~(1 << (fd & 7));
  }

  /** Yields all descriptors in the set, and empties it. */
  *drain(): Generator<number> {
    for (const [index, byte] of this.#bits.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (1 << bit)) !== 0) yield index * 8 + bit;
      }
      this.#bits[index] = 0;
    }
  }
}
