/**
 * Turns at something that only so many may do at the same time.
 *
 * @module
 */

/** Those who do it, and those who wait for their turn, in the order in which they came. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #left: number;

  /** @param most how many may do it at the same time */
  constructor(most: number) {
    this.#left = most;
  }

  /**
   * Waits for a turn.
   *
   * @returns a function that passes the turn on; call it once
   */
  async take(): Promise<() => void> {
    if (this.#left > 0) this.#left--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#left++;
      else next();
    };
  }
}
