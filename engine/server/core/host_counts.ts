/**
 * How many connections each host has, in shared memory.
 *
 * The counts lie in tables with a fixed number of places. A place is free again when its host has no
 * connection left, so nothing grows with the number of hosts that were ever seen. What one host is
 * says `host_key.ts`.
 *
 * Each event loop and each process has a table of its own, and blocking threads have one together.
 * When a loop or a process dies, its table is emptied. When a blocking thread dies, the connection
 * that it had is taken back.
 *
 * A lock keeps the tables whole. It is held for a few loads and stores, and nothing that a protocol
 * does happens meanwhile. It says for which table it is held. So whoever empties the table of a
 * process that was killed also frees the lock that it has taken along. One that is only stopped may
 * go on at any time. The others wait for it for a while, and then take the lock from it. That harms
 * nothing: it writes into its own table only, or that of a process which waits for it, and gives back
 * no lock that is not its own any more.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { type HostKey, hostKey } from "./host_key.ts";

// The head, in words.
const LOCK = 0;
const SEED = 1;
const TABLES = 2;
const PLACES = 3;
const HEAD = 16;

/** A place: how many connections, and whose they are. */
const COUNT = 0;
const KIND = 1;
const HIGH = 2;
const LOW = 3;
const WORDS = 4;

/** The lock is free. Otherwise it is the number of its holder's table, plus one. */
const FREE = 0;

/**
 * How often a thread tries to get the lock in a row. After that its holder does not run, and is waited
 * for: so many times for so long, in milliseconds. After that it must be dead, or has been stopped.
 */
const TRIES = 1_000;
const PAUSES = 1_000;
const PAUSE_MS = 1;

/** How many different hosts are counted at most. */
const MOST_HOSTS = 65_536;

