/**
 * What one thread writes down of its connections and computations for `--trace`: a ring of records
 * of a fixed size in shared memory, written by that thread alone and emptied by the main thread.
 *
 * A record is a few stores: no text is made, nothing is posted and nobody is woken. A full ring
 * loses records and counts them: what is written down must never slow what it is about.
 *
 * @module
 */

import { FAILURE_KINDS, failureKind } from "../../../protocols/errors.ts";

/** What a record tells; the times of it are in its `from` and `to`. */
export const RECORD = {
  /** A connection was accepted, then served; its peer is the text, the serving thread the value. */
  begin: 1,
  /** Its conversation is over, at `to`; how is the value. */
  end: 2,
  /** This thread computed for one of its conversations; the text is the task. */
  computing: 3,
  /** A conversation waited for another thread to compute. */
  waiting: 4,
  /** A conversation waited until its peer took what was sent. */
  writing: 5,
  /** Conversations ran on this event loop, as many as the value says. */
  turns: 6,
  /** This thread computed for a conversation of another thread. */
  task: 7,
} as const;

/** How a conversation ended: the value of an end. Failures follow, in their order. */
export const DONE = 0;
export const CUT = 1;
const FAILED = 2;

/**
 * How a conversation ended, as the value of an end.
 *
 * @param error what it failed with
 */
export function outcomeOf(error: unknown): number {
  return FAILED + FAILURE_KINDS.indexOf(failureKind(error));
}

/** The same in words, as the events of the trace have it. */
export function describeOutcome(value: number): { readonly [name: string]: string } {
  if (value === DONE) return { outcome: "done" };
  if (value === CUT) return { outcome: "cut" };
  return { outcome: "failed", failure: FAILURE_KINDS[value - FAILED] as string };
}

// The words that all threads of a server share. Behind them are the times at which connections
// were put into a queue, by descriptor.
const LAST_ID = 0;
const IS_FULL = 1;
const LEFT_OUT = 2;
const LOST = 3;
const COMMON_BYTES = 64;

/** Descriptors above have no place for a time; the memory is only taken where it is used. */
const MOST_DESCRIPTORS = 1 << 20;

/** What all threads of a server share beside their rings. */
export class TimelineCommon {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #queued: Float64Array;

  /** @param memory made by {@linkcode TimelineCommon.create} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, COMMON_BYTES / 4);
    this.#queued = new Float64Array(memory, COMMON_BYTES);
  }

  /** @param descriptors how many descriptors there may be of connections that are queued */
  static create(descriptors: number): TimelineCommon {
    const places = Math.min(descriptors, MOST_DESCRIPTORS);
    return new TimelineCommon(new SharedArrayBuffer(COMMON_BYTES + places * 8));
  }

