/**
 * A bounded queue of accepted connections in shared memory. One thread accepts connections and puts
 * their descriptors in. Many threads take them out. Idle threads sleep in the kernel until a
 * connection comes.
 *
 * Thread pools in other languages have an `mpsc` channel for this. Here it is the other way round:
 * there is a single producer and there are many consumers. JavaScript has no such channel, so this
 * one is made with `Atomics.wait` (a futex).
 *
 * To put something in wakes nobody. {@linkcode WakePolicy} decides when waking a thread is worth
 * its price.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../net/address.ts";
import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";
import type { SharedFigure } from "../core/statistics_share.ts";

// The control words. HEAD counts the entries that were taken, TAIL those that were put in. Their
// difference is the length. They wrap at 2^32 as sequence numbers do, and every comparison here
// works across the wrap.
const HEAD = 0;
const TAIL = 1;
const CLOSED = 2;
/** How many entries the queue holds, and how many threads may take them. */
const CAPACITY = 3;
const TAKERS = 4;
/** How many threads are idle. */
const IDLE = 5;
/** How many producers wait for room or are about to, and the word on which they sleep. */
const PRODUCERS = 6;
const LEFT = 7;
const CONTROL_WORDS = 16;

// After the control words come four parts: one bit for each thread, which says whether it is idle;
// one word for each thread, on which it sleeps; the entries; and for each of them when it was put in.
//
// No wake-up is lost. A thread that wants to sleep sets its idle bit first, then looks into the
// queue once more, and sleeps only if nobody has woken it meanwhile. The producer puts an entry in
// first, and looks for sleeping threads afterwards. An idle bit is cleared by the thread itself or
// by the one that wakes it, never by both.

/** The values of the word on which an idle thread sleeps. */
const ASLEEP = 0;
const WOKEN = 1;

/** An entry is a descriptor and the peer's address: eight words, half a cache line. */
const ENTRY_WORDS = 1 + SOCKADDR_SIZE / 4;

/** The queue. Every thread has its own object, and all of them use the same shared memory. */
export class DescriptorRing {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #takers: number;
  readonly #sleepWords: number;
  readonly #entries: number;
  readonly #stamps: number;
  readonly #mask: number;
  #since = 0;

