/**
 * The distribution of how long requests took, from the raw histograms.
 *
 * @module
 */

import { build, decodeFromCompressedBase64, type Histogram } from "hdr-histogram-js";

/** How many requests must lie beyond the last point. */
const BEYOND = 10;

/** How many points there are from one nine to the next. */
const POINTS_A_NINE = 20;

/** One point of the curve. */
export interface Quantile {
  /** One request in this many took longer: 2 at the median, 100 at p99. */
  readonly one_in: number;
  /** The longest time of all the other requests, in microseconds. */
  readonly us: number;
}

/**
 * The distribution of all repeats together.
 *
 * The points are evenly spaced on the usual axis of percentiles, where each further nine takes the
 * same room. So the points of several distributions are aligned. They end where a single request is
 * left.
 *
 * @param histograms HdrHistogram V2, compressed, in base64
 * @throws {Error} if one of them is damaged
 */
export function distributionOf(histograms: readonly string[]): Quantile[] {
  // This histogram grows as needed; a decoded one does not.
  const all = build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3 });
  for (const text of histograms) all.add(decode(text));
  const points: Quantile[] = [];
  for (let step = 0; 10 ** (step / POINTS_A_NINE) <= all.totalCount / BEYOND; step++) {
    const one_in = 10 ** (step / POINTS_A_NINE);
    const us = all.getValueAtPercentile(100 * (1 - 1 / one_in));
    // The last bucket reaches beyond the longest time.
    points.push({ one_in, us: Math.min(us, all.maxValue) });
  }
  return points;
}

function decode(text: string): Histogram {
  try {
    return decodeFromCompressedBase64(text);
  } catch (cause) {
    throw new Error("Cannot draw the distribution: a histogram of the report is damaged", {
      cause,
    });
  }
}
