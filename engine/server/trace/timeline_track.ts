/**
 * What one thread records about its connections and computations for `--trace`: a ring of records
 * of fixed size in shared memory. Only that thread writes it, and the main thread empties it.
 *
 * A record costs a few stores: no text is formatted, nothing is posted and nobody is woken. A full
 * ring loses records and counts them: recording must never slow what it records.
 *
 * @module
 */

import { FAILURE_KINDS, failureKind } from "../../../protocols/errors.ts";
import { monotonicAheadMs } from "../../net/monotonic_clock.ts";
import { runtime } from "../../net/runtime.ts";
import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { DOING, UnderWay, underWayBytes, UnderWayReader } from "./under_way.ts";

/** The kinds of record. Their times are in `from` and `to`. */
export const RECORD = {
  /**
   * A connection was accepted and then served. The text is its peer, the value the serving thread.
   */
  begin: 1,
  /** A conversation ended, at `to`. The value is its outcome. */
  end: 2,
  /** This thread computed for one of its own conversations. The text is the task. */
  computing: 3,
  /** A conversation waited while another thread computed. */
  waiting: 4,
  /** A conversation waited until its peer had taken what was sent. */
  writing: 5,
  /** Conversations ran on this event loop. The value is their number. */
  turns: 6,
  /** This thread computed for a conversation of another thread. */
  task: 7,
  /**
   * A proxy has named the client of a connection, which is the text. This comes before the beginning,
   * whose peer is the proxy.
   */
  client: 8,
  /**
   * A connection has waited to be accepted, since `from` at least. This comes before the beginning,
   * too.
   */
  connected: 9,
} as const;

/** The outcomes of a conversation: the value of an end. The failures follow, in their order. */
export const DONE = 0;
export const CUT = 1;
export const EMPTY = 2;
const FAILED = 3;

/**
 * The outcome of a conversation that failed, as the value of an end.
 *
 * @param error the error that it failed with
 */
export function outcomeOf(error: unknown): number {
  return FAILED + FAILURE_KINDS.indexOf(failureKind(error));
}

/** An outcome in words, for the events of the trace. */
export function describeOutcome(value: number): { readonly [name: string]: string } {
  if (value === DONE) return { outcome: "done" };
  if (value === CUT) return { outcome: "cut" };
  if (value === EMPTY) return { outcome: "empty" };
  return { outcome: "failed", failure: FAILURE_KINDS[value - FAILED] as string };
}

// The words that all threads of a server share. After them come, by descriptor, the times at which
// connections were put into a queue.
const LAST_ID = 0;
const LEVEL = 1;
const LEFT_OUT = 2;
const LOST = 3;
const COMMON_BYTES = 64;

/** What is recorded. */
export const LEVEL_OF = {
  /** Everything. */
  all: 0,
  /** Only the ends of what has begun: there is no more room. */
  ends: 1,
  /** Nothing: nobody reads it. */
  nothing: 2,
} as const;

/** Higher descriptors have no place for a time. Memory is committed only where it is used. */
const MOST_DESCRIPTORS = 1 << 20;

/** What all threads of a server share besides their rings. */
export class TimelineCommon {
  /** The shared memory, which can be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #queued: Float64Array;

  /** @param memory shared memory from {@linkcode TimelineCommon.create} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, COMMON_BYTES / 4);
    this.#queued = new Float64Array(memory, COMMON_BYTES);
  }

  /**
   * @param descriptors how many descriptors queued connections may have. They mean something within
   * one process only
   * @param allocate makes the memory; by default only threads share it
   */
  static create(descriptors: number, allocate: Allocate = ofThisProcess): TimelineCommon {
    const places = Math.min(descriptors, MOST_DESCRIPTORS);
    return new TimelineCommon(allocate(COMMON_BYTES + places * 8));
  }

