/**
 * How long connections were open that have ended in the last seconds.
 *
 * @module
 */

/** For how long an end counts, in milliseconds. */
const WINDOW_MS = 5_000;

/** How many are kept. */
const MOST = 4_096;

/** Collects them. */
export class LifeTimes {
  readonly #at: number[] = [];
  readonly #us: number[] = [];

  /** A connection has ended. @param us how long it was open, in microseconds */
  add(us: number): void {
    this.#at.push(performance.now());
    this.#us.push(us);
    if (this.#at.length > MOST) this.#drop(MOST / 4);
  }

  /**
   * Half and 99 of 100 lasted no longer, in microseconds.
   *
   * @returns nothing if none has ended
   */
  read(): { readonly p50_us?: number; readonly p99_us?: number } {
    const since = performance.now() - WINDOW_MS;
    const first = this.#at.findIndex((at) => at >= since);
    this.#drop(first < 0 ? this.#at.length : first);
    if (this.#us.length === 0) return {};
    const sorted = [...this.#us].sort((a, b) => a - b);
    const share = (part: number) => sorted[Math.ceil(sorted.length * part) - 1] as number;
    return { p50_us: share(0.5), p99_us: share(0.99) };
  }

  /** Forgets all. */
  clear(): void {
    this.#drop(this.#at.length);
  }

  #drop(count: number): void {
    this.#at.splice(0, count);
    this.#us.splice(0, count);
  }
}
