/**
 * What the repeats of a measurement tell, and what they do not.
 *
 * Rates and times differ from run to run by factors rather than by amounts, so their logarithms are
 * compared. Welch's test decides whether two servers differ, because it does not require both to
 * vary alike. Whoever compares many things finds a difference by chance somewhere. So the test gets the
 * stricter, the more is compared (Bonferroni's correction).
 *
 * @module
 */

import { bothTails } from "./student.ts";

/** With fewer repeats than this, their spread is not known. */
export const LEAST_REPEATS = 3;

/** A difference under 2 % is not worth a sentence, however certain it is. */
const LEAST_RATIO = 1.02;

/** How likely chance makes a difference anywhere among what is compared, at most. */
const LEVEL = 0.005;

/** How many times as large as another figure a figure is. */
export interface Ratio {
  readonly ratio: number;
  /** Its standard deviation; `undefined` if something was measured only once. */
  readonly deviation: number | undefined;
}

/** The arithmetic mean. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle value, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.slice(Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2) + 1);
  return mean(middle);
}

/**
 * The standard deviation of the population that the values are a sample of; `undefined` for fewer
 * than two values.
 */
export function deviation(values: readonly number[]): number | undefined {
  return values.length < 2 ? undefined : Math.sqrt(variance(values));
}

/**
 * How many times as large as the mean of `others` the mean of `values` is. The deviations of both
 * are propagated as those of independent measurements.
 *
 * @param values the values to compare
 * @param others the values to compare them with
 */
export function ratioOf(values: readonly number[], others: readonly number[]): Ratio {
  const ratio = mean(values) / mean(others);
  const [deviated, other] = [deviation(values), deviation(others)];
  if (deviated === undefined || other === undefined) return { ratio, deviation: undefined };
  const relative = Math.hypot(deviated / mean(values), other / mean(others));
  return { ratio, deviation: ratio * relative };
}

/**
 * Writes a ratio for people to read.
 *
 * @param ratio the ratio
 * @returns for instance `1.34 ± 0.05`
 */
export function formatRatio({ ratio, deviation }: Ratio): string {
  const shown = (value: number) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2);
  return deviation === undefined ? shown(ratio) : `${shown(ratio)} ± ${shown(deviation)}`;
}

/**
 * Whether two servers differ by more than their repeats do.
 *
 * @param values the repeats of one server, all above 0
 * @param others the repeats of the other server, all above 0
 * @param among how many such questions are asked at once
 * @returns `false` also if there are too few repeats to tell
 */
export function differ(
  values: readonly number[],
  others: readonly number[],
  among = 1,
): boolean {
  if (Math.min(values.length, others.length) < LEAST_REPEATS) return false;
  if (![...values, ...others].every((value) => value > 0 && Number.isFinite(value))) return false;
  const [a, b] = [values.map(Math.log), others.map(Math.log)];
  const distance = Math.abs(mean(a) - mean(b));
  if (distance < Math.log(LEAST_RATIO)) return false;
  const [errorA, errorB] = [variance(a) / a.length, variance(b) / b.length];
  const error = errorA + errorB;
  // All repeats of each server are equal, so chance cannot explain the difference.
  if (error === 0) return true;
  const freedom = error ** 2 / (errorA ** 2 / (a.length - 1) + errorB ** 2 / (b.length - 1));
  return bothTails(distance / Math.sqrt(error), freedom) < LEVEL / among;
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}
