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
 * How many more steps are traced as they are made. Their constructors ask first: a runtime makes no
 * object at all of a step that is handed to nobody.
 */
export let tracedSteps = 0;

/** The step that was traced last, and where it was made. */
let traced: unknown;
let trace: Error | undefined;

/**
 * Traces the next steps as they are made. A step that is yielded without `yield*` is never started, so
 * only the place where it was made tells whose mistake that is. A trace takes microseconds, so there
 * are some for whoever tries a protocol out, and more whenever the mistake was seen.
 */
export function traceSteps(): void {
  tracedSteps = 256;
}

/**
 * A step was made. Its constructor calls this while {@linkcode tracedSteps} is not 0.
 *
 * @param step the step
 */
export function stepMade(step: object): void {
  tracedSteps--;
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
