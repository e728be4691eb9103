/**
 * Whether a series of figures rises. Memory under a collector goes up and down, so neither the last
 * figure nor a fitted line tells it. Two estimates that do not care about outliers do: the test of
 * Mann and Kendall says whether the figures come in a rising order by more than chance, and the
 * slope of Theil and Sen says by how much they rise.
 *
 * @module
 */

import { median } from "../report/statistics.ts";

/** What a series does. */
export interface Trend {
  /** By how much it rises from its beginning to its end. It is negative if it falls. */
  readonly rise: number;
  /** How likely it is that figures without a trend come in an order that rises as much as this. */
  readonly chance: number;
}

/** The fewest figures of which a trend can be told: fewer can rise by chance alone. */
export const LEAST_LOOKS = 8;

/** Below this chance a series counts as rising. */
const UNLIKELY = 0.001;

/**
 * Finds the trend of a series.
 *
 * @param figures in the order in which they were taken, after about the same work each
 */
export function trendOf(figures: readonly number[]): Trend {
  const slopes: number[] = [];
  // How many pairs rise, less how many fall: S in H. B. Mann, "Nonparametric tests against trend"
  // (1945).
  let score = 0;
  for (const [index, figure] of figures.entries()) {
    for (const [after, later] of figures.slice(index + 1).entries()) {
      score += Math.sign(later - figure);
      slopes.push((later - figure) / (after + 1));
    }
  }
  const rise = slopes.length === 0 ? 0 : median(slopes) * (figures.length - 1);
  return { rise, chance: chanceOf(score, figures) };
}

/**
 * Whether a series rises, and by enough to matter.
 *
 * @param trend its trend
 * @param least what it must rise by at least
 */
export function isRising({ rise, chance }: Trend, least: number): boolean {
  return chance < UNLIKELY && rise >= least;
}

/** How likely a score at least as high is, if the order of the figures is chance. */
function chanceOf(score: number, figures: readonly number[]): number {
  const spread = (count: number) => count * (count - 1) * (2 * count + 5);
  const equal = new Map<number, number>();
  for (const figure of figures) equal.set(figure, (equal.get(figure) ?? 0) + 1);
  // Figures that are equal to others tell less.
  const ties = [...equal.values()].reduce((sum, count) => sum + spread(count), 0);
  const variance = (spread(figures.length) - ties) / 18;
  if (variance <= 0) return 1;
  // The score changes in steps, and the normal distribution does not.
  return 1 - normal((score - Math.sign(score)) / Math.sqrt(variance));
}

/** The share of a normal distribution below a value: Abramowitz and Stegun, formula 26.2.17. */
function normal(z: number): number {
  if (z < 0) return 1 - normal(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const terms = [0.319381530, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = terms.reduceRight((inner, term) => (inner + term) * t, 0);
  return 1 - Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI) * sum;
}
