/**
 * A limit on how fast one user may talk: a token bucket.
 *
 * @module
 */

/** How fast a user may talk. */
export interface FloodLimits {
  /** Lines per second over a long time; 0 means no limit. */
  readonly rate: number;
  /** Lines at once after a while of silence; at least 1. */
  readonly burst: number;
}

/** Counts what one user says. */
export class FloodMeter {
  readonly #limits: FloodLimits;
  #tokens: number;
  #at: number;

  /** @param limits how fast the user may talk @param now the time, in milliseconds */
  constructor(limits: FloodLimits, now: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#at = now;
  }

  /**
   * Something was said.
   *
   * @param lines how many lines it counts for
   * @param now the time, in milliseconds
   * @returns how long to read nothing more from this user, in milliseconds
   */
  spend(lines: number, now: number): number {
    const { rate, burst } = this.#limits;
    if (rate === 0) return 0;
    this.#tokens = Math.min(burst, this.#tokens + (now - this.#at) * rate / 1000) - lines;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : Math.ceil(-this.#tokens * 1000 / rate);
  }
}
