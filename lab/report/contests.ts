/**
 * Which runs are compared: those with the same load; and which of them are repeats of the same.
 *
 * @module
 */

import { formatDuration } from "../../engine/values/durations.ts";
import type { Load, Run } from "../load/results.ts";
import { mean } from "./statistics.ts";
import { formatBytes, formatRate } from "./units.ts";

/** The repeats of one thing under one load. */
export interface Entry {
  readonly name: string;
  /** In the order in which they were measured; at least one. */
  readonly runs: readonly Run[];
}

/** All that was put under the same load. */
export interface Contest {
  readonly load: Load;
  /** In the order in which they were measured first; at least one. */
  readonly entries: readonly Entry[];
}

/**
 * Puts together what can be compared.
 *
 * @param runs in the order in which they were measured
 */
export function contestsOf(runs: readonly Run[]): Contest[] {
  return [...Map.groupBy(runs, ({ load }) => loadKey(load)).values()].map((same) => ({
    load: (same[0] as Run).load,
    entries: [...Map.groupBy(same, ({ name }) => name)].map(([name, runs]) => ({ name, runs })),
  }));
}

/** What two loads have in common when they are the same. */
export function loadKey(load: Load): string {
  return JSON.stringify([
    load.protocol,
    load.connections,
    load.pipeline,
    load.target_rate,
    load.connect,
    load.think_ms,
    load.ramp_ms,
    load.size,
    load.timeout_ms,
  ]);
}

/**
 * A load on one line.
 *
 * @param load what was asked for
 * @returns for instance `frame · 50 connections · 64 B · 20.0 k/s due`
 */
export function formatLoad(load: Load): string {
  return partsOf(load).join(" · ");
}

/**
 * What distinguishes each load from the others, in the same order.
 *
 * @param loads several, all different
 * @returns for instance `frame, 50 connections`; empty for one alone
 */
export function distinguish(loads: readonly Load[]): string[] {
  const all = loads.map(partsOf);
  const isCommon = (part: string) => all.every((parts) => parts.includes(part));
  if (all.length < 2) return loads.map(() => "");
  return all.map((parts) => {
    const own = parts.filter((part) => !isCommon(part));
    // Another one has something more than this one, which is then called by what it is.
    return (own.length > 0 ? own : parts).join(", ");
  });
}

function partsOf(load: Load): string[] {
  const { protocol, connections, pipeline, target_rate, connect, think_ms, ramp_ms, size } = load;
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
    ...(ramp_ms > 0 ? [`ramp ${formatDuration(ramp_ms)}`] : []),
    ...(target_rate === null ? [] : [`${formatRate(target_rate)} due`]),
  ];
}

/**
 * One figure of every repeat.
 *
 * @param entry of which
 * @param figure which
 */
export function figures({ runs }: Entry, figure: (run: Run) => number): number[] {
  return runs.map(figure);
}

/** The mean of one figure over the repeats. */
export function meanOf(entry: Entry, figure: (run: Run) => number): number {
  return mean(figures(entry, figure));
}

/** How many requests of a run failed, of all kinds. */
export function errorsOf({ errors }: Run): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

/** Whether any request was answered: of nothing all times are 0, and would be the best. */
export function hasAnswers({ runs }: Entry): boolean {
  return runs.some(({ requests }) => requests > 0);
}

/** Whether the operating system said something of the server in every repeat. */
export function hasServer({ runs }: Entry): boolean {
  return runs.every(({ server }) => server !== null);
}
