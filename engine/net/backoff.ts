/**
 * How long to wait before the next attempt at something that failed.
 *
 * @module
 */

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** The first wait, in milliseconds. @default {5} */
  readonly firstMs?: number;
  /** The longest wait, in milliseconds. @default {1000} */
  readonly mostMs?: number;
}

/**
 * Waiting times that double, by default from 5 ms to 1 s, as in Go's `net/http` between failed
 * accepts.
 */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  /** @param options other waiting times */
  constructor({ firstMs = 5, mostMs = 1_000 }: BackoffOptions = {}) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#nextMs = firstMs;
  }

  /**
   * How long to wait now.
   *
   * @returns milliseconds, twice as many as the last time
   */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(this.#mostMs, ms * 2);
    return ms;
  }

  /** Starts again with the first wait. Call it after a success. */
  reset(): void {
    this.#nextMs = this.#firstMs;
  }
}
