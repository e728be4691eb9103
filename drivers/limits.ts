/**
 * The time limits that drivers hold every conversation to.
 *
 * @module
 */

/** The time limits of a conversation. */
export interface TimeLimits {
  /** How long one read may wait, in milliseconds; 0 is for ever. */
  readonly readTimeoutMs: number;
  /** How long the whole conversation may take, in milliseconds; 0 is for ever. */
  readonly sessionTimeoutMs: number;
  /** How long the conversation waits for a computation, in milliseconds; 0 is for ever. */
  readonly computeTimeoutMs: number;
}

/** The longest that a failed conversation waits for its peer to take note, in milliseconds. */
export const LINGER_MS = 500;

/** The most that a failed conversation's peer may still send meanwhile, in bytes. */
export const LINGER_BYTES = 1024 * 1024;
