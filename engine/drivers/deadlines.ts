/**
 * Time limits for very many connections, with one timer for each length of time.
 *
 * Each read of each connection has a limit, and hardly any limit is ever reached. A timer of the
 * runtime for every read would cost more than the read. But limits of the same length are reached
 * in the order in which they were set. So they form a queue, and only its head needs a timer. To
 * set or lift a limit means to move two pointers.
 *
 * @module
 */

/** A limit that can be set. Then it is either lifted or reached. */
export class Deadline {
  /** Called when it is reached. */
  readonly onReached: () => void;
  /** When it is reached, on the clock of `performance.now()`. */
  at = 0;
  /** The queue that it is in; `undefined` when it is not set. */
  queue: DeadlineQueue | undefined;
  /** The limit that is reached before this one. */
  previous: Deadline | undefined;
  /** The limit that is reached after this one. */
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

  /** Calls `onReached` of each limit that has been reached. */
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
   * Sets a limit. If it is set already, it is lifted first.
   *
   * @param deadline the limit
   * @param ms how long from now it is reached, in milliseconds
   * @param now the present `performance.now()`, if the caller knows it already
   */
  set(deadline: Deadline, ms: number, now: number = performance.now()): void {
    deadline.lift();
    let queue = this.queues.get(ms);
    if (queue === undefined) this.queues.set(ms, queue = new DeadlineQueue(ms));
    queue.add(deadline, now);
  }
}

/** Limits that timers of the runtime watch. */
export class TimedDeadlines extends Deadlines implements Disposable {
  readonly #timers = new Map<DeadlineQueue, ReturnType<typeof setTimeout>>();

  override set(deadline: Deadline, ms: number, now?: number): void {
    super.set(deadline, ms, now);
    this.#watch(deadline.queue as DeadlineQueue, ms);
  }

  /** A timer stays when its queue empties, so that a busy server does not set one for each read. */
  #watch(queue: DeadlineQueue, ms: number): void {
    if (this.#timers.has(queue)) return;
    this.#timers.set(queue, setTimeout(() => this.#expire(queue), ms));
  }

  #expire(queue: DeadlineQueue): void {
    this.#timers.delete(queue);
    const now = performance.now();
    queue.expire(now);
    // If no limit of this length is set, the length is forgotten.
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

/**
 * Limits that a readiness loop watches itself. Its thread never returns to the runtime's timers.
 */
export class PolledDeadlines extends Deadlines {
  /** The time until the first limit is reached, in milliseconds; -1 if none is set. */
  get msToNext(): number {
    if (this.queues.size === 0) return -1;
    let first = Infinity;
    for (const { head } of this.queues.values()) if (head && head.at < first) first = head.at;
    return first === Infinity ? -1 : Math.max(0, Math.ceil(first - performance.now()));
  }

  /** Calls `onReached` of each limit that has been reached. */
  expire(): void {
    if (this.queues.size === 0) return;
    const now = performance.now();
    for (const queue of this.queues.values()) {
      queue.expire(now);
      if (queue.head === undefined) this.queues.delete(queue.ms);
    }
  }
}
