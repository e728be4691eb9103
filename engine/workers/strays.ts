/**
 * Strays: errors that nothing catches. A timer, a microtask or a listener throws, or a promise is
 * rejected that nobody awaits.
 *
 * A runtime ends the whole thread for one of them, and with it everybody whom the thread serves. A
 * protocol is somebody else's code, so our own threads go on: the error is told and counted. Our own
 * threads are the Workers that we start, and the main thread of our own command line. On the main
 * thread of somebody's program that uses the library, errors are that program's affair.
 *
 * Only one kind of stray has a known culprit: an error of a listener, while we dispatch the event
 * ourselves. {@linkcode collectStrays} finds those, on every thread.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { describeWithPlace } from "../values/places.ts";

/** How long strays are only counted after a report, in milliseconds. */
const PAUSE_MS = 20;

/** What is told of strays: plain data, so that it can come from another thread. */
export interface StrayReport {
  /** What the latest one says. */
  readonly error: string;
  /** How many there were since the last report, with this one. */
  readonly count: number;
}

/** The errors of the work in {@linkcode collectStrays}, while that runs. */
let collected: unknown[] | undefined;

/** Whether this thread has a receiver for all strays. */
let isGuarded = false;

/**
 * Lets this thread go on after strays, and reports them. The first one is reported at once. After a
 * report the next ones are only counted for a moment, so a flood of them makes few reports.
 */
export class ThreadGuard {
  readonly #report: (report: StrayReport) => void;
  readonly #forget: () => void;
  #error = "";
  #count = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param report receives the reports; all their counts together are the number of strays */
  constructor(report: (report: StrayReport) => void) {
    this.#report = report;
    this.#forget = runtime.onStray((thrown) => {
      if (collected !== undefined) return void collected.push(thrown);
      this.#error = describeWithPlace(thrown);
      this.#count++;
      if (this.#timer === undefined) this.flush();
    });
    isGuarded = true;
  }

  /** Reports at once what was only counted. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    this.#report({ error: this.#error, count: this.#count });
    this.#count = 0;
    this.#timer = setTimeout(() => this.flush(), PAUSE_MS);
    runtime.unrefTimer(this.#timer);
  }

  /** From now on an error that nothing catches ends the thread. */
  end(): void {
    this.flush();
    clearTimeout(this.#timer);
    this.#forget();
    isGuarded = false;
  }
}

/**
 * Does work that dispatches an event of ours, and finds out what its listeners throw. Without this,
 * such an error would be a stray.
 *
 * @param dispatch dispatches the event before it returns
 * @returns what the listeners have thrown
 */
export function collectStrays(dispatch: () => void): readonly unknown[] {
  const outer = collected;
  const errors: unknown[] = collected = [];
  // Where nobody guards the thread, the runtime must not end it for these.
  const forget = isGuarded ? undefined : runtime.onStray((error) => void errors.push(error));
  try {
    dispatch();
  } finally {
    forget?.();
    collected = outer;
  }
  return errors;
}
