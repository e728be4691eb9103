/**
 * The user's wish to end, which every wait can be ended by.
 *
 * @module
 */

/** What a wait gives that was ended. */
export const INTERRUPTED: unique symbol = Symbol("interrupted");

/**
 * The wish to end. A promise would do the same, but `Promise.race` with one that lives as long as the
 * program keeps every wait in memory.
 */
export class Interrupt {
  readonly #waiting = new Set<() => void>();
  #isOver = false;

  /** Whether the user wants to end. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Ends all waits, and those to come. */
  end(): void {
    this.#isOver = true;
    for (const stop of this.#waiting) stop();
  }

  /**
   * Waits for a promise.
   *
   * @param promise what is waited for
   * @returns its value, or {@linkcode INTERRUPTED}
   */
  race<Value>(promise: Promise<Value>): Promise<Value | typeof INTERRUPTED> {
    return new Promise((resolve, reject) => {
      const stop = () => resolve(INTERRUPTED);
      if (this.#isOver) stop();
      else this.#waiting.add(stop);
      promise.finally(() => this.#waiting.delete(stop)).then(resolve, reject);
    });
  }
}
