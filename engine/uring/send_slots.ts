/**
 * The memory from which the kernel sends. Bytes are copied into a slot, and the slot belongs to the
 * kernel until their send is complete. So what a protocol does with its own bytes does not matter, nor
 * does what the garbage collector does with them.
 *
 * Nearly all messages are small, and thousands may be written in the same turn of a loop. So slots
 * have three sizes. Whoever writes more in the same turn moves to a larger one.
 *
 * @module
 */

import type { Mapping } from "../net/mapped_memory.ts";
import { Piece, type PieceKind, Slabs } from "./slabs.ts";

/** The sizes. Of large slots there are few: other large writes go piece by piece. */
const KINDS: readonly PieceKind[] = [
  { bytes: 512, slab: 1024, most: 1 << 22 },
  { bytes: 4096, slab: 256, most: 1 << 22 },
  { bytes: 64 * 1024, slab: 8, most: 32 },
];

/** Where in a slot's number its size is. Below are the bits of its index. */
const KIND_SHIFT = 22;

/** Bytes that are sent. */
export class Slot extends Piece {
  /** Its number among all slots: 24 bits. */
  readonly number: number;
  /** How many bytes fit. */
  readonly size: number;
  readonly kind: number;
  /** The memory of its slab. */
  readonly memory: Uint8Array;
  /** How many bytes it holds. */
  length = 0;
  /** How many of them were sent. */
  sent = 0;
  /** Where in the queue their send is. */
  place = 0;

  /** @param kind its size */
  constructor(index: number, slab: Mapping, at: number, kind: number) {
    super(index, slab, at);
    this.kind = kind;
    this.number = kind << KIND_SHIFT | index;
    this.size = (KINDS[kind] as PieceKind).bytes;
    this.memory = slab.bytes;
  }

  /** How many bytes were not sent yet. */
  get left(): number {
    return this.length - this.sent;
  }

  /** The lower word of the address of those. */
  get leftLow(): number {
    return (this.low + this.sent) | 0;
  }

  /** The upper word of that address. */
  get leftHigh(): number {
    if (this.sent === 0) return this.high;
    return Math.floor((this.slab.address + this.at + this.sent) / 2 ** 32);
  }
}

/** The slots of one ring. */
export class SendSlots {
  readonly #shelves: readonly Slabs<Slot>[] = KINDS.map((kind, index) => makeShelf(kind, index));
  #used = 0;

  /** How many slots belong to the kernel. */
  get used(): number {
    return this.#used;
  }

  /** Whether there may be memory that nobody needs. */
  get mayShrink(): boolean {
    for (const shelf of this.#shelves) if (shelf.mayShrink) return true;
    return false;
  }

  /** Takes a slot for so many bytes. It may be too small for them if there are no larger ones. */
  #take(length: number): Slot {
    const shelves = this.#shelves;
    const fitting = length <= 512 ? 0 : length <= 4096 ? 1 : 2;
    const slot = (shelves[fitting] as Slabs<Slot>).take() ??
      (shelves[1] as Slabs<Slot>).take();
    if (slot === undefined) {
      throw new RangeError("Cannot send: there are too many unfinished sends");
    }
    this.#used++;
    return slot;
  }

  /**
   * Copies bytes into a free slot, as many as fit.
   *
   * @returns the slot
   */
  fill(bytes: Uint8Array): Slot {
    const slot = this.#take(bytes.length);
    const length = Math.min(bytes.length, slot.size);
    slot.memory.set(length === bytes.length ? bytes : bytes.subarray(0, length), slot.at);
    slot.length = length;
    slot.sent = 0;
    return slot;
  }

  /**
   * Adds bytes behind those in a slot that the kernel does not have yet, if all of them fit, or fit
   * into a larger slot.
   *
   * @returns the slot in which all of them are now; `undefined` if nothing was added
   */
  append(slot: Slot, bytes: Uint8Array): Slot | undefined {
    const length = slot.length + bytes.length;
    const into = length <= slot.size ? slot : this.#move(slot, length);
    if (into === undefined) return undefined;
    into.memory.set(bytes, into.at + into.length);
    into.length = length;
    return into;
  }

  #move(slot: Slot, length: number): Slot | undefined {
    if (slot.sent > 0) return undefined;
    const larger = this.#take(length);
    if (length > larger.size) {
      this.give(larger);
      return undefined;
    }
    larger.memory.set(slot.memory.subarray(slot.at, slot.at + slot.length), larger.at);
    larger.length = slot.length;
    larger.sent = 0;
    larger.place = slot.place;
    this.give(slot);
    return larger;
  }

  /** Takes a slot back from the kernel. */
  give(slot: Slot): void {
    this.#used--;
    (this.#shelves[slot.kind] as Slabs<Slot>).give(slot);
  }

  /** Gives the memory of those back that nobody needs. */
  shrink(): void {
    for (const shelf of this.#shelves) shelf.shrink();
  }

  /** Gives the memory back. The ring must be closed, and nothing may be sent any more. */
  dispose(): void {
    for (const shelf of this.#shelves) shelf.dispose();
  }
}

function makeShelf(kind: PieceKind, index: number): Slabs<Slot> {
  return new Slabs(kind, (at, slab, offset) => new Slot(at, slab, offset, index));
}
