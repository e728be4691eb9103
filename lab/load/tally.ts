/**
 * What one thread counts of its requests, second by second.
 *
 * @module
 */

import { DurationCounts, type DurationPairs } from "./duration_counts.ts";

/** The kind of failure of a request that had no answer at the end, or was never sent. */
export const UNANSWERED = "unanswered";

/**
 * The requests that have no answer yet. How long they have waited so far is the least that they will
 * take.
 */
export interface Waiting {
  /** Since when they were due, or began. Those that could not be sent yet are among them. */
  readonly latency: DurationPairs;
  /** Since when they were sent, of those that were. */
  readonly service: DurationPairs;
  /** How many could not be sent within the time that an answer may take. */
  readonly overdue: number;
}

/** What a thread has counted in one second, as it is posted to the main thread. */
export interface ThreadSecond {
  readonly kind: "second";
  /** The number of the second, from 0. */
  readonly index: number;
  /** Its length. The last second of a run may be shorter. */
  readonly durationMs: number;
  /** Requests with a correct answer. */
  readonly requests: number;
  /** Requests that failed, by kind. */
  readonly errors: Readonly<Record<string, number>>;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** The time from when a request was due, or from when it began. */
  readonly latency: DurationPairs;
  /** The time from sending, if it differs from `latency`. */
  readonly service: DurationPairs;
  /** How long connecting took. */
  readonly connect: DurationPairs;
  /** How late the thread was. */
  readonly lag: DurationPairs;
  /** What had no answer at the end of the second, if the plan wants to know. */
  readonly waiting?: Waiting;
}

/** The counts of the current second. */
export class Tally {
  readonly latency = new DurationCounts();
  readonly service = new DurationCounts();
  readonly connect = new DurationCounts();
  readonly lag = new DurationCounts();
  requests = 0;
  bytesSent = 0;
  bytesReceived = 0;
  /** The message of the first failure of each kind. */
  readonly words: Record<string, string> = {};
  #errors: Record<string, number> = {};
  #index = 0;

  /**
   * Counts requests that failed.
   *
   * @param kind the kind of failure
   * @param message the message of the failure
   * @param count how many requests failed
   */
  fail(kind: string, message: string, count = 1): void {
    if (count === 0) return;
    this.#errors[kind] = (this.#errors[kind] ?? 0) + count;
    this.words[kind] ??= message;
  }

  /**
   * Hands over the counts and starts again from zero.
   *
   * @param durationMs how long the second was
   */
  take(durationMs: number): ThreadSecond {
    const taken: ThreadSecond = {
      kind: "second",
      index: this.#index++,
      durationMs,
      requests: this.requests,
      errors: this.#errors,
      bytesSent: this.bytesSent,
      bytesReceived: this.bytesReceived,
      latency: this.latency.take(),
      service: this.service.take(),
      connect: this.connect.take(),
      lag: this.lag.take(),
    };
    this.requests = this.bytesSent = this.bytesReceived = 0;
    this.#errors = {};
    return taken;
  }
}
