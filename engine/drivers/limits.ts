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

/** The longest that a failed conversation waits for its peer to take note, in milliseconds. */
export const LINGER_MS = 500;

/** The most that a failed conversation's peer may still send meanwhile, in bytes. */
export const LINGER_BYTES = 1024 * 1024;
