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

import { moment } from "../../values/moment.ts";
import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { Deadline, type Deadlines } from "../../drivers/deadlines.ts";
import { TURN_BYTES, TurnNote, TurnReader } from "./turn_note.ts";

/** The longest time between two beats, in milliseconds. */
const LONGEST_BEAT_MS = 50;

/**
 * The time between two beats if the lag is not read, and a thread only watches whether the loop
 * turns, in milliseconds.
 */
const WATCHED_BEAT_MS = 250;

/** How many stretches of time are kept, and how many of them lie between two readings. */
const STRETCHES = 64;
const STRETCHES_BETWEEN = 32;

/** The shortest stretch, in milliseconds. */
const SHORTEST_MS = 250;

// The memory consists of numbers of 64 bits. The head has the length of a beat, that of a stretch,
// and how many loops there are. Then come the parts of the loops: when the next beat is due, 0 if
// there is none, and for each stretch its number and its longest lag. If a thread watches the loops,
// whose turn it is on each of them comes last.
const BEAT_MS = 0;
const STRETCH_MS = 1;
const LOOPS = 2;
const HEAD = 8;
const DUE = 0;
const FIRST = 8;
const PART = FIRST + 2 * STRETCHES;

/**
 * Makes the memory for the heartbeats of a server.
 *
 * @param loops how many event loops it has at a time
 * @param everyMs how often they will be read, in milliseconds; 0 means never
 * @param isWatched whether a thread watches that the loops turn
 * @param allocate makes the memory; by default only threads share it
 * @returns `undefined` if nobody looks at them: then the loops need no heartbeat
 */
export function createBeats(
  loops: number,
  everyMs: number,
  isWatched = false,
  allocate: Allocate = ofThisProcess,
): SharedArrayBuffer | undefined {
  if (everyMs === 0 && !isWatched) return undefined;
  const memory = allocate((HEAD + loops * PART) * 8 + (isWatched ? loops * TURN_BYTES : 0));
  const numbers = new Float64Array(memory);
  numbers[BEAT_MS] = everyMs > 0 ? Math.min(LONGEST_BEAT_MS, everyMs / 2) : WATCHED_BEAT_MS;
  numbers[STRETCH_MS] = Math.max(SHORTEST_MS, everyMs / STRETCHES_BETWEEN);
  numbers[LOOPS] = loops;
  return memory;
}

/** The heartbeat of this thread's event loop. It stops with the deadlines that it is made of. */
export class Heartbeat implements Disposable {
  /** Where it is, with those of the server's other loops. */
  readonly memory: SharedArrayBuffer;
  readonly #index: number;
  readonly #part: Float64Array;
  readonly #beatMs: number;
  readonly #stretchMs: number;
  readonly #deadlines: Deadlines;
  readonly #deadline = new Deadline(() => this.#beat(), true);

  /**
   * Begins to beat.
   *
   * @param memory from {@linkcode createBeats}
   * @param index the number of the loop, from 0
   * @param deadlines the time limits of the loop
   */
  constructor(memory: SharedArrayBuffer, index: number, deadlines: Deadlines) {
    this.memory = memory;
    this.#index = index;
    const [beatMs = 0, stretchMs = 0] = new Float64Array(memory, 0, 2);
    // What a loop has left that was here before would be read as ours.
    this.#part = partOf(memory, index).fill(0);
    this.#beatMs = beatMs;
    this.#stretchMs = stretchMs;
    this.#deadlines = deadlines;
    this.#wait(moment());
  }

