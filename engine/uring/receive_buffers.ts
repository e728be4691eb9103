/**
 * The memory into which the kernel receives. It takes a buffer for each receive out of a ring that it
 * shares with the thread, and the completion says which (io_uring_register(2),
 * `IORING_REGISTER_PBUF_RING`).
 *
 * So an idle connection holds no buffer. A conversation has one while it works on what it has received,
 * and mostly gives it back at once. The buffers of those that keep one are replaced.
 *
 * @module
 */

import { Mapping } from "../net/mapped_memory.ts";
import type { Ring } from "./ring.ts";

/** How many bytes a buffer has. */
const BUFFER_BYTES = 4096;

/**
 * How far apart they lie. With a power of two the beginnings of all buffers would compete for few
 * places of the processor's caches.
 */
const STRIDE = BUFFER_BYTES + 64;

/** How many buffers wait for the kernel. */
const WAITING = 256;

/** How many are mapped at a time when more are needed. */
const SLAB = 64;

/** Their numbers have 16 bits. */
const MOST = 65_536;

/** How many buffers there are. */
export interface ReceiveBufferOptions {
  /** How many wait for the kernel: a power of two. @default {256} */
  readonly waiting?: number;
  /** How many there may be in all. @default {65536} */
  readonly most?: number;
}

/** The buffers of one ring. */
export class ReceiveBuffers {
  readonly #waitingMost: number;
  readonly #most: number;
  readonly #mask: number;
  readonly #entries: Mapping;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #slabs: Mapping[] = [];
  /** The memory of each buffer, and the two words of its address. */
  readonly #bytes: Uint8Array[] = [];
  readonly #lows: number[] = [];
  readonly #highs: number[] = [];
  /** The part of each buffer that was filled last: messages are often as long as the one before. */
  readonly #views: Uint8Array[] = [];
  /** The buffers that nobody has, beside those that wait for the kernel. */
  readonly #spare: number[] = [];
  #waiting = 0;
  #tail = 0;
  #published = 0;

  /**
   * @param ring the ring that receives
   * @param options how many buffers
   */
  constructor(ring: Ring, { waiting = WAITING, most = MOST }: ReceiveBufferOptions = {}) {
    this.#waitingMost = waiting;
    this.#most = Math.max(waiting, most);
    this.#mask = waiting - 1;
    this.#entries = new Mapping(waiting * 16);
    this.#words = new Int32Array(this.#entries.buffer);
    this.#halves = new Uint16Array(this.#entries.buffer);
    ring.registerBuffers(this.#entries, waiting);
    this.#grow(waiting);
    this.publish();
  }

  /** How many buffers are there in all. */
  get size(): number {
    return this.#bytes.length;
  }

  /** How many of them nobody has: the kernel may take them. */
  get free(): number {
    return this.#waiting + this.#spare.length;
  }

  #grow(count: number): void {
    const slab = new Mapping(count * STRIDE);
    this.#slabs.push(slab);
    for (let index = 0; index < count; index++) {
      const address = slab.address + index * STRIDE;
      this.#spare.push(this.#bytes.length);
      const bytes = new Uint8Array(slab.buffer, index * STRIDE, BUFFER_BYTES);
      this.#bytes.push(bytes);
      this.#views.push(bytes);
      this.#lows.push(address | 0);
      this.#highs.push(Math.floor(address / 2 ** 32));
    }
  }

  /** Takes the bytes over that the kernel has put into a buffer. @param id its number */
  take(id: number, length: number): Uint8Array {
    this.#waiting--;
    const view = this.#views[id] as Uint8Array;
    if (view.length === length) return view;
    return this.#views[id] = (this.#bytes[id] as Uint8Array).subarray(0, length);
  }

  /** Gives a buffer back. The kernel may write to it from the next call on. @param id its number */
  give(id: number): void {
    if (this.#waiting >= this.#waitingMost) {
      this.#spare.push(id);
      return;
    }
    const at = (this.#tail & this.#mask) << 2;
    this.#words[at] = this.#lows[id] as number;
    this.#words[at + 1] = this.#highs[id] as number;
    this.#words[at + 2] = BUFFER_BYTES;
    // The other half of this word is the tail of the ring, in its first entry.
    this.#halves[at * 2 + 6] = id;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#waiting++;
  }

  /** Tells the kernel which buffers were given back, and replaces those that are kept. */
  publish(): void {
    while (this.#waiting < this.#waitingMost) {
      if (this.#spare.length === 0) {
        const room = this.#most - this.#bytes.length;
        if (room <= 0) break;
        this.#grow(Math.min(SLAB, room));
      }
      this.give(this.#spare.pop() as number);
    }
    if (this.#published === this.#tail) return;
    this.#halves[7] = this.#published = this.#tail;
  }

  /** Gives the memory back. The ring must be closed, and nothing may be received any more. */
  dispose(): void {
    for (const mapping of [this.#entries, ...this.#slabs]) mapping.unmap();
  }
}
