/**
 * Thresholds that a measurement must meet: a pipeline can fail if it does not.
 *
 * @module
 */

import { parseRate, parseSize, SIZE_FORM } from "../../engine/values/quantities.ts";
import { UsageError } from "../../engine/cli/flags.ts";
import { Distribution } from "../load/distribution.ts";
import { leastCount, readPercentile } from "../load/percentiles.ts";
import type { Latency, Missing, Run } from "../load/results.ts";
import { percentileIn } from "./columns.ts";
import { errorsOf, formatLoad } from "./contests.ts";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  formatTime,
} from "../../engine/values/units.ts";

/** A condition that a run must meet. */
export interface Threshold {
  /** The threshold as the user wrote it. */
  readonly text: string;
  /** Judges a run. */
  readonly judge: (run: Run) => Judgement;
  /** What was measured, if the condition holds of a run that may go on; otherwise `undefined`. */
  readonly holds: (run: Run) => string | undefined;
  /** Whether it holds of a figure that is high, and of any that is higher. */
  readonly isUpwards: boolean;
  /** The name of its figure, for instance `p99`. */
  readonly name: string;
  /** The figure of a run; if there is none, the reason. */
  readonly of: (run: Run) => number | string;
  /** Writes the figure for people to read. */
  readonly format: (value: number) => string;
  /** How many requests there must be to tell the figure. */
  readonly least: number;
}

/** The judgement of one run. */
interface Judgement {
  readonly kept: boolean;
  /** What was measured, for people to read. */
  readonly measured: string;
}

/** How one kind of figure is read, compared and written. */
interface Metric {
  /** Reads the value after the sign; `NaN` if it is not a value. */
  readonly parse: (text: string) => number;
  /** What such a value looks like. */
  readonly syntax: string;
  /** The figure of a run; if there is none, the reason. */
  readonly of: (run: Run) => number | string;
  readonly format: (value: number) => string;
  /** How many requests there must be to tell the figure. @default {1} */
  readonly least?: number;
}

/** A kind of time: its figures, and its whole distribution if the report has it. */
interface Clock {
  readonly figures: (run: Run) => Latency | null;
  readonly histogram: (run: Run) => string | null;
}

/** The kind of time, by the prefix before the point. */
const CLOCKS: Readonly<Record<string, Clock>> = {
  "": {
    figures: ({ latency_us }) => latency_us,
    histogram: ({ histogram }) => histogram.latency,
  },
  "service.": {
    figures: ({ service_us }) => service_us,
    histogram: ({ histogram }) => histogram.service,
  },
  "connect.": {
    figures: ({ connect_us }) => connect_us,
    histogram: ({ histogram }) => histogram.connect,
  },
  "lag.": {
    figures: ({ lag_us }) => lag_us,
    histogram: ({ histogram }) => histogram.lag,
  },
};

const MICROSECONDS: Readonly<Record<string, number>> = { us: 1, "µs": 1, ms: 1e3, s: 1e6 };

const PERCENT = "a share such as 0.1%";

const NOT_MEASURED = "not measured";

const TOO_FEW = "too few requests";

/** All the figures that are not times. */
const METRICS: Readonly<Record<string, Metric>> = {
  "rate": {
    parse: readRate,
    syntax: "a rate such as 20000, 20k or 20000/s",
    of: ({ rate }) => rate,
    format: formatRate,
  },
  "cpu": {
    parse: readShare,
    syntax: "a share of one processor such as 150%",
    of: ({ server, duration_s }) =>
      server === null || duration_s === 0 ? NOT_MEASURED : server.cpu_s / duration_s,
    format: formatShare,
  },
  "memory": {
    parse: readSize,
    syntax: SIZE_FORM,
    of: ({ server }) => server?.peak_memory_bytes ?? NOT_MEASURED,
    format: formatBytes,
  },
};

/** Errors are counted or, with `%`, taken as a share of all requests. */
const ERRORS: readonly Metric[] = [
  {
    parse: readShare,
    syntax: `${PERCENT}, or a number`,
    of: (run) => {
      const asked = run.requests + errorsOf(run);
      return asked === 0 ? NOT_MEASURED : errorsOf(run) / asked;
    },
    format: formatShare,
  },
  {
    parse: (text) => readNumber(/^(\d+)()$/, text, { "": 1 }),
    syntax: `${PERCENT}, or a number`,
    of: errorsOf,
    format: formatCount,
  },
];

const RELATIONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  "<": (value, limit) => value < limit,
  "<=": (value, limit) => value <= limit,
  ">": (value, limit) => value > limit,
  ">=": (value, limit) => value >= limit,
};

/** The names that can stand before the sign. */
const NAMES = [
  "p50",
  "p90",
  "p99",
  "p99.9",
  "any other percentile",
  "max",
  "mean",
  "service.p99",
  "connect.p99",
  "lag.p99",
  "errors",
  ...Object.keys(METRICS),
];

/**
 * Reads a threshold.
 *
 * @param text for instance `p99<5ms`, `errors<0.1%`, `rate>20000`, `service.p50<=200us`, `cpu<150%`
 * (of one processor, on average) or `memory<64MiB` (the run's peak)
 * @param flag the flag that has it
 * @throws {UsageError} if it is not a threshold; the message is one line
 */
