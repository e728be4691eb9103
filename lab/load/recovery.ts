/**
 * How long a server takes to recover from a spike: a time in which more requests are due than before
 * and after it.
 *
 * A spike begins where the rate rises. It is over when the rate is back at what it was before, or
 * else at its last fall before it rises again. The server has recovered with the first whole second
 * after that in which a percentile of the response times is again within its value before the spike,
 * and no larger share of the requests fails. The value before is the highest of the whole seconds
 * since the beginning, or since the spike before. The very first second is left out if there are
 * others: a server that has just begun is slow.
 *
 * @module
 */

import type { Distribution } from "./distribution.ts";
import { leastCount } from "./percentiles.ts";
import { RateCourse, type RatePart } from "./rate_course.ts";
import type { Recovery } from "./results.ts";

/** A second of a run. */
export interface Window {
  /** When it ends, in milliseconds from the beginning of the run. */
  readonly endsAt: number;
  readonly durationMs: number;
  readonly requests: number;
  readonly errors: number;
  readonly latency: Distribution;
}

/** A time in which more was due than before and after it, in milliseconds. */
export interface Spike {
  readonly from: number;
  readonly to: number;
}

/** How exactly a second begins when it should, in milliseconds. */
const SLACK_MS = 50;

/** The length of a whole second, or almost, in milliseconds. */
const WHOLE_MS = 900;

/** The percentiles that may be judged by: the highest for which there are enough requests. */
const PERCENTILES: readonly number[] = [99, 95, 90, 75, 50];

/** How much of what is due in a second must be enough: some of it may be answered later. */
const SURE = 0.8;

/**
 * Finds the spikes of a rate that changes.
 *
 * @param parts the parts of the rate
 * @returns the spikes, in order
 */
export function spikesOf(parts: readonly RatePart[]): Spike[] {
  let at = 0;
  const corners = parts.flatMap(({ from, to, ms }) => {
    const ends = [{ at, rate: from }, { at: at + ms, rate: to }];
    at += ms;
    return ends;
  });
  const spikes: Spike[] = [];
  for (let index = 1; index < corners.length; index++) {
    const before = corners[index - 1] as { at: number; rate: number };
    if ((corners[index] as { rate: number }).rate <= before.rate) continue;
    let end: number | undefined;
    for (; index < corners.length; index++) {
      const [last, now] = [corners[index - 1], corners[index]] as [typeof before, typeof before];
      if (end !== undefined && now.rate > last.rate) break;
      if (now.rate < last.rate) end = index;
      if (end !== undefined && now.rate <= before.rate) break;
    }
    if (end === undefined) break;
    spikes.push({ from: before.at, to: (corners[end] as typeof before).at });
    // The corner after which it rises again may begin the next spike.
    index = Math.min(index, end);
  }
  return spikes;
}

/**
 * Says how long a server took to recover from each spike.
 *
 * @param parts the parts of the rate
 * @param windows the seconds of the run, in order
 */
export function recoveriesOf(
  parts: readonly RatePart[],
  windows: readonly Window[],
): Recovery[] {
  const course = new RateCourse(parts);
  const spikes = spikesOf(parts);
  const whole = windows.filter(({ durationMs }) => durationMs >= WHOLE_MS);
  const between = (from: number, to: number) =>
    whole.filter((window) => startOf(window) >= from - SLACK_MS && window.endsAt <= to + SLACK_MS);
  return spikes.map(({ from, to }, index) => {
    const since = spikes[index - 1]?.to ?? 0;
    const until = spikes[index + 1]?.from ?? course.durationMs;
    const all = between(since, from);
    const before = index === 0 && all.length > 1 ? all.slice(1) : all;
    const after = between(to, until);
    const least = Math.min(
      ...[...before, ...after].map((window) =>
        course.placeAt(window.endsAt) - course.placeAt(startOf(window))
      ),
    );
    const percentile = PERCENTILES.find((one) => leastCount(one) <= SURE * least) ?? null;
    const known = {
      from_s: from / 1000,
      to_s: to / 1000,
      watched_s: Math.max(0, Math.round(((after.at(-1)?.endsAt ?? to) - to) / 100) / 10),
    };
    const unknown = { ...known, percentile: null, before_us: null, recovered_s: null };
    if (percentile === null || before.length === 0) return unknown;
    const values = before.flatMap(({ latency }) => latency.at(percentile) ?? []);
    if (values.length === 0) return unknown;
    const before_us = Math.max(...values);
    const failing = Math.max(...before.map(failedShare));
    const back = after.find((window) => {
      const us = window.latency.at(percentile);
      return us !== null && us <= before_us && failedShare(window) <= failing;
    });
    const tookMs = back === undefined ? undefined : Math.max(0, startOf(back) - to);
    return {
      ...known,
      percentile,
      before_us,
      recovered_s: tookMs === undefined ? null : Math.round(tookMs / 100) / 10,
    };
  });
}

function startOf({ endsAt, durationMs }: Window): number {
  return endsAt - durationMs;
}

function failedShare({ requests, errors }: Window): number {
  return requests + errors === 0 ? 0 : errors / (requests + errors);
}
