/**
 * Lines on standard output, each there as soon as it is said. A reader who has read enough, as in
 * `… | head -1`, ends the output quietly.
 *
 * @module
 */

import { printSome } from "../../engine/cli/print_some.ts";

/** Standard output. */
export class LineOutput {
  readonly #encoder = new TextEncoder();
  #isGone = false;

  /** Whether the reader has gone. Nothing more is written then. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /**
   * Writes lines together, and waits for the reader.
   *
   * @param lines the lines, without their ends
   * @throws {Error} if they cannot be written, for instance because the disk is full
   */
  async write(lines: readonly string[]): Promise<void> {
    if (this.#isGone || lines.length === 0) return;
    let bytes = this.#encoder.encode(`${lines.join("\n")}\n`);
    try {
      while (bytes.length > 0) bytes = bytes.subarray(await printSome("stdout", bytes));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EPIPE") throw error;
      this.#isGone = true;
    }
  }
}
