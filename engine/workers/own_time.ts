/**
 * How this thread has spent its time, as the scheduler counts it.
 *
 * @module
 */

import { readFileSync } from "node:fs";

/** How many milliseconds this thread has run, and has waited to run. */
export interface OwnTime {
  readonly ranMs: number;
  readonly waitedMs: number;
}

let isHidden = false;

/** How this thread has spent its time so far; `undefined` if the system does not tell. */
export function ownTime(): OwnTime | undefined {
  if (isHidden) return undefined;
  try {
    // The file describes the thread that reads it, in nanoseconds (proc(5)).
    const [ran, waited] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ").map(
      Number,
    );
    return { ranMs: (ran as number) / 1e6, waitedMs: (waited as number) / 1e6 };
  } catch {
    // Not on Linux, or it must not be read.
    isHidden = true;
    return undefined;
  }
}
