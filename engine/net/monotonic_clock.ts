/**
 * The clock that all processes of a machine have in common (CLOCK_MONOTONIC, clock_gettime(2), Linux).
 *
 * Both runtimes count `performance.now()` by it, each process from a moment of its own. What is here
 * tells how far that is from the start of the clock. `performance.timeOrigin` does not: it is the
 * time of day at that moment, which somebody may set between the starts of two processes. And a runtime
 * that is held up while it reads the two clocks is wrong for good.
 *
 * @module
 */

import { moreFunctions } from "./libc.ts";

const SIGNATURES = {
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
} as const;

const CLOCK_MONOTONIC = 1;

/** How often the two clocks are read together. The reading that was held up least is taken. */
const READINGS = 16;

let aheadMs: number | undefined;

/**
 * How far the machine's clock is ahead of this thread's `performance.now()`, in milliseconds. It stays
 * the same, to less than a microsecond.
 *
 * @throws {Error} where foreign functions cannot be called
 */
export function monotonicAheadMs(): number {
  return aheadMs ??= measure();
}

function measure(): number {
  const { clock_gettime } = moreFunctions(SIGNATURES);
  const timespec = new BigInt64Array(2);
  const bytes = new Uint8Array(timespec.buffer);
  let shortest = Infinity;
  let found = 0;
  for (let reading = 0; reading < READINGS; reading++) {
    const before = performance.now();
    clock_gettime!(CLOCK_MONOTONIC, bytes);
    const after = performance.now();
    if (after - before >= shortest) continue;
    shortest = after - before;
    const [seconds = 0n, nanoseconds = 0n] = timespec;
    found = Number(seconds) * 1_000 + Number(nanoseconds) / 1e6 - (before + after) / 2;
  }
  return found;
}
