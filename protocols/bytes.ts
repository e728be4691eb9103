/**
 * How to join bytes, and memory for them.
 *
 * @module
 */

/**
 * Joins pieces into one.
 *
 * @param pieces in order
 * @returns all their bytes, a copy
 */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const piece of pieces) length += piece.length;
  const joined = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}

/** How large a slab is, in bytes: the memory that many small messages share. */
const SLAB = 16 * 1024;

/** The longest message that gets a part of a slab, in bytes. */
const SMALL = 1024;

let slab = new Uint8Array(SLAB);
let used = 0;

/**
 * Memory for a message. Small messages share a slab: a runtime takes longer to make an array for
 * each of them than the message takes on its way.
 *
 * @param length how many bytes
 * @returns that many zeros, which nobody else uses
 */
export function takeBytes(length: number): Uint8Array {
  if (length > SMALL) return new Uint8Array(length);
  if (used + length > SLAB) {
    slab = new Uint8Array(SLAB);
    used = 0;
  }
  return slab.subarray(used, used += length);
}
