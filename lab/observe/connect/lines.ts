/**
 * Lines that come out at once, one write each, without ever holding the main thread up.
 *
 * @module
 */

import { printNote, writeOutput } from "../../../client/output.ts";
import { type Interrupt, INTERRUPTED } from "./interrupt.ts";

/** How long the last lines may take once the user wants to end, in milliseconds. */
const HASTE_MS = 50;

/** Standard output, line by line. If its reader is gone, the process ends quietly. */
export class Lines {
  readonly #encoder = new TextEncoder();
  #written: Promise<void> = Promise.resolve();

  /**
   * Prints lines.
   *
   * @param lines without their line ends
   */
  print(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const bytes = this.#encoder.encode(lines.join("\n") + "\n");
    this.#written = this.#written.then(() => writeOutput(bytes));
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, HASTE_MS));
    await Promise.race([this.#written, late]);
    clearTimeout(timer);
  }

  /**
   * Prints a line to standard error.
   *
   * @param line without its line end
   */
  note(line: string): void {
    printNote(line);
  }
}
