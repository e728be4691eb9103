/**
 * What to do when a connection cannot be accepted, and how long to wait before the next attempt.
 *
 * @module
 */

/**
 * Errors that concern only the connection that was to be accepted: it was reset while it waited,
 * or its network failed (accept(2), "Error handling"). The next one can be accepted at once.
 */
const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINTR",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "ENOTCONN",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
]);

/**
 * Whether accepting may go on at once after this error. After other errors, above all EMFILE,
 * ENFILE, ENOBUFS and ENOMEM, the next attempt would only fail again.
 *
 * @param error what accepting threw, with the system's name for it in `code`
 */
export function isOfOneConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && OF_ONE_CONNECTION.has(code);
}

/** How long to wait between attempts. */
export interface BackoffOptions {
  /** The first wait, in milliseconds. @default {5} */
  readonly firstMs?: number;
  /** The longest wait, in milliseconds. @default {1000} */
  readonly mostMs?: number;
}

/** Waits that double, by default from 5 ms to 1 s, as in Go's `net/http` between failed accepts. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #nextMs: number;

  /** @param options other waits */
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
