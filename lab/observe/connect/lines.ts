/**
 * Lines that come out at once and in their order, without ever holding the main thread up.
 *
 * @module
 */

import { enoughHaste } from "../../report/haste.ts";
import { type Interrupt, INTERRUPTED } from "./interrupt.ts";

/** Lines on their way to a reader. */
export class Lines {
  readonly #write: (lines: readonly string[]) => Promise<void>;
  #written: Promise<void> = Promise.resolve();

  /** @param write writes lines, and resolves when the reader has them */
  constructor(write: (lines: readonly string[]) => Promise<void>) {
    this.#write = write;
  }

  /**
   * Prints lines.
   *
   * @param lines without their line ends
   */
  print(lines: readonly string[]): void {
    this.#written = this.#written.then(() => this.#write(lines));
    // Whoever waits for the lines gets the error.
    this.#written.catch(() => {});
  }

  /**
   * Prints lines, and waits until they are written, so that they never pile up before a reader that
   * is slow.
   *
   * @param lines without their line ends
   * @param interrupt ends the wait
   */
  async written(lines: readonly string[], interrupt: Interrupt): Promise<void> {
    this.print(lines);
    await interrupt.race(this.#written);
  }

  /**
   * Waits until everything is written.
   *
   * @param interrupt from then on, there is only a moment left
   */
  async end(interrupt: Interrupt): Promise<void> {
    if (await interrupt.race(this.#written) !== INTERRUPTED) return;
    await Promise.race([this.#written, enoughHaste()]);
  }
}
