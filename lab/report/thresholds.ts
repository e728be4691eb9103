/**
 * Thresholds that a measurement must meet: a pipeline can fail if it does not.
 *
 * @module
 */

import { parseSize, SIZE_SYNTAX } from "../../engine/values/quantities.ts";
import { UsageError } from "../../engine/cli/flags.ts";
import type { Latency, Run } from "../load/results.ts";
import { errorsOf, formatLoad } from "./contests.ts";
import { formatBytes, formatCount, formatRate, formatShare, formatTime } from "./units.ts";

/** A condition that a run must meet. */
export interface Threshold {
  /** The threshold as the user wrote it. */
  readonly text: string;
  /** Judges a run. */
  readonly judge: (run: Run) => Judgement;
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
  /** The figure of a run; `undefined` if it was not measured. */
  readonly of: (run: Run) => number | undefined;
  readonly format: (value: number) => string;
}

/** The percentiles and other figures of a time, by the names that are typed. */
const TIMES: Readonly<Record<string, keyof Latency>> = {
  "p50": "p50",
  "p90": "p90",
  "p99": "p99",
  "p999": "p999",
  "p99.9": "p999",
  "max": "max",
  "mean": "mean",
};

/** The kind of time, by the prefix before the point. */
const CLOCKS: Readonly<Record<string, (run: Run) => Latency | null>> = {
  "": ({ latency_us }) => latency_us,
  "service.": ({ service_us }) => service_us,
  "connect.": ({ connect_us }) => connect_us,
  "lag.": ({ lag_us }) => lag_us,
};

const MICROSECONDS: Readonly<Record<string, number>> = { us: 1, "µs": 1, ms: 1e3, s: 1e6 };

const PERCENT = "a share such as 0.1%";

/** All the figures that are not times. */
const METRICS: Readonly<Record<string, Metric>> = {
  "rate": {
    parse: (text) => readNumber(/^(\d+(?:\.\d+)?)(k?)(?:\/s)?$/i, text, { "": 1, k: 1000 }),
    syntax: "a rate such as 20000, 20k or 20000/s",
    of: ({ rate }) => rate,
    format: formatRate,
  },
  "cpu": {
    parse: readShare,
    syntax: "a share of one processor such as 150%",
    of: ({ server, duration_s }) => server === null ? undefined : server.cpu_s / duration_s,
    format: formatShare,
  },
  "memory": {
    parse: readSize,
    syntax: SIZE_SYNTAX,
    of: ({ server }) => server?.peak_memory_bytes,
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
      return asked === 0 ? undefined : errorsOf(run) / asked;
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
  ...Object.keys(TIMES),
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
 * @throws {UsageError} if it is not a threshold; the message is one line
 */
export function parseThreshold(text: string): Threshold {
  const [, name, sign, given] = /^\s*([\w.]+)\s*([<>]=?)\s*(\S+)\s*$/.exec(text) ?? [];
  if (name === undefined || sign === undefined || given === undefined) {
    throw wrong("a figure, <, <=, > or >= and a value, as p99<5ms", text);
  }
  const metric = metricOf(name, given);
  if (metric === undefined) {
    throw wrong(`one of ${NAMES.join(", ")} before the ${sign}`, text);
  }
  const limit = metric.parse(given);
  if (!Number.isFinite(limit)) throw wrong(`${metric.syntax} after the ${sign}`, text);
  const holds = RELATIONS[sign] as (value: number, limit: number) => boolean;
  return {
    text: text.trim(),
    judge(run) {
      const value = metric.of(run);
      // A figure that was not measured fails: nothing must pass because there was nothing to judge.
      if (value === undefined) return { kept: false, measured: "not measured" };
      return { kept: holds(value, limit), measured: metric.format(value) };
    },
  };
}

/**
 * Lists the thresholds that failed.
 *
 * @param thresholds the thresholds for every run
 * @param runs the runs
 * @returns a line for each threshold and each run that failed it; empty if all passed
 */
export function failedThresholds(
  thresholds: readonly Threshold[],
  runs: readonly Run[],
): string[] {
  return thresholds.flatMap(({ text, judge }) =>
    runs.flatMap((run) => {
      const { kept, measured } = judge(run);
      if (kept) return [];
      const { name, repeat, load } = run;
      return [
        `threshold ${text} failed: ${measured} (${name}, ${formatLoad(load)}, run ${repeat})`,
      ];
    })
  );
}

function metricOf(name: string, given: string): Metric | undefined {
  if (name === "errors") return ERRORS[given.endsWith("%") ? 0 : 1];
  const [, clock = "", field = ""] = /^(\w+\.(?!9$))?(.+)$/.exec(name) ?? [];
  if (Object.hasOwn(METRICS, name)) return METRICS[name];
  const of = CLOCKS[clock];
  const key = Object.hasOwn(TIMES, field) ? TIMES[field] : undefined;
  if (of === undefined || key === undefined) return undefined;
  return {
    parse: (text) => readNumber(/^(\d+(?:\.\d+)?)(us|µs|ms|s)$/, text, MICROSECONDS),
    syntax: "a time such as 200us, 5ms or 1.5s",
    // Without answers, all percentiles are 0 and would pass.
    of: (run) => run.requests === 0 ? undefined : of(run)?.[key],
    format: formatTime,
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

function wrong(expected: string, text: string): UsageError {
  return new UsageError(`wrong value for --threshold: expected ${expected}, got "${text}"`);
}
