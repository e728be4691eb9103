/**
 * A port that two processes share for a moment: the first one leaves it to the second.
 *
 * @module
 */

import { whyNoSockets } from "../../net/libc.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";
import { pause } from "../../values/pause.ts";

/** The listener of a process that takes over has come second to the port. */
const SECOND = 1;

/** How long connections that are being opened may take until they are accepted, in milliseconds. */
const OPENING_MS = 50;

/**
 * Has the kernel give all new connections to the process that has taken over: those that wait to be
 * accepted when a listener closes are reset.
 *
 * @param descriptor the listener of the process that leaves, if it is known
 */
export async function steerAway(descriptor: number | undefined): Promise<void> {
  if (descriptor === undefined || whyNoSockets() !== undefined) return;
  const { attachSteering, steerSyns } = await import("./steering.ts");
  try {
    attachSteering(sockets(), descriptor, steerSyns([SECOND]));
  } catch (error) {
    // Nobody shares the port, or this kernel cannot do that.
    if (error instanceof SocketError) return;
    throw error;
  }
  await pause(OPENING_MS);
}
