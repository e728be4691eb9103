/**
 * The columns of a comparison's table: the same on a terminal, in Markdown and on the page.
 *
 * @module
 */

import { percentileName, USUAL_PERCENTILES } from "../load/percentiles.ts";
import type { Latency, Run, ServerFigures } from "../load/results.ts";
import {
  type Contest,
  type Entry,
  errorsOf,
  figures,
  hasAnswers,
  hasServer,
  meanOf,
  reachedShare,
} from "./contests.ts";
import {
  type Figure,
  MEMORY,
  PER_CPU_SECOND,
  ranked,
  RATE,
  tailOf,
  timesWorse,
} from "./findings.ts";
import { deviation, formatRatio, mean, ratioOf } from "./statistics.ts";
import {
  formatCount,
  formatRate,
  formatShare,
  formatTime,
  UNKNOWN,
} from "../../engine/values/units.ts";

/** One column. */
export interface Column {
  readonly title: string;
  /**
   * If there is no room, the columns with the highest numbers are left out first; those with 0
   * stay.
   */
  readonly order: number;
  /** The text of the column in a row. */
  readonly cell: (entry: Entry) => string;
}

/** A table of what is compared. */
export interface Table {
  /** The rows, the best first. */
  readonly entries: readonly Entry[];
  readonly columns: readonly Column[];
}

/**
 * Makes the table of a comparison.
 *
 * With a target rate, every server that can do so answers exactly that rate. So they are compared
 * by their p99, and the service time stands beside the response time.
 *
 * @param contest the comparison
 */
export function tableOf({ load, entries, reference }: Contest): Table {
  const isOpen = load.target_rate !== null;
  const slowest = tailOf(entries);
  const figure = isOpen ? slowest.figure : RATE;
  const sorted = ranked(entries, figure);
  const best = sorted[0] as Entry;
  const known = entries.some(hasServer);
  const connects = entries.some(({ runs }) => runs.some(({ connect_us }) => connect_us !== null));
  return {
    entries: sorted,
    columns: [
      { title: "server", order: 0, cell: ({ name }) => name },
      { title: "rate", order: 0, cell: (entry) => formatRate(meanOf(entry, RATE.of)) },
      ...(entries.some(({ runs }) => runs.length > 1)
        ? [{ title: "±", order: 5, cell: spreadCell }]
        : []),
      ...(isOpen ? [{ title: "of target", order: 2, cell: reachedCell }] : []),
      ...(entries.length > 1
        ? [
          reference !== undefined
            ? timesReference(reference, figure, isOpen ? slowest.name : "rate")
            : relative(best, figure, isOpen ? `times the ${slowest.name}` : "times slower"),
        ]
        : []),
      ...askedOf(entries).map(([name, of, order]) =>
        time(isOpen ? `response ${name}` : name, order, ({ latency_us }) => of(latency_us))
      ),
      time(isOpen ? "response max" : "max", 10, ({ latency_us }) => latency_us.max),
      ...(isOpen
        ? [
          time("service p50", 9, ({ service_us }) => service_us.p50),
          time("service p99", 3, ({ service_us }) => service_us.p99),
        ]
        : []),
      ...(connects ? [connecting()] : []),
      { title: "errors", order: 4, cell: errorCell },
      ...(known
        ? [
          serverColumn("per CPU s", 5, PER_CPU_SECOND),
          serverColumn("memory", 6, MEMORY),
          serverColumn("threads", 11, {
            of: ({ server }) => (server as ServerFigures).threads,
            format: (count) => Number.isNaN(count) ? UNKNOWN : count.toFixed(0),
          }),
        ]
        : []),
    ],
  };
}

/** The standard deviation over the repeats, as a share of their mean. */
function spreadCell(entry: Entry): string {
  const rate = meanOf(entry, RATE.of);
  const spread = deviation(figures(entry, RATE.of));
  return spread === undefined || rate === 0 ? "" : `${(spread / rate * 100).toFixed(1)} %`;
}

function reachedCell({ runs }: Entry): string {
  return formatShare(reachedShare(runs));
}

/** How many times worse an entry is than the best. */
function relative(best: Entry, figure: Figure, title: string): Column {
  return {
    title,
    order: 1,
    cell: (entry) => entry === best ? "1.00" : timesWorse(entry, best, figure),
  };
}

/** How many times as much as the reference an entry has. */
function timesReference(reference: Entry, { of }: Figure, what: string): Column {
  const others = figures(reference, of);
  return {
    title: `times its ${what}`,
    order: 1,
    cell(entry) {
      if (entry === reference) return "reference";
      const compared = ratioOf(figures(entry, of), others);
      return Number.isFinite(compared.ratio) && hasAnswers(entry) ? formatRatio(compared) : UNKNOWN;
    },
  };
}

function time(title: string, order: number, of: (run: Run) => number | null): Column {
  return { title, order, cell: (entry) => formatTime(meanOf(entry, (run) => of(run) ?? NaN)) };
}

/** The orders in which the usual percentiles are left out. */
const ORDERS: Readonly<Record<string, number>> = { p50: 4, p99: 3 };

/**
 * The percentiles that have columns: those that were asked for, or p50, p99 and p99.9.
 *
 * @param entries what is shown
 * @returns the name of each, its value in a run, and its column's order
 */
export function askedOf(
  entries: readonly Entry[],
): (readonly [name: string, of: (latency: Latency) => number | null, order: number])[] {
  const asked = askedPercentiles(entries.flatMap(({ runs }) => runs));
  const isUsual = String(asked) === String(USUAL_PERCENTILES);
  return (isUsual ? [50, 99, 99.9] : asked).map((percentile) => [
    percentileName(percentile),
    (latency) => percentileIn(latency, percentile),
    ORDERS[percentileName(percentile)] ?? 8,
  ]);
}

/**
 * The percentiles that were asked for, the lowest first.
 *
 * @param runs what was measured
 */
export function askedPercentiles(runs: readonly Run[]): readonly number[] {
  const asked = new Set(
    runs.flatMap(({ latency_us: { percentiles } }) =>
      percentiles.map(({ percentile }) => percentile)
    ),
  );
  return asked.size === 0 ? USUAL_PERCENTILES : [...asked].sort((a, b) => a - b);
}

/**
 * A percentile of a distribution; `null` if it is not known.
 *
 * @param latency the distribution
 * @param percentile for instance 99.9
 */
export function percentileIn(latency: Latency, percentile: number): number | null {
  const usual: Readonly<Record<number, number | null>> = {
    50: latency.p50,
    90: latency.p90,
    99: latency.p99,
    99.9: latency.p999,
  };
  const asked = () => latency.percentiles.find((one) => one.percentile === percentile)?.us;
  return usual[percentile] ?? asked() ?? null;
}

function connecting(): Column {
  const cell = ({ runs }: Entry) => {
    const measured = runs.flatMap(({ connect_us }) => connect_us ?? []);
    if (measured.length === 0) return "";
    return formatTime(mean(measured.map(({ p99 }) => p99 ?? NaN)));
  };
  return { title: "connect p99", order: 7, cell };
}

function errorCell({ runs }: Entry): string {
  return formatCount(runs.reduce((sum, run) => sum + errorsOf(run), 0));
}

function serverColumn(
  title: string,
  order: number,
  { of, format }: Pick<Figure, "of" | "format">,
): Column {
  return { title, order, cell: (entry) => hasServer(entry) ? format(meanOf(entry, of)) : "" };
}
