/**
 * Distributions of durations: HdrHistograms of microseconds, exact to three digits.
 *
 * @module
 */

import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import type { Latency } from "./results.ts";
import type { DurationPairs } from "./duration_counts.ts";

/**
 * The longest duration that is recorded as it is, in microseconds: an hour. Longer ones count as
 * this.
 */
const LONGEST_US = 3_600_000_000;

/** A distribution. */
export class Distribution {
  readonly #histogram: Histogram = build({
    bitBucketSize: 32,
    numberOfSignificantValueDigits: 3,
    highestTrackableValue: LONGEST_US,
  });

  /** Adds what a thread has counted. */
  add(pairs: DurationPairs): void {
    for (let at = 0; at < pairs.length; at += 2) {
      const us = Math.min(LONGEST_US, pairs[at] as number);
      this.#histogram.recordValueWithCount(us, pairs[at + 1] as number);
    }
  }

  /** How many durations it holds. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /**
   * The duration that this percentage of all durations did not exceed, in microseconds. 0 if there
   * are none.
   *
   * @param percentile from 0 to 100
   */
  at(percentile: number): number {
    if (this.count === 0) return 0;
    return Math.min(this.#histogram.getValueAtPercentile(percentile), this.#histogram.maxValue);
  }

  /** The usual figures. */
  get summary(): Latency {
    const isEmpty = this.count === 0;
    return {
      p50: this.at(50),
      p90: this.at(90),
      p99: this.at(99),
      p999: this.at(99.9),
      max: isEmpty ? 0 : this.#histogram.maxValue,
      mean: isEmpty ? 0 : Math.round(this.#histogram.mean * 10) / 10,
    };
  }

  /** The whole distribution: HdrHistogram V2, compressed, in base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}
