/**
 * The senders that have sent datagrams lately. What a TCP server knows from a connection, a UDP
 * server keeps here.
 *
 * UDP tells nobody that a sender is new or has gone. So a server that wants to know keeps a list of
 * its own. Anybody can write any sender on a datagram, so the list must be bounded: the sender that
 * has been silent longest is forgotten for a new one.
 *
 * The list is in shared memory, because any thread may serve datagrams. Only one thread at a time
 * may use it: the one that holds the UDP socket (see `shared_datagram_socket.ts`). That makes plain
 * loads and stores safe.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../net/address.ts";

/** How many senders are remembered. */
const CAPACITY = 4096;

/**
 * Answers are counted for each tenth of a second. Eleven tenths cover any second, wherever it
 * begins, so no second ever sees more answers than are allowed.
 */
const TENTH_MS = 100;
const TENTHS = 11;

/** One in this many answers to a sender is left out. */
const LEFT_OUT = 1000;

// The control words. Places are counted from 1; 0 is none.
const COUNT = 0;
const OLDEST = 1;
const NEWEST = 2;
const FREE = 3;
const SEED = 4;
const CONTROL_WORDS = 16;

// The words of a sender: its address, its neighbours in the order of silence, the next sender in
// its chain of the hash table (or the next free place), and what is known about it.
const KEY_WORDS = SOCKADDR_SIZE / 4;
const OLDER = KEY_WORDS;
const NEWER = KEY_WORDS + 1;
const CHAIN = KEY_WORDS + 2;
const TALKS = KEY_WORDS + 3;
const ANSWERS = KEY_WORDS + 4;
const TENTH = KEY_WORDS + 5;
const COUNTS = KEY_WORDS + 6;
const SENDER_WORDS = COUNTS + TENTHS;

/**
 * A sender's two times, in memory of their own: when its conversation began, and when it was heard.
 */
const BEGAN = 0;
const HEARD = 1;
const SENDER_TIMES = 2;

/** How many chains the hash table has: a power of two. */
const CHAINS = CAPACITY;

const TIMES_BYTES = CAPACITY * SENDER_TIMES * 8;
const FIRST_CHAIN = CONTROL_WORDS;
const FIRST_SENDER = FIRST_CHAIN + CHAINS;

