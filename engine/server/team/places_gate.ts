/**
 * The gate of a server whose connections are served by processes.
 *
 * A process can be killed at any moment, even between two instructions. So nothing is counted here
 * that somebody would have to count back. Each open connection has a place, and the place says whose
 * it is: one compare-and-swap takes it, and one gives it back. When a process has died, its parent
 * empties the places that it had.
 *
 * No process can wake another one here, so whoever waits looks again and again.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { runtime } from "../../net/runtime.ts";
import { Gate, type TeamMemory } from "./team_memory.ts";

/** A place of nobody. */
const FREE = 0;

/** How often somebody looks who waits, in milliseconds. */
const LOOK_MS = 2;

/** Nobody writes to this word. To wait until it changes is to sleep. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Makes the places.
 *
 * @param count how many connections can be open at a time
 * @param allocate makes the memory
 */
export function createPlaces(count: number, allocate: Allocate = ofThisProcess): SharedArrayBuffer {
  const memory = allocate((count + 1) * 4);
  // The first word says how many there are: the memory may be longer.
  new Int32Array(memory)[0] = count;
  return memory;
}

/**
 * Opens a team's gate.
 *
 * @param memory the team's memory
 * @param index the number of this member of the team; -1 is the main thread
 */
export function openGate(memory: TeamMemory, index: number): Gate {
  return memory.places === undefined
    ? new Gate(memory.gate)
    : new PlacesGate(memory.gate, memory.places, index);
}

/** The gate, as one member of the team sees it. */
export class PlacesGate extends Gate {
  readonly #places: Int32Array;
  readonly #own: number;

  /**
   * @param memory the gate's part of the team's memory
   * @param places from {@linkcode createPlaces}
   * @param index the number of this member of the team
   */
  constructor(memory: SharedArrayBuffer, places: SharedArrayBuffer, index: number) {
    super(memory);
    this.#places = new Int32Array(places, 4, new Int32Array(places)[0]);
    this.#own = index + 1;
  }

  override enter(): boolean {
    for (;;) {
      if (this.closing) return false;
      if (this.tryEnter()) return true;
      rest(LOOK_MS);
    }
  }

  override tryEnter(): boolean {
    const places = this.#places;
    const count = Math.min(places.length, this.limited);
    for (let place = 0; place < count; place++) {
      if (Atomics.load(places, place) !== FREE) continue;
      if (Atomics.compareExchange(places, place, FREE, this.#own) === FREE) return true;
    }
    return false;
  }

  override get open(): number {
    let open = 0;
    for (let place = 0; place < this.#places.length; place++) {
      if (Atomics.load(this.#places, place) !== FREE) open++;
    }
    return open;
  }

  override get room(): number {
    return Math.max(0, Math.min(this.#places.length, this.limited) - this.open);
  }

  override get full(): boolean {
    return this.room === 0;
  }

  override leave(): void {
    this.#change(this.#own, FREE);
  }

  override leaveFor(index: number): void {
    while (this.#change(index + 1, FREE)) { /* It may have had several. */ }
  }

  /**
   * Gives a place of this member to another one, together with its connection.
   *
   * @param index the number of that member
   */
  handTo(index: number): void {
    this.#change(this.#own, index + 1);
  }

  /**
   * Takes a place back that {@linkcode PlacesGate.handTo} has given away: that member is gone.
   *
   * @param index the number of that member
   */
  takeFrom(index: number): void {
    // Whoever has buried it may have emptied the place already.
    if (!this.#change(index + 1, this.#own)) this.#change(FREE, this.#own);
  }

  #change(from: number, to: number): boolean {
    const places = this.#places;
    for (let place = 0; place < places.length; place++) {
      if (Atomics.load(places, place) !== from) continue;
      if (Atomics.compareExchange(places, place, from, to) === from) return true;
    }
    return false;
  }

  override sleep(ms: number): void {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !this.closing; left = until - performance.now()) {
      rest(Math.min(left, LOOK_MS));
    }
  }

  /** Each process has its own threads, and no other one waits for them. */
  override alone<Result>(act: () => Result): Result {
    return act();
  }
}

function rest(ms: number): void {
  runtime.waitWhile(NEVER, 0, 0, ms);
}
