/**
 * Which percentiles of so many durations can be claimed, and how certain they are.
 *
 * @module
 */

/** How many durations must lie beyond a percentile for it to be claimed. */
const BEYOND = 10;

/** The quantile of the normal distribution that leaves 2.5 % on each side. */
const NORMAL = 1.96;

/** The percentiles that are shown where no others are asked for. */
export const USUAL_PERCENTILES: readonly number[] = [50, 90, 99, 99.9];

/**
 * How many durations there must be to claim a percentile: 10 / (1 - p).
 *
 * @param percentile from 0 to 100, without both
 */
export function leastCount(percentile: number): number {
  // Binary fractions are not exact: 100 - 99.9 is a little more than 0.1.
  return Math.ceil(BEYOND * 100 / (100 - percentile) - 1e-6);
}

/**
 * The ranks between which a percentile of the population lies in 95 of 100 cases, by order
 * statistics: whatever the distribution is, the number of durations below its percentile is
 * binomially distributed (W. J. Conover, "Practical Nonparametric Statistics").
 *
 * @param percentile from 0 to 100
 * @param count how many durations there are
 * @returns ranks from 1 to `count`
 */
export function ranksAround(percentile: number, count: number): readonly [number, number] {
  const share = percentile / 100;
  const middle = count * share;
  const distance = NORMAL * Math.sqrt(middle * (1 - share));
  const rank = (value: number) => Math.min(count, Math.max(1, Math.ceil(value - 1e-9)));
  return [rank(middle - distance), rank(middle + distance)];
}

/**
 * Reads the name of a percentile.
 *
 * @param name for instance `p50`, `p99.9`, or `p999` for the same
 * @returns for instance 99.9; `undefined` if it is not the name of a percentile
 */
export function readPercentile(name: string): number | undefined {
  const [, whole = "", digits = ""] = /^p(\d{1,2})(?:\.(\d+))?$/.exec(name) ??
    /^p(9\d)(\d+)$/.exec(name) ?? [];
  const percentile = Number(digits === "" ? whole : `${whole}.${digits}`);
  return percentile > 0 && percentile < 100 ? percentile : undefined;
}

/**
 * The name of a percentile.
 *
 * @param percentile for instance 99.9
 * @returns for instance `p99.9`
 */
export function percentileName(percentile: number): string {
  return `p${percentile}`;
}
