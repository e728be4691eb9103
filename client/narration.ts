/**
 * A conversation told step by step, for who wants to see it happen.
 *
 * @module
 */

import type { Protocol } from "../protocols/effects.ts";
import { escapeBytes } from "../protocols/text.ts";
import type { Tell } from "../engine/dial/target.ts";
import { printNote } from "./output.ts";

/**
 * Says each step with the milliseconds since the first, on standard error.
 *
 * @param startedAt when the first was, on the clock of `performance.now()`
 * @param prefix what each line begins with
 */
export function narrator(startedAt: number, prefix: string): Tell {
  return (step) => {
    const ms = (performance.now() - startedAt).toFixed(1).padStart(8);
    printNote(`${prefix}${ms} ms  ${step}`);
  };
}

/**
 * The same conversation, told step by step.
 *
 * @param conversation any
 * @param tell is told
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
