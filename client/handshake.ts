/**
 * One handshake, from the server's name to its answer, over either kind of {@linkcode Dialer}.
 *
 * @module
 */

import { helloClient } from "../protocols/hello.ts";
import type { Dialer } from "../engine/dial/dialer.ts";
import { narrate } from "./narration.ts";
import type { Tell } from "../engine/dial/target.ts";
import { connect, type Target } from "../engine/dial/target.ts";

/** A server, and how to shake hands with it. */
export interface HandshakeTarget extends Target {
  /** How long an answer without a line end waits for more, in milliseconds; 0 turns it off. */
  readonly graceMs: number;
}

/**
 * Performs a handshake over a connection of its own.
 *
 * @param dialer makes the connection
 * @param target the server
 * @param addresses the server's addresses; the first that answers is taken
 * @param x the initial sequence number
 * @param tell is told of each step; may be left out
 * @returns the sequence number that the server answered
 * @throws {ConnectError} if no address can be connected to
 * @throws {ConversationError} if the handshake fails
 * @throws {InterruptedError} if the dialer was interrupted
 */
export async function shakeHands(
  dialer: Dialer,
  target: HandshakeTarget,
  addresses: readonly string[],
  x: number,
  tell?: Tell,
): Promise<number> {
  const call = await connect(dialer, target, addresses, tell);
  const { graceMs } = target;
  const conversation = helloClient(x, { graceMs });
  if (tell === undefined) return await call.converse(conversation);
  return await call.converse(narrate(conversation, tell));
}
