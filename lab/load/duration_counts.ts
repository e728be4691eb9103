/**
 * Counts durations by length. A thread counts for a second and then hands the counts over.
 *
 * The distribution of a whole run is an HdrHistogram on the main thread. Finding a value's bucket
 * in an HdrHistogram takes logarithms; here the value itself is the index.
 *
 * @module
 */

/** Below this length, each microsecond has a count of its own: 16 ms. */
const FINE_US = 16_384;

/**
 * The width of a bucket for longer durations, in microseconds: within a thousandth of the value, or
 * better.
 */
const COARSE_US = 16;

/** Pairs of a duration in microseconds and the number of times that it occurred. */
export type DurationPairs = Float64Array<ArrayBuffer>;

/** Counts durations. */
export class DurationCounts {
  readonly #fine = new Uint32Array(FINE_US);
  readonly #coarse = new Map<number, number>();
  #isEmpty = true;

  /**
   * Counts a duration.
   *
   * @param ms its length in milliseconds
   * @param count how many times it occurred
   */
  add(ms: number, count = 1): void {
    this.#isEmpty = false;
    const us = Math.max(0, Math.round(ms * 1000));
    if (us < FINE_US) this.#fine[us]! += count;
    else this.#addLong(us - us % COARSE_US, count);
  }

  #addLong(us: number, count: number): void {
    this.#coarse.set(us, (this.#coarse.get(us) ?? 0) + count);
  }

  /** Hands over the counts and starts again from zero. */
  take(): DurationPairs {
    if (this.#isEmpty) return new Float64Array(0);
    const pairs: number[] = [];
    for (let us = 0; us < FINE_US; us++) {
      const count = this.#fine[us] as number;
      if (count > 0) pairs.push(us, count);
    }
    for (const [us, count] of this.#coarse) pairs.push(us, count);
    this.#fine.fill(0);
    this.#coarse.clear();
    this.#isEmpty = true;
    return Float64Array.from(pairs);
  }
}
