/**
 * When requests are due in the open model of load: at times that are fixed in advance, whatever
 * becomes of the earlier requests.
 *
 * The requests that wait for a free connection need no queue, only a number: that of the next
 * request to send. So nothing grows, however far a server falls behind.
 *
 * @module
 */

import { type ArrivalKind, Arrivals, burstOf } from "./arrivals.ts";
import { RateCourse, type RatePart } from "./rate_course.ts";

/** What determines a schedule. */
export interface ScheduleOptions {
  /** Requests a second, over all threads together. */
  readonly rate: number;
  /** The parts of a rate that changes, in place of `rate`. @default {null} */
  readonly parts?: readonly RatePart[] | null;
  /** How requests follow each other. @default {"even"} */
  readonly arrivals?: ArrivalKind;
  /** The seed of random arrivals. @default {1} */
  readonly seed?: number;
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

/** Into how many groups the waiting requests are divided at most. */
const MOST_TOLD = 1_000;

/** The due times of one thread. */
export class Schedule {
  readonly #options: ScheduleOptions;
  readonly #course: RateCourse;
  readonly #kind: ArrivalKind;
  readonly #arrivals: Arrivals;
  #taken = 0;
  /** When the next request is due; `Infinity` if all were taken. */
  #next: number;

  /** @param options rate, beginning and end */
  constructor(options: ScheduleOptions) {
    const { rate, parts, arrivals = "even", thread } = options;
    this.#options = options;
    this.#course = new RateCourse(parts ?? [{ from: rate, to: rate, ms: Infinity }]);
    this.#kind = arrivals;
    this.#arrivals = this.#begin();
    this.#next = this.#after(0, this.#arrivals.advance(thread + 1));
  }

  /** When the next request is due, in milliseconds; `Infinity` if all were taken. */
  get next(): number {
    return this.#next;
  }

  /**
   * Takes the next request.
   *
   * @param now the time, in milliseconds
   * @returns when the request was due; `undefined` if none is due yet
   */
  take(now: number): number | undefined {
    const due = this.#next;
    if (due > now) return undefined;
    this.#taken++;
    this.#next = this.#after(this.#taken, this.#arrivals.advance(this.#options.threads));
    return due;
  }

  /**
   * How many requests are due before a time, taken or not.
   *
   * @param time in milliseconds
   */
  dueBefore(time: number): number {
    const { endsAt, requests } = this.#options;
    const until = Math.min(time, endsAt);
    const count = this.#kind === "poisson" ? this.#stepTo(until) : this.#countTo(until);
    return Math.min(requests, count);
  }

  /** How many requests are due and not yet taken. */
  waitingAt(now: number): number {
    return Math.max(0, this.dueBefore(now) - this.#taken);
  }

  /**
   * Tells how long the requests that are due and not yet taken wait. Where they come at random, it
   * takes them as evenly spread; of very many, it takes some together, as if they were the last.
   *
   * @param now the time, in milliseconds
   * @param tell receives how long, in milliseconds, and how many wait so long
   */
  tellWaiting(now: number, tell: (ms: number, count: number) => void): void {
    const { startsAt, endsAt, requests, threads } = this.#options;
    const until = Math.min(now, endsAt);
    if (this.#next > until) return;
    const first = this.#course.placeAt(this.#next - startsAt);
    const places = this.#course.placeAt(until - startsAt) - first;
    const count = Math.min(requests - this.#taken, Math.floor(places / threads) + 1);
    const step = Math.max(1, Math.ceil(count / MOST_TOLD));
    for (let told = 0; told < count; told += step) {
      const together = Math.min(step, count - told);
      const dueAt = Math.min(until, this.#dueAt(first + (told + together - 1) * threads));
      tell(now - dueAt, together);
    }
  }

  #begin(): Arrivals {
    return new Arrivals(this.#kind, this.#options.seed ?? 1);
  }

  /** When a request is due after so many of this thread; `Infinity` if there is none. */
  #after(taken: number, place: number): number {
    const { endsAt, requests } = this.#options;
    if (taken >= requests) return Infinity;
    const due = this.#dueAt(place);
    return due < endsAt ? due : Infinity;
  }

  #dueAt(place: number): number {
    // Each time is computed from the beginning: from one request to the next, rounding errors would
    // add up.
    return this.#options.startsAt + this.#course.timeOf(place);
  }

  /** How many requests of this thread are due before a time, where random numbers say so. */
  #stepTo(time: number): number {
    const { thread, threads, requests } = this.#options;
    // What was taken was due by then.
    if (this.#taken > 0 && this.#next === Infinity && time >= this.#options.endsAt) {
      return this.#taken;
    }
    const arrivals = this.#begin();
    let count = 0;
    let place = arrivals.advance(thread + 1);
    while (count < requests && this.#dueAt(place) < time) {
      count++;
      place = arrivals.advance(threads);
    }
    return count;
  }

  /** The same, where it can be computed. */
  #countTo(time: number): number {
    const { startsAt, thread, threads } = this.#options;
    if (time === Infinity) return Infinity;
    const burst = burstOf(this.#kind);
    const ofAll = Math.ceil(this.#course.placeAt(time - startsAt) / burst) * burst;
    const dueAt = (count: number) => {
      const index = thread + count * threads;
      return this.#dueAt(index - index % burst);
    };
    let count = Math.max(0, Math.ceil((ofAll - thread) / threads));
    // Rounding may give one too many or one too few, so the due times themselves decide.
    while (count > 0 && dueAt(count - 1) >= time) count--;
    while (dueAt(count) < time) count++;
    return count;
  }
}