  /** @param memory the memory of a queue that {@linkcode DescriptorRing.create} has made */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#capacity = this.#words[CAPACITY] as number;
    this.#takers = this.#words[TAKERS] as number;
    this.#sleepWords = CONTROL_WORDS + Math.ceil(this.#takers / 32);
    this.#entries = this.#sleepWords + this.#takers;
    this.#mask = places(this.#capacity) - 1;
    this.#stamps = this.#entries + places(this.#capacity) * ENTRY_WORDS;
  }

  /**
   * Makes an empty queue.
   *
   * @param capacity how many connections it holds, at least 1
   * @param takers how many threads take connections out; they are numbered from 0
   * @param allocate makes the memory; by default only threads share it
   */
  static create(
    capacity: number,
    takers: number,
    allocate: Allocate = ofThisProcess,
  ): DescriptorRing {
    const size = CONTROL_WORDS + Math.ceil(takers / 32) + takers +
      places(capacity) * (ENTRY_WORDS + 1);
    const memory = allocate(size * 4);
    const words = new Int32Array(memory);
    words[CAPACITY] = capacity;
    words[TAKERS] = takers;
    return new DescriptorRing(memory);
  }

  /** How many connections the queue can hold. */
  get capacity(): number {
    return this.#capacity;
  }

  /** How many connections wait in it. */
  get length(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, HEAD)) | 0;
  }

  /** Where other threads find how many connections wait in it. */
  get figure(): SharedFigure {
    return { kind: "word", memory: this.memory, at: TAIL, minus: HEAD };
  }

  /** How many connections have been taken since the beginning, modulo 2^32. */
  get taken(): number {
    return Atomics.load(this.#words, HEAD);
  }

  /** The stamp of when the connection that was taken here last began to wait; 0 if it has none. */
  get since(): number {
    return this.#since;
  }

  /** How many threads are idle. A thread that was just woken still counts. */
  get idle(): number {
    return Atomics.load(this.#words, IDLE);
  }

  /** Whether {@linkcode DescriptorRing.close} was called. */
  get closed(): boolean {
    return Atomics.load(this.#words, CLOSED) === 1;
  }

  /**
   * Those who wait in it, the oldest first, as they are now. Any thread may ask.
   *
   * @param most how many at most
   */
  look(most: number): { readonly fd: number; readonly sockaddr: Uint8Array }[] {
    const words = this.#words;
    const head = Atomics.load(words, HEAD);
    const length = Math.max(0, (Atomics.load(words, TAIL) - head) | 0);
    const found = Array.from({ length: Math.min(most, length) }, (_, index) => {
      const at = this.#entry((head + index) | 0);
      const entry = words.slice(at, at + ENTRY_WORDS);
      return { fd: entry[0] as number, sockaddr: new Uint8Array(entry.buffer, 4) };
    });
    // What was taken out meanwhile may have been overwritten.
    return found.slice((Atomics.load(words, HEAD) - head) | 0);
  }

  /**
   * Puts a connection in. Only one thread at a time may do so. This wakes nobody.
   *
   * @param fd its descriptor
   * @param sockaddr its peer's address
   * @param since the stamp of when it began to wait: see `moment.ts`; 0 if nobody wants to know
   * @returns whether there was room
   */
  tryPut(fd: number, sockaddr: Uint8Array, since = 0): boolean {
    if (this.length >= this.#capacity) return false;
    const words = this.#words;
    const tail = Atomics.load(words, TAIL);
    const at = this.#entry(tail);
    words[at] = fd;
    for (let word = 1; word < ENTRY_WORDS; word++) {
      const byte = (word - 1) * 4;
      words[at + word] = (sockaddr[byte] as number) | ((sockaddr[byte + 1] as number) << 8) |
        ((sockaddr[byte + 2] as number) << 16) | ((sockaddr[byte + 3] as number) << 24);
    }
    words[this.#stamps + (tail & this.#mask)] = since;
    Atomics.store(words, TAIL, (tail + 1) | 0);
    return true;
  }

  /**
   * Blocks the thread until there is room. Meanwhile the accepting thread accepts nothing, and
   * further connections stay in the kernel's accept queue.
   *
   * @param isOver whether to give up; called again after every
   * {@linkcode DescriptorRing.wakeProducer}
   * @returns whether there is room
   */
  waitForRoom(isOver: () => boolean): boolean {
    const words = this.#words;
    for (;;) {
      if (isOver()) return false;
      if (this.length < this.#capacity) return true;
      Atomics.add(words, PRODUCERS, 1);
      const left = Atomics.load(words, LEFT);
      if (this.length >= this.#capacity && !isOver()) Atomics.wait(words, LEFT, left);
      Atomics.sub(words, PRODUCERS, 1);
    }
  }

  /**
   * Takes the oldest connection out without waiting.
   *
   * @param sockaddr is filled with the peer's address
   * @returns the descriptor, or -1 when the queue is empty
   */
  tryTake(sockaddr: Uint8Array): number {
    const words = this.#words;
    for (;;) {
      const head = Atomics.load(words, HEAD);
      if (head === Atomics.load(words, TAIL)) return -1;
      // The entry is read before it is claimed, because afterwards the producer may overwrite it.
      // If another consumer was faster, the values are worthless, and the exchange below fails.
      const at = this.#entry(head);
      const fd = words[at] as number;
      for (let word = 1; word < ENTRY_WORDS; word++) {
        const value = words[at + word] as number;
        const byte = (word - 1) * 4;
        sockaddr[byte] = value;
        sockaddr[byte + 1] = value >> 8;
        sockaddr[byte + 2] = value >> 16;
        sockaddr[byte + 3] = value >> 24;
      }
      const since = words[this.#stamps + (head & this.#mask)] as number;
      if (Atomics.compareExchange(words, HEAD, head, (head + 1) | 0) !== head) continue;
      this.#since = since;
      if (Atomics.load(words, PRODUCERS) > 0) this.wakeProducer();
      return fd;
    }
  }

  /**
   * Takes the oldest connection out. Blocks the thread until there is one.
   *
   * @param sockaddr is filled with the peer's address
   * @param taker the thread's number
   * @param timeoutMs how long to sleep at most
   * @returns the descriptor, or -1 when the time has passed or the queue is closed and empty
   */
  take(sockaddr: Uint8Array, taker: number, timeoutMs = Infinity): number {
    const words = this.#words;
    const sleepWord = this.#sleepWords + taker;
    for (let timedOut = false;;) {
      // Read before looking into the queue: entries that were put in before it was closed must not
      // be overlooked.
      const closed = this.closed;
      const fd = this.tryTake(sockaddr);
      if (fd >= 0 || timedOut || closed) return fd;
      Atomics.store(words, sleepWord, ASLEEP);
      this.#setIdle(taker);
      if (this.length === 0 && !this.closed) {
        timedOut = Atomics.wait(words, sleepWord, ASLEEP, timeoutMs) === "timed-out";
      }
      // If another thread has woken us, it has cleared the bit already.
      this.#clearIdle(taker);
      Atomics.sub(words, IDLE, 1);
    }
  }

  /** Closes the queue. Threads can still take what is in it, and then they stop waiting. */
  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    while (this.wakeTaker());
  }

  /** Wakes a producer that waits for room, so that it asks again whether to give up. */
  wakeProducer(): void {
    Atomics.add(this.#words, LEFT, 1);
    Atomics.notify(this.#words, LEFT);
  }

  /**
   * Wakes the idle thread with the lowest number. Most often it is the one that ran last, and its
   * memory is still in the processor's caches.
   *
   * @returns whether there was one
   */
  wakeTaker(): boolean {
    const words = this.#words;
    for (let first = 0; first < this.#takers; first += 32) {
      const group = CONTROL_WORDS + (first >> 5);
      for (let bits = Atomics.load(words, group); bits !== 0; bits = Atomics.load(words, group)) {
        const taker = first + 31 - Math.clz32(bits & -bits);
        if (!this.#clearIdle(taker)) continue;
        Atomics.store(words, this.#sleepWords + taker, WOKEN);
        Atomics.notify(words, this.#sleepWords + taker, 1);
        return true;
      }
    }
    return false;
  }

  #setIdle(taker: number): void {
    Atomics.add(this.#words, IDLE, 1);
    Atomics.or(this.#words, CONTROL_WORDS + (taker >> 5), 1 << (taker & 31));
  }

  /** Clears the thread's idle bit. Returns whether it was set. */
  #clearIdle(taker: number): boolean {
    const bit = 1 << (taker & 31);
    return (Atomics.and(this.#words, CONTROL_WORDS + (taker >> 5), ~bit) & bit) !== 0;
  }

  #entry(count: number): number {
    return this.#entries + (count & this.#mask) * ENTRY_WORDS;
  }
}

/** Rounds up to a power of two, so that entries keep their places when the counters wrap. */
function places(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}
