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

/**
 * How many more steps call {@linkcode stepMade}. Their constructors ask first: a runtime makes no
 * object at all of a step that is handed to nobody.
 */
export let tracedSteps = 0;

/** The step that was traced last, and where it was made. */
let traced: unknown;
let trace: Error | undefined;

/** How many steps are traced of a protocol that was just loaded. Somebody may be trying it out. */
export const STEPS_AT_FIRST = 256;

/** How many steps are traced once the mistake was seen. It takes a fifth of a second in all. */
export const STEPS_AFTER_MISTAKE = 65_536;

/**
 * Traces the next steps as they are made. A step that is yielded without `yield*` is never started, so
 * only the place where it was made tells whose mistake that is. A trace takes microseconds, so it is
 * not made of all steps for ever.
 *
 * @param count how many steps are traced at least
 */
export function traceSteps(count: number): void {
  // One more lets go of the last of them.
  tracedSteps = Math.max(tracedSteps, count + 1);
}

/**
 * A step was made. Its constructor calls this while {@linkcode tracedSteps} is not 0.
 *
 * @param step the step
 */
export function stepMade(step: object): void {
  tracedSteps--;
  traced = trace = undefined;
  // The step before was the last one. It is let go with the bytes that it sends.
  if (tracedSteps === 0) return;
  traced = step;
  trace = new Error("Made here");
}

/**
 * Adds to an error of a driver where the step was made that it is about, if that is known.
 *
 * @param error the error
 * @param step the step
 * @returns the same
 */
export function madeHere(error: Error, step: unknown): Error {
  if (trace !== undefined && step === traced) error.stack = `${error.stack}\n${trace.stack}`;
  return error;
}
