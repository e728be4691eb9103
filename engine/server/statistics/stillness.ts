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
