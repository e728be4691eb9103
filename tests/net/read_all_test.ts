/**
 * Texts of files are read whole, in memory that is used again.
 *
 * @module
 */

import { readAll } from "../../engine/net/read_all.ts";
import { assertEquals, test } from "../kit/harness.ts";

/** Reads what comes in pieces of so many bytes at most, and notes the memory that it came in. */
function readInPieces(
  content: string | Uint8Array,
  most: number,
  memories = new Set<ArrayBufferLike>(),
): string {
  const all = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return readAll((buffer, at) => {
    memories.add(buffer.buffer);
    const piece = all.subarray(at, at + Math.min(most, buffer.length));
    buffer.set(piece);
    return piece.length;
  });
}

test("a text is read whole, also if a letter comes in two pieces or the buffer is full", () => {
  assertEquals(readInPieces("", 1), "");
  assertEquals(readInPieces("Grüße, 世界 🌍", 1), "Grüße, 世界 🌍");
  const long = "MemTotal: 世界\n".repeat(5_000);
  assertEquals(readInPieces(long, Infinity), long);
});

test("a text is read into the memory of the one before, and nothing of that one is left", () => {
  const memories = new Set<ArrayBufferLike>();
  assertEquals(readInPieces("a long text\n".repeat(3_000), Infinity, memories).length, 36_000);
  assertEquals(readInPieces("a short one", Infinity, memories), "a short one");
  // What was cut in the middle of a letter is no part of the next text either.
  const half = new TextEncoder().encode("世").subarray(0, 2);
  assertEquals(readInPieces(half, Infinity, memories), "\uFFFD");
  assertEquals(readInPieces("whole", 2, memories), "whole");
  assertEquals(memories.size, 1);
});
