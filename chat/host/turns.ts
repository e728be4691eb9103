/**
 * Turns to speak: in each turn of the event loop only a bounded amount is said, and users get their
 * turns in the order in which they asked. A crowd holds up only itself.
 *
 * The flood limit lets each user say many lines at once. Many users may do so at the same moment,
 * and the operator's input may be a file. If everything were said in one turn of the event loop, it
 * would pile up in the outboxes before the runtime had a chance to send any of it. Then even a user
 * who reads as fast as possible would count as slow. So a turn ends when all outboxes have been
 * written that had something to send.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../engine/drivers/deadlines.ts";
import type { Operation } from "../../engine/drivers/elsewhere.ts";
import type { Share } from "../rooms/conversation.ts";
import { LINE_BYTES } from "../rooms/room.ts";
import type { Rounds } from "./rounds.ts";

/** The least length of a turn, in milliseconds. */
const TURN_MS = 1;

/** What costs more bytes than this is for many, if nothing else is known about it. */
const LIGHT_BYTES = 512;

/** A speaker who waits. */
interface Waiting {
  readonly bytes: number;
  readonly done: () => void;
}

/** One of the two lines in which speakers wait. Each has half of every turn. */
class Queue {
  readonly waiting = new Set<Waiting>();
  readonly #mostBytes: number;
  #spent = 0;

  /** @param mostBytes how many bytes may be said in one turn */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** Whether this much can be said in this turn; if so, it counts as said. */
  spend(bytes: number): boolean {
    // The first speaker of a turn may say something of any length.
    if (this.#spent > 0 && this.#spent + bytes > this.#mostBytes) return false;
    this.#spent += bytes + LINE_BYTES;
    return true;
  }

  /** A turn begins: those who have waited longest speak. */
  begin(): void {
    this.#spent = 0;
    for (const waiting of this.waiting) {
      if (!this.spend(waiting.bytes)) return;
      this.waiting.delete(waiting);
      waiting.done();
    }
  }
}

/** The turns of all users of one server. */
export class Turns implements Disposable {
  /** Those who speak to few. They do not wait behind a crowd. */
  readonly #light: Queue;
  readonly #heavy: Queue;
  readonly #deadlines: Deadlines;
  readonly #next: Deadline;
  /** Whether a turn has begun whose end is awaited. */
  #isTurn = false;
  #isOver = false;

  /**
   * @param turnBytes how many bytes all speakers together may say in one turn
   * @param deadlines keeps time
   * @param rounds writes what was said
   */
  constructor(turnBytes: number, deadlines: Deadlines, rounds: Rounds) {
    this.#light = new Queue(turnBytes / 2);
    this.#heavy = new Queue(turnBytes / 2);
    this.#deadlines = deadlines;
    const begin = () => this.#begin();
    this.#next = new Deadline(() => rounds.add(begin), true);
  }

  /**
   * Takes a part of this turn for the operator, or for another server. These send one thing at a time.
   *
   * @param bytes the length of what is to be said
   * @returns whether there was room and nobody was waiting
   */
  take(bytes: number): boolean {
    return this.takeShare(shareOf(bytes));
  }

  /**
   * Takes a part of this turn.
   *
   * @param share what is to be said
   * @returns whether there was room and nobody was waiting
   */
  takeShare({ bytes, isForMany }: Share): boolean {
    const queue = isForMany ? this.#heavy : this.#light;
    const isTaken = queue.waiting.size === 0 && queue.spend(bytes);
    if (isTaken) this.#awaitNext();
    return isTaken;
  }

  /**
   * Waits for a turn.
   *
   * @param share what is to be said
   * @param done is called when it can be said
   */
  wait({ bytes, isForMany }: Share, done: () => void): Operation {
    const { waiting } = isForMany ? this.#heavy : this.#light;
    const speaker = { bytes, done };
    waiting.add(speaker);
    this.#awaitNext();
    return { cancel: () => waiting.delete(speaker) };
  }

  /**
   * Does the same, or takes a part of the first turn that has room.
   *
   * @param bytes the length of what is to be said
   * @returns whether it can be said; false if the server has closed
   */
  pass(bytes: number): Promise<boolean> {
    return new Promise((resolve) => this.whenRoom(bytes, resolve));
  }

  /**
   * The same for those who do not wait.
   *
   * @param bytes the length of what is to be said
   * @param done called with whether it can be said, perhaps at once
   */
  whenRoom(bytes: number, done: (maySay: boolean) => void): void {
    if (this.#isOver || this.take(bytes)) done(!this.#isOver);
    else this.wait(shareOf(bytes), () => done(!this.#isOver));
  }

  /** Ends all waiting. There is nobody left to talk to. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const { waiting } of [this.#light, this.#heavy]) {
      for (const { done } of waiting) done();
      waiting.clear();
    }
  }

  #awaitNext(): void {
    if (this.#isTurn) return;
    this.#isTurn = true;
    this.#deadlines.set(this.#next, TURN_MS);
  }

  #begin(): void {
    this.#isTurn = false;
    for (const queue of [this.#light, this.#heavy]) {
      queue.begin();
      if (queue.waiting.size > 0) this.#awaitNext();
    }
  }
}

function shareOf(bytes: number): Share {
  return { bytes, isForMany: bytes > LIGHT_BYTES };
}
