/**
 * What to do when a connection cannot be accepted.
 *
 * @module
 */

/**
 * Errors that concern the one connection that was to be accepted: it was reset while it waited,
 * or its network failed (accept(2), "Error handling"). The next one may be had at once.
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
 * Whether accepting may go on at once after this error. After any other, above all EMFILE,
 * ENFILE, ENOBUFS and ENOMEM, the next attempt would only fail again.
 *
 * @param error what accepting threw, with the system's name for it in `code`
 */
export function isOfOneConnection(error: unknown): boolean {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === "string" && OF_ONE_CONNECTION.has(code);
}

/** Waits of 5 ms doubling to 1 s, as Go's `net/http` does between accepts that fail. */
export class Backoff {
  #nextMs = 5;

  /**
   * How long to wait now.
   *
   * @returns milliseconds, twice as many as the last time
   */
  next(): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(1_000, ms * 2);
    return ms;
  }

  /** Starts again at 5 ms, after a success. */
  reset(): void {
    this.#nextMs = 5;
  }
}
