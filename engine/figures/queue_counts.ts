/**
 * How many wait in a queue, between two times at which somebody has counted them.
 *
 * The kernel is asked for the length of the accept queue now and then, and the server for that of its
 * own. A count is true for its moment only, and the picture must not contradict itself after it: who
 * was told of one by one is known better. So whoever has left since is taken off.
 *
 * @module
 */

import type { ListenerEvent } from "../recording/events.ts";
import { Course } from "./spans.ts";
import type { Track } from "./track.ts";

/** A queue at a moment. */
export interface QueueView {
  /**
   * How many wait: those that are seen there, and those that were counted and may still be there.
   * `undefined` if nobody is seen there and they were not counted.
   */
  readonly waiting: number | undefined;
  /** How many may wait; `undefined` if that is not known. */
  readonly limit: number | undefined;
  /** When they were counted last, in microseconds since the recording began. */
  readonly countedUs: number | undefined;
}

/** Those in a queue were counted. */
interface Count {
  readonly count: number;
  /** Whether a connection is one of them. */
  readonly has: (track: Track) => boolean;
  /** Whether another one may have been one of them, and has left by now. */
  readonly mayHaveLeft: (track: Track) => boolean;
}

/**
 * How many of those that were counted nobody has told of, and may still be there. A queue is left in
 * the order in which it is entered. So whoever has left since is taken to be one of them.
 */
function restOf({ count, has, mayHaveLeft }: Count, tracks: readonly Track[]): number {
  // Nearly always nobody waits, and there may be very many connections.
  if (count === 0) return 0;
  let [rest, left] = [count, 0];
  for (const track of tracks) {
    if (has(track)) rest--;
    else if (mayHaveLeft(track)) left++;
  }
  return Math.max(0, rest - left);
}

/** The accept queues of a server, as the kernel was seen to have them. */
export class AcceptQueues {
  readonly #listeners = new Map<string, Course<ListenerEvent>>();
  /** When somebody has looked. A look that finds the same count again tells nothing of the listener. */
  readonly #looks = new Course<undefined>();
  #areSocketsTold = false;

  /** A listener was looked at. */
  add(line: ListenerEvent): void {
    const key = line.cookie ?? line.local;
    const course = this.#listeners.get(key) ?? new Course<ListenerEvent>();
    this.#listeners.set(key, course);
    course.add(line.at, line);
    this.#hasLooked(line.at);
  }

  /** The server's sockets were looked at: all of them, and its listeners too. @param at when */
  seesSockets(at: number): void {
    this.#areSocketsTold = true;
    this.#hasLooked(at);
  }

  #hasLooked(at: number): void {
    if (this.#looks.last(at)?.at !== at) this.#looks.add(at, undefined);
  }

  /**
   * What is known of them at a moment.
   *
   * @param us the moment @param tracks all connections
   * @param seen how many of these are in an accept queue at this moment
   */
  at(us: number, tracks: readonly Track[], seen: number): QueueView {
    const courses = [...this.#listeners.values()];
    const counts = courses.flatMap((course) => course.at(us)?.waiting ?? []);
    // It does not change, so it is known before anybody has counted.
    const limits = courses.flatMap((course) =>
      (course.at(us) ?? course.all[0]?.value)?.limit ?? []
    );
    const limit = limits.length === 0 ? undefined : sumOf(limits);
    const before = this.#looks.countAt(us);
    const countedUs = this.#looks.all[before - 1]?.at;
    if (counts.length === 0 || countedUs === undefined) {
      return { waiting: seen === 0 ? undefined : seen, limit, countedUs: undefined };
    }
    // The kernel counts first, and then walks through its sockets. Who is taken meanwhile was counted,
    // and is seen nowhere in the queue.
    const sinceUs = this.#areSocketsTold ? this.#looks.all[before - 2]?.at ?? -Infinity : countedUs;
    const rest = restOf({
      count: sumOf(counts),
      has: ({ seenUs, leftUs, goneUs }) =>
        seenUs <= countedUs && countedUs < Math.min(leftUs, goneUs),
      mayHaveLeft: ({ takenUs }) => sinceUs < takenUs && takenUs <= us,
    }, tracks);
    return { waiting: seen + rest, limit, countedUs };
  }

  /** Forgets what was no longer so at a moment. */
  forget(beforeUs: number): void {
    this.#looks.forget(beforeUs);
    for (const course of this.#listeners.values()) course.forget(beforeUs);
  }
}

/** What {@linkcode handOverQueue} needs. */
export interface HandOverParts {
  /** What the server has counted. */
  readonly counters: Course<Readonly<Record<string, number>>>;
  /** When it has counted. */
  readonly counts: Course<unknown>;
  /** All connections. */
  readonly tracks: readonly Track[];
  /** How many of these are in its own queue at the moment. */
  readonly seen: number;
}

/** What is known of the server's own queue at a moment. @param us the moment @param parts from what */
export function handOverQueue(
  us: number,
  { counters, counts, tracks, seen }: HandOverParts,
): QueueView {
  const queued = counters.at(us)?.queued;
  const before = counts.countAt(us);
  const countedUs = counts.all[before - 1]?.at;
  const sinceUs = counts.all[before - 2]?.at ?? -Infinity;
  if (queued === undefined || countedUs === undefined) {
    return { waiting: seen, limit: undefined, countedUs: undefined };
  }
  const rest = restOf({
    count: queued,
    has: ({ waiting }) =>
      waiting !== undefined && waiting.at <= countedUs && countedUs < waiting.to,
    mayHaveLeft: ({ servedUs }) => sinceUs < servedUs && servedUs <= us,
  }, tracks);
  return { waiting: seen + rest, limit: undefined, countedUs };
}

/** How many wait, in words. */
export function describeQueue({ waiting, limit }: QueueView): string {
  if (waiting === undefined) return "not known";
  return limit === undefined ? String(waiting) : `${waiting} of ${limit}`;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0);
}
