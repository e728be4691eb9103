/**
 * Time limits for very many connections, with one timer for each length of time.
 *
 * Each read of each connection has a limit, and hardly any limit is ever reached. A timer of the
 * runtime for every read would cost more than the read. But limits of the same length are reached
 * in the order in which they were set. So they form a queue, and only its head needs a timer. To
 * set or lift a limit means to move two pointers.
 *
 * A limit is about the peer. When a process was stopped for an hour (SIGSTOP, a frozen container) or
 * its loop was held up, its clock went on, and what the peers have sent meanwhile was not read. So
 * where {@linkcode DeadlinesOptions.extendsLate} is set, limits that are found late are extended:
 * see {@linkcode extensionOf}.
 *
 * @module
 */

import { type EventLoop, THIS_LOOP } from "./event_loop.ts";

/** A limit found later than this, in milliseconds, was reached while nobody could look. */
const LATE_MS = 1_000;

/** How often a limit is extended at most. A loop that is always late must not wait for ever. */
const MOST_EXTENSIONS = 3;

/**
 * By how much a limit that has been reached is extended: by as long as nobody could look, but by no
 * more than its own length. On a busy machine that is little, and a peer that sends nothing does not
 * gain by it. After a long stop, which the peer may have shared, it begins anew.
 *
 * @param lateMs how long ago it was reached, in milliseconds
 * @param limitMs how long it was, in milliseconds
 * @param extensions how often it was extended already
 * @returns whole milliseconds; 0 if it is over
 */
export function extensionOf(lateMs: number, limitMs: number, extensions: number): number {
  if (lateMs <= LATE_MS || extensions >= MOST_EXTENSIONS) return 0;
  return Math.min(limitMs, Math.ceil(lateMs));
}

/** Whoever has limits, and is told when one is reached. */
export interface Limited {
  /** Called when a limit is reached. */
  onReached(limit: Deadline): void;
}

/** A limit that can be set. Then it is either lifted or reached. */
export class Deadline {
  /** Who is told when it is reached. */
  readonly #whom: Limited | (() => void);
  /** When it is reached, on the clock of `performance.now()`. */
  at = 0;
  /** The queue that it is in; `undefined` when it is not set. */
  queue: DeadlineQueue | undefined;
  /** The limit that is reached before this one. */
  previous: Deadline | undefined;
  /** The limit that is reached after this one. */
  next: Deadline | undefined;
  /** How often it was extended since it was set. */
  extensions = 0;
  /**
   * Whether it is never extended, because it is no limit for a peer: it is a clock of the program
   * itself, or its being late is what somebody wants to know.
   */
  readonly isExact: boolean;

  /**
   * @param whom who is told when it is reached, or what is called then. Whoever has thousands of
   * limits takes less memory without a function for each
   * @param isExact whether it is never extended
   */
  constructor(whom: Limited | (() => void), isExact = false) {
    this.#whom = whom;
    this.isExact = isExact;
  }

  /** It is reached. */
  reach(): void {
    const whom = this.#whom;
    if (typeof whom === "function") whom();
    else whom.onReached(this);
  }

  /** Lifts the limit, if it is set. */
  lift(): void {
    this.queue?.remove(this);
  }
}

class DeadlineQueue {
  readonly ms: number;
  /** The limit that is reached first. */
  head: Deadline | undefined;
  #tail: Deadline | undefined;

  constructor(ms: number) {
    this.ms = ms;
  }

  add(deadline: Deadline, now: number): void {
    deadline.at = now + this.ms;
    deadline.queue = this;
    deadline.previous = this.#tail;
    if (this.#tail === undefined) this.head = deadline;
    else this.#tail.next = deadline;
    this.#tail = deadline;
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === undefined) this.head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    deadline.queue = deadline.previous = deadline.next = undefined;
  }

  /** Lets the limits that were set since a time count from a later one on. */
  move(since: number, to: number): void {
    const at = since + this.ms;
    for (let last = this.#tail; last !== undefined && last.at >= at; last = last.previous) {
      last.at = Math.max(last.at, to + this.ms);
    }
  }

  /** Takes out the limit that is reached first, if it has been reached. */
  takeReached(now: number): Deadline | undefined {
    const { head } = this;
    if (head === undefined || head.at > now) return undefined;
    this.remove(head);
    return head;
  }
}

/** How to keep limits. */
export interface DeadlinesOptions {
  /** Whether limits that are found late are extended. @default {false} */
  readonly extendsLate?: boolean;
}

/** How to keep limits that a loop watches. */
export interface PolledDeadlinesOptions extends DeadlinesOptions {
  /**
   * Whether the loop asks when the next limit is reached whenever it is about to wait. Then the clock is read once a turn
   * and not for each limit: that is the dearest part of setting one. @default {false}
   */
  readonly asksBeforeItWaits?: boolean;
}

/** The limits of one server or client, by their length. */
export abstract class Deadlines {
  /** The queues, by the length of their limits in milliseconds. */
  protected readonly queues = new Map<number, DeadlineQueue>();
  readonly #extendsLate: boolean;

  /** @param options how to keep limits */
  constructor({ extendsLate = false }: DeadlinesOptions = {}) {
    this.#extendsLate = extendsLate;
  }

  /**
   * Sets a limit. If it is set already, it is lifted first.
   *
   * @param deadline the limit
   * @param ms how long from now it is reached, in milliseconds
   * @param now the present `performance.now()`, if the caller knows it already
   */
  set(deadline: Deadline, ms: number, now: number = this.clock()): void {
    deadline.lift();
    deadline.extensions = 0;
    this.put(deadline, ms, now);
  }

  /** The present, in milliseconds: `performance.now()`, where time is real. */
  get now(): number {
    return performance.now();
  }

