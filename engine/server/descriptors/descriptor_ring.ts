/**
 * A bounded queue of accepted connections in shared memory: one thread accepts and puts
 * descriptors in, many threads take them out, and idle ones sleep in the kernel until one comes.
 *
 * It is the `mpsc` channel of a thread pool in other languages, the other way round: a single
 * producer and many consumers. JavaScript has no such channel; `Atomics.wait` (a futex) makes one.
 *
 * Putting something in wakes nobody: when that is worth its price, {@linkcode WakePolicy} knows.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../net/address.ts";

// The control words. HEAD and TAIL count entries taken and put in; their difference is the
// length. They wrap at 2^32 as sequence numbers do, which no comparison here minds.
const HEAD = 0;
const TAIL = 1;
const CLOSED = 2;
/** How many entries it holds, and how many threads may take them. */
const CAPACITY = 3;
const TAKERS = 4;
/** How many threads are idle. */
const IDLE = 5;
/** Whether the producer waits for room or is about to, and the word on which it sleeps. */
const PRODUCERS = 6;
const LEFT = 7;
const CONTROL_WORDS = 16;

// Behind them: a bit for each thread that says whether it is idle, then a word for each on which
// it sleeps, then the entries.
//
// Nobody is woken too late: whoever wants to sleep says so first, then looks once more, and then
// sleeps only if nobody has answered meanwhile. Whoever puts something in does that first and
// looks for sleepers then. An idle bit is taken down by the thread itself or by the one that
// wakes it, never by both.

/** What is in the word on which an idle thread sleeps. */
const ASLEEP = 0;
const WOKEN = 1;

/** An entry is a descriptor and the peer's address: eight words, half a cache line. */
const ENTRY_WORDS = 1 + SOCKADDR_SIZE / 4;

/** The queue. Every thread has an object of its own on the same shared memory. */
export class DescriptorRing {
  /** The shared memory, to be posted to other threads. */
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #capacity: number;
  readonly #takers: number;
  readonly #beds: number;
  readonly #entries: number;
  readonly #mask: number;

  /** @param memory made by {@linkcode DescriptorRing.create} on some thread */
  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.#words = new Int32Array(memory);
    this.#capacity = this.#words[CAPACITY] as number;
    this.#takers = this.#words[TAKERS] as number;
    this.#beds = CONTROL_WORDS + Math.ceil(this.#takers / 32);
    this.#entries = this.#beds + this.#takers;
    this.#mask = places(this.#capacity) - 1;
  }

  /**
   * Makes an empty queue.
   *
   * @param capacity how many connections it holds, at least 1
   * @param takers how many threads take connections out; their numbers are below it
   */
  static create(capacity: number, takers: number): DescriptorRing {
    const size = CONTROL_WORDS + Math.ceil(takers / 32) + takers + places(capacity) * ENTRY_WORDS;
    const memory = new SharedArrayBuffer(size * 4);
    const words = new Int32Array(memory);
    words[CAPACITY] = capacity;
    words[TAKERS] = takers;
    return new DescriptorRing(memory);
  }

  /** How many connections it can hold. */
  get capacity(): number {
    return this.#capacity;
  }

  /** How many connections wait in it. */
  get length(): number {
    return (Atomics.load(this.#words, TAIL) - Atomics.load(this.#words, HEAD)) | 0;
  }

  /** How many connections have been taken since the beginning, modulo 2^32. */
  get taken(): number {
    return Atomics.load(this.#words, HEAD);
  }

  /** How many threads are idle; one that was just woken still counts. */
  get idle(): number {
    return Atomics.load(this.#words, IDLE);
  }

  /** Whether {@linkcode DescriptorRing.close} was called. */
  get closed(): boolean {
    return Atomics.load(this.#words, CLOSED) === 1;
  }

  /**
   * Puts a connection in. Only one thread at a time may do so. It wakes nobody.
   *
   * @returns whether there was room
   */
  tryPut(fd: number, sockaddr: Uint8Array): boolean {
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
    Atomics.store(words, TAIL, (tail + 1) | 0);
    return true;
  }

  /**
   * Waits until there is room, so that the thread that accepts leaves the rest to the kernel's
   * accept queue. Blocks the thread.
   *
   * @param isOver whether to give up; asked after every {@linkcode DescriptorRing.wakeProducer}
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
      // Read before the entry is claimed: afterwards the producer may write over it. If another
      // consumer was faster, what was read is worthless and the exchange below fails.
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
      if (Atomics.compareExchange(words, HEAD, head, (head + 1) | 0) !== head) continue;
      if (Atomics.load(words, PRODUCERS) > 0) this.wakeProducer();
      return fd;
    }
  }

  /**
   * Takes the oldest connection out, sleeping until there is one. Blocks the thread.
   *
   * @param sockaddr is filled with the peer's address
   * @param taker the thread's number
   * @param timeoutMs how long to sleep
   * @returns the descriptor, or -1 when the time is over or the queue is closed and empty
   */
  take(sockaddr: Uint8Array, taker: number, timeoutMs = Infinity): number {
    const words = this.#words;
    const bed = this.#beds + taker;
    for (let timedOut = false;;) {
      // Asked before looking: what was put in before the end must not be overlooked.
      const closed = this.closed;
      const fd = this.tryTake(sockaddr);
      if (fd >= 0 || timedOut || closed) return fd;
      Atomics.store(words, bed, ASLEEP);
      this.#setIdle(taker);
      if (this.length === 0 && !this.closed) {
        timedOut = Atomics.wait(words, bed, ASLEEP, timeoutMs) === "timed-out";
      }
      // The thread that woke us has taken the bit down already.
      this.#clearIdle(taker);
      Atomics.sub(words, IDLE, 1);
    }
  }

  /** Ends the queue: what is in it can still be taken, then takers return. */
  close(): void {
    Atomics.store(this.#words, CLOSED, 1);
    while (this.wakeTaker());
  }

  /** Has a producer that waits for room ask whether it is over. */
  wakeProducer(): void {
    Atomics.add(this.#words, LEFT, 1);
    Atomics.notify(this.#words, LEFT);
  }

  /**
   * Wakes the idle thread with the lowest number, which is the one that ran last more often than
   * not and has its memory still in the processor's caches.
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
        Atomics.store(words, this.#beds + taker, WOKEN);
        Atomics.notify(words, this.#beds + taker, 1);
        return true;
      }
    }
    return false;
  }

  #setIdle(taker: number): void {
    Atomics.add(this.#words, IDLE, 1);
    Atomics.or(this.#words, CONTROL_WORDS + (taker >> 5), 1 << (taker & 31));
  }

  /** Takes the bit down; returns whether it was up. */
  #clearIdle(taker: number): boolean {
    const bit = 1 << (taker & 31);
    return (Atomics.and(this.#words, CONTROL_WORDS + (taker >> 5), ~bit) & bit) !== 0;
  }

  #entry(count: number): number {
    return this.#entries + (count & this.#mask) * ENTRY_WORDS;
  }
}

/** A power of two, so that the place of an entry survives the counters' wrapping. */
function places(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity));
}
