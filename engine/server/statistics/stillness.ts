/**
 * Finds numbers that have not changed for a while, though they should: the beats of a loop that is
 * stuck, the pulse of a thread that is.
 *
 * @module
 */

/** Watches some numbers. */
export class Stillness {
  readonly #seen: { value: number; stillMs: number }[] = [];

  /**
   * Looks at the numbers.
   *
   * @param values the numbers, always in the same order; 0 stands for one that need not change
   * @param passedMs the time since the last look in which they could have changed, in milliseconds
   * @returns for how long each of them has not changed, in milliseconds
   */
  look(values: readonly number[], passedMs: number): readonly number[] {
    return values.map((value, index) => {
      const seen = this.#seen[index] ??= { value, stillMs: 0 };
      const isStill = value !== 0 && value === seen.value;
      seen.stillMs = isStill ? seen.stillMs + passedMs : 0;
      seen.value = value;
      return seen.stillMs;
    });
  }
}

/** How often it is looked whether something is stuck, in milliseconds. */
export const LOOK_MS = 250;

/** Something that is stuck. */
export interface Stall {
  /** Its number among those that are watched. */
  readonly index: number;
  /** For how long it has not changed, in milliseconds. */
  readonly stillMs: number;
}

/** Finds what is stuck, as often as somebody looks, and tells each time once. */
export class Stalls {
  readonly #stillness = new Stillness();
  readonly #stallMs: number;
  /** Those that were told of since they have changed last. */
  readonly #told = new Set<number>();
  #lookedAt = performance.now();
  #passedMs = 0;
  #still: readonly number[] = [];

  /** @param stallMs after how long without a change something is stuck, in milliseconds */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** How much time has counted at the last look, in milliseconds. */
  get passedMs(): number {
    return this.#passedMs;
  }

  /** For how long each has not changed, as the last look has found, in milliseconds. */
  get still(): readonly number[] {
    return this.#still;
  }

  /**
   * Looks. Only time counts in which this thread could look, too: after SIGCONT, or when the machine
   * wakes up, nothing is stuck.
   *
   * @param values see {@linkcode Stillness.look}
   * @returns those that are stuck and were not told yet
   */
  look(values: readonly number[]): readonly Stall[] {
    const now = performance.now();
    this.#passedMs = Math.min(now - this.#lookedAt, 2 * LOOK_MS);
    this.#lookedAt = now;
    this.#still = this.#stillness.look(values, this.#passedMs);
    const found: Stall[] = [];
    for (const [index, stillMs] of this.#still.entries()) {
      if (stillMs === 0) this.#told.delete(index);
      if (stillMs < this.#stallMs || this.#told.has(index)) continue;
      this.#told.add(index);
      found.push({ index, stillMs });
    }
    return found;
  }
}
