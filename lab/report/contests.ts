/**
 * Groups runs: those with the same load are compared, and those with the same name too are repeats.
 *
 * @module
 */

import { formatDuration } from "../../engine/values/durations.ts";
import { formatPart, RateCourse } from "../load/rate_course.ts";
import type { Load, Run } from "../load/results.ts";
import { mean } from "./statistics.ts";
import { formatBytes, formatRate } from "../../engine/values/units.ts";

/** The repeats of one server under one load. */
export interface Entry {
  readonly name: string;
  /** At least one run, in the order of measuring. */
  readonly runs: readonly Run[];
}

/** Everything that was put under the same load. */
export interface Contest {
  readonly load: Load;
  /** At least one entry, in the order of their first runs. */
  readonly entries: readonly Entry[];
  /** What the others are compared with, if it was measured and the user has said so. */
  readonly reference?: Entry | undefined;
}

/**
 * Groups the runs that can be compared.
 *
 * @param runs the runs, in the order of measuring
 * @param reference the name of what the others are compared with, if the user has said so
 */
export function contestsOf(runs: readonly Run[], reference?: string): Contest[] {
  return [...Map.groupBy(runs, ({ load }) => loadKey(load)).values()].map((same) => {
    const entries = [...Map.groupBy(same, ({ name }) => name)]
      .map(([name, runs]) => ({ name, runs }));
    return {
      load: (same[0] as Run).load,
      entries,
      reference: entries.find(({ name }) => name === reference),
    };
  });
}

/** A key that is equal for loads that are the same. */
export function loadKey(load: Load): string {
  return JSON.stringify([
    load.protocol,
    load.connections,
    load.pipeline,
    load.target_rate,
    load.rate_parts,
    load.arrivals,
    load.connect,
    load.think_ms,
    load.ramp_ms,
    load.size,
    load.timeout_ms,
    load.source,
    load.send,
  ]);
}

/**
 * Writes a load on one line.
 *
 * @param load the load that was asked for
 * @returns for instance `frame · 50 connections · 64 B · 20.0 k/s due`
 */
export function formatLoad(load: Load): string {
  return partsOf(load).join(" · ");
}

/**
 * What distinguishes each load from the others, in the same order.
 *
 * @param loads several loads, all different
 * @returns for instance `frame, 50 connections`; empty if there is only one load
 */
export function distinguish(loads: readonly Load[]): string[] {
  const all = loads.map(partsOf);
  const isCommon = (part: string) => all.every((parts) => parts.includes(part));
  if (all.length < 2) return loads.map(() => "");
  return all.map((parts) => {
    const own = parts.filter((part) => !isCommon(part));
    // A load may have nothing of its own because the others only add to it. Then all its parts are
    // its name.
    return (own.length > 0 ? own : parts).join(", ");
  });
}

function partsOf(load: Load): string[] {
  const { protocol, connections, pipeline, connect, think_ms, ramp_ms, size, source } = load;
  const [least, most] = size;
  return [
    protocol,
    `${connections} ${connections === 1 ? "connection" : "connections"}`,
    ...(most === 0 ? [] : [
      least === most ? formatBytes(most) : `${formatBytes(least)} to ${formatBytes(most)}`,
    ]),
    ...(pipeline > 1 ? [`pipeline ${pipeline}`] : []),
    ...(connect ? ["each request on a new connection"] : []),
    ...(think_ms > 0 ? [`think ${formatDuration(think_ms)}`] : []),
    ...(source === undefined ? [] : [`from ${source}`]),
    ...(ramp_ms > 0 ? [`ramp ${formatDuration(ramp_ms)}`] : []),
    ...dueParts(load),
  ];
}

/** When requests are due in the open model. */
function dueParts({ target_rate, rate_parts, arrivals, seed }: Load): string[] {
  if (target_rate === null) return [];
  const course = rate_parts?.map((part) =>
    formatPart({ ...part, ms: part.seconds * 1000 }, formatRate)
  );
  const drawn = seed === null ? "" : `, seed ${seed}`;
  return [
    `${course?.join(", ") ?? formatRate(target_rate)} due`,
    ...(arrivals === "poisson" ? [`Poisson arrivals${drawn}`] : []),
    ...(arrivals.startsWith("burst:") ? [`bursts of ${arrivals.slice("burst:".length)}`] : []),
  ];
}

/** The rate of a load as it changes; `undefined` if it does not. */
function courseOf({ rate_parts }: Load): RateCourse | undefined {
  if (rate_parts === null) return undefined;
  return new RateCourse(
    rate_parts.map(({ from, to, seconds }) => ({ from, to, ms: seconds * 1000 })),
  );
}

/**
 * How many requests were due each second of a run, on average: of a rate that changes, as far as the
 * run has come.
 *
 * @param run the run
 * @returns `null` in the closed model
 */
export function dueRate({ due, duration_s, load }: Run): number | null {
  const course = courseOf(load);
  if (course === undefined || due === null) return load.target_rate;
  const spanMs = Math.min(course.durationMs, Math.max(duration_s * 1000, course.spanOf(due)));
  return spanMs === 0 ? load.target_rate : due / spanMs * 1000;
}

/**
 * The share of what was due that was answered, and answered in time. Random arrivals may be more or
 * fewer than their rate: then what was due counts, and not the rate. A rate that changes may have been
 * cut before its end.
 *
 * @param runs the repeats of an open model
 * @returns from 0 to 1; 0 in the closed model
 */
export function reachedShare(runs: readonly Run[]): number {
  const shares = runs.map((run) => {
    const { rate, requests, due, duration_s, load } = run;
    const { target_rate, arrivals } = load;
    if (target_rate === null) return 0;
    if (due === null || due === 0) return rate / target_rate;
    if (arrivals === "poisson") return requests / due;
    const course = courseOf(load);
    if (course === undefined) return rate / target_rate;
    // What took longer than the course has fallen behind it.
    return requests / due * Math.min(1, course.durationMs / (duration_s * 1000));
  });
  return Math.min(1, mean(shares));
}

/**
 * The values of one figure, one for each repeat.
 *
 * @param entry the entry
 * @param figure gives the figure of a run
 */
export function figures({ runs }: Entry, figure: (run: Run) => number): number[] {
  return runs.map(figure);
}

/** The mean of one figure over the repeats. */
export function meanOf(entry: Entry, figure: (run: Run) => number): number {
  return mean(figures(entry, figure));
}

/** How many requests of a run failed, over all kinds of failure. */
export function errorsOf({ errors }: Run): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** Whether any request was answered. Without answers all times are 0, and would look the best. */
export function hasAnswers({ runs }: Entry): boolean {
  return runs.some(({ requests }) => requests > 0);
}

/** Whether the operating system reported on the server in every repeat. */
export function hasServer({ runs }: Entry): boolean {
  return runs.every(({ server }) => server !== null);
}
