/**
 * Which descriptors a thread has open, for who has to close them should it die.
 *
 * @module
 */

/** A set of descriptors in shared memory. One thread changes it; others read it when that is dead. */
export class DescriptorSet {
  /** The shared memory, to be posted to another thread: a bit for each descriptor. */
  readonly memory: SharedArrayBuffer;
  readonly #bits: Uint8Array;

  /** @param memory made by {@linkcode DescriptorSet.create} on some thread */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#bits = new Uint8Array(memory);
  }

  /**
   * Makes an empty set.
   *
   * @param limit all descriptors are below it
   */
  static create(limit: number): DescriptorSet {
    return new DescriptorSet(new SharedArrayBuffer(Math.ceil(limit / 8)));
  }

  /** Puts a descriptor in. */
  add(fd: number): void {
    this.#bits[fd >> 3]! |= 1 << (fd & 7);
  }

  /** Takes a descriptor out. */
  delete(fd: number): void {
    this.#bits[fd >> 3]! &= ~(1 << (fd & 7));
  }

  /** Takes out all that are in it. */
  *drain(): Generator<number> {
    for (const [index, byte] of this.#bits.entries()) {
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (1 << bit)) !== 0) yield index * 8 + bit;
      }
      this.#bits[index] = 0;
    }
  }
}
