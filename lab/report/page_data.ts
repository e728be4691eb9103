/**
 * The data that the page draws: plain data, which a browser reads.
 *
 * @module
 */

import { percentileName, readPercentile } from "../load/percentiles.ts";
import type {
  FoundRate,
  LoadPart,
  Profile,
  RateStudy,
  Report,
  Run,
  Second,
} from "../load/results.ts";
import { askedPercentiles, percentileIn } from "./columns.ts";
import {
  type Contest,
  contestsOf,
  type Entry,
  figures,
  formatLoad,
  hasServer,
  loadKey,
} from "./contests.ts";
import { distributionOf, type Quantile } from "./distribution.ts";
import { BANDS_A_DECADE, type HeatColumn, heatOf } from "./heat.ts";
import { MEMORY, PER_CPU_SECOND, RATE } from "./findings.ts";
import { median } from "./statistics.ts";
import { BYTES, COUNTS, formatRate, TIMES, type Unit } from "../../engine/values/units.ts";

/** What the page draws of one server's repeats. */
export interface EntryPicture {
  readonly name: string;
  /** The colour, and whether the lines are dashed: always the same for the same name. */
  readonly colour: number;
  readonly isDashed: boolean;
  /** One value for each repeat. */
  readonly rates: readonly number[];
  readonly perCpuSecond: readonly number[] | null;
  readonly memory: readonly number[] | null;
  readonly latency: readonly Quantile[];
  readonly service: readonly Quantile[];
  /** The seconds of the repeat with the median rate, and the number of that repeat. */
  readonly seconds: readonly Second[];
  readonly repeat: number;
  /** The heat map of that repeat, if its seconds have distributions. */
  readonly heat: readonly HeatColumn[] | null;
}

/** What the page draws of one load. */
export interface ContestPicture {
  readonly title: string;
  readonly targetRate: number | null;
  /** The corners of a rate that changes, by seconds; `null` if it does not. */
  readonly course: readonly { readonly x: number; readonly y: number }[] | null;
  readonly entries: readonly EntryPicture[];
}

/** Everything that the page draws. */
export interface PageData {
  /** The units in which figures are written. */
  readonly units: {
    readonly time: readonly Unit[];
    readonly count: readonly Unit[];
    readonly bytes: readonly Unit[];
  };
  readonly contests: readonly ContestPicture[];
  /** How many bands a heat map has from one power of ten to the next. */
  readonly bandsADecade: number;
  readonly profiles: readonly Profile[];
  /** Runs at different rates that belong together; `null` if they do not. */
  readonly study: StudyPicture | null;
}

/** What the page draws of a search or a series of rates. */
export interface StudyPicture {
  readonly isSearch: boolean;
  /** The name of the percentile that is drawn beside the median: of a search, its target's. */
  readonly slow: string;
  /** The steps, the lowest rate first. */
  readonly steps: readonly {
    readonly rate: number;
    readonly isPassed: boolean;
    readonly verdict: string;
    /** Times in microseconds; `null` if there were too few requests. */
    readonly response: { readonly p50: number | null; readonly slow: number | null };
    readonly service: { readonly p50: number | null; readonly slow: number | null };
  }[];
  /** Rates that have a name: the knee, or what was found. */
  readonly marks: readonly { readonly rate: number; readonly text: string }[];
}

/**
 * Makes the data that the page draws from a measurement.
 *
 * @param report the measurement
 * @throws {Error} if a histogram is damaged
 */
export function pageDataOf({ runs, profiles, rate_study }: Report): PageData {
  const looks = looksOf(runs);
  return {
    units: { time: TIMES, count: COUNTS, bytes: BYTES },
    contests: rate_study
      ? studiedContests(runs).map((contest) => ({
        ...contestPicture(contest, looks),
        title: `${formatRate(contest.load.target_rate)} due`,
      }))
      : contestsOf(runs).map((contest) => contestPicture(contest, looks)),
    study: rate_study ? studyPicture(rate_study, runs) : null,
    bandsADecade: BANDS_A_DECADE,
    profiles,
  };
}

/** The loads of a study differ only in their rates. */
function studiedContests(runs: readonly Run[]): Contest[] {
  return contestsOf(runs)
    .toSorted((a, b) => (a.load.target_rate ?? 0) - (b.load.target_rate ?? 0));
}

