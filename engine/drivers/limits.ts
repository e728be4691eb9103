/**
 * The time limits that drivers hold every conversation to.
 *
 * @module
 */

import { LONGEST_MS } from "../values/durations.ts";

/** The time limits of a conversation. */
export interface TimeLimits {
  /** How long one read may wait, in milliseconds; 0 is for ever. */
  readonly readTimeoutMs: number;
  /** How long the whole conversation may take, in milliseconds; 0 is for ever. */
  readonly sessionTimeoutMs: number;
  /** How long the conversation waits for a computation, in milliseconds; 0 is for ever. */
  readonly computeTimeoutMs: number;
}

/**
 * Checks how long a protocol wants to wait for a read.
 *
 * @param withinMs what it asks for
 * @returns the same
 * @throws {RangeError} if nobody can wait that long, which is the protocol's mistake
 */
export function checkWithin(withinMs: number): number {
  if (Number.isFinite(withinMs) && withinMs >= 0 && withinMs <= LONGEST_MS) return withinMs;
  throw new RangeError(
    `Cannot read within a time: expected 0 to ${LONGEST_MS} ms, current value is "${withinMs}"`,
  );
}

/** How connections linger: see `linger.ts`. */
export interface LingerLimits {
  /** How long one may linger in all, in milliseconds: nginx's `lingering_time`. */
  readonly totalMs: number;
  /** How long its peer may send nothing, in milliseconds: nginx's `lingering_timeout`. */
  readonly silenceMs: number;
  /** How many linger at a time; when one more comes, the oldest is closed. */
  readonly most: number;
}

/** How connections linger when nothing else is said. */
export const LINGER_LIMITS: LingerLimits = { totalMs: 30_000, silenceMs: 5_000, most: 1_024 };

/**
 * How connections linger where descriptors are few: a quarter of them is spent on that at most.
 *
 * @param descriptors how many the connections of this lingerer may have; `Infinity` where that is
 * not known
 */
export function lingerLimits(descriptors: number): LingerLimits {
  const most = Math.min(LINGER_LIMITS.most, Math.max(1, Math.floor(descriptors / 4)));
  return { ...LINGER_LIMITS, most };
}
