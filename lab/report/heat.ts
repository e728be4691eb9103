/**
 * The heat map of a run: how many answers took how long, in each second of it.
 *
 * @module
 */

import { Distribution } from "../load/distribution.ts";
import type { Run } from "../load/results.ts";

/** How many bands there are from one power of ten to the next. */
export const BANDS_A_DECADE = 10;

/** The most columns. A longer run has several seconds in each. */
const MOST_COLUMNS = 240;

/** One column of the map. */
export interface HeatColumn {
  /** When it begins and ends, in seconds from the beginning of the run. */
  readonly from: number;
  readonly to: number;
  readonly answers: number;
  readonly errors: number;
  /**
   * Pairs: the number of a band, and how many answers lie in it. Band n reaches from 10^(n/10) µs to
   * the beginning of the next one.
   */
  readonly bands: readonly number[];
  /** The response times in microseconds; `null` if there were too few. */
  readonly p50_us: number | null;
  readonly p99_us: number | null;
  readonly max_us: number | null;
}

/**
 * Makes the heat map of a run.
 *
 * @param run the run
 * @returns its columns; `undefined` if the run holds no distribution of its seconds
 * @throws {Error} if a histogram is damaged
 */
export function heatOf({ seconds }: Run): readonly HeatColumn[] | undefined {
  const each = Math.ceil(seconds.length / MOST_COLUMNS);
  const columns: HeatColumn[] = [];
  for (let at = 0; at < seconds.length; at += each) {
    const some = seconds.slice(at, at + each);
    const all = new Distribution();
    for (const { histogram } of some) {
      if (histogram === null || histogram === undefined) return undefined;
      all.addEncoded(histogram);
    }
    columns.push({
      from: seconds[at - 1]?.at ?? 0,
      to: some.at(-1)?.at ?? 0,
      answers: all.count,
      errors: some.reduce((sum, { errors }) => sum + errors, 0),
      bands: bandsOf(all),
      p50_us: all.at(50),
      p99_us: all.at(99),
      max_us: all.count === 0 ? null : all.longest,
    });
  }
  return columns.length === 0 ? undefined : columns;
}

function bandsOf(distribution: Distribution): number[] {
  const bands: number[] = [];
  for (const [us, count] of distribution.counts()) {
    const band = Math.floor(BANDS_A_DECADE * Math.log10(Math.max(1, us)) + 1e-9);
    if (bands.at(-2) === band) bands.push((bands.pop() as number) + count);
    else bands.push(band, count);
  }
  return bands;
}