  /** The number for another connection, from 1. */
  nextId(): number {
    return Atomics.add(this.#words, LAST_ID, 1) + 1;
  }

  /** Whether recording has stopped, except perhaps for the ends of what has begun. */
  get isFull(): boolean {
    return this.#words[LEVEL] !== LEVEL_OF.all;
  }

  /** Whether nothing at all is recorded. Each call looks anew; with `Atomics` it took 5 ns longer. */
  get isOff(): boolean {
    return this.#words[LEVEL] === LEVEL_OF.nothing;
  }

  /** Says what is recorded. @param level a value of {@linkcode LEVEL_OF} */
  set level(level: number) {
    Atomics.store(this.#words, LEVEL, level);
  }

  /** Counts a connection that was not recorded. */
  leaveOut(): void {
    Atomics.add(this.#words, LEFT_OUT, 1);
  }

  /** How many connections were not recorded. */
  get leftOut(): number {
    return Atomics.load(this.#words, LEFT_OUT);
  }

  /** Counts a lost record of a recorded connection. */
  lose(): void {
    Atomics.add(this.#words, LOST, 1);
  }

  /** How many records were lost. */
  get lost(): number {
    return Atomics.load(this.#words, LOST);
  }

  /** A connection enters a queue. The queue's own stores publish the time to other threads. */
  enqueued(fd: number, at: number): void {
    // Without a place for the descriptor, this store does nothing.
    this.#queued[fd] = at;
  }

  /** When a connection entered the queue in which it waits; 0 if it waits in none. */
  queuedSince(fd: number): number {
    return this.#queued[fd] ?? 0;
  }

  /** A connection leaves the queue. Returns when it entered, or 0 if it did not. */
  dequeued(fd: number): number {
    const at = this.#queued[fd] ?? 0;
    if (at !== 0) this.#queued[fd] = 0;
    return at;
  }
}

// Control words of a ring: the records taken and the records put. Both counters wrap.
const HEAD = 0;
const TAIL = 1;
const CONTROL_BYTES = 64;

// A record: its kind, its connection, two times, a value, and a text with its length.
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

/** Is added to the kind of a beginning if the connection has no place among those under way. */
const UNPLACED = 0x100;

/** A thread's track: plain data, which can be posted to Workers. */
export interface TrackShare {
  /** The thread's number in the trace. */
  readonly number: number;
  /** Whether the thread is an event loop, which runs many conversations at a time. */
  readonly isLoop: boolean;
  /** The thread's ring. */
  readonly ring: SharedArrayBuffer;
  /**
   * For how many open connections the memory of the ring has a place, besides the ring itself: see
   * `under_way.ts`. 0 if nobody wants to know them.
   */
  readonly places: number;
  /** What all threads share. */
  readonly common: SharedArrayBuffer;
  /** When the trace began, in milliseconds since 1970. */
  readonly origin: number;
  /**
   * When that was on the machine's clock, in milliseconds: see `monotonic_clock.ts`. It is given if the
   * thread is one of another process.
   */
  readonly monotonic?: number;
}

/** How large a thread's part of a timeline is. */
export interface TrackSize {
  /** How many records its ring holds: a power of two. */
  readonly records: number;
  /** For how many open connections there is a place: see {@linkcode TrackShare.places}. */
  readonly places: number;
}

/**
 * Makes the shared memory of a ring.
 *
 * @param size how large it is
 * @param allocate makes the memory; by default only threads share it
 */
export function createRing(size: TrackSize, allocate: Allocate = ofThisProcess): SharedArrayBuffer {
  return allocate(bytesOf(size));
}

function bytesOf({ records, places }: TrackSize): number {
  return CONTROL_BYTES + underWayBytes(places) + records * RECORD_BYTES;
}

/**
 * Takes the memory of a ring for another thread, if it is large enough. Its last thread must be gone.
 *
 * @param memory the shared memory of the ring @param size how large it has to be
 */
export function takeRing(memory: SharedArrayBuffer, size: TrackSize): boolean {
  if (memory.byteLength < bytesOf(size)) return false;
  // What the last thread had under way is over.
  new Uint8Array(memory, CONTROL_BYTES, underWayBytes(size.places)).fill(0);
  return true;
}

/** What both sides of a ring share. */
class Ring {
  protected readonly words: Int32Array;
  protected readonly doubles: Float64Array;
  protected readonly bytes: Uint8Array;
  protected readonly capacity: number;
  /** Where the first record lies, in bytes. */
  protected readonly first: number;

  /** @param memory shared memory from {@linkcode createRing} @param places see {@linkcode TrackShare} */
  constructor(memory: SharedArrayBuffer, places: number) {
    this.words = new Int32Array(memory);
    this.doubles = new Float64Array(memory);
    this.bytes = new Uint8Array(memory);
    this.first = CONTROL_BYTES + underWayBytes(places);
    // The memory may be longer than was asked for.
    const room = (memory.byteLength - this.first) / RECORD_BYTES;
    this.capacity = 2 ** Math.floor(Math.log2(room));
  }

  /** How many records it holds now. */
  protected get used(): number {
    return (Atomics.load(this.words, TAIL) - Atomics.load(this.words, HEAD)) | 0;
  }

  /** The place of a record, counted in records after the control words. */
  protected place(count: number): number {
    return count & (this.capacity - 1);
  }
}

/** Turns with a shorter gap than this are recorded as one, in milliseconds. */
const APART_MS = 0.05;

/** But not if together they take longer than this, in milliseconds. */
const TOGETHER_MS = 1;

/** The side of the thread that owns the track. */
export class TrackWriter extends Ring {
  /** The thread's number in the trace. */
  readonly number: number;
  /** Whether the thread is an event loop. */
  readonly isLoop: boolean;
  /** The connection whose conversation runs now, or ran last. */
  current = 0;
  /**
   * The last time that this thread read from the clock, in a turn or between two. Reading the clock
   * again costs more than everything else here.
   */
  latest = 0;
  readonly #common: TimelineCommon;
  readonly #offset: number;
  readonly #onFilling: (() => void) | undefined;
  /** What this thread has under way, if anybody wants to know. */
  readonly #underWay: UnderWay | undefined;
  /** The number of the connection that has entered this thread's own queue last: a negative one. */
  #queued = 0;
  /** The connection that another process has put into a queue and handed to this one, and when. */
  #handed: { readonly fd: number; readonly at: number } | undefined;
  /** Whether descriptors mean something else here than to those that share the timeline. */
  readonly #isElsewhere: boolean;
  #tellsWhenItWakes = false;
  /** The number of the next wait that nobody measures. */
  #unmeasured = -1;
  /** Whether the runtime's loop is going from turn to turn, so that the last one has ended just now. */
  #isAwake = false;
  #depth = 0;
  #enteredAt = 0;
  #turnsFrom = 0;
  #turnsTo = -Infinity;
  #turns = 0;
  #turnOf = 0;

  /**
   * @param share the thread's track, from the main thread
   * @param onFilling is called when the ring fills up, if the thread can empty it itself
   */
  constructor(share: TrackShare, onFilling?: () => void) {
    super(share.ring, share.places);
    const { number, isLoop, ring, places } = share;
    this.number = number;
    this.isLoop = isLoop;
    this.#underWay = places > 0 ? new UnderWay(ring, CONTROL_BYTES, places) : undefined;
    this.#common = new TimelineCommon(share.common);
    // A Worker's time origin is its own start. With this offset, all threads have the same clock.
    this.#isElsewhere = share.monotonic !== undefined;
    this.#offset = share.monotonic === undefined
      ? performance.timeOrigin - share.origin
      : monotonicAheadMs() - share.monotonic;
    this.#onFilling = onFilling;
  }

  /** The time since the trace began, in milliseconds. It is the same for all threads. */
  now(): number {
    return performance.now() + this.#offset;
  }

  /** A connection enters a queue of descriptors. */
  enqueued(fd: number): void {
    this.#common.enqueued(fd, this.now());
  }

  /** A connection leaves the queue. Returns when it entered, or 0 if it did not. */
  dequeued(fd: number): number {
    if (!this.#isElsewhere) return this.#common.dequeued(fd);
    const handed = this.#handed;
    this.#handed = undefined;
    return handed?.fd === fd ? handed.at : 0;
  }

  /**
   * A connection enters a queue of this thread's own.
   *
   * @param peer its peer, who is asked only if somebody may read along
   * @returns what {@linkcode TrackWriter.leavesQueue} takes
   */
  entersQueue(peer: () => string): number {
    if (this.#underWay === undefined) return 0;
    const id = this.#queued = this.#queued === -0x8000_0000 ? -1 : this.#queued - 1;
    const now = this.now();
    this.#underWay.add(id, 0, now, now, peer());
    return id;
  }

  /** It leaves the queue. @param id what {@linkcode TrackWriter.entersQueue} has returned */
  leavesQueue(id: number): void {
    if (id !== 0) this.#underWay?.remove(id);
  }

  /** Another process hands a connection to this one. @param at when it entered a queue there, or 0 */
  handed(fd: number, at: number): void {
    this.#handed = { fd, at };
  }

  /**
   * The service of a connection begins.
   *
   * @param peer the connection's peer
   * @param queuedAt the time since when it has waited for service; 0 if it has not waited
   * @param servedBy the number of the serving thread; 0 if it is not served at all
   * @param client the client, if the peer is a proxy that has named it
   * @param openForMs for how long the kernel has had it open at least, if that is known, in milliseconds
   * @returns its number; 0 if it is not recorded, and neither is the rest of its life
   */
  begin(
    peer: string,
    queuedAt = 0,
    servedBy = this.number,
    client?: string,
    openForMs = 0,
  ): number {
    const now = this.now();
    const from = queuedAt || now;
    // Before the timeline nothing has a time in it.
    const connected = Math.max(0, now - openForMs);
    const id = this.#common.nextId();
    this.current = id;
    this.latest = now;
    const kind = this.#underWay?.add(id, servedBy, from, now, peer) === false
      ? RECORD.begin | UNPLACED
      : RECORD.begin;
    const isIn = !this.#common.isFull &&
      (client === undefined || this.#put(BEGINNINGS, RECORD.client, id, now, now, 0, client)) &&
      (connected >= from || this.#put(BEGINNINGS, RECORD.connected, id, connected, now, 0)) &&
      this.#put(BEGINNINGS, kind, id, from, now, servedBy, peer);
    if (isIn) return id;
    this.#common.leaveOut();
    // Whoever begins to read later knows it from its place, and hears of the rest of its life. Without
    // a place it is counted, until it is over.
    return this.#underWay === undefined ? 0 : id;
  }

  /** Whether the beginnings of connections are recorded. */
  protected get recordsBeginnings(): boolean {
    return !this.#common.isFull;
  }

  /** A connection is over. @param outcome how it ended, see {@linkcode outcomeOf} */
  end(id: number, outcome: number): void {
    if (id === 0) return;
    // This comes before the question whether anybody reads: see `live_state.ts`.
    this.#underWay?.remove(id);
    if (this.#common.isOff) return;
    const now = this.now();
    if (!this.#put(1, RECORD.end, id, now, now, outcome)) this.#common.lose();
  }

  /** A connection that waited in a queue is closed because the server ends. */
  refuse(peer: string, queuedAt: number): void {
    this.end(this.begin(peer, queuedAt, 0), CUT);
  }

  /** Records that a connection spent some time on something. */
  tell(kind: number, id: number, from: number, to: number, text = ""): void {
    if (kind === RECORD.computing) this.latest = to;
    if (this.#common.isFull) return;
    if (!this.#put(DETAILS, kind, id, from, to, 0, text)) this.#common.lose();
  }

  /**
   * A wait begins.
   *
   * @returns when, or a little earlier if that is known; while nobody reads a number below 0, which is
   * another one each time: a look at the clock would cost more than everything else here
   */
  beginsToWait(): number {
    const isMeasured = !this.#common.isOff && this.#enteredAt > 0;
    return isMeasured ? this.latest : this.#unmeasured--;
  }

  /**
   * This thread begins to compute.
   *
   * @param id the connection; 0 for none @param task the name of the task
   * @returns when
   */
  computes(id: number, task: string): number {
    const now = this.now();
    this.#underWay?.does(DOING.computing, id, now, task);
    return now;
  }

  /** It has done that. */
  hasComputed(): void {
    this.#goOn();
  }

  /** Where a connection has its place among those under way; -1 if it has none. @param id its number */
  placeOf(id: number): number {
    return this.#underWay?.placeOf(id) ?? -1;
  }

  /**
   * A connection waits for something.
   *
   * @param place its place, from {@linkcode TrackWriter.placeOf} @param id its number
   * @param state what for: a value of `DOING`
   * @param since from {@linkcode TrackWriter.beginsToWait}, or a time
   */
  waits(place: number, id: number, state: number, since: number): void {
    this.#underWay?.waits(place, id, state, since);
  }

  /** It waits for that no more, only for its peer. @param place its place @param id its number */
  goesOn(place: number, id: number): void {
    this.#underWay?.goesOn(place, id);
  }

  /** This thread has to wait until its peer takes what is sent. */
  blocks(): void {
    this.#underWay?.does(DOING.writing, this.current, this.now());
  }

  /** It goes on with what it did before, if that was anything. */
  #goOn(): void {
    if (this.#depth > 0) this.#underWay?.does(DOING.turn, this.current, this.#enteredAt);
    else this.#underWay?.rests();
  }

  /** The conversation that this thread serves waited until its peer had taken what was sent. */
  waited(since: number): void {
    this.#goOn();
    this.tell(RECORD.writing, this.current, since + this.#offset, this.now());
  }

  /** The thread's own loop has slept and now has work, turn after turn. */
  woke(): void {
    this.#tellsWhenItWakes = true;
    // Somebody may begin to read before the first turn.
    this.latest = this.#common.isOff ? 0 : this.now();
  }

  /**
   * A conversation begins to run. When its end makes room for another conversation, that one runs
   * within its turn; the two are recorded as one.
   *
   * @returns the time
   */
  enter(id: number): number {
    if (this.#common.isOff) return this.#enterUnread(id);
    const isAwake = this.#isAwake || (this.#tellsWhenItWakes && this.latest > 0);
    const now = isAwake ? this.latest : this.#wakes();
    if (this.#depth++ > 0) return now;
    this.current = id;
    this.#underWay?.does(DOING.turn, id, now);
    return this.#enteredAt = now;
  }

  /** The runtime's loop may have slept before this turn. */
  #wakes(): number {
    // A loop that says itself when it wakes may run no microtask that would take that back.
    if (this.isLoop && runtime.resumesTogether && !this.#tellsWhenItWakes) {
      this.#isAwake = true;
      queueMicrotask(this.#mayHaveSlept);
    }
    return this.latest = this.now();
  }

  /** The turns that were ready together are over. */
  readonly #mayHaveSlept = (): void => {
    this.#isAwake = false;
  };

  /** The same, while nobody reads: without a look at the clock. */
  #enterUnread(id: number): number {
    if (this.#depth++ > 0) return this.latest;
    this.current = id;
    this.#enteredAt = 0;
    this.#underWay?.does(DOING.turn, id, 0);
    return this.latest;
  }

  /** The conversation waits, or is over. */
  leave(): void {
    if (--this.#depth > 0) return;
    this.#underWay?.rests();
    // A turn that began while nobody read has no time.
    if (!this.isLoop || this.#enteredAt === 0) return;
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

  /** Records the turns that were kept to be recorded together. */
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

  /** @param share the share of the ring that may be in use */
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
    const word = this.first / 4 + place * RECORD_WORDS;
    const double = this.first / 8 + place * RECORD_DOUBLES;
    const byte = this.first + place * RECORD_BYTES;
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

/**
 * The share of a ring that beginnings may fill, and the share for other records. Ends may fill it
 * all: they must find room.
 */
const BEGINNINGS = 0.75;
const DETAILS = 0.5;

const QUESTION_MARK = 63;

/** A record that was taken out of a ring. */
export interface TrackRecord {
  /** The number of the thread that wrote it. */
  readonly thread: number;
  /** A value of {@linkcode RECORD}. */
  readonly kind: number;
  /** The connection's number; 0 for none. */
  readonly id: number;
  /** When it began, in milliseconds since the trace began. */
  readonly from: number;
  /** When it ended. */
  readonly to: number;
  /** Its meaning depends on the kind. */
  readonly value: number;
  /** Its meaning depends on the kind. */
  readonly text: string;
  /** Whether it is the beginning of a connection that has no place among those under way. */
  readonly isUnplaced: boolean;
}

/** The side of the main thread. */
export class TrackReader extends Ring {
  readonly #number: number;

  /** @param share the thread's track */
  constructor(share: TrackShare) {
    super(share.ring, share.places);
    this.#number = share.number;
  }

  /**
   * Takes everything out of the ring.
   *
   * @param records receives the records, the oldest first
   */
  drain(records: TrackRecord[]): void {
    const { words, doubles, bytes } = this;
    const tail = Atomics.load(words, TAIL);
    let head = words[HEAD] as number;
    for (; head !== tail; head = (head + 1) | 0) {
      const place = this.place(head);
      const word = this.first / 4 + place * RECORD_WORDS;
      const double = this.first / 8 + place * RECORD_DOUBLES;
      const byte = this.first + place * RECORD_BYTES;
      const end = byte + TEXT + (bytes[byte + LENGTH] as number);
      const kind = words[word + KIND] as number;
      records.push({
        thread: this.#number,
        kind: kind & ~UNPLACED,
        id: words[word + ID] as number,
        from: doubles[double + FROM] as number,
        to: doubles[double + TO] as number,
        value: words[word + VALUE] as number,
        text: end === byte + TEXT ? "" : String.fromCharCode(...bytes.subarray(byte + TEXT, end)),
        isUnplaced: (kind & UNPLACED) !== 0,
      });
    }
    Atomics.store(words, HEAD, head);
  }
}

/**
 * What a thread has under way, for any other thread.
 *
 * @param share the thread's track, which has places for connections
 */
export function readUnderWay({ ring, places }: TrackShare): UnderWayReader {
  return new UnderWayReader(ring, CONTROL_BYTES, places);
}
