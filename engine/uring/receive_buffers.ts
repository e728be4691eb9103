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
import { Piece, Slabs } from "./slabs.ts";

/** How many bytes a buffer has. */
const BUFFER_BYTES = 4096;

/**
 * How far apart they lie. With a power of two the beginnings of all buffers would compete for few
 * places of the processor's caches.
 */
const STRIDE = BUFFER_BYTES + 64;

/** How many buffers wait for the kernel. */
const WAITING = 256;

/** Their numbers have 16 bits. */
const MOST = 65_536;

/** How many buffers there are. */
export interface ReceiveBufferOptions {
  /** How many wait for the kernel: a power of two. @default {256} */
  readonly waiting?: number;
  /** How many there may be in all. @default {65536} */
  readonly most?: number;
}

class ReceiveBuffer extends Piece {
  /** All of it. */
  readonly bytes: Uint8Array = new Uint8Array(this.slab.buffer, this.at, BUFFER_BYTES);
  /** The part that was filled last: messages are often as long as the one before. */
  view: Uint8Array = this.bytes;
}

/** The buffers of one ring. */
export class ReceiveBuffers {
  readonly #waitingMost: number;
  readonly #mask: number;
  readonly #entries: Mapping;
  readonly #words: Int32Array;
  readonly #halves: Uint16Array;
  readonly #slabs: Slabs<ReceiveBuffer>;
  readonly #buffers: readonly ReceiveBuffer[];
  #waiting = 0;
  #tail = 0;
  #published = 0;

  /**
   * @param ring the ring that receives
   * @param options how many buffers
   */
  constructor(ring: Ring, { waiting = WAITING, most = MOST }: ReceiveBufferOptions = {}) {
    this.#waitingMost = waiting;
    this.#mask = waiting - 1;
    const kind = { bytes: BUFFER_BYTES, stride: STRIDE, slab: waiting };
    this.#slabs = new Slabs(
      { ...kind, most: Math.max(waiting, most) },
      (index, slab, at) => new ReceiveBuffer(index, slab, at),
    );
    this.#buffers = this.#slabs.pieces;
    this.#entries = new Mapping(waiting * 16);
    this.#words = new Int32Array(this.#entries.buffer);
    this.#halves = new Uint16Array(this.#entries.buffer);
    ring.registerBuffers(this.#entries, waiting);
    this.publish();
  }

  /** How many buffers are there in all. */
  get size(): number {
    return this.#buffers.length;
  }

  /** How many of them nobody has: the kernel may take them. */
  get free(): number {
    return this.#waiting + this.#slabs.free;
  }

  /** Whether there may be memory that nobody needs. */
  get mayShrink(): boolean {
    return this.#slabs.mayShrink;
  }

  /** Takes the bytes over that the kernel has put into a buffer. @param id its number */
  take(id: number, length: number): Uint8Array {
    this.#waiting--;
    const buffer = this.#buffers[id] as ReceiveBuffer;
    if (buffer.view.length === length) return buffer.view;
    return buffer.view = buffer.bytes.subarray(0, length);
  }

  /** Gives a buffer back. The kernel may write to it from the next call on. @param id its number */
  give(id: number): void {
    const buffer = this.#buffers[id] as ReceiveBuffer;
    if (this.#waiting < this.#waitingMost) this.#offer(buffer);
    else this.#slabs.give(buffer);
  }

  /** Puts a buffer where the kernel finds it. */
  #offer(buffer: ReceiveBuffer): void {
    const at = (this.#tail & this.#mask) << 2;
    this.#words[at] = buffer.low;
    this.#words[at + 1] = buffer.high;
    this.#words[at + 2] = BUFFER_BYTES;
    // The other half of this word is the tail of the ring, in its first entry.
    this.#halves[at * 2 + 6] = buffer.index;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#waiting++;
  }

  /** Tells the kernel which buffers were given back, and replaces those that are kept. */
  publish(): void {
    while (this.#waiting < this.#waitingMost) {
      const buffer = this.#slabs.take();
      if (buffer === undefined) break;
      this.#offer(buffer);
    }
    if (this.#published === this.#tail) return;
    this.#halves[7] = this.#published = this.#tail;
  }

  /** Gives the memory of those back that nobody needs. */
  shrink(): void {
    this.#slabs.shrink();
  }

  /** Gives the memory back. The ring must be closed, and nothing may be received any more. */
  dispose(): void {
    this.#entries.unmap();
    this.#slabs.dispose();
  }
}
