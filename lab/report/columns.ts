/**
 * The columns of a comparison's table: the same on a terminal, in Markdown and on the page.
 *
 * @module
 */

import type { Run, ServerFigures } from "../load/results.ts";
import {
  type Contest,
  type Entry,
  errorsOf,
  figures,
  hasAnswers,
  hasServer,
  meanOf,
} from "./contests.ts";
import { type Figure, MEMORY, P99, PER_CPU_SECOND, ranked, RATE, timesWorse } from "./findings.ts";
import { deviation } from "./statistics.ts";
import { formatCount, formatRate, formatShare, formatTime } from "./units.ts";

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
export function tableOf({ load, entries }: Contest): Table {
  const isOpen = load.target_rate !== null;
  const figure = isOpen ? P99 : RATE;
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
        ? [relative(best, figure, isOpen ? "times the p99" : "times slower")]
        : []),
      time(isOpen ? "response p50" : "p50", 4, ({ latency_us }) => latency_us.p50),
      time(isOpen ? "response p99" : "p99", 3, ({ latency_us }) => latency_us.p99),
      time(isOpen ? "response p99.9" : "p99.9", 8, ({ latency_us }) => latency_us.p999),
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
            format: (count) => count.toFixed(0),
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

function reachedCell(entry: Entry): string {
  const target = (entry.runs[0] as Run).load.target_rate as number;
  return formatShare(Math.min(1, meanOf(entry, RATE.of) / target));
}

/** How many times worse an entry is than the best. */
function relative(best: Entry, figure: Figure, title: string): Column {
  return {
    title,
    order: 1,
    cell: (entry) => entry === best ? "1.00" : timesWorse(entry, best, figure),
  };
}

function time(title: string, order: number, of: (run: Run) => number): Column {
  const cell = (entry: Entry) => hasAnswers(entry) ? formatTime(meanOf(entry, of)) : "–";
  return { title, order, cell };
}

function connecting(): Column {
  const cell = ({ runs }: Entry) => {
    const known = runs.flatMap(({ connect_us }) => connect_us ?? []);
    if (known.length === 0) return "";
    return formatTime(known.reduce((sum, { p99 }) => sum + p99, 0) / known.length);
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