  /** The number of another connection, from 1. */
  nextId(): number {
    return Atomics.add(this.#words, LAST_ID, 1) + 1;
  }

  /** Whether nothing more is written down. */
  get isFull(): boolean {
    return this.#words[IS_FULL] === 1;
  }

  /** Nothing more is to be written down, but the ends of what has begun. */
  fill(): void {
    Atomics.store(this.#words, IS_FULL, 1);
  }

  /** A connection was not written down. */
  leaveOut(): void {
    Atomics.add(this.#words, LEFT_OUT, 1);
  }

  /** How many connections were not. */
  get leftOut(): number {
    return Atomics.load(this.#words, LEFT_OUT);
  }

  /** A record was lost of a connection that was written down. */
  lose(): void {
    Atomics.add(this.#words, LOST, 1);
  }

  /** How many were. */
  get lost(): number {
    return Atomics.load(this.#words, LOST);
  }

  /** A connection is put into a queue. The queue's own stores make it seen. */
  enqueued(fd: number, at: number): void {
    // Where there is no place this does nothing.
    this.#queued[fd] = at;
  }

  /** It is taken out; returns when it was put in, 0 if it was not. */
  dequeued(fd: number): number {
    const at = this.#queued[fd] ?? 0;
    if (at !== 0) this.#queued[fd] = 0;
    return at;
  }
}

// Control words of a ring: bytes taken and put are counted in records, and wrap.
const HEAD = 0;
const TAIL = 1;
const CONTROL_BYTES = 64;

// A record: what it is, which connection, two times, a number, and a text with its length.
const RECORD_BYTES = 80;
const RECORD_WORDS = RECORD_BYTES / 4;
const RECORD_DOUBLES = RECORD_BYTES / 8;
const KIND = 0;
const ID = 1;
const VALUE = 6;
const FROM = 1;
const TO = 2;
const LENGTH = 28;
const TEXT = 29;
const TEXT_BYTES = RECORD_BYTES - TEXT;

/** One thread's track. Plain data: it travels to Workers. */
export interface TrackShare {
  /** The thread's number in the trace. */
  readonly number: number;
  /** Whether the thread is an event loop, with many conversations at a time. */
  readonly isLoop: boolean;
  /** Its ring. */
  readonly ring: SharedArrayBuffer;
  /** What all threads share. */
  readonly common: SharedArrayBuffer;
  /** When the trace began, in milliseconds since 1970. */
  readonly origin: number;
}

/**
 * The shared memory of a ring.
 *
 * @param records how many it holds, a power of two
 */
export function createRing(records: number): SharedArrayBuffer {
  return new SharedArrayBuffer(CONTROL_BYTES + records * RECORD_BYTES);
}

/** What both sides of a ring share. */
class Ring {
  protected readonly words: Int32Array;
  protected readonly doubles: Float64Array;
  protected readonly bytes: Uint8Array;
  protected readonly capacity: number;

  /** @param memory made by {@linkcode createRing} */
  constructor(memory: SharedArrayBuffer) {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
    this.capacity = (memory.byteLength - CONTROL_BYTES) / RECORD_BYTES;
  }

  /** How many records it holds at the moment. */
  protected get used(): number {
    return (Atomics.load(this.words, TAIL) - Atomics.load(this.words, HEAD)) | 0;
  }

  /** Where a record begins, in records of a ring without control words. */
  protected place(count: number): number {
    return count & (this.capacity - 1);
  }
}

/** Turns that are less apart are told as one, in milliseconds. */
const APART_MS = 0.05;

/** Unless they take longer together. */
const TOGETHER_MS = 1;

/** The side of the thread whose track it is. */
export class TrackWriter extends Ring {
  /** The thread's number in the trace. */
  readonly number: number;
  /** Whether the thread is an event loop. */
  readonly isLoop: boolean;
  /** The connection whose conversation runs, or ran last. */
  current = 0;
  /**
   * The time when this thread looked at the clock last, in a turn or between two: to look again
   * costs more than all the rest.
   */
  latest = 0;
  readonly #common: TimelineCommon;
  readonly #offset: number;
  readonly #onFilling: (() => void) | undefined;
  #tellsWhenItWakes = false;
  #depth = 0;
  #enteredAt = 0;
  #turnsFrom = 0;
  #turnsTo = -Infinity;
  #turns = 0;
  #turnOf = 0;

  /**
   * @param share from the main thread
   * @param onFilling called when the ring fills up, where the thread can empty it itself
   */
  constructor(share: TrackShare, onFilling?: () => void) {
    super(share.ring);
    this.number = share.number;
    this.isLoop = share.isLoop;
    this.#common = new TimelineCommon(share.common);
    // The time origin of a Worker is when it began; together they are the same clock.
    this.#offset = performance.timeOrigin - share.origin;
    this.#onFilling = onFilling;
  }

  /** The time since the trace began, in milliseconds; the same for all threads. */
  now(): number {
    return performance.now() + this.#offset;
  }

  /** A connection is put into a queue of descriptors. */
  enqueued(fd: number): void {
    this.#common.enqueued(fd, this.now());
  }

  /** It is taken out; returns when it was put in, 0 if it was not. */
  dequeued(fd: number): number {
    return this.#common.dequeued(fd);
  }

  /**
   * A connection begins to be served.
   *
   * @param peer its peer
   * @param queuedAt since when it has waited for that; 0 if it has not
   * @param servedBy the number of the serving thread; 0 if it is not served at all
   * @returns its number; 0 if it is not written down, and nothing more of it is to be
   */
  begin(peer: string, queuedAt = 0, servedBy = this.number): number {
    const now = this.now();
    const id = this.#common.nextId();
    this.current = id;
    this.latest = now;
    const isIn = !this.#common.isFull &&
      this.#put(BEGINNINGS, RECORD.begin, id, queuedAt || now, now, servedBy, peer);
    if (isIn) return id;
    this.#common.leaveOut();
    return 0;
  }

  /** A connection is over. @param outcome how: {@linkcode outcomeOf} */
  end(id: number, outcome: number): void {
    const now = this.now();
    if (id !== 0 && !this.#put(1, RECORD.end, id, now, now, outcome)) this.#common.lose();
  }

  /** A connection is closed that waited in a queue until the server's end. */
  refuse(peer: string, queuedAt: number): void {
    this.end(this.begin(peer, queuedAt, 0), CUT);
  }

  /** Something of a connection took a while. */
  tell(kind: number, id: number, from: number, to: number, text = ""): void {
    if (kind === RECORD.computing) this.latest = to;
    if (this.#common.isFull) return;
    if (!this.#put(DETAILS, kind, id, from, to, 0, text)) this.#common.lose();
  }

  /** The conversation that this thread serves had to wait until its peer took what was sent. */
  waited(since: number): void {
    this.tell(RECORD.writing, this.current, since + this.#offset, this.now());
  }

  /** A loop of one's own has slept, and has things to do now, turn after turn. */
  woke(): void {
    this.#tellsWhenItWakes = true;
    this.latest = this.now();
  }

  /**
   * A conversation begins to run. Another may have its turn within its turn, when the one ends and
   * makes room for the other: that is told as one.
   *
   * @returns the time
   */
  enter(id: number): number {
    const now = this.#tellsWhenItWakes ? this.latest : this.now();
    this.latest = now;
    if (this.#depth++ > 0) return now;
    this.current = id;
    return this.#enteredAt = now;
  }

  /** It waits, or is over. */
  leave(): void {
    if (--this.#depth > 0 || !this.isLoop) return;
    this.latest = this.now();
    this.#ran(this.current, this.#enteredAt, this.latest);
  }

  #ran(id: number, from: number, to: number): void {
    const isLong = this.#turnsTo - this.#turnsFrom >= TOGETHER_MS;
    if (this.#turns > 0 && !isLong && from - this.#turnsTo < APART_MS) {
      if (id !== this.#turnOf) this.#turns++;
    } else {
      this.flush();
      this.#turnsFrom = from;
      this.#turns = 1;
    }
    this.#turnOf = id;
    this.#turnsTo = to;
  }

  /** Writes down what was kept to be told together. */
  flush(): void {
    if (this.#turns === 0) return;
    const id = this.#turns === 1 ? this.#turnOf : 0;
    const turns = this.#turns;
    this.#turns = 0;
    if (this.#common.isFull) return;
    if (!this.#put(DETAILS, RECORD.turns, id, this.#turnsFrom, this.#turnsTo, turns)) {
      this.#common.lose();
    }
  }

  /** @param share how much of the ring may be in use */
  #put(
    share: number,
    kind: number,
    id: number,
    from: number,
    to: number,
    value: number,
    text = "",
  ): boolean {
    const { words, doubles, bytes, capacity } = this;
    if (this.used >= capacity * DETAILS) this.#onFilling?.();
    if (this.used >= capacity * share) return false;
    const tail = words[TAIL] as number;
    const place = this.place(tail);
    const word = CONTROL_BYTES / 4 + place * RECORD_WORDS;
    const double = CONTROL_BYTES / 8 + place * RECORD_DOUBLES;
    const byte = CONTROL_BYTES + place * RECORD_BYTES;
    words[word + KIND] = kind;
    words[word + ID] = id;
    words[word + VALUE] = value;
    doubles[double + FROM] = from;
    doubles[double + TO] = to;
    const length = Math.min(text.length, TEXT_BYTES);
    bytes[byte + LENGTH] = length;
    for (let at = 0; at < length; at++) {
      const code = text.charCodeAt(at);
      bytes[byte + TEXT + at] = code < 128 ? code : QUESTION_MARK;
    }
    Atomics.store(words, TAIL, (tail + 1) | 0);
    return true;
  }
}

/** How much of a ring beginnings may use, and the rest but the ends: those must find room. */
const BEGINNINGS = 0.75;
const DETAILS = 0.5;

const QUESTION_MARK = 63;

/** A record, taken out of a ring. */
export interface TrackRecord {
  /** The number of the thread that wrote it. */
  readonly thread: number;
  /** One of {@linkcode RECORD}. */
  readonly kind: number;
  /** Which connection; 0 for none. */
  readonly id: number;
  /** When it began, in milliseconds since the trace began. */
  readonly from: number;
  /** When it ended. */
  readonly to: number;
  /** What the kind says. */
  readonly value: number;
  /** What the kind says. */
  readonly text: string;
}

/** The side of the main thread. */
export class TrackReader extends Ring {
  readonly #number: number;

  /** @param share what the thread was given */
  constructor(share: TrackShare) {
    super(share.ring);
    this.#number = share.number;
  }

  /**
   * Takes everything out of the ring.
   *
   * @param records are added to, oldest first
   */
  drain(records: TrackRecord[]): void {
    const { words, doubles, bytes } = this;
    const tail = Atomics.load(words, TAIL);
    let head = words[HEAD] as number;
    for (; head !== tail; head = (head + 1) | 0) {
      const place = this.place(head);
      const word = CONTROL_BYTES / 4 + place * RECORD_WORDS;
      const double = CONTROL_BYTES / 8 + place * RECORD_DOUBLES;
      const byte = CONTROL_BYTES + place * RECORD_BYTES;
      const end = byte + TEXT + (bytes[byte + LENGTH] as number);
      records.push({
        thread: this.#number,
        kind: words[word + KIND] as number,
        id: words[word + ID] as number,
        from: doubles[double + FROM] as number,
        to: doubles[double + TO] as number,
        value: words[word + VALUE] as number,
        text: String.fromCharCode(...bytes.subarray(byte + TEXT, end)),
      });
    }
    Atomics.store(words, HEAD, head);
  }
}
