/**
 * Time limits for very many connections with one timer each for every length of time.
 *
 * Each read of each connection has a limit and nearly none is ever reached. A runtime's timer for
 * every read costs more than the read. But limits of the same length run out in the order in
 * which they were set: a queue, of which only the head needs a timer, so that to set or to lift a
 * limit moves two pointers.
 *
 * @module
 */

/** A limit that can be set, and then either lifted or reached. */
export class Deadline {
  /** Called when it is reached. */
  readonly onReached: () => void;
  /** When it is reached, on the clock of `performance.now()`. */
  at = 0;
  /** The queue in which it is; `undefined` when it is not set. */
  queue: DeadlineQueue | undefined;
  /** The one that is reached before this. */
  previous: Deadline | undefined;
  /** The one that is reached after this. */
  next: Deadline | undefined;

  /** @param onReached called when it is reached */
  constructor(onReached: () => void) {
    this.onReached = onReached;
  }

  /** Lifts the limit, if it is set. */
  lift(): void {
    this.queue?.remove(this);
  }
}

class DeadlineQueue {
  readonly ms: number;
  /** The one that is reached first. */
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

  /** Calls those that are reached. */
  expire(now: number): void {
    for (let head = this.head; head !== undefined && head.at <= now; head = this.head) {
      this.remove(head);
      head.onReached();
    }
  }
}

/** The limits of one server or client, by their length. */
export abstract class Deadlines {
  /** The queues, by the length of their limits in milliseconds. */
  protected readonly queues = new Map<number, DeadlineQueue>();

  /**
   * Sets a limit, lifting it first if it is set.
   *
   * @param deadline what to call
   * @param ms when, from now, in milliseconds
   * @param now what `performance.now()` says, for who has asked it already
   */
  set(deadline: Deadline, ms: number, now: number = performance.now()): void {
    deadline.lift();
    let queue = this.queues.get(ms);
    if (queue === undefined) this.queues.set(ms, queue = new DeadlineQueue(ms));
    queue.add(deadline, now);
  }
}

/** Limits that the runtime's timers watch over. */
export class TimedDeadlines extends Deadlines implements Disposable {
  readonly #timers = new Map<DeadlineQueue, ReturnType<typeof setTimeout>>();

  override set(deadline: Deadline, ms: number, now?: number): void {
    super.set(deadline, ms, now);
    this.#watch(deadline.queue as DeadlineQueue, ms);
  }

  /** A timer stays when its queue empties: a busy server does not set one for each read. */
  #watch(queue: DeadlineQueue, ms: number): void {
    if (this.#timers.has(queue)) return;
    this.#timers.set(queue, setTimeout(() => this.#expire(queue), ms));
  }

  #expire(queue: DeadlineQueue): void {
    this.#timers.delete(queue);
    const now = performance.now();
    queue.expire(now);
    // A length that is not used any more is forgotten.
    if (queue.head === undefined) this.queues.delete(queue.ms);
    else this.#watch(queue, Math.max(1, Math.ceil(queue.head.at - now)));
  }

  /** Forgets all limits, so that no timer keeps the process up. */
  [Symbol.dispose](): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    this.queues.clear();
  }
}

/** Limits that a loop of one's own watches over, whose thread has no time for timers. */
export class PolledDeadlines extends Deadlines {
  /** How long until the first is reached, in milliseconds; -1 if none is set. */
  get msToNext(): number {
    if (this.queues.size === 0) return -1;
    let first = Infinity;
    for (const { head } of this.queues.values()) if (head && head.at < first) first = head.at;
    return first === Infinity ? -1 : Math.max(0, Math.ceil(first - performance.now()));
  }

  /** Calls those that are reached. */
  expire(): void {
    if (this.queues.size === 0) return;
    const now = performance.now();
    for (const queue of this.queues.values()) {
      queue.expire(now);
      if (queue.head === undefined) this.queues.delete(queue.ms);
    }
  }
}
