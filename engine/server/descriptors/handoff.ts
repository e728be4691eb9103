/**
 * How a connection reaches the thread that serves it.
 *
 * @module
 */

import { whyNoSockets } from "../../net/libc.ts";
import { choiceOption, type Option, OptionError } from "../../cli/options.ts";

/**
 * With `fd` the thread gets the connection's descriptor, a number, and makes the system calls
 * itself. With `message` the main thread makes them, and copies every byte to and from the thread.
 */
export type Handoff = "fd" | "message";

/** The option of the modes that have threads. */
export const HANDOFF: Option<Handoff> = choiceOption("handoff", {
  choices: ["fd", "message"],
  default: () => whyNoSockets() === undefined ? "fd" : "message",
  shown: "fd where foreign functions work",
  help: "give a thread the descriptor, or copy the bytes to it",
});

/**
 * Chooses how connections are handed over.
 *
 * @param wanted what the caller wants, if anything
 * @returns the way, and a note for the line that says where the server listens
 * @throws {OptionError} if there is no such way, or if the caller wants descriptors where they
 * cannot be used
 */
export function chooseHandoff(wanted: Handoff | undefined): { handoff: Handoff; note: string } {
  const handoff = HANDOFF.read(wanted);
  const why = whyNoSockets();
  if (handoff === "message") {
    const isChosen = wanted === "message" || why === undefined;
    return { handoff, note: isChosen ? "messages" : `messages: ${why}` };
  }
  if (why !== undefined) throw new OptionError(`Cannot hand over descriptors: ${why}`);
  return { handoff, note: "descriptors" };
}
