/**
 * The gate of a server whose connections are served by processes.
 *
 * A process may be killed at any moment, between any two instructions. What it has counted up must not
 * stay counted. So each process has a seat: a word that nobody else counts in. The open connections are
 * those of all seats together. When a process has died, its seat is emptied, and the count is right.
 *
 * Whoever lets a connection in first says so in its seat and then counts all of them. So of two that
 * want the last place at a time, at least one sees the other. The one with the higher number gives
 * way.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { AFTER_GATE, Gate } from "./team_memory.ts";

/** How many seats there are. */
const SEATS = AFTER_GATE;

/** After the words of the gate comes a cache line for each seat. */
const SEAT_WORDS = 16;

// A seat counts in twos. The last bit says that another connection wants to come in.
const WANTS = 1;
const ONE = 2;

/**
 * How often one that wants the last place looks whether another one, which has to give way, has done
 * so. After that it has been killed or stopped in the middle, and the place counts as taken.
 */
const LOOKS = 10_000;

/** How often a process that waits looks whether it can go on, in milliseconds. Nobody can wake it. */
const LOOK_MS = 5;

/** The gate, as one process sees it that serves connections. */
export class ProcessGate extends Gate {
  readonly #seats: Int32Array;
  readonly #own: number;
  readonly #count: number;

  /**
   * @param memory from {@linkcode ProcessGate.create}
   * @param seat the number of the process whose connections are counted here, from 0
   */
  constructor(memory: SharedArrayBuffer, seat: number) {
    super(memory);
    this.#seats = new Int32Array(memory, SEAT_WORDS * 4);
    this.#own = seat * SEAT_WORDS;
    this.#count = this.words[SEATS] as number;
    if (seat >= this.#count) {
      throw new RangeError(`Cannot take seat ${seat}: there are ${this.#count}`);
    }
  }

  /**
   * Makes the memory. It is longer than that of another gate, and can be used as that of one.
   *
   * @param seats how many processes there are at a time
   * @param allocate makes it
   */
  static create(seats: number, allocate: Allocate = ofThisProcess): SharedArrayBuffer {
    const memory = allocate((1 + seats) * SEAT_WORDS * 4);
    new Int32Array(memory)[SEATS] = seats;
    return memory;
  }

  override tryEnter(): boolean {
    const seats = this.#seats;
    const own = this.#own;
    Atomics.add(seats, own, WANTS);
    const mayCome = this.#mayCome();
    Atomics.add(seats, own, mayCome ? ONE - WANTS : -WANTS);
    return mayCome;
  }

  /** Whether there is a place for the connection that this process has announced. */
  #mayCome(): boolean {
    const seats = this.#seats;
    const { connections } = this;
    for (let looks = 0; looks < LOOKS; looks++) {
      let taken = 0;
      let wanted = 0;
      for (let each = 0; each < this.#count; each++) {
        const at = each * SEAT_WORDS;
        const seat = Atomics.load(seats, at);
        taken += seat >> 1;
        if ((seat & WANTS) === 0) continue;
        if (at <= this.#own) taken++;
        else wanted++;
      }
      if (taken > connections) return false;
      if (taken + wanted <= connections) return true;
    }
    return false;
  }

  override get open(): number {
    let open = 0;
    for (let each = 0; each < this.#count; each++) {
      open += Atomics.load(this.#seats, each * SEAT_WORDS) >> 1;
    }
    return open;
  }

  /** Blocks the process until another connection is allowed, and counts it. */
  override enter(): boolean {
    while (!this.closing) {
      if (this.tryEnter()) return true;
      this.sleep(LOOK_MS);
    }
    return false;
  }

  override leave(): void {
    Atomics.sub(this.#seats, this.#own, ONE);
  }

  override sleep(ms: number): void {
    const until = performance.now() + ms;
    for (let left = ms; left > 0 && !this.closing; left = until - performance.now()) {
      super.sleep(Math.min(left, LOOK_MS));
    }
  }

  /**
   * Gives a place of this seat to another one, together with its connection.
   *
   * @param seat the number of that one
   */
  handTo(seat: number): void {
    Atomics.add(this.#seats, seat * SEAT_WORDS, ONE);
    this.leave();
  }

  /** Counts a connection here that had been given to another seat, and has come back. */
  readmit(): void {
    Atomics.add(this.#seats, this.#own, ONE);
  }

  /** The process with a seat has died. Its connections are over, and so is what it was about. */
  override leaveFor(seat: number): void {
    Atomics.store(this.#seats, seat * SEAT_WORDS, 0);
  }
}

/**
 * Opens the gate of a team.
 *
 * @param memory the memory of the gate
 * @param index the number of this member of the team; the main thread has the last one
 */
export function openGate(memory: SharedArrayBuffer, index: number): Gate {
  const hasSeats = new Int32Array(memory)[SEATS] !== 0;
  return hasSeats ? new ProcessGate(memory, index) : new Gate(memory);
}