  /** Says that it beats no more, after its deadlines have ended. Else it would be taken for late. */
  [Symbol.dispose](): void {
    stopBeat(this.memory, this.#index);
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
 * @param isWatched whether a thread watches that the loop turns
 * @returns the heartbeat; `undefined` if nobody looks at it
 */
export function startHeartbeat(
  everyMs: number,
  deadlines: Deadlines,
  isWatched = false,
): Heartbeat | undefined {
  const memory = createBeats(1, everyMs, isWatched);
  return memory && new Heartbeat(memory, 0, deadlines);
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

/** What a reader has seen of a loop. */
interface Seen {
  /** When its next beat was due, on the loop's clock; 0 if it had none. */
  due: number;
  /** When the reader first saw that, on the reader's clock, and how late the beat was then. */
  at: number;
  late: number;
  /** The number of the last stretch. */
  stretch: number;
}

/**
 * Reads the lag of the loops, in any thread.
 *
 * The clocks of two threads may differ, by the time for which the machine has slept between their
 * starts, or by which somebody has set its clock meanwhile. So a reader trusts the loop's clock only
 * as far as its own allows.
 */
export class LagReader {
  readonly #numbers: Float64Array;
  readonly #seen: Seen[] = [];
  #readAt = moment();

  /** @param memory from {@linkcode createBeats} */
  constructor(memory: SharedArrayBuffer) {
    this.#numbers = new Float64Array(memory);
    for (let part = HEAD; part < endOf(this.#numbers); part += PART) {
      const due = this.#numbers[part + DUE]!;
      const late = this.#readAt - due;
      this.#seen.push({ due, at: this.#readAt, late, stretch: this.#lastStretch(part) });
    }
  }

  /**
   * Tells the longest lag of any of the loops since the last reading, or since the reader was made:
   * that of a beat that has come, or of one that is late now.
   *
   * @returns the lag in milliseconds; `undefined` if no loop beats
   */
  read(): number | undefined {
    const now = moment();
    let longest: number | undefined;
    this.#seen.forEach((seen, index) => {
      const part = HEAD + index * PART;
      const late = this.#lateness(seen, this.#numbers[part + DUE]!, now);
      if (late === undefined) return;
      longest = Math.max(longest ?? 0, late, this.#longestOver(seen, part));
    });
    this.#readAt = now;
    return longest;
  }

  /** How late the next beat of a loop is now. */
  #lateness(seen: Seen, due: number, now: number): number | undefined {
    if (due === 0) {
      seen.due = 0;
      return undefined;
    }
    if (due !== seen.due) {
      // The loop has beaten since the last reading. So its next beat is no later than that.
      const late = now - due;
      const isPossible = late >= -2 * this.#numbers[BEAT_MS]! && late <= now - this.#readAt;
      Object.assign(seen, { due, at: now, late: isPossible ? late : 0 });
    }
    return seen.late + now - seen.at;
  }

  /** The longest lag of the beats that have come. */
  #longestOver(seen: Seen, part: number): number {
    const last = this.#lastStretch(part);
    // Another thread has taken the place of the loop, and its clock is behind.
    if (last < seen.stretch) seen.stretch = 0;
    let longest = 0;
    for (let at = part + FIRST; at < part + PART; at += 2) {
      if (this.#numbers[at]! >= seen.stretch) {
        longest = Math.max(longest, this.#numbers[at + 1]!);
      }
    }
    seen.stretch = last;
    return longest;
  }

  #lastStretch(part: number): number {
    let last = 0;
    for (let at = part + FIRST; at < part + PART; at += 2) {
      last = Math.max(last, this.#numbers[at]!);
    }
    return last;
  }
}

/** When the next beats of the loops are due; 0 for a loop that has none. A value that changes is a beat. */
export function readDue(memory: SharedArrayBuffer): number[] {
  const numbers = new Float64Array(memory);
  const dues: number[] = [];
  for (let part = HEAD; part < endOf(numbers); part += PART) dues.push(numbers[part + DUE]!);
  return dues;
}

/**
 * Where a loop notes whose turn it is.
 *
 * @param memory from {@linkcode createBeats}
 * @param index the number of the loop
 * @returns `undefined` if no thread watches it
 */
export function noteTurns(memory: SharedArrayBuffer, index: number): TurnNote | undefined {
  const offset = turnsOf(memory, index);
  return offset === undefined ? undefined : new TurnNote(memory, offset);
}

/**
 * With whom the conversation is whose turn it is on a loop.
 *
 * @param memory from {@linkcode createBeats}
 * @param index the number of the loop
 * @returns `undefined` if that is not known
 */
export function readTurn(memory: SharedArrayBuffer, index: number): string | undefined {
  return turnReader(memory, index)?.read();
}

/**
 * The number of the conversation whose turn it is on a loop; 0 if it is nobody's, or not known.
 *
 * @param memory from {@linkcode createBeats}
 * @param index the number of the loop
 */
export function readTurnNumber(memory: SharedArrayBuffer, index: number): number {
  return turnReader(memory, index)?.number ?? 0;
}

function turnReader(memory: SharedArrayBuffer, index: number): TurnReader | undefined {
  const offset = turnsOf(memory, index);
  return offset === undefined ? undefined : new TurnReader(memory, offset);
}

function turnsOf(memory: SharedArrayBuffer, index: number): number | undefined {
  const offset = endOf(new Float64Array(memory)) * 8 + index * TURN_BYTES;
  return offset + TURN_BYTES <= memory.byteLength ? offset : undefined;
}

/** Where the parts of the loops end, in numbers. */
function endOf(numbers: Float64Array): number {
  return HEAD + (numbers[LOOPS] as number) * PART;
}

function partOf(memory: SharedArrayBuffer, index: number): Float64Array {
  return new Float64Array(memory, (HEAD + index * PART) * 8, PART);
}
