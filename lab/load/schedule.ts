/**
 * When requests are due in the open model of load: at fixed times, whatever becomes of the earlier
 * ones.
 *
 * The rate is constant, so request number i is due i / rate after the beginning. The requests that
 * wait for a free connection need no queue, only a number: that of the next request to send. So
 * nothing grows, however far a server falls behind.
 *
 * @module
 */

/** What determines a schedule. */
export interface ScheduleOptions {
  /** Requests a second, over all threads together. */
  readonly rate: number;
  /** When the first request of all is due, in milliseconds. */
  readonly startsAt: number;
  /** The end, in milliseconds: every request is due before it. */
  readonly endsAt: number;
  /** The most requests of this thread. */
  readonly requests: number;
  /** The number of this thread, from 0. The threads take turns. */
  readonly thread: number;
  /** How many threads there are. */
  readonly threads: number;
}

/** The due times of one thread. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #requests: number;
  #taken = 0;

  /** @param options rate, beginning and end */
  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.#requests = Math.min(options.requests, this.#countBefore(options.endsAt));
  }

  /** When the next request is due, in milliseconds; `Infinity` if all were taken. */
  get next(): number {
    return this.#taken < this.#requests ? this.#dueAt(this.#taken) : Infinity;
  }

  /**
   * Takes the next request.
   *
   * @param now the time, in milliseconds
   * @returns when the request was due; `undefined` if none is due yet
   */
  take(now: number): number | undefined {
    const due = this.next;
    if (due > now) return undefined;
    this.#taken++;
    return due;
  }

  /**
   * How many requests are due before a time, taken or not.
   *
   * @param time in milliseconds
   */
  dueBefore(time: number): number {
    return Math.min(this.#requests, this.#countBefore(time));
  }

  /** How many requests are due and not yet taken. */
  waitingAt(now: number): number {
    return Math.max(0, this.dueBefore(now) - this.#taken);
  }

  #dueAt(index: number): number {
    const { rate, startsAt, thread, threads } = this.#options;
    // Each time is computed from the beginning: from one request to the next, rounding errors would
    // add up.
    return startsAt + (thread + index * threads) * 1000 / rate;
  }

  /** How many requests are due before a time. */
  #countBefore(time: number): number {
    const { rate, startsAt, thread, threads } = this.#options;
    if (time === Infinity) return Infinity;
    const ofAll = (time - startsAt) * rate / 1000;
    let count = Math.max(0, Math.ceil((ofAll - thread) / threads));
    // Rounding may give one too many or one too few, so the due times themselves decide.
    while (count > 0 && this.#dueAt(count - 1) >= time) count--;
    while (this.#dueAt(count) < time) count++;
    return count;
  }
}
