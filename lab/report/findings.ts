/**
 * Says what the numbers support, one sentence each, and nothing more.
 *
 * It says that one server is better than another only if their repeats show it: see
 * `statistics.ts`.
 *
 * @module
 */

import { PROTOCOLS } from "../../protocols/catalogue.ts";
import type { Load, Missing, Recovery, Run, ServerFigures } from "../load/results.ts";
import {
  type Contest,
  contestsOf,
  distinguish,
  dueRate,
  type Entry,
  errorsOf,
  figures,
  formatLoad,
  hasAnswers,
  hasServer,
  meanOf,
  reachedShare,
} from "./contests.ts";
import { differ, formatRatio, LEAST_REPEATS, mean, ratioOf } from "./statistics.ts";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  formatTime,
} from "../../engine/values/units.ts";

/** The share of the target rate from which the target counts as reached. */
const REACHED = 0.99;

/** How many times the median the slowest thousandth must take to count as a long tail. */
const TAIL = 50;

/** How many times the service time the response time must be to show that requests waited. */
const WAITING = 2;

/** From this ratio on a difference that cannot be told from chance is worth more repeats. */
const APART = 1.2;

/** How many are named; the others are only counted. */
const MOST_NAMES = 3;

/** A figure by which servers are compared. */
export interface Figure {
  /** The figure of a run; `NaN` if it is not known. */
  readonly of: (run: Run) => number;
  /** Whether a higher value is better. */
  readonly more: boolean;
  /** Writes a value for people to read. */
  readonly format: (value: number) => string;
}

/** Requests answered per second. */
export const RATE: Figure = { of: ({ rate }) => rate, more: true, format: formatRate };

/** The response time that one request in a hundred exceeds; `NaN` if there were too few. */
export const P99: Figure = timeFigure("p99");

function timeFigure(field: "p50" | "p90" | "p99"): Figure {
  return { of: ({ latency_us }) => latency_us[field] ?? NaN, more: false, format: formatTime };
}

/** The response time that every second request exceeds; `NaN` if there were too few. */
const P50: Figure = timeFigure("p50");

/**
 * The highest percentile up to p99 that is known of every entry that answers; p99 if there is none.
 *
 * @param entries what is compared
 */
export function tailOf(
  entries: readonly Entry[],
): { readonly name: string; readonly figure: Figure } {
  const answering = entries.filter(hasAnswers);
  for (const name of ["p99", "p90", "p50"] as const) {
    const figure = timeFigure(name);
    if (answering.every((entry) => !Number.isNaN(meanOf(entry, figure.of)))) {
      return { name, figure };
    }
  }
  return { name: "p99", figure: P99 };
}

/** Answers for each second of the server's CPU time; only if that is known. */
export const PER_CPU_SECOND: Figure = {
  of: ({ server }) => (server as ServerFigures).requests_per_cpu_s ?? NaN,
  more: true,
  format: formatCount,
};

/** The server's peak memory; only if that is known. */
export const MEMORY: Figure = {
  of: ({ server }) => (server as ServerFigures).peak_memory_bytes,
  more: false,
  format: formatBytes,
};

/**
 * Writes the sentences that the numbers support.
 *
 * @param runs everything that was measured, in order
 * @param missing what was not measured although it should have been
 * @param reference the name of what the others are compared with, in place of the best
 * @returns sentences, each with its full stop; a few at most for each load and each server
 */
export function findingsOf(
  runs: readonly Run[],
  missing: readonly Missing[] = [],
  reference?: string,
): string[] {
  const contests = contestsOf(runs, reference);
  const titles = distinguish(contests.map(({ load }) => load));
  const sentences = contests.flatMap((contest, index) => {
    const title = titles[index] ?? "";
    return [...compare(contest), ...remarks(contest), ...recoveries(contest)]
      .map((text) => title === "" ? text : `${title}: ${text}`);
  });
  const comparable = contests.filter(({ entries }) => entries.length > 1);
  if (comparable.some(({ entries }) => !entries.every(isRepeated))) {
    sentences.push(
      `No difference is reported where something was measured fewer than ${LEAST_REPEATS} times.`,
    );
  }
  if (comparable.some(needsRepeats)) {
    sentences.push(
      "With more repeats (--repeat) more could be told apart: the fewer they are and the more servers " +
        "are compared, the larger a difference must be.",
    );
  }
  return [...sentences, ...missing.map(sayMissing)];
}

