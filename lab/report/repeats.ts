/**
 * The repeats of one server under one load: each of them, their median and their spread.
 *
 * @module
 */

import { percentileName } from "../load/percentiles.ts";
import type { Run } from "../load/results.ts";
import { askedPercentiles, percentileIn } from "./columns.ts";
import { errorsOf } from "./contests.ts";
import { deviation, mean, median } from "./statistics.ts";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatTime,
  UNKNOWN,
} from "../../engine/values/units.ts";

/** The most repeats that have a row each. With more of them, only the median and the spread do. */
const MOST_ROWS = 20;

/** A figure of each repeat. */
interface Figure {
  readonly title: string;
  /** Its value; `null` if it is not known. */
  readonly of: (run: Run) => number | null;
  readonly format: (value: number) => string;
}

/**
 * Makes the table.
 *
 * @param runs the repeats, in the order of measuring
 * @returns the titles, then the rows
 */
export function repeatsTable(runs: readonly Run[]): string[][] {
  const figures: readonly Figure[] = [
    { title: "rate", of: ({ rate }) => rate, format: formatRate },
    ...askedPercentiles(runs).map((percentile): Figure => ({
      title: percentileName(percentile),
      of: ({ latency_us }) => percentileIn(latency_us, percentile),
      format: formatTime,
    })),
    { title: "max", of: ({ latency_us }) => latency_us.max, format: formatTime },
    { title: "errors", of: errorsOf, format: formatCount },
    ...(runs.some(({ server }) => server !== null)
      ? [
        {
          title: "per CPU s",
          of: ({ server }: Run) => server?.requests_per_cpu_s ?? null,
          format: formatCount,
        },
        {
          title: "memory",
          of: ({ server }: Run) => server?.peak_memory_bytes ?? null,
          format: formatBytes,
        },
      ]
      : []),
  ];
  const row = (title: string, cell: (figure: Figure) => string) => [title, ...figures.map(cell)];
  const shown = runs.length <= MOST_ROWS ? runs : [];
  return [
    row("", ({ title }) => title),
    ...shown.map((run) =>
      row(`run ${run.repeat}`, ({ of, format }) => {
        const value = of(run);
        return value === null ? UNKNOWN : format(value);
      })
    ),
    row("median", ({ of, format }) => {
      const values = known(runs, of);
      return values === undefined ? UNKNOWN : format(median(values));
    }),
    row("±", ({ of }) => spreadOf(known(runs, of))),
  ];
}

/** The values of all repeats; `undefined` if one is not known. */
function known(runs: readonly Run[], of: Figure["of"]): readonly number[] | undefined {
  const values = runs.map(of);
  return values.every((value) => value !== null) ? values : undefined;
}

/** The standard deviation as a share of the mean. */
function spreadOf(values: readonly number[] | undefined): string {
  const spread = values && deviation(values);
  if (values === undefined || spread === undefined || mean(values) === 0) return "";
  return `${(spread / mean(values) * 100).toFixed(1)} %`;
}
