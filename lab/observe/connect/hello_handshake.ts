/**
 * A HELLO handshake, and how it fails in the words of this command.
 *
 * @module
 */

import type { Protocol } from "../../../protocols/effects.ts";
import { helloClient } from "../../../protocols/hello.ts";
import { ReadTimeoutError, SessionTimeoutError } from "../../../protocols/errors.ts";
import { ConversationError, PeerGoneError } from "../../../protocols/errors.ts";
import type { Failure } from "./failure.ts";
import { HELLO_NUMBER } from "./probe.ts";

/** One handshake. */
export class HelloHandshake {
  #received = 0;

  /** The client's side of it, which counts the bytes that come. */
  *conversation(): Protocol<number> {
    const hello = helloClient(HELLO_NUMBER);
    let step = hello.next();
    while (step.done !== true) {
      let answer: unknown;
      try {
        answer = yield step.value;
      } catch (error) {
        step = hello.throw(error);
        continue;
      }
      if (answer instanceof Uint8Array) this.#received += answer.length;
      step = hello.next(answer);
    }
    return step.value;
  }

  /**
   * Tells which failure an error of the conversation is.
   *
   * @param error what the conversation threw
   * @param afterMs how long it took, in milliseconds
   */
  failure(error: unknown, afterMs: number): Failure {
    if (error instanceof ReadTimeoutError || error instanceof SessionTimeoutError) {
      const received = this.#received;
      return { kind: "silent", afterMs, ...(received > 0 && { received }) };
    }
    if (error instanceof PeerGoneError) {
      return error.cause === undefined ? { kind: "closed" } : { kind: "reset", during: "HELLO" };
    }
    const detail = error instanceof Error ? error.message : String(error);
    return error instanceof ConversationError
      ? { kind: "wrong_answer", detail }
      : { kind: "failed", code: "HELLO", detail };
  }
}
