/**
 * Who makes threads die.
 *
 * A protocol with a fault can be made to end its thread by what a client sends. Such a thread is
 * replaced at once, so that nobody else waits for it. But a host whose connections end threads again
 * and again is refused for a while, and nobody else is.
 *
 * Only the main thread sees threads die. It writes those who are refused into shared memory, where
 * every acceptor finds them. There is room for so many hosts and no more: the latest stay.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import { runtime } from "../../net/runtime.ts";
import type { Journal } from "../journal/journal.ts";
import { describeHost, type HostKey, hostKey } from "./host_key.ts";

/** How many threads a host may end within a time in milliseconds. Then it is refused. */
const DEATHS = 3;
const WITHIN_MS = 60_000;

/** For how long it is refused, in milliseconds. */
const REFUSED_MS = 30_000;

/** How many hosts are refused at most, and remembered. */
const MOST = 256;

// Word 0 says how many hosts are refused. Each of them has three words.
const WORDS = 3;
const KIND = 1;
const HIGH = 2;
const LOW = 3;

/** Those who are refused, as any thread sees them. */
export class Culprits {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  /** How many are refused, and who they are. */
  protected readonly words: Int32Array;

  /** @param memory of the server's {@linkcode CulpritList} */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.words = new Int32Array(memory);
  }

  /** Whether anybody is refused. */
  get any(): boolean {
    return Atomics.load(this.words, 0) > 0;
  }

  /**
   * Whether a host is refused.
   *
   * @param hostname its numeric address
   */
  refuses(hostname: string): boolean {
    const key = this.any ? hostKey(hostname) : undefined;
    if (key === undefined) return false;
    const { words } = this;
    for (let at = 0; at < MOST * WORDS; at += WORDS) {
      const isSame = Atomics.load(words, at + KIND) === key.kind &&
        words[at + HIGH] === key.high && words[at + LOW] === key.low;
      if (isSame) return true;
    }
    return false;
  }
}

/** What the main thread knows about a host. */
interface Suspect {
  /** When its latest threads died, on the clock of `performance.now()`. */
  deaths: readonly number[];
  /** Its place among those who are refused, and the timer that frees it. */
  refused: { readonly place: number; readonly timer: ReturnType<typeof setTimeout> } | undefined;
}

/** The list, on the main thread. */
export class CulpritList extends Culprits implements Disposable {
  readonly #journal: Journal;
  /** By host. The one that was blamed last comes last. */
  readonly #suspects = new Map<string, Suspect>();

  /**
   * @param journal where it is logged who is refused
   * @param allocate makes the memory; by default only threads share it
   */
  constructor(journal: Journal, allocate: Allocate = ofThisProcess) {
    super(allocate((1 + MOST * WORDS) * 4));
    this.#journal = journal;
  }

  /**
   * Blames a host for the death of a thread.
   *
   * @param key whose connection the thread served, if that is known
   * @returns whether it is known, so that the next thread need not wait
   */
  blame(key: HostKey | undefined): boolean {
    if (key === undefined) return false;
    const name = `${key.kind} ${key.high} ${key.low}`;
    const now = performance.now();
    const { deaths, refused } = this.#suspects.get(name) ?? { deaths: [], refused: undefined };
    this.#suspects.delete(name);
    const recent = [...deaths, now].slice(-DEATHS).filter((at) => now - at < WITHIN_MS);
    const suspect: Suspect = { deaths: recent, refused };
    if (this.#suspects.size >= MOST) this.#forget(this.#suspects.keys().next().value as string);
    this.#suspects.set(name, suspect);
    if (recent.length < DEATHS) return true;
    if (refused === undefined) this.#tell(key);
    else clearTimeout(refused.timer);
    const place = refused?.place ?? this.#refuse(key);
    const timer = setTimeout(() => this.#forget(name), REFUSED_MS);
    runtime.unrefTimer(timer);
    suspect.refused = { place, timer };
    return true;
  }

  #tell(key: HostKey): void {
    this.#journal.log({
      level: "warning",
      text: "refusing {host} for {seconds} s: its connections have ended {count} threads",
      properties: { host: describeHost(key), seconds: REFUSED_MS / 1_000, count: DEATHS },
    });
  }

  /** Writes a host into the shared list. There is a free place: as many as there are suspects. */
  #refuse({ kind, high, low }: HostKey): number {
    const { words } = this;
    let place = 0;
    while (words[place + KIND] !== 0) place += WORDS;
    words[place + HIGH] = high;
    words[place + LOW] = low;
    Atomics.store(words, place + KIND, kind);
    Atomics.add(words, 0, 1);
    return place;
  }

  #forget(name: string): void {
    const refused = this.#suspects.get(name)?.refused;
    this.#suspects.delete(name);
    if (refused === undefined) return;
    clearTimeout(refused.timer);
    Atomics.store(this.words, refused.place + KIND, 0);
    Atomics.sub(this.words, 0, 1);
  }

  /** Forgets everybody, so that no timer is left. */
  [Symbol.dispose](): void {
    for (const name of [...this.#suspects.keys()]) this.#forget(name);
  }
}