/** The senders. Every thread has its own object, and all of them use the same shared memory. */
export class SenderTable {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #times: Float64Array;
  readonly #words: Int32Array;
  readonly #key = new Int32Array(KEY_WORDS);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  /** @param memory the memory of a table that {@linkcode SenderTable.create} has made */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#times = new Float64Array(memory, 0, CAPACITY * SENDER_TIMES);
    this.#words = new Int32Array(memory, TIMES_BYTES);
  }

  /** Makes a table without senders. */
  static create(): SenderTable {
    const size = FIRST_SENDER + CAPACITY * SENDER_WORDS;
    const table = new SenderTable(new SharedArrayBuffer(TIMES_BYTES + size * 4));
    // A random seed: no attacker can know which senders fall into the same chain.
    table.#words[SEED] = crypto.getRandomValues(new Int32Array(1))[0] as number;
    for (let place = CAPACITY; place > 0; place--) table.#release(place);
    return table;
  }

  /** How many senders it can hold. */
  get capacity(): number {
    return CAPACITY;
  }

  /** How many senders are remembered. */
  get size(): number {
    return Atomics.load(this.#words, COUNT);
  }

  /** The sender that has been silent longest. */
  get oldest(): Sender | undefined {
    const place = this.#words[OLDEST] as number;
    return place === 0 ? undefined : this.#sender(place);
  }

  /**
   * Finds the sender of a datagram that has just come, or begins to remember it.
   *
   * @param sockaddr its address, as the system has filled it in
   * @param now the time, as `moment` tells it
   * @returns the sender, or `undefined` if it is new and the table is full; then
   * {@linkcode SenderTable.oldest} has to be forgotten first
   */
  hear(sockaddr: Uint8Array, now: number): Sender | undefined {
    this.#keyBytes.set(sockaddr.subarray(0, SOCKADDR_SIZE));
    const chain = this.#chain();
    let place = this.#words[chain] as number;
    while (place !== 0 && !this.#isAt(place)) place = this.#words[at(place) + CHAIN] as number;
    if (place !== 0) this.#unlink(place);
    else {
      place = this.#words[FREE] as number;
      if (place === 0) return undefined;
      this.#begin(place, chain);
    }
    this.#append(place);
    this.#times[(place - 1) * SENDER_TIMES + HEARD] = now;
    return this.#sender(place);
  }

  /** Forgets the sender that has been silent longest. */
  forgetOldest(): void {
    const words = this.#words;
    const place = words[OLDEST] as number;
    if (place === 0) return;
    this.#key.set(words.subarray(at(place), at(place) + KEY_WORDS));
    let link = this.#chain();
    while (words[link] !== place) link = at(words[link] as number) + CHAIN;
    words[link] = words[at(place) + CHAIN] as number;
    this.#unlink(place);
    this.#release(place);
    Atomics.sub(words, COUNT, 1);
  }

  #begin(place: number, chain: number): void {
    const words = this.#words;
    words[FREE] = words[at(place) + CHAIN] as number;
    words.fill(0, at(place), at(place) + SENDER_WORDS);
    words.set(this.#key, at(place));
    words[at(place) + CHAIN] = words[chain] as number;
    words[chain] = place;
    Atomics.add(words, COUNT, 1);
  }

  #release(place: number): void {
    this.#words[at(place) + CHAIN] = this.#words[FREE] as number;
    this.#words[FREE] = place;
  }

  #append(place: number): void {
    const words = this.#words;
    const newest = words[NEWEST] as number;
    words[at(place) + OLDER] = newest;
    words[at(place) + NEWER] = 0;
    words[newest === 0 ? OLDEST : at(newest) + NEWER] = place;
    words[NEWEST] = place;
  }

  #unlink(place: number): void {
    const words = this.#words;
    const older = words[at(place) + OLDER] as number;
    const newer = words[at(place) + NEWER] as number;
    words[older === 0 ? OLDEST : at(older) + NEWER] = newer;
    words[newer === 0 ? NEWEST : at(newer) + OLDER] = older;
  }

  #isAt(place: number): boolean {
    for (let word = 0; word < KEY_WORDS; word++) {
      if (this.#words[at(place) + word] !== this.#key[word]) return false;
    }
    return true;
  }

  /** The word in which the chain of the key begins: a hash in the manner of MurmurHash3. */
  #chain(): number {
    let hash = this.#words[SEED] as number;
    for (let word = 0; word < KEY_WORDS; word++) {
      hash = Math.imul(hash ^ (this.#key[word] as number), 0xcc9e2d51);
      hash = (hash << 15) | (hash >>> 17);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    return FIRST_CHAIN + ((hash ^ (hash >>> 13)) & (CHAINS - 1));
  }

  #sender(place: number): Sender {
    const times = this.#times.subarray((place - 1) * SENDER_TIMES, place * SENDER_TIMES);
    return new Sender(this.#words.subarray(at(place), at(place) + SENDER_WORDS), times);
  }
}

/** The index of a sender's first word. */
function at(place: number): number {
  return FIRST_SENDER + (place - 1) * SENDER_WORDS;
}

/** What is known about one sender. Valid as long as the thread holds the UDP socket. */
export class Sender {
  readonly #words: Int32Array;
  readonly #times: Float64Array;

  /**
   * @param words its words in the table
   * @param times its times
   */
  constructor(words: Int32Array, times: Float64Array) {
    this.#words = words;
    this.#times = times;
  }

  /** Its address as a `sockaddr`. */
  get sockaddr(): Uint8Array {
    return new Uint8Array(this.#words.slice(0, KEY_WORDS).buffer);
  }

  /** Whether its conversation is under way. */
  get talks(): boolean {
    return this.#words[TALKS] === 1;
  }

  /** When its conversation began. */
  get began(): number {
    return this.#times[BEGAN] as number;
  }

  /** When it was last heard. */
  get heard(): number {
    return this.#times[HEARD] as number;
  }

  /** Notes that its conversation begins. */
  begin(now: number): void {
    this.#words[TALKS] = 1;
    this.#times[BEGAN] = now;
  }

  /** Notes that its conversation is over. The answers that it got still count. */
  end(): void {
    this.#words[TALKS] = 0;
  }

  /**
   * Decides whether the sender may be answered now, and counts the answer if so.
   *
   * Apart from the limit, every thousandth answer is left out. So a datagram that two servers throw
   * back and forth, however slowly, is dropped in the end. A client has to expect the loss of a
   * datagram anyway.
   *
   * @param now the time
   * @param perSecond how many answers are allowed in any one second; 0 means no limit
   */
  takeAnswer(now: number, perSecond: number): boolean {
    const words = this.#words;
    const tenth = Math.floor(now / TENTH_MS);
    this.#forgetTenths(tenth);
    if (perSecond > 0) {
      let answered = 0;
      for (let index = 0; index < TENTHS; index++) answered += words[COUNTS + index] as number;
      if (answered >= perSecond) return false;
    }
    words[ANSWERS] = ((words[ANSWERS] as number) + 1) % LEFT_OUT;
    if (words[ANSWERS] === 0) return false;
    words[COUNTS + tenth % TENTHS]!++;
    return true;
  }

  /** Forgets the tenths that are more than a second old, or all if the clock was set back. */
  #forgetTenths(tenth: number): void {
    const words = this.#words;
    // Only 32 bits of the last tenth's number are kept, which is enough to tell tenths apart.
    const passed = (tenth - (words[TENTH] as number)) | 0;
    if (passed < 0 || passed >= TENTHS) words.fill(0, COUNTS, COUNTS + TENTHS);
    else for (let back = 0; back < passed; back++) words[COUNTS + (tenth - back) % TENTHS] = 0;
    words[TENTH] = tenth | 0;
  }
}
