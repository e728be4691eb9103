/**
 * How a HELLO handshake fails, in the words of this command.
 *
 * @module
 */

import { ReadTimeoutError, SessionTimeoutError } from "../../../protocols/errors.ts";
import { ConversationError, PeerGoneError } from "../../../protocols/errors.ts";
import type { Failure } from "./failure.ts";

/**
 * Tells which failure an error of the conversation is.
 *
 * @param error what the conversation threw
 * @param afterMs how long it took, in milliseconds
 */
export function helloFailure(error: unknown, afterMs: number): Failure {
  if (error instanceof ReadTimeoutError || error instanceof SessionTimeoutError) {
    return { kind: "silent", afterMs };
  }
  if (error instanceof PeerGoneError) {
    return error.cause === undefined ? { kind: "closed" } : { kind: "reset", during: "HELLO" };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return error instanceof ConversationError
    ? { kind: "wrong_answer", detail }
    : { kind: "failed", code: "HELLO", detail };
}
