/**
 * Rounds of the mail: the outboxes of one server are written one after another.
 *
 * A write costs far more than putting a line into an outbox. If a room of thousands were written to
 * at once, nobody else would be served in the meantime. So the outboxes that have something to send
 * form a queue, and the event loop gets a turn every few milliseconds. What is said until an
 * outbox's turn comes goes along with the same write: the more there is to do, the less each line
 * costs. When little is to be done, nothing waits.
 *
 * @module
 */

import { joinBytes } from "../../protocols/bytes.ts";

/** How long the event loop may be kept from anything else, in milliseconds. */
const SLICE_MS = 8;

/** After how many writes the clock is looked at. */
const WRITES_A_LOOK = 16;

/** The outboxes of one server that have something to send. */
export class Rounds {
  #queue: (() => void)[] = [];
  #head = 0;
  #isScheduled = false;
  /** The lines that were joined last, and what came of it. */
  #joinedLines: readonly Uint8Array[] = [];
  #joined: Uint8Array = new Uint8Array(0);

  /**
   * Joins the lines of one write. The members of a room hear the same lines, so their outboxes
   * share the result.
   *
   * @param lines the lines, which nobody changes any more
   */
  join(lines: readonly Uint8Array[]): Uint8Array {
    if (!isSame(lines, this.#joinedLines)) {
      this.#joined = joinBytes(lines);
      this.#joinedLines = lines;
    }
    return this.#joined;
  }

  /**
   * Does some work soon, after all work that was added before.
   *
   * @param work writes an outbox, or goes on when those before it are written; must not throw
   */
  add(work: () => void): void {
    this.#queue.push(work);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    // Not at once, so that lines said together are sent together.
    queueMicrotask(this.#run);
  }

  readonly #run = (): void => {
    const endsAt = performance.now() + SLICE_MS;
    try {
      for (let done = 1; this.#head < this.#queue.length; done++) {
        (this.#queue[this.#head++] as () => void)();
        if (done % WRITES_A_LOOK === 0 && performance.now() >= endsAt) break;
      }
    } finally {
      // Also if some work has thrown: all the others' work is still to be done.
      this.#goOn();
    }
  };

  /** Ends a slice. */
  #goOn(): void {
    // Removing from the front of a long array moves all of it, so this is done once a slice.
    this.#queue.splice(0, this.#head);
    this.#head = 0;
    if (this.#queue.length > 0) {
      setTimeout(this.#run);
      return;
    }
    this.#isScheduled = false;
    this.#joinedLines = [];
  }
}

function isSame(some: readonly Uint8Array[], others: readonly Uint8Array[]): boolean {
  return some.length === others.length && some.every((line, index) => line === others[index]);
}