/** Whether the best and the worst rate or median are far apart, and yet may differ by chance. */
function needsRepeats({ load, entries: all }: Contest): boolean {
  const entries = all.filter(hasAnswers);
  if (entries.length < 2 || !entries.every(isRepeated)) return false;
  const figure = load.target_rate === null ? RATE : P50;
  const sorted = ranked(entries, figure);
  const [best, worst] = [sorted[0], sorted.at(-1)] as [Entry, Entry];
  const ratio = meanOf(best, figure.of) / meanOf(worst, figure.of);
  const isFar = Math.max(ratio, 1 / ratio) >= APART;
  return isFar &&
    !differIn(figure, best, worst, questionsOf(entries, comparisonsOf(load, entries)));
}

/** Says what is missing, for instance `Go, runs 2 to 5 (echo · 50 connections): not measured: …`. */
function sayMissing({ name, load, repeats, why }: Missing): string {
  const [first, last] = [repeats[0], repeats.at(-1)];
  const which = first === last ? `run ${first}` : `runs ${first} to ${last}`;
  return `${name}, ${which} of ${formatLoad(load)}: not measured, ${why.replace(/\.$/, "")}.`;
}

/**
 * Sorts entries by a figure, the best first. Entries without answers come last, after those whose
 * figure is not known.
 *
 * @param entries the entries to sort
 * @param figure the figure to sort by
 */
export function ranked(entries: readonly Entry[], { of, more }: Figure): Entry[] {
  const sign = more ? -1 : 1;
  const known = (entry: Entry) => Number(!Number.isNaN(meanOf(entry, of)));
  return entries.toSorted((a, b) =>
    Number(hasAnswers(b)) - Number(hasAnswers(a)) || known(b) - known(a) ||
    (known(a) === 0 ? 0 : sign * (meanOf(a, of) - meanOf(b, of)))
  );
}

/**
 * How many times worse an entry is than the best.
 *
 * @param entry the entry
 * @param best the best entry
 * @param figure the figure to compare by
 */
export function timesWorse(entry: Entry, best: Entry, { of, more }: Figure): string {
  const [values, others] = [figures(entry, of), figures(best, of)];
  const compared = more ? ratioOf(others, values) : ratioOf(values, others);
  const isKnown = Number.isFinite(compared.ratio) && hasAnswers(entry);
  return isKnown ? formatRatio(compared) : "–";
}

function isRepeated({ runs }: Entry): boolean {
  return runs.length >= LEAST_REPEATS;
}

/** A figure by which entries are compared, and how that is said. */
interface Comparison {
  readonly figure: Figure;
  /** The figure, for instance `memory`. */
  readonly what: string;
  /** What the best entry does, for instance `takes the least memory`. */
  readonly does: string;
}

/** Says which entry is the best in each figure. */
function compare({ load, entries: all, reference }: Contest): string[] {
  const entries = all.filter(hasAnswers);
  if (entries.length < 2 || !entries.every(isRepeated)) return [];
  const comparisons = comparisonsOf(load, entries);
  const among = questionsOf(entries, comparisons);
  return comparisons.map((comparison) =>
    reference !== undefined && hasAnswers(reference)
      ? against(reference, entries, comparison, among)
      : theBest(entries, comparison, among)
  );
}

/** How many questions are asked at once. */
function questionsOf(entries: readonly Entry[], comparisons: readonly Comparison[]): number {
  return comparisons.length * (entries.length - 1);
}

/** By which figures these entries are compared. */
function comparisonsOf(load: Load, entries: readonly Entry[]): Comparison[] {
  const { name, figure } = tailOf(entries);
  const lowest = (figure: Figure, what: string) =>
    isKnown(figure) ? [{ figure, what, does: `has the lowest ${what}` }] : [];
  const isKnown = ({ of }: Figure) => entries.every((entry) => Number.isFinite(meanOf(entry, of)));
  const cpu = {
    figure: PER_CPU_SECOND,
    what: "use of CPU",
    does: "answers most for each second of CPU time",
  };
  return [
    // With a target rate, all of them answer that rate.
    ...(load.target_rate === null ? [{ figure: RATE, what: "rate", does: "answers most" }] : []),
    // One pause of the machine moves the tail of a repeat, but hardly its median.
    ...(name === "p50" ? [] : lowest(P50, "p50")),
    ...lowest(figure, name),
    ...(entries.every(hasServer)
      ? [
        ...(isKnown(PER_CPU_SECOND) ? [cpu] : []),
        { figure: MEMORY, what: "memory", does: "takes the least memory" },
      ]
      : []),
  ];
}