/** The counts, as one thread sees them. */
export class HostCounts {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param memory from {@linkcode HostCounts.create} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
  }

  /**
   * Makes the memory.
   *
   * @param options how many connections there may be, and how many tables there are
   * @param allocate makes it; by default only threads share it
   */
  static create(
    { connections, tables }: { readonly connections: number; readonly tables: number },
    allocate: Allocate = ofThisProcess,
  ): HostCounts {
    const hosts = Math.min(connections, MOST_HOSTS);
    // At least half of the places stay free, so that a host is found after few steps.
    const places = 2 ** Math.ceil(Math.log2(hosts * 2));
    const words = HEAD + tables * places * WORDS;
    const counts = new HostCounts(allocate(words * 4));
    counts.#words.set([
      FREE,
      // Nobody can choose addresses that all fall on the same place.
      crypto.getRandomValues(new Int32Array(1))[0] as number,
      tables,
      places,
    ]);
    return counts;
  }

  /**
   * Counts a connection of a host, if it has not too many.
   *
   * @param table the caller's table
   * @param hostname the numeric address; what is none counts as allowed
   * @param most how many connections one host may have
   * @returns whether it is allowed
   */
  enter(table: number, hostname: string, most: number): boolean {
    const key = hostKey(hostname);
    if (key === undefined) return true;
    return this.#locked(table, () => {
      const words = this.#words;
      let count = 0;
      for (let each = 0; each < words[TABLES]!; each++) {
        const at = this.#find(each, key);
        if (at >= 0) count += words[at + COUNT]!;
      }
      return count < most && this.#add(table, key);
    });
  }

  /**
   * Counts that a connection of a host is over.
   *
   * @param table the table in which it was counted
   * @param hostname its numeric address
   */
  leave(table: number, hostname: string): void {
    const key = hostKey(hostname);
    if (key !== undefined) this.takeBack(table, key);
  }

  /**
   * Takes back a connection of a thread that has died.
   *
   * @param table the table in which it was counted
   * @param key whose it was
   */
  takeBack(table: number, key: HostKey): void {
    this.#locked(table, () => this.#leave(table, key));
  }

  /**
   * Counts a connection in another table from now on: who has that one has the connection.
   *
   * @param from the caller's table
   * @param to that of a process which waits for the connection, and so does not count meanwhile
   * @param hostname its numeric address
   */
  hand(from: number, to: number, hostname: string): void {
    const key = hostKey(hostname);
    if (key === undefined) return;
    this.#locked(from, () => {
      this.#leave(from, key);
      this.#add(to, key);
    });
  }

  /** Empties the table of an event loop or a process that has died, at whatever moment. */
  clear(table: number): void {
    const words = this.#words;
    const from = this.#place(table, 0);
    Atomics.compareExchange(words, LOCK, table + 1, FREE);
    this.#locked(table, () => void words.fill(0, from, from + words[PLACES]! * WORDS));
  }

  /** Counts one more. Returns `false` if the table is full: then it has as many hosts as it may. */
  #add(table: number, key: HostKey): boolean {
    const at = this.#find(table, key);
    if (at < 0) return false;
    this.#words[at + COUNT]!++;
    this.#write(at, key);
    return true;
  }

  #leave(table: number, key: HostKey): void {
    const words = this.#words;
    let free = this.#find(table, key);
    if (free < 0 || words[free + COUNT] === 0 || --words[free + COUNT]! > 0) return;
    // The place is free. What was put further on because of it moves up.
    const places = words[PLACES]!;
    let hole = this.#indexOf(table, free);
    for (let index = (hole + 1) % places;; index = (index + 1) % places) {
      const at = this.#place(table, index);
      if (words[at + COUNT] === 0) return;
      const wanted = this.#hash(this.#read(at));
      // Whether `wanted` lies behind the hole, on the way to `index`, in the circle.
      const fromHole = (wanted - hole + places) % places;
      if (fromHole > 0 && fromHole <= (index - hole + places) % places) continue;
      words.copyWithin(free, at, at + WORDS);
      words[at + COUNT] = 0;
      hole = index;
      free = at;
    }
  }

  /** The place of a host, or the free place that it would get; negative if there is none. */
  #find(table: number, key: HostKey): number {
    const words = this.#words;
    const places = words[PLACES]!;
    const first = this.#hash(key);
    for (let step = 0; step < places; step++) {
      const at = this.#place(table, (first + step) % places);
      if (words[at + COUNT] === 0) return at;
      const isSame = words[at + LOW] === key.low && words[at + HIGH] === key.high &&
        words[at + KIND] === key.kind;
      if (isSame) return at;
    }
    return -1;
  }

  #hash({ kind, high, low }: HostKey): number {
    let hash = this.#words[SEED]!;
    for (const part of [kind, high, low]) {
      hash = Math.imul(hash ^ part, 0x85eb_ca6b);
      hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
      hash ^= hash >>> 16;
    }
    return (hash >>> 0) % this.#words[PLACES]!;
  }

  #place(table: number, index: number): number {
    const words = this.#words;
    return HEAD + (table * words[PLACES]! + index) * WORDS;
  }

  #indexOf(table: number, at: number): number {
    return (at - this.#place(table, 0)) / WORDS;
  }

  #read(at: number): HostKey {
    const [, kind = 0, high = 0, low = 0] = this.#words.subarray(at, at + WORDS);
    return { kind, high, low };
  }

  #write(at: number, { kind, high, low }: HostKey): void {
    this.#words[at + KIND] = kind;
    this.#words[at + HIGH] = high;
    this.#words[at + LOW] = low;
  }

  /** @param table for which table the lock is taken */
  #locked<Result>(table: number, change: () => Result): Result {
    const own = table + 1;
    this.#lock(own);
    try {
      return change();
    } finally {
      Atomics.compareExchange(this.#words, LOCK, own, FREE);
    }
  }

  #lock(own: number): void {
    const words = this.#words;
    let holder = FREE;
    for (let pauses = 0; pauses < PAUSES; pauses++) {
      for (let tries = 0; tries < TRIES; tries++) {
        holder = Atomics.compareExchange(words, LOCK, FREE, own);
        if (holder === FREE) return;
      }
      // Nobody wakes this thread: the holder may be another process.
      runtime.waitWhile(words, LOCK, holder, PAUSE_MS);
    }
    Atomics.compareExchange(words, LOCK, holder, own);
  }
}
