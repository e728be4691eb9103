/**
 * The shared memory of a team of threads, and the gate through which its connections go.
 *
 * @module
 */

import { SLOT_WORDS } from "./descriptor_slot.ts";
import { COUNTER_BYTES } from "../core/counters.ts";
import { JOURNAL_BYTES } from "../journal/shared_journal.ts";

/** What all threads of a server share; plain shared memory, to be posted to them. */
export interface TeamMemory {
  /** The gate's words. */
  readonly gate: SharedArrayBuffer;
  /** For each thread a descriptor's slot, and a word that says whether it is in accept(2). */
  readonly slots: SharedArrayBuffer;
  /** For each thread a block of counters, and one for the main thread. */
  readonly counters: SharedArrayBuffer;
  /** For each thread a journal. */
  readonly journals: SharedArrayBuffer;
}

/** One thread's part of it. */
export interface ThreadMemory {
  readonly slot: Int32Array;
  readonly accepting: Int32Array;
  readonly countersOffset: number;
  readonly journalOffset: number;
}

/** Where in the gate's words the number of the next record of a journal is. */
const RECORDS = 8;

/**
 * The word that numbers the records of all threads.
 *
 * @param memory the team's
 */
export function recordNumbers(memory: TeamMemory): Int32Array {
  return new Int32Array(memory.gate, RECORDS * 4, 1);
}

/** Where in a slot's words the accepting word is: behind those that the slot itself uses. */
const ACCEPTING = 8;

/**
 * Makes the memory for a team.
 *
 * @param threads how many it may have at a time
 */
export function createTeamMemory(threads: number): TeamMemory {
  // One part more, of which the main thread uses the counters.
  return {
    gate: new SharedArrayBuffer(64),
    slots: new SharedArrayBuffer((threads + 1) * SLOT_WORDS * 4),
    counters: new SharedArrayBuffer((threads + 1) * COUNTER_BYTES),
    journals: new SharedArrayBuffer((threads + 1) * JOURNAL_BYTES),
  };
}

/**
 * One thread's part of the memory.
 *
 * @param memory the team's
 * @param index the thread's number, from 0
 */
export function threadMemory(memory: TeamMemory, index: number): ThreadMemory {
  const slot = new Int32Array(memory.slots, index * SLOT_WORDS * 4, SLOT_WORDS);
  return {
    slot,
    accepting: slot.subarray(ACCEPTING, ACCEPTING + 1),
    countersOffset: index * COUNTER_BYTES,
    journalOffset: index * JOURNAL_BYTES,
  };
}

const CLOSING = 0;
const CUTTING = 1;
const OPEN = 2;
const LIMIT = 3;
const CEILING = 4;
const HELP = 5;
/** Changes whenever there may be room for somebody who waits to enter. */
const LEFT = 6;

/** Where connections enter and leave, and where all threads learn that the server closes. */
export class Gate {
  readonly #words: Int32Array;

  /** @param memory the team's */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** Whether the server has begun to close: nothing more is accepted. */
  get closing(): boolean {
    return Atomics.load(this.#words, CLOSING) === 1;
  }

  /** Whether the time to finish is over: connections are cut. */
  get cutting(): boolean {
    return Atomics.load(this.#words, CUTTING) === 1;
  }

  /** The descriptor from which on accepting waits for others to be given back. */
  get ceiling(): number {
    return Atomics.load(this.#words, CEILING);
  }

  /** Sets the limits; `Infinity` is none. */
  limit(connections: number, ceiling: number): void {
    Atomics.store(this.#words, LIMIT, Math.min(connections, 0x7fff_ffff));
    Atomics.store(this.#words, CEILING, Math.min(ceiling, 0x7fff_ffff));
  }

  /**
   * Waits until another connection is allowed, and counts it. Blocks the thread.
   *
   * @returns false when the server is closing
   */
  enter(): boolean {
    const words = this.#words;
    for (;;) {
      // Read before looking: whoever leaves afterwards is not missed.
      const left = Atomics.load(words, LEFT);
      if (this.closing) return false;
      if (this.tryEnter()) return true;
      Atomics.wait(words, LEFT, left);
    }
  }

  /**
   * Counts another connection if it is allowed.
   *
   * @returns whether it is
   */
  tryEnter(): boolean {
    const words = this.#words;
    for (;;) {
      const open = Atomics.load(words, OPEN);
      if (open >= Atomics.load(words, LIMIT)) return false;
      if (Atomics.compareExchange(words, OPEN, open, open + 1) === open) return true;
    }
  }

  /** How many connections are open. */
  get open(): number {
    return Atomics.load(this.#words, OPEN);
  }

  /** Whether another connection would have to wait. */
  get full(): boolean {
    return Atomics.load(this.#words, OPEN) >= Atomics.load(this.#words, LIMIT);
  }

  /**
   * Asks for more threads.
   *
   * @param count how many
   * @returns whether nobody had asked since the last answer: then the main thread must be told
   */
  askForHelp(count: number): boolean {
    return Atomics.exchange(this.#words, HELP, Math.min(count, 0x7fff_ffff)) === 0;
  }

  /** How many threads were asked for; they can be asked for again from now on. */
  answerHelp(): number {
    return Atomics.exchange(this.#words, HELP, 0);
  }

  /** A connection is over. */
  leave(): void {
    const open = Atomics.sub(this.#words, OPEN, 1);
    if (open < Atomics.load(this.#words, LIMIT)) return;
    Atomics.add(this.#words, LEFT, 1);
    Atomics.notify(this.#words, LEFT, 1);
  }

  /** Sleeps, but not longer than until the server closes. Blocks the thread. */
  sleep(ms: number): void {
    Atomics.wait(this.#words, CLOSING, 0, ms);
  }

  /** The server begins to close. */
  close(): void {
    Atomics.store(this.#words, CLOSING, 1);
    Atomics.notify(this.#words, CLOSING);
    Atomics.add(this.#words, LEFT, 1);
    Atomics.notify(this.#words, LEFT);
  }

  /** The time to finish is over. */
  cut(): void {
    Atomics.store(this.#words, CUTTING, 1);
  }
}