/** Whether two entries differ in a figure, as one of so many questions. */
function differIn({ of }: Figure, a: Entry, b: Entry, among: number): boolean {
  return differ(figures(a, of), figures(b, of), among);
}

/** The best entry in one figure, and those that cannot be told from it. */
function theBest(
  entries: readonly Entry[],
  { figure, what, does }: Comparison,
  among: number,
): string {
  const sorted = ranked(entries, figure);
  const first = sorted[0] as Entry;
  const shown = (entry: Entry) => `${entry.name} (${figure.format(meanOf(entry, figure.of))})`;
  const at = sorted.findIndex((entry) => differIn(figure, first, entry, among));
  const next = sorted[at];
  if (next === undefined) {
    return `none differs from the best in ${what} by more than the repeats do.`;
  }
  const ratio = timesWorse(next, first, figure);
  const distance = figure.more
    ? `${ratio} times as much as ${shown(next)}`
    : `${shown(next)} has ${ratio} times as much`;
  if (at === 1) return `${shown(first)} ${does}: ${distance}.`;
  if (at <= MOST_NAMES) {
    const others = some(sorted.slice(1, at).map(shown));
    return `${shown(first)} ${does}, but cannot be told from ${others}: ${distance}.`;
  }
  const last = shown(sorted[at - 1] as Entry);
  return `the best ${at} in ${what} cannot be told apart, ${shown(first)} to ${last}: ${distance}.`;
}

/** How all the others compare with one entry in one figure, and which cannot be told from it. */
function against(
  reference: Entry,
  entries: readonly Entry[],
  { figure, what }: Comparison,
  among: number,
): string {
  const shown = (entry: Entry) => `${entry.name} (${figure.format(meanOf(entry, figure.of))})`;
  const others = ranked(entries, figure).filter((entry) => entry !== reference);
  const differs = (entry: Entry) => differIn(figure, entry, reference, among);
  const parts = others.filter(differs).map((entry) => {
    const ratio = formatRatio(ratioOf(figures(entry, figure.of), figures(reference, figure.of)));
    return `${shown(entry)} has ${ratio} times as much`;
  });
  const alike = others.filter((entry) => !differs(entry)).map(shown);
  if (alike.length > 0) parts.push(`${some(alike)} cannot be told from it`);
  return `${what} against ${shown(reference)}: ${parts.join("; ")}.`;
}

/** A remark about one entry by itself. */
interface Remark {
  /** A clause about the entry, without its name. */
  readonly text: string;
  /** The same in a word, for when another entry is worse. */
  readonly short: string;
  /** The greater the weight, the worse. */
  readonly weight: number;
}

/**
 * Remarks about single entries. For each kind of remark the worst entry comes first, then the
 * others.
 */
function remarks({ entries }: Contest): string[] {
  return [
    cutShort,
    serverEnded,
    silence,
    endlessExchange,
    starvation,
    failures,
    limits,
    missedTarget,
    hiddenWaiting,
    longTail,
  ].flatMap(
    (kind) => {
      const found = entries
        .flatMap((entry) => {
          const remark = kind(entry);
          return remark === undefined ? [] : [{ name: entry.name, ...remark }];
        })
        .toSorted((a, b) => b.weight - a.weight);
      const [worst, ...others] = found;
      if (worst === undefined) return [];
      const also = others.map(({ name, short }) => `${name} (${short})`);
      return [`${worst.name}: ${worst.text}${also.length === 0 ? "" : `; also ${some(also)}`}.`];
    },
  );
}

/** Says how long each entry took to recover from each spike. */
function recoveries({ entries }: Contest): string[] {
  return entries.flatMap(({ name, runs }) => {
    const spikes = runs[0]?.recoveries ?? [];
    return spikes.map((spike, index) => {
      const all = runs.flatMap((run) => run.recoveries[index] ?? []);
      return `${name}: ${sayRecovery(spike, all)}.`;
    });
  });
}

