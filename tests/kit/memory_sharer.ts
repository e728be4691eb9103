/**
 * A process that has memory in common with the tests, for `common_memory_test.ts`, and a thread of it.
 *
 * @module
 */

import { CommonMemory } from "../../engine/net/common_memory.ts";
import { isMainModule, runtime } from "../../engine/net/runtime.ts";

/** What they share: see {@linkcode WORD}. */
export interface Sharing {
  readonly memory: SharedArrayBuffer;
}

/** The words of the shared memory. */
export const WORD = {
  /** Both sides add to it. */
  sum: 0,
  /** Both sides raise it by compare and exchange. */
  raised: 16,
  /** How often each side has done so. */
  ofTests: 32,
  ofProcess: 48,
  /** The process says that it is there. */
  here: 64,
  /** The tests say that it may begin. */
  begin: 65,
  /** A thread of the process writes it. */
  ofThread: 66,
} as const;

/** How often each side adds at least. */
export const TIMES = 100_000;

/** How often the other side must have added meanwhile: on a busy machine they take long turns. */
const TURNS = 1_000;

/** But they end in any case after so many. */
const MOST_TIMES = 2_000_000;

/** The descriptor that the process inherits. */
const INHERITED = 3;

const THREAD = "memory sharer";

/**
 * Adds to both words, while the other process does so.
 *
 * @param memory the shared memory @param own where this side counts @param other where the other does
 */
export function addUp(memory: SharedArrayBuffer, own: number, other: number): void {
  const words = new Int32Array(memory);
  let turns = 0;
  let seen = 0;
  for (let count = 1; count <= MOST_TIMES && (count <= TIMES || turns < TURNS); count++) {
    Atomics.add(words, WORD.sum, 1);
    for (;;) {
      const value = Atomics.load(words, WORD.raised);
      if (Atomics.compareExchange(words, WORD.raised, value, value + 1) === value) break;
    }
    Atomics.store(words, own, count);
    const now = Atomics.load(words, other);
    if (now !== seen) turns++;
    seen = now;
  }
}

function main([description]: readonly string[]): void {
  const { memory } = CommonMemory.open(INHERITED).find(description as string) as Sharing;
  const words = new Int32Array(memory);
  Atomics.store(words, WORD.here, 1);
  while (Atomics.load(words, WORD.begin) === 0) { /* Nobody can wake this process. */ }
  addUp(memory, WORD.ofProcess, WORD.ofTests);
  const thread = runtime.startThread(import.meta.url, THREAD);
  thread.onmessage = () => thread.terminate();
  thread.postMessage(memory);
}

if (isMainModule(import.meta)) main(runtime.args);
if (runtime.threadName === THREAD) {
  const scope = globalThis as unknown as Worker;
  scope.onmessage = ({ data }: MessageEvent<SharedArrayBuffer>) => {
    Atomics.store(new Int32Array(data), WORD.ofThread, 1);
    scope.postMessage("done");
  };
}
