/**
 * Who tries what, where there is no time for everything.
 *
 * A defect mostly belongs to one thing: to a mode, to what is asked of it, or to a runtime. What
 * depends on all three at once is rare. So every mode is asked everything, and each runtime asks
 * everything, but a mode is asked the same on one of the two runtimes only. With `LONG_TESTS=1` it is
 * asked on both.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../engine/net/runtime.ts";

/** Whether there is time for everything. */
export const IS_LONG: boolean = process.env.LONG_TESTS === "1";

/**
 * Whether something is tried on this runtime. Of two numbers that follow each other one is tried here,
 * and the other one on the other runtime.
 *
 * @param turn the number of what is tried
 */
export function isOurs(turn: number): boolean {
  return IS_LONG || turn % 2 === (runtime.name === "deno" ? 0 : 1);
}

/**
 * Registers tests of which every other one is tried on this runtime.
 *
 * @param first the number of the first of them
 * @param register registers a test, as `test` does
 * @returns the same for those that take turns
 */
export function takeTurns<Parts extends readonly unknown[]>(
  first: number,
  register: (...parts: Parts) => void,
): (...parts: Parts) => void {
  let turn = first;
  return (...parts) => {
    if (isOurs(turn++)) register(...parts);
  };
}

/**
 * Why something is not tried on this runtime that does not depend on it; `undefined` if it is.
 *
 * @param turn the number of what is tried
 */
export function whyTheirs(turn: number): string | undefined {
  if (isOurs(turn)) return undefined;
  const other = runtime.name === "deno" ? "Bun" : "Deno";
  return `it does not depend on the runtime: ${other} tries it, and with LONG_TESTS=1 both do`;
}