  /** From when on a limit that is set now is counted, on the clock of {@linkcode Deadlines.now}. */
  protected clock(): number {
    return this.now;
  }

  /** Puts a limit that is in no queue into the one of its length. */
  protected put(deadline: Deadline, ms: number, now: number): DeadlineQueue {
    let queue = this.queues.get(ms);
    if (queue === undefined) this.queues.set(ms, queue = new DeadlineQueue(ms));
    queue.add(deadline, now);
    return queue;
  }

  /**
   * Reaches each limit of a queue whose time has come, or extends it.
   *
   * @param queue the queue
   * @param now the present `performance.now()`
   * @param lateMs what {@linkcode lateness} says
   */
  protected expireIn(queue: DeadlineQueue, now: number, lateMs: number): void {
    for (;;) {
      const reached = queue.takeReached(now);
      if (reached === undefined) return;
      const ms = reached.isExact ? 0 : extensionOf(lateMs, queue.ms, reached.extensions);
      if (ms > 0) {
        reached.extensions++;
        this.put(reached, ms, now);
      } else reached.reach();
    }
  }

  /** By how much the limit is late that was reached first, in milliseconds, if that matters. */
  protected lateness(now: number): number {
    if (!this.#extendsLate) return 0;
    let first = now;
    for (const { head } of this.queues.values()) {
      if (head !== undefined && head.at < first) first = head.at;
    }
    return now - first;
  }
}

/** How to keep limits that timers watch. */
export interface TimedDeadlinesOptions extends DeadlinesOptions {
  /** Whose timers they are. @default {THIS_LOOP} */
  readonly loop?: EventLoop;
}

/** Limits that timers of an event loop watch. */
export class TimedDeadlines extends Deadlines implements Disposable {
  readonly #loop: EventLoop;
  /** The functions that stop the timers. */
  readonly #timers = new Map<DeadlineQueue, () => void>();

  /** @param options how to keep limits */
  constructor({ loop = THIS_LOOP, ...options }: TimedDeadlinesOptions = {}) {
    super(options);
    this.#loop = loop;
  }

  override get now(): number {
    return this.#loop.now();
  }

  protected override put(deadline: Deadline, ms: number, now: number): DeadlineQueue {
    const queue = super.put(deadline, ms, now);
    this.#watch(queue, ms);
    return queue;
  }

  /** A timer stays when its queue empties, so that a busy server does not set one for each read. */
  #watch(queue: DeadlineQueue, ms: number): void {
    if (this.#timers.has(queue)) return;
    this.#timers.set(queue, this.#loop.after(ms, () => this.#expire(queue)));
  }

  #expire(queue: DeadlineQueue): void {
    const { now } = this;
    try {
      // The timer stands for the queue meanwhile. A limit that is set now must not get one of its
      // own: those that were set before are reached first.
      this.expireIn(queue, now, this.lateness(now));
    } finally {
      // If it was taken away, all limits were forgotten.
      if (this.#timers.delete(queue)) this.#watchNext(queue, now);
    }
  }

  #watchNext(queue: DeadlineQueue, now: number): void {
    // If no limit of this length is set, the length is forgotten.
    if (queue.head === undefined) this.queues.delete(queue.ms);
    else this.#watch(queue, Math.max(1, Math.ceil(queue.head.at - now)));
  }

  /** Forgets all limits, so that no timer keeps the process up. */
  [Symbol.dispose](): void {
    for (const stop of this.#timers.values()) stop();
    this.#timers.clear();
    this.queues.clear();
  }
}

/** A turn that has taken longer, in milliseconds, is not taken from the limits that were set in it. */
const SHORT_MS = 1;

/**
 * Limits that a readiness loop watches itself. Its thread never returns to the runtime's timers.
 */
export class PolledDeadlines extends Deadlines {
  readonly #asksBeforeItWaits: boolean;
  /** The time at which the first limit of this turn was set; 0 if there is none. */
  #turnAt = 0;

  /** @param options how to keep limits */
  constructor(options: PolledDeadlinesOptions = {}) {
    super(options);
    this.#asksBeforeItWaits = options.asksBeforeItWaits ?? false;
  }

  protected override clock(): number {
    if (!this.#asksBeforeItWaits) return performance.now();
    if (this.#turnAt === 0) this.#turnAt = performance.now();
    return this.#turnAt;
  }

  /** The limits of a turn were set at its beginning. If it was long, they count from its end on. */
  #endTurn(now: number): void {
    if (this.#turnAt !== 0 && now - this.#turnAt > SHORT_MS) {
      for (const queue of this.queues.values()) queue.move(this.#turnAt, now);
    }
    this.#turnAt = 0;
  }

  /** The time until the first limit is reached, in milliseconds; -1 if none is set. */
  get msToNext(): number {
    const first = this.nextAt;
    return first === Infinity ? -1 : Math.max(0, Math.ceil(first - performance.now()));
  }

  /** When the first limit is reached, on the clock of `performance.now()`; `Infinity` if none is set. */
  get nextAt(): number {
    if (this.#turnAt !== 0) this.#endTurn(performance.now());
    if (this.queues.size === 0) return Infinity;
    let first = Infinity;
    for (const { head } of this.queues.values()) if (head && head.at < first) first = head.at;
    return first;
  }

  /** Reaches each limit whose time has come. */
  expire(): void {
    if (this.queues.size === 0) return;
    const now = performance.now();
    this.#endTurn(now);
    const lateMs = this.lateness(now);
    for (const queue of this.queues.values()) {
      this.expireIn(queue, now, lateMs);
      if (queue.head === undefined) this.queues.delete(queue.ms);
    }
  }
}
