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
  /** The process says that it is there. */
  here: 32,
  /** The tests say that it may begin. */
  begin: 33,
  /** A thread of the process writes it. */
  ofThread: 34,
} as const;

/** How often each side adds. */
export const TIMES = 100_000;

/** The descriptor that the process inherits. */
const INHERITED = 3;

const THREAD = "memory sharer";

/** Adds to both words, while the other process does so. */
export function addUp(memory: SharedArrayBuffer): void {
  const words = new Int32Array(memory);
  for (let count = 0; count < TIMES; count++) {
    Atomics.add(words, WORD.sum, 1);
    for (;;) {
      const value = Atomics.load(words, WORD.raised);
      if (Atomics.compareExchange(words, WORD.raised, value, value + 1) === value) break;
    }
  }
}

function main([description]: readonly string[]): void {
  const { memory } = CommonMemory.open(INHERITED).find(description as string) as Sharing;
  const words = new Int32Array(memory);
  Atomics.store(words, WORD.here, 1);
  while (Atomics.load(words, WORD.begin) === 0) { /* Nobody can wake this process. */ }
  addUp(memory);
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
