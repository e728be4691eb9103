/**
 * What is said to the user beside the results.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";

/**
 * Says something on standard error.
 *
 * @param text one line, safe for a terminal
 */
export function say(text: string): void {
  try {
    runtime.printNow("stderr", `observe: ${text}\n`);
  } catch {
    // Nobody can be told.
  }
}
