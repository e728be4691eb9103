/**
 * The heartbeat of an event loop, which tells other threads how late the loop is.
 *
 * The loop sets itself a time limit, again and again. How long after the limit it comes to notice
 * is its lag: the time that whatever happens on the loop then has to wait. The loop writes into
 * shared memory when its next beat is due. So another thread sees a lag that grows while the loop
 * is still stuck.
 *
 * A lag that is over must not be lost between two readings. The loop therefore keeps the longest
 * lag of each short stretch of time, for as many stretches as lie between two readings, and more.
 * Readers change nothing, so there may be several.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../../drivers/deadlines.ts";

/** The longest time between two beats, in milliseconds. */
const LONGEST_BEAT_MS = 50;

/** How many stretches of time are kept, and how many of them lie between two readings. */
const STRETCHES = 64;
const STRETCHES_BETWEEN = 32;

/** The shortest stretch, in milliseconds. */
const SHORTEST_MS = 250;

// The memory consists of numbers of 64 bits. The head has the length of a beat and that of a
// stretch. Then come the parts of the loops: when the next beat is due, 0 if there is none, and for
// each stretch its number and its longest lag.
const BEAT_MS = 0;
const STRETCH_MS = 1;
const HEAD = 8;
const DUE = 0;
const FIRST = 8;
const PART = FIRST + 2 * STRETCHES;

/** The present moment: milliseconds since 1970, on the clock that all threads share. */
export function moment(): number {
  return performance.timeOrigin + performance.now();
}

/**
 * Makes the memory for the heartbeats of a server.
 *
 * @param loops how many event loops it has at a time
 * @param everyMs how often they will be read, in milliseconds; 0 means never
 * @returns `undefined` if they will never be read: then the loops need no heartbeat
 */
export function createBeats(loops: number, everyMs: number): SharedArrayBuffer | undefined {
  if (everyMs === 0) return undefined;
  const memory = new SharedArrayBuffer((HEAD + loops * PART) * 8);
  const numbers = new Float64Array(memory);
  numbers[BEAT_MS] = Math.min(LONGEST_BEAT_MS, everyMs / 2);
  numbers[STRETCH_MS] = Math.max(SHORTEST_MS, everyMs / STRETCHES_BETWEEN);
  return memory;
}

/** The heartbeat of this thread's event loop. It stops with the deadlines that it is made of. */
export class Heartbeat {
  readonly #part: Float64Array;
  readonly #beatMs: number;
  readonly #stretchMs: number;
  readonly #deadlines: Deadlines;
  readonly #deadline = new Deadline(() => this.#beat());

  /**
   * Begins to beat.
   *
   * @param memory from {@linkcode createBeats}
   * @param index the number of the loop, from 0
   * @param deadlines the time limits of the loop
   */
  constructor(memory: SharedArrayBuffer, index: number, deadlines: Deadlines) {
    const [beatMs = 0, stretchMs = 0] = new Float64Array(memory, 0, 2);
    this.#part = partOf(memory, index);
    this.#beatMs = beatMs;
    this.#stretchMs = stretchMs;
    this.#deadlines = deadlines;
    this.#wait(moment());
  }

  #beat(): void {
    const now = moment();
    const part = this.#part;
    const lag = now - part[DUE]!;
    const stretch = Math.floor(now / this.#stretchMs);
    const at = FIRST + 2 * (stretch % STRETCHES);
    // A reader between the two stores sees a lag of this stretch, or none.
    if (part[at] !== stretch) {
      part[at + 1] = 0;
      part[at] = stretch;
    }
    if (lag > part[at + 1]!) part[at + 1] = lag;
    this.#wait(now);
  }

  #wait(now: number): void {
    this.#part[DUE] = now + this.#beatMs;
    this.#deadlines.set(this.#deadline, this.#beatMs);
  }
}

/**
 * Begins the heartbeat of a server that has one loop, that of this thread.
 *
 * @param everyMs how often it will be read, in milliseconds; 0 means never
 * @param deadlines the time limits of the loop
 * @returns the memory of the heartbeat; `undefined` if it will never be read
 */
export function startHeartbeat(
  everyMs: number,
  deadlines: Deadlines,
): SharedArrayBuffer | undefined {
  const memory = createBeats(1, everyMs);
  if (memory !== undefined) new Heartbeat(memory, 0, deadlines);
  return memory;
}

/**
 * Says that a loop beats no more, because it is gone.
 *
 * @param memory from {@linkcode createBeats}
 * @param index the number of the loop
 */
export function stopBeat(memory: SharedArrayBuffer, index: number): void {
  partOf(memory, index)[DUE] = 0;
}

/**
 * Tells the longest lag of any of the loops.
 *
 * @param memory from {@linkcode createBeats}
 * @param since the moment from which on lags count: those that ended later, and that of a loop that
 * is late now
 * @returns the lag in milliseconds; `undefined` if no loop beats
 */
export function readLag(memory: SharedArrayBuffer, since: number): number | undefined {
  const numbers = new Float64Array(memory);
  const firstStretch = Math.floor(since / numbers[STRETCH_MS]!);
  const now = moment();
  let longest: number | undefined;
  for (let part = HEAD; part < numbers.length; part += PART) {
    const due = numbers[part + DUE]!;
    if (due === 0) continue;
    longest = Math.max(longest ?? 0, now - due);
    for (let at = part + FIRST; at < part + PART; at += 2) {
      if (numbers[at]! >= firstStretch) longest = Math.max(longest, numbers[at + 1]!);
    }
  }
  return longest;
}

function partOf(memory: SharedArrayBuffer, index: number): Float64Array {
  return new Float64Array(memory, (HEAD + index * PART) * 8, PART);
}
