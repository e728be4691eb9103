/**
 * Distributions of durations: HdrHistograms of microseconds, exact to three digits.
 *
 * @module
 */

import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from "hdr-histogram-js";
import type { DurationPairs } from "./duration_counts.ts";
import { leastCount, ranksAround, USUAL_PERCENTILES } from "./percentiles.ts";
import type { Latency, Percentile } from "./results.ts";

/**
 * The longest duration that is recorded as it is, in microseconds: an hour. Longer ones count as
 * this.
 */
const LONGEST_US = 3_600_000_000;

/** The member of a histogram that its interface does not name. */
interface Iterable {
  readonly recordedValuesIterator: {
    resetIterator(histogram: Histogram): void;
    hasNext(): boolean;
    next(): { readonly valueIteratedTo: number; readonly countAtValueIteratedTo: number };
  };
}

function decode(text: string): Histogram {
  try {
    return decodeFromCompressedBase64(text);
  } catch (cause) {
    throw new Error("Cannot read the distribution: a histogram of the report is damaged", {
      cause,
    });
  }
}

function* countsIn(histogram: Histogram): Generator<readonly [us: number, count: number], void> {
  const { recordedValuesIterator: values } = histogram as unknown as Iterable;
  values.resetIterator(histogram);
  while (values.hasNext()) {
    const { valueIteratedTo, countAtValueIteratedTo } = values.next();
    yield [valueIteratedTo, countAtValueIteratedTo];
  }
}

/** A distribution. */
export class Distribution {
  readonly #histogram: Histogram;
  /** What the histogram knows only to three digits. */
  #sum = 0;
  #longest = 0;

  /** @param histogram durations that it holds already */
  constructor(histogram?: Histogram) {
    this.#histogram = build({
      bitBucketSize: 32,
      numberOfSignificantValueDigits: 3,
      highestTrackableValue: LONGEST_US,
    });
    if (histogram === undefined) return;
    this.#histogram.add(histogram);
    this.#longest = histogram.maxValue;
    this.#sum = Math.min(histogram.mean, this.#longest) * histogram.totalCount;
  }

  /**
   * Reads a distribution that {@linkcode Distribution.encode} has written.
   *
   * @param text an HdrHistogram V2, compressed, in base64
   * @throws {Error} if it is damaged
   */
  static decode(text: string): Distribution {
    return new Distribution(decode(text));
  }

  /**
   * Adds what {@linkcode Distribution.encode} has written.
   *
   * @param text an HdrHistogram V2, compressed, in base64
   * @throws {Error} if it is damaged
   */
  addEncoded(text: string): void {
    const histogram = decode(text);
    for (const [us, count] of countsIn(histogram)) {
      const exact = Math.min(us, histogram.maxValue);
      this.#histogram.recordValueWithCount(exact, count);
      this.#sum += exact * count;
      this.#longest = Math.max(this.#longest, exact);
    }
  }

  /** Adds what a thread has counted. */
  add(pairs: DurationPairs): void {
    for (let at = 0; at < pairs.length; at += 2) {
      const us = Math.min(LONGEST_US, pairs[at] as number);
      const count = pairs[at + 1] as number;
      this.#histogram.recordValueWithCount(us, count);
      this.#sum += us * count;
      this.#longest = Math.max(this.#longest, us);
    }
  }

  /**
   * Both distributions together.
   *
   * @param other the other one; neither is changed
   */
  with(other: Distribution): Distribution {
    const both = new Distribution(this.#histogram);
    both.#histogram.add(other.#histogram);
    both.#sum = this.#sum + other.#sum;
    both.#longest = Math.max(this.#longest, other.#longest);
    return both;
  }

  /**
   * All durations, the shortest first.
   *
   * @returns the duration in microseconds, exact to three digits, and how often it occurs
   */
  *counts(): Generator<readonly [us: number, count: number], void> {
    for (const [us, count] of countsIn(this.#histogram)) yield [Math.min(us, this.#longest), count];
  }

  /** How many durations it holds. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The longest duration, in microseconds; 0 if there are none. */
  get longest(): number {
    return this.#longest;
  }

  /**
   * The duration that this percentage of all durations did not exceed, in microseconds; `null` if
   * there are too few durations to tell.
   *
   * @param percentile from 0 to 100, without both
   */
  at(percentile: number): number | null {
    const { count } = this;
    return count < leastCount(percentile) ? null : this.seen(percentile);
  }

  /**
   * A percentile of these durations themselves, which claims nothing about others. In microseconds;
   * 0 if there are none.
   *
   * @param percentile from 0 to 100
   */
  seen(percentile: number): number {
    return this.count === 0 ? 0 : this.#ranked(percentile / 100 * this.count);
  }

  /**
   * A percentile, with the interval that holds it in 95 of 100 cases.
   *
   * @param percentile from 0 to 100, without both
   */
  percentile(percentile: number): Percentile {
    const us = this.at(percentile);
    if (us === null) return { percentile, us, low_us: null, high_us: null };
    const [low, high] = ranksAround(percentile, this.count);
    return { percentile, us, low_us: this.#ranked(low), high_us: this.#ranked(high) };
  }

  /** The duration of a rank: 1 is the shortest. Exact to three digits, and never beyond the longest. */
  #ranked(rank: number): number {
    const us = this.#histogram.getValueAtPercentile(100 * rank / this.count);
    return Math.min(us, this.#longest);
  }

  /**
   * The usual figures.
   *
   * @param percentiles the percentiles that are asked for
   */
  summary(percentiles: readonly number[] = USUAL_PERCENTILES): Latency {
    const isEmpty = this.count === 0;
    return {
      p50: this.at(50),
      p90: this.at(90),
      p99: this.at(99),
      p999: this.at(99.9),
      max: isEmpty ? null : this.#longest,
      mean: isEmpty ? null : Math.round(this.#sum / this.count * 10) / 10,
      percentiles: percentiles.map((percentile) => this.percentile(percentile)),
    };
  }

  /** The whole distribution: HdrHistogram V2, compressed, in base64. */
  encode(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }
}
