/**
 * Turns to speak: in each turn of the event loop only a bounded amount is said, and users get their
 * turns in the order in which they asked.
 *
 * The flood limit lets each user say many lines at once. Many users may do so at the same moment,
 * and the operator's input may be a file. If everything were said in one turn of the event loop, it
 * would pile up in the outboxes before the runtime had a chance to send any of it. Then even a user
 * who reads as fast as possible would count as slow.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import type { Operation } from "../../engine/drivers/elsewhere.ts";
import { LINE_BYTES } from "../rooms/room.ts";

/** The least length of a turn, in milliseconds. */
const TURN_MS = 1;

/** A speaker who waits. */
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
   * @param turnBytes how many bytes all speakers together may say in one turn
   * @param deadlines keeps time
   */
  constructor(turnBytes: number, deadlines: Deadlines) {
    this.#turnBytes = turnBytes;
    this.#deadlines = deadlines;
  }

  /**
   * Takes a part of this turn.
   *
   * @param bytes the length of what is to be said
   * @returns whether there was room and nobody was waiting
   */
  take(bytes: number): boolean {
    return this.#waiting.size === 0 && this.#spend(bytes);
  }

  /**
   * Waits for a turn.
   *
   * @param bytes the length of what is to be said
   * @param done is called when it can be said
   */
  wait(bytes: number, done: () => void): Operation {
    const waiting = { bytes, done };
    this.#waiting.add(waiting);
    return { cancel: () => this.#waiting.delete(waiting) };
  }

  /**
   * Takes a part of this turn, or of the first turn that has room.
   *
   * @param bytes the length of what is to be said
   * @returns whether it can be said; false if the server has closed
   */
  async pass(bytes: number): Promise<boolean> {
    if (!this.#isOver && !this.take(bytes)) {
      await new Promise<void>((resolve) => this.wait(bytes, resolve));
    }
    return !this.#isOver;
  }

  /** Ends all waiting. There is nobody left to talk to. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const { done } of this.#waiting) done();
    this.#waiting.clear();
  }

  #spend(bytes: number): boolean {
    // The first speaker of a turn may say something of any length.
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
