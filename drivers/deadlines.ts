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
  readonly #ms: number;
  #head: Deadline | undefined;
  #tail: Deadline | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number) {
    this.#ms = ms;
  }

  add(deadline: Deadline): void {
    deadline.at = performance.now() + this.#ms;
    deadline.queue = this;
    deadline.previous = this.#tail;
    if (this.#tail === undefined) this.#head = deadline;
    else this.#tail.next = deadline;
    this.#tail = deadline;
    // It stays when the queue empties, so that a busy server does not set one for each read.
    this.#timer ??= setTimeout(this.#expire, this.#ms);
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === undefined) this.#head = next;
    else previous.next = next;
    if (next === undefined) this.#tail = previous;
    else next.previous = previous;
    deadline.queue = deadline.previous = deadline.next = undefined;
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (let head = this.#head; head !== undefined && head.at <= now; head = this.#head) {
      this.remove(head);
      head.onReached();
    }
    // A handler may have set a limit, and with it the timer.
    if (this.#head !== undefined && this.#timer === undefined) {
      this.#timer = setTimeout(this.#expire, Math.max(1, Math.ceil(this.#head.at - now)));
    }
  };

  dispose(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** The limits of one server or client, by their length. */
export class Deadlines implements Disposable {
  readonly #queues = new Map<number, DeadlineQueue>();

  /**
   * Sets a limit, lifting it first if it is set.
   *
   * @param deadline what to call
   * @param ms when, from now, in milliseconds
   */
  set(deadline: Deadline, ms: number): void {
    deadline.lift();
    let queue = this.#queues.get(ms);
    if (queue === undefined) this.#queues.set(ms, queue = new DeadlineQueue(ms));
    queue.add(deadline);
  }

  /** Forgets all limits, so that no timer keeps the process up. */
  [Symbol.dispose](): void {
    for (const queue of this.#queues.values()) queue.dispose();
    this.#queues.clear();
  }
}
