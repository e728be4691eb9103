/**
 * The numbers of Workers.
 *
 * @module
 */

/** Gives out numbers from 0. It always gives the lowest free one. */
export class LowestNumbers {
  readonly #taken: boolean[] = [];

  /** Takes the lowest free number. */
  take(): number {
    const free = this.#taken.indexOf(false);
    const number = free < 0 ? this.#taken.length : free;
    this.#taken[number] = true;
    return number;
  }

  /** Gives a number back. */
  giveBack(number: number): void {
    this.#taken[number] = false;
  }
}
