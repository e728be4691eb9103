/**
 * How often something took how long: what a thread counts in a second and then hands over.
 *
 * The distribution of a whole run is an HdrHistogram, on the main thread. Finding the place of a
 * value in one takes logarithms; here it is the value itself.
 *
 * @module
 */

/** Up to which length each microsecond is counted by itself: 16 ms. */
const FINE_US = 16_384;

/** How exactly longer ones are counted, in microseconds: to a thousandth, or better. */
const COARSE_US = 16;

/** Durations, and how often each came: in turn. Microseconds. */
export type DurationPairs = Float64Array<ArrayBuffer>;

/** Counts durations. */
export class DurationCounts {
  readonly #fine = new Uint32Array(FINE_US);
  readonly #coarse = new Map<number, number>();
  #isEmpty = true;

  /**
   * Counts one.
   *
   * @param ms its length in milliseconds
   * @param count how often
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

  /** Hands over what was counted and begins anew. */
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
