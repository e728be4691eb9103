/**
 * A conversation told step by step, for those who want to see it happen.
 *
 * @module
 */

import type { Protocol } from "../protocols/effects.ts";
import { escapeBytes } from "../protocols/text.ts";
import type { Tell } from "../engine/dial/target.ts";
import { printNote } from "./output.ts";

/**
 * Makes a function that prints each step to standard error, with the time in milliseconds.
 *
 * @param startedAt the time to count from, on the clock of `performance.now()`
 * @param prefix the text that each line begins with
 */
export function narrator(startedAt: number, prefix: string): Tell {
  return (step) => {
    const ms = (performance.now() - startedAt).toFixed(1).padStart(8);
    printNote(`${prefix}${ms} ms  ${step}`);
  };
}

/**
 * Runs a conversation unchanged, and tells each step.
 *
 * @param conversation any conversation
 * @param tell is told each step
 */
export function* narrate<Result>(conversation: Protocol<Result>, tell: Tell): Protocol<Result> {
  try {
    let step = conversation.next();
    while (step.done !== true) {
      const effect = step.value;
      if (effect.kind === "read" && effect.withinMs !== undefined) {
        tell(`no line end: waiting ${effect.withinMs} ms for more`);
      }
      let answer: unknown;
      try {
        answer = yield effect;
      } catch (error) {
        step = conversation.throw(error);
        continue;
      }
      if (effect.kind === "write") tell(`sent "${escapeBytes(effect.bytes)}"`);
      else if (effect.kind === "read") tell(describeAnswer(answer));
      step = conversation.next(answer);
    }
    tell("done");
    return step.value;
  } finally {
    // The driver may have ended it early.
    conversation.return(undefined as Result);
  }
}

function describeAnswer(answer: unknown): string {
  if (answer === null) return "received the end (FIN)";
  if (answer === undefined) return "nothing more came";
  return `received "${escapeBytes(answer as Uint8Array, 200)}"`;
}
