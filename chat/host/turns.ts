/**
 * Who may say something now: so much in each turn of the event loop, in the order in which they
 * asked.
 *
 * The flood limit lets each user say many lines at once, many users may do so at the same moment,
 * and an operator may be a file. If all that were said in one turn, it would pile up in the
 * outboxes before the runtime had a chance to send any of it, and who reads as fast as he can would
 * count as slow.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import type { Operation } from "../../engine/drivers/elsewhere.ts";
import { LINE_BYTES } from "../rooms/room.ts";

/** How long a turn is at least, in milliseconds. */
const TURN_MS = 1;

/** Somebody who waits. */
interface Waiting {
  readonly bytes: number;
  readonly done: () => void;
}

/** The turns of all users of one server. */
export class Turns implements Disposable {
  readonly #turnBytes: number;
  readonly #deadlines: Deadlines;
  readonly #next = new Deadline(() => this.#begin());
  readonly #waiting = new Set<Waiting>();
  #spent = 0;
  #isOver = false;

  /**
   * @param turnBytes how much is said in one turn, by all together
   * @param deadlines keeps time
   */
  constructor(turnBytes: number, deadlines: Deadlines) {
    this.#turnBytes = turnBytes;
    this.#deadlines = deadlines;
  }

  /**
   * Takes part of this turn.
   *
   * @param bytes how long what is to be said is
   * @returns whether there was room, and nobody who has waited for it
   */
  take(bytes: number): boolean {
    return this.#waiting.size === 0 && this.#spend(bytes);
  }

  /**
   * Waits for a turn.
   *
   * @param bytes how long what is to be said is
   * @param done is called when it can be said
   */
  wait(bytes: number, done: () => void): Operation {
    const waiting = { bytes, done };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /**
   * Takes part of this turn, or of the first in which there is room.
   *
   * @param bytes how long what is to be said is
   * @returns whether it can be said; false when the server has closed
   */
  async pass(bytes: number): Promise<boolean> {
    if (!this.#isOver && !this.take(bytes)) {
      await new Promise<void>((resolve) => this.wait(bytes, resolve));
    }
    return !this.#isOver;
  }

  /** Ends all waiting: nobody is left to whom anything could be said. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const { done } of this.#waiting) done();
    this.#waiting.clear();
  }

  #spend(bytes: number): boolean {
    // The first of a turn says what he has, however long it is.
    if (this.#spent > 0 && this.#spent + bytes > this.#turnBytes) return false;
    if (this.#spent === 0) this.#deadlines.set(this.#next, TURN_MS);
    this.#spent += bytes + LINE_BYTES;
    return true;
  }

  #begin(): void {
    this.#spent = 0;
    for (const waiting of this.#waiting) {
      if (!this.#spend(waiting.bytes)) return;
      this.#waiting.delete(waiting);
      waiting.done();
    }
  }
}
