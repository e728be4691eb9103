/**
 * The signals that ask a program to end.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/**
 * Calls a function at SIGINT, as from Ctrl-C, and at SIGTERM, instead of their usual effect.
 *
 * @param handler is called each time
 * @returns a function that stops the calls
 */
export function onInterrupt(handler: () => void): () => void {
  const forget = [runtime.onSignal("SIGINT", handler), runtime.onSignal("SIGTERM", handler)];
  return () => forget.forEach((stop) => stop());
}
