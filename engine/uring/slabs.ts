/**
 * Mapped memory in pieces of one size, for what the kernel reads and writes by itself.
 *
 * Pieces are mapped a slab at a time, when there are not enough. The one that was used last is used
 * next: it is still in the processor's cache. After a rush there are many that nobody needs. Then the
 * system gets their memory back, and their addresses stay: it costs nothing to use them again.
 *
 * @module
 */

import { Mapping } from "../net/mapped_memory.ts";

/** One kind of pieces. */
export interface PieceKind {
  /** How many bytes a piece has. */
  readonly bytes: number;
  /** How far apart they lie. @default {bytes} */
  readonly stride?: number;
  /** How many are mapped at a time. */
  readonly slab: number;
  /** How many there may be. */
  readonly most: number;
}

/** A piece of mapped memory. */
export class Piece {
  /** Its number among those of its kind. */
  readonly index: number;
  /** The slab in which it lies, and where in it. */
  readonly slab: Mapping;
  readonly at: number;
  /** The two words of its address. */
  readonly low: number;
  readonly high: number;

  /** @param index its number @param slab its slab @param at where in it */
  constructor(index: number, slab: Mapping, at: number) {
    this.index = index;
    this.slab = slab;
    this.at = at;
    const address = slab.address + at;
    this.low = address | 0;
    this.high = Math.floor(address / 2 ** 32);
  }
}

/** The pieces of one kind. */
export class Slabs<Made extends Piece> {
  readonly kind: PieceKind;
  /** Whether there may be memory that nobody needs, so that {@linkcode Slabs.shrink} is worth it. */
  mayShrink = false;
  /** All pieces, by their numbers. */
  readonly pieces: Made[] = [];
  readonly #make: (index: number, slab: Mapping, at: number) => Made;
  readonly #slabs: Mapping[] = [];
  readonly #free: Made[] = [];
  readonly #kept: number;

  /** @param kind how large the pieces are @param make makes one */
  constructor(kind: PieceKind, make: (index: number, slab: Mapping, at: number) => Made) {
    this.kind = kind;
    this.#kept = kind.slab;
    this.#make = make;
  }

  /** How many pieces nobody has. */
  get free(): number {
    return this.#free.length;
  }

  /**
   * Takes a piece that nobody has.
   *
   * @returns the piece; `undefined` if there may be no more
   */
  take(): Made | undefined {
    if (this.#free.length === 0) this.#grow();
    return this.#free.pop();
  }

  /** Gives a piece back. */
  give(piece: Made): void {
    this.#free.push(piece);
    if (piece.index >= this.#kept) this.mayShrink = true;
  }

  #grow(): void {
    const { bytes, stride = bytes, slab: count, most } = this.kind;
    const first = this.pieces.length;
    const made = Math.min(count, most - first);
    if (made <= 0) return;
    const slab = new Mapping(made * stride);
    this.#slabs.push(slab);
    for (let at = 0; at < made; at++) this.pieces.push(this.#make(first + at, slab, at * stride));
    // The first ones are used first.
    for (let at = made - 1; at >= 0; at--) this.#free.push(this.pieces[first + at] as Made);
  }

  /** Gives the memory back of pieces that nobody has, except for those of the first slab. */
  shrink(): void {
    this.mayShrink = false;
    const { bytes, stride = bytes } = this.kind;
    // From now on the first ones are used first again.
    const free = this.#free.sort((one, other) => other.index - one.index);
    for (let at = 0; at < free.length;) {
      const last = free[at] as Made;
      if (last.index < this.#kept) return;
      // Those that lie side by side are one stretch.
      let first = last;
      for (at++; at < free.length; at++) {
        const piece = free[at] as Made;
        if (piece.index !== first.index - 1 || piece.slab !== first.slab) break;
        first = piece;
      }
      last.slab.forget(first.at, last.at - first.at + stride);
    }
  }

  /** Gives all memory back. Nobody may use a piece any more. */
  dispose(): void {
    for (const slab of this.#slabs) slab.unmap();
  }
}
