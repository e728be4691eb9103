/**
 * The numbers of Workers.
 *
 * @module
 */

/** Gives out numbers from 0: always the lowest one that nobody has. */
export class LowestNumbers {
  readonly #taken: boolean[] = [];

  /** Takes the lowest free number. */
  take(): number {
    const free = this.#taken.indexOf(false);
    const number = free < 0 ? this.#taken.length : free;
    this.#taken[number] = true;
    return number;
  }

  /** Gives one back. */
  giveBack(number: number): void {
    this.#taken[number] = false;
  }
}
