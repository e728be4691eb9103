/**
 * The noise floor of a machine: for how long a thread that is always busy is not run, because other
 * threads, the kernel or the machine around a virtual one have the processor.
 *
 * A thread reads the clock again and again. Where two readings lie far apart, it was not run. The
 * tracer `hwlat` of Linux and jHiccup of Gil Tene measure in the same way.
 *
 * @module
 */

// @ts-types="../../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import type { Noise } from "./results.ts";

/** How long the clock is read, in milliseconds: in parts, between which signals are heard. */
const PARTS = 4;
const PART_MS = 50;

/** From when on a gap is one, in milliseconds. Reading the clock takes less than a microsecond. */
const GAP_MS = 0.02;

/** Reads the clock for a fifth of a second. */
export async function measureNoise(): Promise<Noise> {
  let longest = 0;
  let lost = 0;
  let spun = 0;
  for (let part = 0; part < PARTS; part++) {
    const gaps = spin(PART_MS);
    longest = Math.max(longest, gaps.longest);
    lost += gaps.lost;
    spun += gaps.spun;
    await delay(0);
  }
  return {
    spun_ms: rounded(spun),
    longest_us: Math.round(longest * 1_000),
    lost_share: Number((lost / spun).toFixed(4)),
  };
}

/** What was seen of a clock, in milliseconds. */
export interface Gaps {
  readonly longest: number;
  /** All gaps together. */
  readonly lost: number;
  readonly spun: number;
}

/**
 * Reads a clock again and again.
 *
 * @param ms for how long, in milliseconds
 * @param clock returns the time in milliseconds
 */
export function spin(ms: number, clock: () => number = () => performance.now()): Gaps {
  const beganAt = clock();
  const endsAt = beganAt + ms;
  let longest = 0;
  let lost = 0;
  let last = beganAt;
  while (last < endsAt) {
    const now = clock();
    const gap = now - last;
    if (gap > longest) longest = gap;
    if (gap > GAP_MS) lost += gap;
    last = now;
  }
  return { longest, lost, spun: last - beganAt };
}

function rounded(ms: number): number {
  return Number(ms.toFixed(2));
}
