/**
 * Bytes that have come and were not asked for. They wait in blocks of mapped memory, in the order in
 * which they came.
 *
 * Whoever sends much and reads little would otherwise have the heap grow: its memory for bytes lies
 * outside of what the garbage collector counts as its own, and is given back late.
 *
 * @module
 */

import { Piece, Slabs } from "./slabs.ts";

/** How many bytes a block has. */
const BLOCK_BYTES = 16 * 1024;

/** A part of what has come. */
class Block extends Piece {
  length = 0;

  /** Its bytes. */
  get bytes(): Uint8Array {
    return this.slab.bytes.subarray(this.at, this.at + this.length);
  }
}

/** The blocks of one ring. */
export class UnreadBlocks extends Slabs<Block> {
  constructor() {
    const kind = { bytes: BLOCK_BYTES, slab: 16, most: 1 << 20 };
    super(kind, (index, slab, at) => new Block(index, slab, at));
  }
}

/** What waits for one connection. */
export class Unread {
  readonly #blocks: UnreadBlocks;
  readonly #waiting: Block[] = [];
  /** The block that whoever reads is working on. */
  #lent: Block | undefined;
  #length = 0;

  /** @param blocks where it waits */
  constructor(blocks: UnreadBlocks) {
    this.#blocks = blocks;
  }

  /** How many bytes wait. */
  get length(): number {
    return this.#length;
  }

  /** Adds bytes. They are copied. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const block = this.#withRoom();
      const end = Math.min(bytes.length, at + BLOCK_BYTES - block.length);
      block.slab.bytes.set(bytes.subarray(at, end), block.at + block.length);
      block.length += end - at;
      at = end;
    }
    this.#length += bytes.length;
  }

  #withRoom(): Block {
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.length < BLOCK_BYTES) return last;
    const block = this.#blocks.take();
    if (block === undefined) throw new RangeError("Cannot receive: too much is unread");
    block.length = 0;
    this.#waiting.push(block);
    return block;
  }

  /**
   * Takes bytes out. They are valid until bytes are taken out again.
   *
   * @returns the bytes; `undefined` if none wait
   */
  take(): Uint8Array | undefined {
    if (this.#lent !== undefined) this.#blocks.give(this.#lent);
    this.#lent = this.#waiting.shift();
    if (this.#lent === undefined) return undefined;
    this.#length -= this.#lent.length;
    return this.#lent.bytes;
  }

  /** Throws all bytes away. */
  clear(): void {
    while (this.take() !== undefined);
  }
}