export function parseThreshold(text: string, flag = "threshold"): Threshold {
  const [, name, sign, given] = /^\s*([\w.]+)\s*([<>]=?)\s*(\S+)\s*$/.exec(text) ?? [];
  if (name === undefined || sign === undefined || given === undefined) {
    const example = flag === "abort-on" ? "p99>5ms" : "p99<5ms";
    throw wrong(flag, `a figure, <, <=, > or >= and a value, as ${example}`, text);
  }
  const metric = metricOf(name, given);
  if (metric === undefined) {
    throw wrong(flag, `one of ${NAMES.join(", ")} before the ${sign}`, text);
  }
  const limit = metric.parse(given);
  if (!Number.isFinite(limit)) throw wrong(flag, `${metric.syntax} after the ${sign}`, text);
  const holds = RELATIONS[sign] as (value: number, limit: number) => boolean;
  return {
    text: text.trim(),
    name,
    isUpwards: sign.startsWith(">"),
    of: metric.of,
    format: metric.format,
    least: metric.least ?? 1,
    judge(run) {
      const value = metric.of(run);
      // A figure that was not measured fails: nothing must pass because there was nothing to judge.
      if (typeof value === "string") return { kept: false, measured: value };
      if (run.interrupted) {
        return { kept: false, measured: `${metric.format(value)} until the run was interrupted` };
      }
      return { kept: holds(value, limit), measured: metric.format(value) };
    },
    holds(run) {
      const value = metric.of(run);
      return typeof value === "number" && holds(value, limit) ? metric.format(value) : undefined;
    },
  };
}

/**
 * Lists the thresholds that failed.
 *
 * @param thresholds the thresholds for every run
 * @param runs the runs
 * @param missing what was not measured: no threshold on it has passed
 * @param whyNot why not all runs were made that should have been; `undefined` if they were
 * @returns a line for each threshold and each run that failed it; empty if all passed
 */
export function failedThresholds(
  thresholds: readonly Threshold[],
  runs: readonly Run[],
  missing: readonly Missing[] = [],
  whyNot?: string,
): string[] {
  const wanted = missing.filter(({ wanted }) => wanted);
  return thresholds.flatMap(({ text, judge }) => [
    ...(whyNot === undefined ? [] : [`threshold ${text} failed: ${NOT_MEASURED}, ${whyNot}`]),
    ...runs.flatMap((run) => {
      const { kept, measured } = judge(run);
      if (kept) return [];
      const { name, repeat, load } = run;
      return [
        `threshold ${text} failed: ${measured} (${name}, ${formatLoad(load)}, run ${repeat})`,
      ];
    }),
    ...wanted.flatMap(({ name, load, repeats }) =>
      repeats.map((repeat) =>
        `threshold ${text} failed: ${NOT_MEASURED} (${name}, ${formatLoad(load)}, run ${repeat})`
      )
    ),
  ]);
}

function metricOf(name: string, given: string): Metric | undefined {
  if (name === "errors") return ERRORS[given.endsWith("%") ? 0 : 1];
  const [, clock = "", field = ""] = /^(\w+\.(?!\d+$))?(.+)$/.exec(name) ?? [];
  if (Object.hasOwn(METRICS, name)) return METRICS[name];
  const of = Object.hasOwn(CLOCKS, clock) ? figureOf(CLOCKS[clock] as Clock, field) : undefined;
  if (of === undefined) return undefined;
  return {
    parse: (text) => readNumber(/^(\d+(?:\.\d+)?)(us|µs|ms|s)$/, text, MICROSECONDS),
    syntax: "a time such as 200us, 5ms or 1.5s",
    of,
    format: formatTime,
    ...(readPercentile(field) !== undefined && {
      least: leastCount(readPercentile(field) as number),
    }),
  };
}

/** Gives a figure of a time; `undefined` if it has no such figure. */
function figureOf({ figures, histogram }: Clock, field: string): Metric["of"] | undefined {
  if (field === "max" || field === "mean") return (run) => figures(run)?.[field] ?? NOT_MEASURED;
  const percentile = readPercentile(field);
  if (percentile === undefined) return undefined;
  return (run) => {
    const latency = figures(run);
    if (latency === null || latency.max === null) return NOT_MEASURED;
    const value = percentileIn(latency, percentile);
    if (value !== null) return value;
    const text = histogram(run);
    if (text === null) return TOO_FEW;
    const all = Distribution.decode(text);
    return all.at(percentile) ??
      `${TOO_FEW}, ${formatCount(all.count)} of ${formatCount(leastCount(percentile))}`;
  };
}

function readNumber(
  pattern: RegExp,
  text: string,
  units: Readonly<Record<string, number>>,
): number {
  const [, number, unit = ""] = pattern.exec(text) ?? [];
  return Number(number) * (units[unit.toLowerCase()] as number);
}

function readRate(text: string): number {
  try {
    return parseRate(text);
  } catch {
    // The caller says what a rate looks like.
    return NaN;
  }
}

function readShare(text: string): number {
  return readNumber(/^(\d+(?:\.\d+)?)(%)$/, text, { "%": 0.01 });
}

function readSize(text: string): number {
  try {
    return parseSize(text);
  } catch {
    // The caller says what a size looks like.
    return NaN;
  }
}

function wrong(flag: string, expected: string, text: string): UsageError {
  return new UsageError(`wrong value for --${flag}: expected ${expected}, got "${text}"`);
}
