/**
 * The signals that ask a program to end.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/**
 * Calls back at SIGINT, as of Ctrl-C, and at SIGTERM, in place of what they would do.
 *
 * @param handler called each time
 * @returns a function after which it is not called any more
 */
export function onInterrupt(handler: () => void): () => void {
  const forget = [runtime.onSignal("SIGINT", handler), runtime.onSignal("SIGTERM", handler)];
  return () => forget.forEach((stop) => stop());
}
