/**
 * What is done again and again until the user, a limit or the reader ends it.
 *
 * @module
 */

import { enoughHaste } from "../report/haste.ts";
import type { Values } from "../../engine/cli/flags.ts";
import { type Option, valueOf } from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import { onInterrupt } from "../../engine/process/interrupts.ts";
import type { Duration } from "../../engine/values/durations.ts";

/** The longest share of the time that the work itself may take: one part in this many. */
const SHARE = 4;

/** How long there are turns. */
export const FOR: Option<number, Duration> = durationOption("for", {
  help: "end after that time, instead of at Ctrl-C",
});

/**
 * A limit, if the user has set one.
 *
 * @param option the limit
 * @param values what the user has given
 * @returns `Infinity` if there is none
 */
export function limitOf<Given>(option: Option<number, Given>, values: Values): number {
  return values[option.option] === undefined ? Infinity : valueOf(option, values);
}

/** Turns, one after each interval, that end at Ctrl-C. */
export class Turns implements Disposable {
  readonly #intervalMs: number;
  readonly #endsAt: number;
  readonly #forget: () => void;
  readonly #interrupted = Promise.withResolvers<void>();
  readonly #wake = new Set<() => void>();
  #isOver = false;
  #beganAt = -Infinity;

  /**
   * @param intervalMs from one turn to the next, in milliseconds; longer if the work takes long
   * @param forMs when to end, in milliseconds from now
   */
  constructor(intervalMs: number, forMs = Infinity) {
    this.#intervalMs = intervalMs;
    this.#endsAt = performance.now() + forMs;
    this.#forget = onInterrupt(() => {
      this.#interrupted.resolve();
      this.stop();
    });
  }

  /** Resolves a moment after Ctrl-C: whoever pressed it does not wait for a reader that is stuck. */
  async interrupted(): Promise<void> {
    await this.#interrupted.promise;
    await enoughHaste();
  }

  /** Whether there are no more turns. */
  get isOver(): boolean {
    return this.#isOver || performance.now() >= this.#endsAt;
  }

  /** Ends the turns: the one that is awaited does not come. */
  stop(): void {
    this.#isOver = true;
    for (const wake of this.#wake) wake();
  }

  /**
   * Waits for the next turn.
   *
   * @returns whether there is one
   */
  async next(): Promise<boolean> {
    const now = performance.now();
    const dueAt = Math.max(
      this.#beganAt + this.#intervalMs,
      // After work that has taken long, most of the machine's time is left to others.
      this.#beganAt === -Infinity ? now : now + (SHARE - 1) * (now - this.#beganAt),
    );
    await this.rest(Math.min(dueAt, this.#endsAt) - now);
    this.#beganAt = performance.now();
    return !this.isOver;
  }

  /** Waits, but not beyond the end. @param ms how long, in milliseconds */
  async rest(ms: number): Promise<void> {
    if (this.#isOver) return;
    await new Promise<void>((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#wake.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, Math.max(0, ms));
      this.#wake.add(wake);
    });
  }

  /** Stops to listen for Ctrl-C. */
  [Symbol.dispose](): void {
    this.#forget();
  }
}