function sayRecovery({ from_s, to_s }: Recovery, all: readonly Recovery[]): string {
  const seconds = (value: number) => `${Number(value.toFixed(1))} s`;
  const spike = `the spike from ${seconds(from_s)} to ${seconds(to_s)}`;
  // The worst of the repeats.
  const known = all.filter(({ percentile }) => percentile !== null);
  const worst =
    known.toSorted((a, b) => (b.recovered_s ?? Infinity) - (a.recovered_s ?? Infinity) || 0)[0];
  if (worst === undefined) {
    return `whether it recovered from ${spike} cannot be told, the seconds before or after it ` +
      "have too few requests";
  }
  const value = `p${worst.percentile} was again within the ${
    formatTime(worst.before_us)
  } of before`;
  const times = all.length > 1 ? ` in the slowest of ${all.length} runs` : "";
  if (worst.recovered_s === null) {
    return `it did not recover from ${spike}: in the ${
      seconds(worst.watched_s)
    } after it p${worst.percentile} was never again within the ${
      formatTime(worst.before_us)
    } of before${times}`;
  }
  if (worst.recovered_s === 0) {
    return `it recovered from ${spike} at once: ${value} in the first second after it${times}`;
  }
  return `it took ${seconds(worst.recovered_s)} to recover from ${spike}, until ${value}${times}`;
}

function cutShort({ runs }: Entry): Remark | undefined {
  const cut = runs.filter(({ interrupted }) => interrupted);
  if (cut.length === 0) return undefined;
  const short = formatTime(Math.max(...cut.map(({ duration_s }) => duration_s)) * 1e6);
  const why = cut.find(({ aborted }) => aborted !== null)?.aborted;
  const how = why === undefined || why === null ? "interrupted" : "ended by --abort-on";
  return {
    text: `the run was ${how} after ${short}${
      how === "interrupted" ? "" : ` (${why})`
    }, its figures are those of the beginning`,
    short,
    weight: cut.length,
  };
}

function serverEnded({ runs }: Entry): Remark | undefined {
  const ended = runs.filter(({ server }) => server?.ended === true);
  if (ended.length === 0) return undefined;
  const short = runs.length === 1 ? "once" : `${ended.length} of ${runs.length} runs`;
  return {
    text: `the server's process ended during ${
      runs.length === 1 ? "the run" : short
    }, its figures are those until then`,
    short,
    weight: ended.length,
  };
}

function silence(entry: Entry): Remark | undefined {
  const { runs } = entry;
  if (isEndless(entry)) return undefined;
  if (runs.some((run) => run.requests > 0 || errorsOf(run) > 0)) return undefined;
  const { load, duration_s } = runs[0] as Run;
  const short = `nothing in ${formatTime(duration_s * 1e6)}`;
  const isWhole = runs.some((run) => run.bytes_sent > 0 && run.bytes_sent >= load.size[0]);
  if (!isWhole) {
    const text = `${short} was answered: not even one request was sent whole`;
    return { text, short, weight: 1 };
  }
  return { text: `${short} was answered: it may not speak ${load.protocol}`, short, weight: 1 };
}

/** How requests fail that nothing has answered in time. */
const LATE = ["timeout", "unanswered"];

/**
 * Whether no exchange was over although bytes went both ways, under a load that is not this
 * project's: its `load` may hold a whole conversation in place of one request.
 */
function isEndless({ runs }: Entry): boolean {
  const { protocol, send } = (runs[0] as Run).load;
  return !Object.hasOwn(PROTOCOLS, protocol) && send === undefined &&
    runs.every(({ requests, errors, bytes_sent, bytes_received }) =>
      requests === 0 && bytes_sent > 0 && bytes_received > 0 &&
      Object.entries(errors).every(([kind, count]) => count === 0 || LATE.includes(kind))
    );
}

function endlessExchange(entry: Entry): Remark | undefined {
  if (!isEndless(entry)) return undefined;
  const { load: { protocol }, duration_s } = entry.runs[0] as Run;
  const short = `no request over in ${formatTime(duration_s * 1e6)}`;
  return {
    text:
      `${short}, although bytes went both ways: one run of "load" in ${protocol} is one request ` +
      "and its answer, and must end after it",
    short,
    weight: 1,
  };
}

function starvation({ runs }: Entry): Remark | undefined {
  const starved = Math.max(...runs.map(({ starved_connections }) => starved_connections));
  // If nothing at all was answered, there are no figures of other connections.
  if (starved === 0 || runs.every(({ requests }) => requests === 0)) return undefined;
  const { load: { connections } } = runs[0] as Run;
  const short = `${formatCount(starved)} of ${formatCount(connections)}`;
  return {
    text: `${short} connections had no answer at all, the figures are those of the others`,
    short,
    weight: starved,
  };
}

