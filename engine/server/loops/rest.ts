/**
 * What a loop does when it comes to rest: it collects the garbage that its work has left.
 *
 * A runtime does that by itself when nothing happens, but in its own event loop. A loop that blocks its
 * thread in a system call never comes there. So the garbage of ten thousand connections would lie about
 * for as long as they are silent, and take more memory than they do.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../drivers/deadlines.ts";

/** How often it is looked whether a loop that works has come to rest, in milliseconds. */
const LOOK_MS = 250;

/** With so few turns between two looks a loop rests: somebody speaks now and then. */
const FEW_TURNS = 5;

/** After so many turns there is something to collect. */
const MANY_TURNS = 200;

/**
 * How many times as long as a collection took the next one waits. Where a protocol keeps much, it takes
 * long, and whoever speaks meanwhile has to wait.
 */
const PAUSES = 50;

/** Knows when a loop has come to rest. */
export class Rest {
  readonly #deadlines: Deadlines;
  readonly #collect: () => void;
  readonly #limit = new Deadline(() => this.#look(), true);
  /** How many turns there were since the last look, and how many before that since the last rest. */
  #turns = 0;
  #before = 0;
  /** When the next collection may begin, on the clock of the limits. */
  #mayAt = 0;

  /**
   * @param deadlines the limits of the loop
   * @param collect collects garbage
   */
  constructor(deadlines: Deadlines, collect: () => void) {
    this.#deadlines = deadlines;
    this.#collect = collect;
  }

  /** The loop takes another turn. While it takes none, nobody looks, and nothing wakes it. */
  turn(): void {
    this.#turns++;
    if (this.#limit.queue === undefined) this.#deadlines.set(this.#limit, LOOK_MS);
  }

  #look(): void {
    const turns = this.#turns;
    this.#before += turns;
    this.#turns = 0;
    if (turns > FEW_TURNS) return this.#deadlines.set(this.#limit, LOOK_MS);
    if (this.#before < MANY_TURNS) return;
    const began = this.#deadlines.now;
    const tooSoonMs = Math.ceil(this.#mayAt - began);
    if (tooSoonMs > 0) return this.#deadlines.set(this.#limit, tooSoonMs);
    this.#before = 0;
    this.#collect();
    const ended = this.#deadlines.now;
    this.#mayAt = ended + PAUSES * (ended - began);
  }
}
