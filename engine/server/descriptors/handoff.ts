/**
 * How a connection reaches the thread that serves it.
 *
 * @module
 */

import { whyNoSockets } from "../../net/libc.ts";
import { OptionError } from "../../values/checks.ts";
import type { Flag } from "../../cli/flags.ts";

/**
 * `fd`: its descriptor, a number, and the thread makes the system calls itself. `message`: the
 * main thread makes them and copies every byte to and from the thread.
 */
export type Handoff = "fd" | "message";

/** The flag of the modes that have threads. */
export const HANDOFF_FLAG: Flag = {
  name: "handoff",
  kind: "choice",
  choices: ["fd", "message"],
  default: "fd where foreign functions work",
  help: "give a thread the descriptor, or copy the bytes to it",
};

/**
 * Chooses how connections are handed over.
 *
 * @param wanted what the caller wants, if anything
 * @returns the way, and a note on it for the line that says where the server listens
 * @throws {OptionError} if descriptors are wanted where they cannot be used
 */
export function chooseHandoff(wanted: Handoff | undefined): { handoff: Handoff; note: string } {
  if (wanted === "message") return { handoff: "message", note: "messages" };
  const why = whyNoSockets();
  if (why === undefined) return { handoff: "fd", note: "descriptors" };
  if (wanted === "fd") throw new OptionError(`Cannot hand over descriptors: ${why}`);
  return { handoff: "message", note: `messages: ${why}` };
}