function studyPicture({ steps, found, knee }: RateStudy, runs: readonly Run[]): StudyPicture {
  const marks = [
    { rate: found?.rate, text: "found" },
    { rate: knee?.rate, text: "knee" },
    { rate: knee?.overloaded, text: "overloaded" },
  ];
  const slow = slowOf(found, runs);
  return {
    isSearch: found !== null,
    slow: percentileName(slow),
    steps: steps.toSorted((a, b) => a.rate - b.rate).map(({ rate, verdict, run }) => {
      const { latency_us, service_us } = runs[run] as Run;
      return {
        rate,
        isPassed: verdict === "passed",
        verdict,
        response: { p50: latency_us.p50, slow: percentileIn(latency_us, slow) },
        service: { p50: service_us.p50, slow: percentileIn(service_us, slow) },
      };
    }),
    marks: marks.flatMap(({ rate, text }) => typeof rate === "number" ? [{ rate, text }] : []),
  };
}

/** The percentile that tells most: that of the target, or the highest that is known up to p99. */
function slowOf(found: FoundRate | null, runs: readonly Run[]): number {
  const targets = (found?.targets ?? []).flatMap((text) =>
    readPercentile(/^(?:service\.)?(p[\d.]+)/.exec(text)?.[1] ?? "") ?? []
  );
  const aimed = Math.max(0, ...targets);
  if (aimed > 50) return aimed;
  const known = askedPercentiles(runs).filter((percentile) =>
    percentile > 50 && percentile <= 99 &&
    runs.some(({ latency_us }) => percentileIn(latency_us, percentile) !== null)
  );
  return known.at(-1) ?? 99;
}

/** The look of a name's lines. */
type Look = Pick<EntryPicture, "colour" | "isDashed">;

/** What has a colour of its own: a mode, or a server that is none. */
function kindOf({ name, subject }: Run): string {
  return subject?.mode ?? name;
}

/** How many colours everybody can tell apart: those that `page.js` names. */
const PLAIN_COLOURS = 10;

/**
 * All kinds, in the order of their colours. Where there are more of them than plain colours, the best
 * come first: their curves are the ones that are drawn.
 */
function kindsOf(runs: readonly Run[]): readonly string[] {
  const kinds = [...new Set(runs.map(kindOf))];
  if (kinds.length <= PLAIN_COLOURS) return kinds;
  const merit = ({ load, rate, latency_us: { p99, max } }: Run) =>
    load.target_rate === null ? rate : -(p99 ?? max ?? Infinity);
  const { load } = runs[0] as Run;
  const first = runs.filter((run) => loadKey(run.load) === loadKey(load));
  const best = new Map<string, number>();
  for (const run of first) {
    best.set(kindOf(run), Math.max(best.get(kindOf(run)) ?? -Infinity, merit(run)));
  }
  const meritOf = (kind: string) => best.get(kind) ?? -Infinity;
  return kinds.toSorted((a, b) => meritOf(b) > meritOf(a) ? 1 : meritOf(b) < meritOf(a) ? -1 : 0);
}

/** Gives each mode a colour, and the second runtime dashed lines. */
function looksOf(runs: readonly Run[]): ReadonlyMap<string, Look> {
  const kinds = kindsOf(runs);
  const runtimes = [...new Set(runs.flatMap(({ subject }) => subject?.runtime ?? []))];
  return new Map(runs.map((run) => [run.name, {
    colour: kinds.indexOf(kindOf(run)),
    isDashed: run.subject !== null && runtimes.indexOf(run.subject.runtime) > 0,
  }]));
}

function contestPicture(
  { load, entries }: Contest,
  looks: ReadonlyMap<string, Look>,
): ContestPicture {
  return {
    title: formatLoad(load),
    targetRate: load.target_rate,
    course: load.rate_parts === null ? null : courseOf(load.rate_parts),
    entries: entries.map((entry) => entryPicture(entry, looks.get(entry.name) as Look)),
  };
}

function courseOf(parts: readonly LoadPart[]): NonNullable<ContestPicture["course"]> {
  let at = 0;
  return parts.flatMap(({ from, to, seconds }) => {
    const begins = { x: at, y: from };
    at += seconds;
    return [begins, { x: at, y: to }];
  });
}

function entryPicture(entry: Entry, look: Look): EntryPicture {
  const { name, runs } = entry;
  const known = hasServer(entry);
  const usual = usualRun(runs);
  return {
    name,
    ...look,
    rates: figures(entry, RATE.of),
    perCpuSecond: known ? figures(entry, PER_CPU_SECOND.of) : null,
    memory: known ? figures(entry, MEMORY.of) : null,
    latency: distributionOf(runs.map(({ histogram }) => histogram.latency)),
    service: distributionOf(runs.map(({ histogram }) => histogram.service)),
    seconds: usual.seconds,
    repeat: usual.repeat,
    heat: heatOf(usual) ?? null,
  };
}

/** The run whose rate is nearest to the median of all runs. */
function usualRun(runs: readonly Run[]): Run {
  const middle = median(runs.map(RATE.of));
  return runs.toSorted((a, b) => Math.abs(a.rate - middle) - Math.abs(b.rate - middle))[0] as Run;
}
