/**
 * What a thread has under way now, in shared memory: its open connections, and what it is in the
 * middle of. For `--live`: whoever opens its page sees what has begun long before, also while the
 * thread is stuck.
 *
 * Only the thread writes it, with a few stores for each connection. Whoever reads it disturbs nobody.
 *
 * @module
 */

/** What a connection waits for, or what a thread is in the middle of. */
export const DOING = {
  /** Nothing: the thread waits for something to do, or the connection for its peer. */
  nothing: 0,
  /** A conversation runs, on an event loop. */
  turn: 1,
  /** A task is computed. */
  computing: 2,
  /** Bytes wait until the peer has taken some. */
  writing: 3,
  /** Another thread computes for the connection. */
  waiting: 4,
  /** The connection waits for a thread. */
  queued: 5,
} as const;

/** The names of these, as recordings have them; nothing has none. */
export const DOING_NAMES: readonly (
  | "turn"
  | "computing"
  | "writing"
  | "waiting for computing"
  | "queued"
  | undefined
)[] = [undefined, "turn", "computing", "writing", "waiting for computing", "queued"];

// The head says what the thread is in the middle of: a number that changes with it, what, for which
// connection, since when, and the name of the task; then how many places were ever in use, and how
// many open connections have none. Words of 32 bits, numbers of 64 bits, and bytes.
const HEAD_BYTES = 128;
const NUMBER = 0;
const WHAT = 1;
const OF = 2;
const SINCE = 2;
const TASK_LENGTH = 24;
const TASK = 25;
const TASK_BYTES = 64 - TASK;
const USED = 16;
const UNPLACED = 17;

// A place of an open connection: its number, 0 if there is none, the thread that serves it, and what
// it waits for; when it came, when it was served and since when it waits; and its peer.
const PLACE_BYTES = 96;
const ID = 0;
const THREAD = 1;
const STATE = 2;
const FROM = 2;
const TO = 3;
const STATE_SINCE = 4;
const LENGTH = 40;
const TEXT = 41;
const TEXT_BYTES = PLACE_BYTES - TEXT;

/**
 * How many bytes what is under way takes.
 *
 * @param places for how many connections there is a place; 0 if nobody wants to know
 */
export function underWayBytes(places: number): number {
  return places === 0 ? 0 : HEAD_BYTES + places * PLACE_BYTES;
}

/** Memory, seen as words, as numbers and as bytes. */
interface Views {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly bytes: Uint8Array;
}

function viewsOf(memory: SharedArrayBuffer, offset: number, places: number): Views {
  const bytes = underWayBytes(places);
  return {
    words: new Int32Array(memory, offset, bytes / 4),
    doubles: new Float64Array(memory, offset, bytes / 8),
    bytes: new Uint8Array(memory, offset, bytes),
  };
}

/** The side of the thread. All times are on the clock of its track. */
export class UnderWay {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #places: number;
  /** The places of its connections, by their numbers. */
  readonly #placeOf = new Map<number, number>();
  /** Its connections that have none. */
  readonly #unplaced = new Set<number>();
  readonly #free: number[] = [];
  #used = 0;
  #number = 0;

  /**
   * @param memory shared memory @param offset where this lies in it, in bytes
   * @param places for how many connections there is a place
   */
  constructor(memory: SharedArrayBuffer, offset: number, places: number) {
    const { words, doubles, bytes } = viewsOf(memory, offset, places);
    this.#words = words;
    this.#doubles = doubles;
    this.#bytes = bytes;
    this.#places = places;
  }

