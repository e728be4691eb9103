/**
 * Signals by their numbers.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions } from "../net/libc.ts";

/** The signal that nobody can catch. It has this number on every system: signal(7). */
export const SIGKILL = 9;

/** The signal that lets a process go on which was stopped, on Linux. */
export const SIGCONT = 18;

const SIGNATURES = {
  kill: { parameters: ["i32", "i32"], result: "i32" },
} as const satisfies ForeignSignatures;

let opened: ForeignFunctions | undefined;

/**
 * Sends a signal (kill(2)). The process may be gone already.
 *
 * @param pid the number of the process
 * @param signal the number of the signal; 0 is none, and only asks whether it could be sent
 */
export function sendSignal(pid: number, signal: number): void {
  opened ??= moreFunctions(SIGNATURES);
  opened.kill!(pid, signal);
}
