/**
 * Whose mistake an error of a driver is.
 *
 * @module
 */

import { ConversationError } from "./errors.ts";

/** How long a trace may become, in characters: an error that is thrown again would add to it. */
const LONGEST = 8 * 1024;

/**
 * Adds to an error of a driver who has asked for what it refuses. The driver has made the error while
 * the protocol was suspended, so its trace knows nothing of the protocol. A step that throws it on
 * has the protocol's frame above its own.
 *
 * @param error what the driver throws into a step
 * @returns the same
 */
export function askedHere(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof ConversationError) return error;
  try {
    const trace = String(error.stack);
    if (trace.length < LONGEST) error.stack = `${trace}\n${new Error("Asked here").stack}`;
  } catch {
    // Its trace cannot be read, or not be written.
  }
  return error;
}