  /**
   * A connection is open.
   *
   * @param id its number; a negative one if it waits for a thread and has none yet @param thread the thread that serves it; 0 for none
   * @param from when it came @param to when its service began @param peer its peer
   * @returns whether there was a place for it
   */
  add(id: number, thread: number, from: number, to: number, peer: string): boolean {
    const place = this.#free.pop() ?? this.#another();
    if (place < 0) {
      if (id > 0) this.#setUnplaced(this.#unplaced.add(id).size);
      return false;
    }
    this.#placeOf.set(id, place);
    const byte = HEAD_BYTES + place * PLACE_BYTES;
    const [word, double] = [byte / 4, byte / 8];
    this.#words[word + THREAD] = thread;
    this.#words[word + STATE] = DOING.nothing;
    this.#doubles[double + FROM] = from;
    this.#doubles[double + TO] = to;
    writeText(this.#bytes, byte + LENGTH, TEXT_BYTES, peer);
    // A reader that sees the number sees the rest.
    Atomics.store(this.#words, word + ID, id);
    return true;
  }

  /** A place that nobody has had; -1 if there is none. */
  #another(): number {
    if (this.#used >= this.#places) return -1;
    // A reader that sees a number in the place looks as far as that.
    Atomics.store(this.#words, USED, this.#used + 1);
    return this.#used++;
  }

  #setUnplaced(count: number): void {
    Atomics.store(this.#words, UNPLACED, count);
  }

  /** A connection is over. @param id its number */
  remove(id: number): void {
    const place = this.#placeOf.get(id);
    if (place === undefined) {
      if (this.#unplaced.delete(id)) this.#setUnplaced(this.#unplaced.size);
      return;
    }
    this.#placeOf.delete(id);
    this.#free.push(place);
    Atomics.store(this.#words, (HEAD_BYTES + place * PLACE_BYTES) / 4 + ID, 0);
  }

  /** The place of a connection; -1 if it has none. */
  placeOf(id: number): number {
    return this.#placeOf.get(id) ?? -1;
  }

  /**
   * A connection waits for something.
   *
   * @param place its place @param id its number: if it is over, another one may have the place
   * @param state what for
   * @param since when it began; a number below 0, another one each time, if nobody has looked at the
   * clock
   */
  waits(place: number, id: number, state: number, since: number): void {
    const byte = HEAD_BYTES + place * PLACE_BYTES;
    if (place < 0 || this.#words[byte / 4 + ID] !== id) return;
    this.#doubles[byte / 8 + STATE_SINCE] = since;
    this.#words[byte / 4 + STATE] = state;
  }

  /** It waits for that no more. @param place its place @param id its number */
  goesOn(place: number, id: number): void {
    const word = (HEAD_BYTES + place * PLACE_BYTES) / 4;
    if (place >= 0 && this.#words[word + ID] === id) this.#words[word + STATE] = DOING.nothing;
  }

  /**
   * The thread is in the middle of something.
   *
   * @param what a value of {@linkcode DOING} @param id the connection; 0 for none
   * @param since when it began; 0 if nobody has looked at the clock
   * @param task the name of what is computed
   */
  does(what: number, id: number, since: number, task = ""): void {
    const words = this.#words;
    words[WHAT] = what;
    words[OF] = id;
    this.#doubles[SINCE] = since;
    if (what === DOING.computing) writeText(this.#bytes, TASK_LENGTH, TASK_BYTES, task);
    words[NUMBER] = this.#number = (this.#number + 1) | 0;
  }

  /** It has done that, and waits for something else to do. */
  rests(): void {
    this.#words[WHAT] = DOING.nothing;
  }
}

function writeText(bytes: Uint8Array, at: number, most: number, text: string): void {
  const length = Math.min(text.length, most);
  bytes[at] = length;
  for (let index = 0; index < length; index++) {
    const code = text.charCodeAt(index);
    bytes[at + 1 + index] = code < 128 ? code : QUESTION_MARK;
  }
}

function readText(bytes: Uint8Array, at: number, most: number): string {
  const length = Math.min(bytes[at] as number, most);
  return String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length));
}

const QUESTION_MARK = 63;

/** A connection that is open. */
export interface OpenNow {
  /** Its number. */
  readonly id: number;
  /** The number of the thread that serves it; 0 for none. */
  readonly thread: number;
  /** When it came, in milliseconds on the clock of the tracks. */
  readonly from: number;
  /** When its service began. */
  readonly to: number;
  /** Its peer. */
  readonly peer: string;
  /** What it waits for: a value of {@linkcode DOING}. */
  readonly state: number;
  /**
   * Since when it waits for that. A number below 0 is no time: it only tells this wait from the next
   * one.
   */
  readonly since: number;
}

/** What a thread is in the middle of. */
export interface DoingNow {
  /** A number that changes with what it does. */
  readonly number: number;
  /** A value of {@linkcode DOING}, not nothing. */
  readonly what: number;
  /** The connection; 0 for none. */
  readonly id: number;
  /** Since when, on the clock of the tracks; 0 if that is not known. */
  readonly since: number;
  /** The name of the task; empty if none is computed. */
  readonly task: string;
}

/** How often a reader tries again that was disturbed by the thread. */
const TRIES = 4;

/** The side of whoever wants to know. */
export class UnderWayReader {
  readonly #views: Views;
  readonly #places: number;

  /** @param memory shared memory @param offset where this lies in it @param places how many places */
  constructor(memory: SharedArrayBuffer, offset: number, places: number) {
    this.#views = viewsOf(memory, offset, places);
    this.#places = places;
  }

  /** How many places were ever in use. */
  get used(): number {
    return Math.min(this.#places, Atomics.load(this.#views.words, USED));
  }

  /** How many connections are open and have no place. */
  get unplaced(): number {
    return Atomics.load(this.#views.words, UNPLACED);
  }

  /** The connections that are open and have a place, in no order. */
  open(): OpenNow[] {
    const { words } = this.#views;
    const found: OpenNow[] = [];
    for (let place = 0, { used } = this; place < used; place++) {
      const word = (HEAD_BYTES + place * PLACE_BYTES) / 4;
      const id = Atomics.load(words, word + ID);
      if (id <= 0) continue;
      const open = this.#read(id, place);
      // The place may have been left, or taken by another one, meanwhile.
      if (Atomics.load(words, word + ID) === id) found.push(open);
    }
    return found;
  }

  /** Those that wait for a thread, and have no number yet. */
  queued(): OpenNow[] {
    const { words } = this.#views;
    const found: OpenNow[] = [];
    for (let place = 0, { used } = this; place < used; place++) {
      const word = (HEAD_BYTES + place * PLACE_BYTES) / 4;
      const id = Atomics.load(words, word + ID);
      if (id >= 0) continue;
      const queued = this.#read(id, place);
      if (Atomics.load(words, word + ID) === id) found.push(queued);
    }
    return found;
  }

  /** Those of them that wait for something else than their peers. */
  waiting(): OpenNow[] {
    const { words } = this.#views;
    const found: OpenNow[] = [];
    for (let place = 0, { used } = this; place < used; place++) {
      const word = (HEAD_BYTES + place * PLACE_BYTES) / 4;
      if (words[word + STATE] === DOING.nothing) continue;
      const id = Atomics.load(words, word + ID);
      const open = id <= 0 ? undefined : this.#read(id, place);
      if (open !== undefined && Atomics.load(words, word + ID) === id) found.push(open);
    }
    return found;
  }

  /**
   * Finds those of them whose wait nobody measures. Nothing is made for that, for there may be many.
   *
   * @param found is called with the number of each, and that of its wait
   */
  unmeasured(found: (id: number, since: number) => void): void {
    const { words, doubles } = this.#views;
    for (let place = 0, { used } = this; place < used; place++) {
      const byte = HEAD_BYTES + place * PLACE_BYTES;
      if (words[byte / 4 + STATE] === DOING.nothing) continue;
      const id = Atomics.load(words, byte / 4 + ID);
      const since = doubles[byte / 8 + STATE_SINCE] as number;
      if (id > 0 && since < 0) found(id, since);
    }
  }

  #read(id: number, place: number): OpenNow {
    const { words, doubles, bytes } = this.#views;
    const byte = HEAD_BYTES + place * PLACE_BYTES;
    const [word, double] = [byte / 4, byte / 8];
    return {
      id,
      thread: words[word + THREAD] as number,
      from: doubles[double + FROM] as number,
      to: doubles[double + TO] as number,
      peer: readText(bytes, byte + LENGTH, TEXT_BYTES),
      state: words[word + STATE] as number,
      since: doubles[double + STATE_SINCE] as number,
    };
  }

  /** What the thread is in the middle of; `undefined` if that is nothing, or changes all the time. */
  doing(): DoingNow | undefined {
    const { words, doubles, bytes } = this.#views;
    for (let tries = 0; tries < TRIES; tries++) {
      const number = Atomics.load(words, NUMBER);
      const what = Atomics.load(words, WHAT);
      if (what === DOING.nothing) return undefined;
      const found = {
        number,
        what,
        id: words[OF] as number,
        since: doubles[SINCE] as number,
        task: what === DOING.computing ? readText(bytes, TASK_LENGTH, TASK_BYTES) : "",
      };
      if (Atomics.load(words, NUMBER) === number && Atomics.load(words, WHAT) === what) {
        return found;
      }
    }
    return undefined;
  }
}
