/**
 * The driver of datagrams: it runs a protocol for one datagram, which has come whole.
 *
 * There is nothing to wait for. The protocol has the bytes from the beginning. It may answer once,
 * and then it is over. Nobody knows whether the answer arrives.
 *
 * @module
 */

import type { Tasks } from "../../protocols/catalogue.ts";
import type { Effect, Protocol } from "../../protocols/effects.ts";
import {
  abandon,
  checkBytes,
  checkReport,
  failureBy,
  nothingToWaitFor,
  runTask,
  unknownEffect,
} from "./conversation.ts";
import type { Pulse } from "./pulse.ts";

/** What the driver of datagrams needs besides a conversation. */
export interface DatagramOptions {
  /** How long a computation may take, in milliseconds; 0 means for ever. */
  readonly computeTimeoutMs: number;
  /** The CPU-bound work that the conversation may ask for. It is done in place. */
  readonly tasks?: Tasks | undefined;
  /** Receives each message that the conversation reports. */
  readonly onReport?: ((message: string) => void) | undefined;
  /** Says when the thread is in the conversation's code. By default nobody is told. */
  readonly pulse?: Pulse | undefined;
}

/**
 * Holds the conversation about one datagram.
 *
 * @param conversation the protocol's side of it
 * @param options limits
 * @param answer sends one datagram back, or drops it: no protocol can tell the difference
 * @returns what the conversation returned
 * @throws what the conversation threw; {@linkcode TypeError} if it wanted to read, or to answer
 * twice
 */
export function converseOnce<Result>(
  conversation: Protocol<Result>,
  options: DatagramOptions,
  answer: (bytes: Uint8Array) => void,
): Result {
  options.pulse?.works();
  try {
    return holdOnce(conversation, options, answer);
  } catch (error) {
    throw failureBy(error);
  } finally {
    options.pulse?.rests();
  }
}

function holdOnce<Result>(
  conversation: Protocol<Result>,
  options: DatagramOptions,
  answer: (bytes: Uint8Array) => void,
): Result {
  let answered = false;
  let step = conversation.next();
  while (step.done !== true) {
    const effect: Effect = step.value;
    // A protocol may yield anything, even `undefined`.
    const kind = effect?.kind;
    if (kind === "read" || (kind === "write" && answered)) {
      abandon(conversation);
      throw new TypeError(`Cannot ${kind}: a datagram comes whole and has one answer`);
    }
    let granted: unknown;
    options.pulse?.rests();
    try {
      if (kind === "write") {
        const bytes = checkBytes(effect.bytes);
        answered = true;
        answer(bytes);
      } else granted = grant(effect, options);
    } catch (error) {
      options.pulse?.works();
      step = conversation.throw(error);
      continue;
    }
    options.pulse?.works();
    step = conversation.next(granted);
  }
  return step.value;
}

function grant(effect: Exclude<Effect, { kind: "read" | "write" }>, options: DatagramOptions) {
  switch (effect?.kind) {
    case "report":
      checkReport(effect.message);
      return options.onReport?.(effect.message);
    case "compute":
      return runTask(options.tasks, effect.task, effect.argument, {
        timeoutMs: options.computeTimeoutMs,
      });
    case "wait":
      throw nothingToWaitFor(effect);
    default:
      throw unknownEffect(effect);
  }
}