function failures({ runs }: Entry): Remark | undefined {
  const kinds = new Map<string, number>();
  for (const { errors } of runs) {
    for (const [kind, count] of Object.entries(errors)) {
      if (count > 0) kinds.set(kind, (kinds.get(kind) ?? 0) + count);
    }
  }
  if (kinds.size === 0) return undefined;
  const failed = runs.reduce((sum, run) => sum + errorsOf(run), 0);
  const asked = failed + runs.reduce((sum, { requests }) => sum + requests, 0);
  const shown = [...kinds].toSorted(([, a], [, b]) => b - a)
    .map(([kind, count]) => `${kind} ${formatCount(count)}`);
  const share = formatShare(failed / asked);
  return {
    text: `${formatCount(failed)} of ${formatCount(asked)} requests failed, ${share} ` +
      `(${shown.join(", ")})`,
    short: share,
    weight: failed / asked,
  };
}

/** How late the load was in one case of a hundred; if that was not measured, at most. */
function lagOf(runs: readonly Run[]): number {
  return Math.max(...runs.map(({ lag_us }) => lag_us.p99 ?? lag_us.max ?? 0));
}

/**
 * Says how late the load was.
 *
 * @param runs the runs that it limited
 * @returns for instance `p99 of how late it was: 2.40 ms`
 */
export function sayLag(runs: readonly Run[]): string {
  const late = formatTime(lagOf(runs));
  const isKnown = runs.every(({ lag_us }) => lag_us.p99 !== null);
  return isKnown ? `p99 of how late it was: ${late}` : `it was up to ${late} late`;
}

function limits(entry: Entry): Remark | undefined {
  const { runs } = entry;
  const limited = runs.filter(({ load_limited }) => load_limited);
  if (limited.length === 0) return undefined;
  const when = runs.length === 1 ? "" : ` in ${limited.length} of ${runs.length} runs`;
  const lag = lagOf(limited);
  const rate = formatRate(meanOf(entry, RATE.of));
  const isOpen = (runs[0] as Run).load.target_rate !== null;
  const meaning = isOpen ? "part of the times is its own" : `the server may do more than ${rate}`;
  return {
    text: `the load and not the server set the limit${when} (${sayLag(limited)}), ` +
      meaning,
    short: isOpen ? formatTime(lag) : rate,
    weight: lag,
  };
}

function missedTarget(entry: Entry): Remark | undefined {
  const target = (entry.runs[0] as Run).load.target_rate;
  // What was not due any more was not missed.
  if (target === null || entry.runs.some(({ interrupted }) => interrupted)) return undefined;
  const share = reachedShare(entry.runs);
  if (share >= REACHED) return undefined;
  return {
    text: `${formatShare(share)} of the ${
      formatRate(mean(entry.runs.map((run) => dueRate(run) ?? target)))
    } that were due is what it answered each second`,
    short: formatShare(share),
    weight: -share,
  };
}

function hiddenWaiting(entry: Entry): Remark | undefined {
  const { runs } = entry;
  if ((runs[0] as Run).load.target_rate === null) return undefined;
  const waits = ({ latency_us, service_us }: Run) =>
    latency_us.p99 !== null && service_us.p99 !== null && service_us.p99 > 0 &&
    latency_us.p99 >= WAITING * service_us.p99;
  if (!runs.every(waits)) return undefined;
  const response = meanOf(entry, P99.of);
  const service = formatTime(meanOf(entry, ({ service_us }) => service_us.p99 ?? NaN));
  return {
    text: `requests waited before they could be sent, p99 ${formatTime(response)} from when they ` +
      `were due and ${service} from sending`,
    short: formatTime(response),
    weight: response,
  };
}

function longTail({ runs }: Entry): Remark | undefined {
  const isLong = ({ latency_us: { p50, p999 } }: Run) =>
    p50 !== null && p999 !== null && p50 > 0 && p999 >= TAIL * p50;
  if (!runs.every(isLong)) return undefined;
  const slow = mean(runs.map(({ latency_us }) => latency_us.p999 ?? NaN));
  const times = slow / mean(runs.map(({ latency_us }) => latency_us.p50 ?? NaN));
  return {
    text: `one request in a thousand takes ${formatTime(slow)} or more, ${Math.round(times)} ` +
      `times the median`,
    short: `${Math.round(times)} times`,
    weight: times,
  };
}

/** For instance `a, b and c`; of a long list only the first few. */
function some(names: readonly string[]): string {
  const shown = names.length <= MOST_NAMES + 1
    ? names
    : [...names.slice(0, MOST_NAMES), `${names.length - MOST_NAMES} others`];
  return shown.length === 1
    ? shown[0] as string
    : `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}`;
}
