/**
 * The time limits that drivers enforce in every conversation.
 *
 * @module
 */

import { IdleTimeoutError, ReadTimeoutError, SlowReaderError } from "../../protocols/errors.ts";
import { LONGEST_MS } from "../values/durations.ts";

/** The time limits of a conversation. */
export interface TimeLimits {
  /** How long one read may wait, in milliseconds; 0 means for ever. */
  readonly readTimeoutMs: number;
  /**
   * How long a read between two messages may wait, in milliseconds; 0 means for ever.
   *
   * @default the same as any other read
   */
  readonly idleTimeoutMs?: number | undefined;
  /**
   * How long the peer may take for a message, from its first bytes on, in milliseconds; 0 means for
   * ever.
   *
   * @default {0}
   */
  readonly messageTimeoutMs?: number;
  /**
   * How long a write may wait while the peer takes nothing, in milliseconds; 0 means for ever.
   *
   * @default {0}
   */
  readonly writeTimeoutMs?: number;
  /** How long the whole conversation may take, in milliseconds; 0 means for ever. */
  readonly sessionTimeoutMs: number;
  /** How long the conversation waits for a computation, in milliseconds; 0 means for ever. */
  readonly computeTimeoutMs: number;
}

/**
 * Only the time limits of settings that have more.
 *
 * @param settings the settings
 */
export function limitsIn(settings: TimeLimits): TimeLimits {
  const { readTimeoutMs, idleTimeoutMs, messageTimeoutMs = 0, writeTimeoutMs = 0 } = settings;
  const { sessionTimeoutMs, computeTimeoutMs } = settings;
  return {
    readTimeoutMs,
    idleTimeoutMs,
    messageTimeoutMs,
    writeTimeoutMs,
    sessionTimeoutMs,
    computeTimeoutMs,
  };
}

/**
 * How long a read between two messages may wait.
 *
 * @param limits the limits
 * @returns milliseconds; 0 means for ever
 */
export function betweenMessagesMs(
  { readTimeoutMs, idleTimeoutMs = readTimeoutMs }: TimeLimits,
): number {
  return idleTimeoutMs;
}

/**
 * The error of a peer that has sent nothing for too long.
 *
 * @param limits the limits of the conversation
 * @param isInside whether a message of it had begun
 */
export function silenceError(
  { readTimeoutMs, idleTimeoutMs }: TimeLimits,
  isInside: boolean,
): ReadTimeoutError | IdleTimeoutError {
  return isInside || idleTimeoutMs === undefined
    ? new ReadTimeoutError(readTimeoutMs)
    : new IdleTimeoutError(idleTimeoutMs);
}

/**
 * How many times it is looked, within the time that a write may wait, whether the peer has taken
 * something. So a write ends at most a quarter of that time too late.
 */
export const LOOKS_AT_WRITE = 4;

/**
 * Makes the error for a peer that takes nothing.
 *
 * @param writeTimeoutMs for how long, in milliseconds
 */
export function tookNothing(writeTimeoutMs: number): SlowReaderError {
  return new SlowReaderError(`nothing was taken for ${writeTimeoutMs} ms`);
}

/**
 * Checks how long a protocol wants to wait for a read.
 *
 * @param withinMs the time that the protocol asks for, in milliseconds
 * @returns the same time
 * @throws {RangeError} if no driver can wait that long, which is the protocol's mistake
 */
export function checkWithin(withinMs: number): number {
  if (Number.isFinite(withinMs) && withinMs >= 0 && withinMs <= LONGEST_MS) return withinMs;
  throw new RangeError(
    `Cannot read within a time: expected 0 to ${LONGEST_MS} ms, current value is "${withinMs}"`,
  );
}

/** How long connections linger, and how many: see `linger.ts`. */
export interface LingerLimits {
  /** How long a connection may linger in all, in milliseconds: nginx's `lingering_time`. */
  readonly totalMs: number;
  /** How long its peer may be silent, in milliseconds: nginx's `lingering_timeout`. */
  readonly silenceMs: number;
  /**
   * How long the peer may take nothing of what was sent to it, in milliseconds; 0 means that nobody
   * looks.
   *
   * @default {0}
   */
  readonly writeTimeoutMs?: number;
  /** How many connections linger at a time. When one more comes, the oldest is closed. */
  readonly most: number;
}

/** The limits by default. */
export const LINGER_LIMITS: LingerLimits = { totalMs: 30_000, silenceMs: 5_000, most: 1_024 };

/** How long the peer of a lingering connection may be silent while the server closes, in milliseconds. */
export const HASTE_MS = 500;

/**
 * The limits on a system with few descriptors. At most a quarter of them is spent on lingering.
 *
 * @param descriptors how many descriptors the connections of this lingerer may have; `Infinity` if
 * that is not known
 * @param writeTimeoutMs see {@linkcode LingerLimits}
 */
export function lingerLimits(descriptors: number, writeTimeoutMs = 0): LingerLimits {
  const most = Math.min(LINGER_LIMITS.most, Math.max(1, Math.floor(descriptors / 4)));
  return { ...LINGER_LIMITS, most, ...(writeTimeoutMs > 0 && { writeTimeoutMs }) };
}
