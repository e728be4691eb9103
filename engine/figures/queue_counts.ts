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
  /** Those of its threads, where each of several accepts from a queue of its own. */
  readonly ofThreads?: readonly ThreadQueue[];
}

/** The accept queue of one thread of several at a moment. */
export interface ThreadQueue {
  /** The number of the thread. */
  readonly thread: number;
  /** How many wait in it: those that are seen there, and those that were counted. */
  readonly waiting: number;
}

/** From when to when a thread is there. A thread that takes the place of a dead one has a new life. */
interface Life {
  fromUs: number;
  toUs: number;
}

/** The thread that alone accepts from a listener, as long as it is there. */
interface Owner {
  readonly thread: number;
  readonly life: Life;
}

function isAlive({ life: { fromUs, toUs } }: Owner, us: number): boolean {
  return fromUs <= us && us < toUs;
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

/** Whether the kernel was seen to have a connection in an accept queue when it was counted. */
function wasThere({ seenUs, leftUs, goneUs }: Track, countedUs: number): boolean {
  return seenUs <= countedUs && countedUs < Math.min(leftUs, goneUs);
}

/** The accept queues of a server, as the kernel was seen to have them. */
export class AcceptQueues {
  readonly #listeners = new Map<string, Course<ListenerEvent>>();
  /** Who alone accepts from which listener. No other listener ever has its cookie. */
  readonly #owners = new Map<string, Owner>();
  /** The last life of each thread. */
  readonly #lives = new Map<number, Life>();
  /** When somebody has looked. A look that finds the same count again tells nothing of the listener. */
  readonly #looks = new Course<undefined>();
  #areSocketsTold = false;

  /** A listener was looked at, or it is told who accepts from it. */
  add(line: ListenerEvent): void {
    if (line.thread !== undefined && line.cookie !== undefined) {
      this.#own(line.cookie, line.thread, line.at);
      if (line.waiting === undefined) return;
    }
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

  /** A thread begins, which may be told again. @param thread its number @param at when */
  comes(thread: number, at: number): void {
    const life = this.#lives.get(thread);
    if (life !== undefined && at <= life.fromUs) {
      life.fromUs = at;
      return;
    }
    // It has the number of an earlier one, whose end may have been left out.
    if (life !== undefined) life.toUs = Math.min(life.toUs, at);
    this.#lives.set(thread, { fromUs: at, toUs: Infinity });
  }

  /** A thread is gone, and accepts no more. @param thread its number @param at when */
  leaves(thread: number, at: number): void {
    const life = this.#lives.get(thread);
    if (life === undefined) this.#lives.set(thread, { fromUs: at, toUs: at });
    else if (life.fromUs <= at) life.toUs = Math.min(life.toUs, at);
  }

  /** It is told who accepts from a listener, once or again: also when that one has begun long ago. */
  #own(cookie: string, thread: number, at: number): void {
    if (this.#owners.has(cookie)) return;
    const life = this.#lives.get(thread) ?? { fromUs: at, toUs: Infinity };
    this.#lives.set(thread, life);
    this.#owners.set(cookie, { thread, life });
  }

  /**
   * Says in whose queue each connection is that waits to be accepted, where that is certain: it was
   * served by that thread later, or a look that has met it has counted nobody in any other queue. The
   * kernel itself does not tell.
   *
   * @param us the moment @param waiting those that are in an accept queue at this moment
   */
  sayWhose(us: number, waiting: readonly Track[]): void {
    if (waiting.length === 0 || this.#owners.size === 0) return;
    const threads = new Set(this.#ownersAt(us).map(([, { thread }]) => thread));
    const countedUs = this.#looks.last(us)?.at ?? -Infinity;
    const only = this.#onlyQueue(us);
    const counted = waiting.filter(({ seenUs }) => seenUs <= countedUs);
    const isCertain = only !== undefined && counted.length <= only.waiting;
    for (const track of waiting) {
      if (track.server !== undefined && threads.has(track.server)) track.queueOf = track.server;
      else if (isCertain && track.seenUs <= countedUs) track.queueOf = only.thread;
    }
  }

  /** The listeners from which one thread accepts each, at a moment. */
  #ownersAt(us: number): readonly (readonly [cookie: string, owner: Owner])[] {
    return [...this.#owners].filter(([, owner]) => isAlive(owner, us));
  }

  /** The only queue in which somebody waits; `undefined` if there is none, or if that is not known. */
  #onlyQueue(us: number): ThreadQueue | undefined {
    const owners = this.#ownersAt(us);
    const isKnown = owners.every(([cookie]) => this.#listeners.get(cookie)?.at(us) !== undefined);
    // Of one whose owner has not been told yet, nobody knows whose queue it is.
    const full = [...this.#listeners].filter(([cookie, course]) => {
      const owner = this.#owners.get(cookie);
      const counts = owner === undefined || isAlive(owner, us);
      return counts && (course.at(us)?.waiting ?? 0) > 0;
    });
    const [cookie, course] = full[0] ?? [];
    const owner = owners.find(([own]) => own === cookie)?.[1];
    if (!isKnown || full.length !== 1 || owner === undefined) return undefined;
    return { thread: owner.thread, waiting: course?.at(us)?.waiting ?? 0 };
  }

  /**
   * How many wait in the queue of each thread, where each of several has one.
   *
   * @param us the moment @param tracks all connections @param those which are in an accept queue
   * @param countedUs when they were counted last @param sinceUs who has left since then may be counted
   */
  #ofThreads(
    us: number,
    tracks: readonly Track[],
    those: readonly Track[],
    countedUs: number,
    sinceUs: number,
  ): readonly ThreadQueue[] {
    const owners = this.#ownersAt(us);
    if (owners.length < 2) return [];
    const seen = Map.groupBy(those, ({ queueOf }) => queueOf);
    const queues = owners.flatMap(([cookie, { thread }]): ThreadQueue[] => {
      const count = this.#listeners.get(cookie)?.at(us)?.waiting;
      if (count === undefined) return [];
      const there = new Set(seen.get(thread));
      const rest = restOf({
        count,
        has: (track) => (there.has(track) || track.server === thread) && wasThere(track, countedUs),
        mayHaveLeft: ({ server, takenUs }) =>
          server === thread && sinceUs < takenUs && takenUs <= us,
      }, tracks);
      return [{ thread, waiting: there.size + rest }];
    });
    // Of some alone nobody could say who waits where.
    if (queues.length < owners.length) return [];
    return queues.sort((one, other) => one.thread - other.thread);
  }

  /**
   * The listeners that let somebody in: where threads have listeners, those of the threads that are
   * there. If none is there, those of the threads that were there last, or else of those to come first.
   */
  #openAt(us: number): readonly Course<ListenerEvent>[] {
    const owned = [...this.#listeners].flatMap(([cookie, course]) => {
      const owner = this.#owners.get(cookie);
      return owner === undefined ? [] : [{ course, owner }];
    });
    if (owned.length === 0) return [...this.#listeners.values()];
    const open = owned.filter(({ owner }) => isAlive(owner, us));
    if (open.length > 0) return open.map(({ course }) => course);
    const gone = owned.filter(({ owner }) => owner.life.toUs <= us);
    const lastUs = Math.max(...gone.map(({ owner }) => owner.life.toUs));
    const firstUs = Math.min(...owned.map(({ owner }) => owner.life.fromUs));
    return owned.filter(({ owner: { life } }) =>
      gone.length > 0 ? life.toUs === lastUs : life.fromUs === firstUs
    ).map(({ course }) => course);
  }

  #hasLooked(at: number): void {
    if (this.#looks.last(at)?.at !== at) this.#looks.add(at, undefined);
  }

  /**
   * What is known of them at a moment.
   *
   * @param us the moment @param tracks all connections
   * @param those which of these are in an accept queue at this moment, and whose is said
   */
  at(us: number, tracks: readonly Track[], those: readonly Track[]): QueueView {
    const seen = those.length;
    const courses = this.#openAt(us);
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
      has: (track) => wasThere(track, countedUs),
      mayHaveLeft: ({ takenUs }) => sinceUs < takenUs && takenUs <= us,
    }, tracks);
    const ofThreads = this.#ofThreads(us, tracks, those, countedUs, sinceUs);
    return {
      ...{ waiting: seen + rest, limit, countedUs },
      ...(ofThreads.length > 0 && { ofThreads }),
    };
  }

  /** Forgets what was no longer so at a moment. */
  forget(beforeUs: number): void {
    this.#looks.forget(beforeUs);
    for (const course of this.#listeners.values()) course.forget(beforeUs);
    for (const [cookie, { life }] of this.#owners) {
      if (life.toUs >= beforeUs) continue;
      this.#owners.delete(cookie);
      this.#listeners.delete(cookie);
    }
    for (const [thread, { toUs }] of this.#lives) {
      if (toUs < beforeUs) this.#lives.delete(thread);
    }
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
