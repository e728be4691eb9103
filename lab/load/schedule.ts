/**
 * When requests are due in the open model of load: at fixed times, whatever becomes of those
 * before.
 *
 * The rate is constant, so the request with the number i is due i / rate after the beginning, and
 * what waits for a free connection is no queue but a number: that of the next request to be sent.
 * However far a server falls behind, nothing grows.
 *
 * @module
 */

/** What a schedule is. */
export interface ScheduleOptions {
  /** Requests a second, of all threads together. */
  readonly rate: number;
  /** When the first one of all is due, in milliseconds. */
  readonly startsAt: number;
  /** All are due before this, in milliseconds. */
  readonly endsAt: number;
  /** How many there are at most, in this thread. */
  readonly requests: number;
  /** Which thread this is, from 0: they take turns. */
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

  /** When the next request is due, in milliseconds; `Infinity` when all were taken. */
  get next(): number {
    return this.#taken < this.#requests ? this.#dueAt(this.#taken) : Infinity;
  }

  /**
   * Takes the next request.
   *
   * @param now in milliseconds
   * @returns when it was due; `undefined` if none is due yet
   */
  take(now: number): number | undefined {
    const due = this.next;
    if (due > now) return undefined;
    this.#taken++;
    return due;
  }

  /** When the time of the last request is over: when another one would be due. */
  get endsAt(): number {
    const { rate, endsAt } = this.#options;
    if (this.#requests === Infinity) return endsAt;
    return Math.min(endsAt, this.#dueAt(this.#requests - 1) + 1000 / rate);
  }

  /** How many are due and were not taken. */
  waitingAt(now: number): number {
    const due = Math.min(this.#requests, this.#countBefore(now));
    return Math.max(0, due - this.#taken);
  }

  #dueAt(index: number): number {
    const { rate, startsAt, thread, threads } = this.#options;
    // Not from one to the next: errors of rounding would add up.
    return startsAt + (thread + index * threads) * 1000 / rate;
  }

  /** How many are due before a time. */
  #countBefore(time: number): number {
    const { rate, startsAt, thread, threads } = this.#options;
    if (time === Infinity) return Infinity;
    const ofAll = (time - startsAt) * rate / 1000;
    let count = Math.max(0, Math.ceil((ofAll - thread) / threads));
    // Where rounding has taken one too many or too few, the due times themselves decide.
    while (count > 0 && this.#dueAt(count - 1) >= time) count--;
    while (this.#dueAt(count) < time) count++;
    return count;
  }
}
