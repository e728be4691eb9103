/**
 * The memory from which the kernel sends. Bytes are copied into a slot, and the slot belongs to the
 * kernel until their send is complete. So what a protocol does with its own bytes does not matter, nor
 * does what the garbage collector does with them.
 *
 * @module
 */

import { Mapping } from "../net/mapped_memory.ts";

/** One kind of slots. */
interface Kind {
  readonly size: number;
  /** How many are mapped at a time. */
  readonly slab: number;
  /** How many there may be. */
  readonly most: number;
}

/** For nearly all messages. */
const SMALL: Kind = { size: 4096, slab: 256, most: 1 << 22 };

/** For a few large writes at a time. The others go piece by piece. */
const LARGE: Kind = { size: 64 * 1024, slab: 8, most: 32 };

/** The bit in a slot's number that says that it is a large one. */
const IS_LARGE = 1 << 23;

class Shelf {
  readonly #kind: Kind;
  readonly slabs: Mapping[] = [];
  readonly bytes: Uint8Array[] = [];
  readonly addresses: number[] = [];
  /** The two words of each address. */
  readonly lows: number[] = [];
  readonly highs: number[] = [];
  /** How many bytes each slot holds, how many of them were sent, and the place of its send. */
  readonly lengths: number[] = [];
  readonly sent: number[] = [];
  readonly places: number[] = [];
  /** The one that was used last is used next: it is still in the processor's cache. */
  readonly free: number[] = [];

  constructor(kind: Kind) {
    this.#kind = kind;
  }

  take(): number {
    if (this.free.length === 0) this.#grow();
    return this.free.pop() ?? -1;
  }

  #grow(): void {
    const { size, slab, most } = this.#kind;
    if (this.bytes.length >= most) return;
    const mapping = new Mapping(slab * size);
    this.slabs.push(mapping);
    const first = this.bytes.length;
    for (let index = 0; index < slab; index++) {
      const address = mapping.address + index * size;
      this.bytes.push(new Uint8Array(mapping.buffer, index * size, size));
      this.addresses.push(address);
      this.lows.push(address | 0);
      this.highs.push(Math.floor(address / 2 ** 32));
      this.lengths.push(0);
      this.sent.push(0);
      this.places.push(0);
    }
    for (let index = slab - 1; index >= 0; index--) this.free.push(first + index);
  }
}

/** The slots of one ring. */
export class SendSlots {
  readonly #small = new Shelf(SMALL);
  readonly #large = new Shelf(LARGE);
  #used = 0;

  /** How many slots belong to the kernel. */
  get used(): number {
    return this.#used;
  }

  #shelf(slot: number): Shelf {
    return (slot & IS_LARGE) === 0 ? this.#small : this.#large;
  }

  /**
   * Copies bytes into a free slot, as many as fit.
   *
   * @returns the slot
   */
  fill(bytes: Uint8Array): number {
    let slot = bytes.length > SMALL.size ? this.#large.take() : -1;
    if (slot >= 0) slot |= IS_LARGE;
    else slot = this.#small.take();
    if (slot < 0) throw new RangeError("Cannot send: there are too many unfinished sends");
    this.#used++;
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    const memory = shelf.bytes[index] as Uint8Array;
    const length = Math.min(bytes.length, memory.length);
    memory.set(length === bytes.length ? bytes : bytes.subarray(0, length));
    shelf.lengths[index] = length;
    shelf.sent[index] = 0;
    return slot;
  }

  /** Adds bytes behind those in a slot, if all of them fit. Returns whether they did. */
  append(slot: number, bytes: Uint8Array): boolean {
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    const memory = shelf.bytes[index] as Uint8Array;
    const length = shelf.lengths[index] as number;
    if (length + bytes.length > memory.length) return false;
    memory.set(bytes, length);
    shelf.lengths[index] = length + bytes.length;
    return true;
  }

  /** How many bytes a slot holds that were not sent yet. */
  left(slot: number): number {
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    return (shelf.lengths[index] as number) - (shelf.sent[index] as number);
  }

  /** Notes that some of them were sent. Returns how many are left. */
  sent(slot: number, count: number): number {
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    shelf.sent[index] = (shelf.sent[index] as number) + count;
    return (shelf.lengths[index] as number) - (shelf.sent[index] as number);
  }

  /** The lower word of the address of the bytes that are left. */
  low(slot: number): number {
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    return ((shelf.lows[index] as number) + (shelf.sent[index] as number)) | 0;
  }

  /** The upper word of that address. */
  high(slot: number): number {
    const shelf = this.#shelf(slot);
    const index = slot & ~IS_LARGE;
    const sent = shelf.sent[index] as number;
    if (sent === 0) return shelf.highs[index] as number;
    return Math.floor(((shelf.addresses[index] as number) + sent) / 2 ** 32);
  }

  /** Where in the queue the send of a slot is. */
  place(slot: number): number {
    return this.#shelf(slot).places[slot & ~IS_LARGE] as number;
  }

  /** Notes it. */
  setPlace(slot: number, place: number): void {
    this.#shelf(slot).places[slot & ~IS_LARGE] = place;
  }

  /** Takes a slot back from the kernel. */
  give(slot: number): void {
    this.#used--;
    this.#shelf(slot).free.push(slot & ~IS_LARGE);
  }

  /** Gives the memory back. The ring must be closed, and nothing may be sent any more. */
  dispose(): void {
    for (const mapping of [...this.#small.slabs, ...this.#large.slabs]) mapping.unmap();
  }
}
