/**
 * Lines that a slow reader does not hold up: they wait in a bounded queue, and each is written as
 * soon as the one before it is.
 *
 * @module
 */

import { describeSystemError } from "../../engine/net/constants.ts";
import type { LineOutput } from "./line_output.ts";

/** How many lines may wait. */
const MOST_WAITING = 10_000;

/** The lines that wait. */
export class LineQueue {
  readonly #output: LineOutput;
  readonly #onGone: () => void;
  #waiting: string[] = [];
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  /**
   * @param output where the lines go
   * @param onGone is called when the reader has gone, or when no more can be written
   */
  constructor(output: LineOutput, onGone: () => void) {
    this.#output = output;
    this.#onGone = onGone;
  }

  /**
   * Writes a line soon; drops it if too many wait.
   *
   * @param line the line, without its end
   */
  add(line: string): void {
    if (this.#waiting.length >= MOST_WAITING) this.#dropped++;
    else this.#waiting.push(line);
    this.#writing ??= this.#write();
  }

  /** How many lines were dropped since this was last asked. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /**
   * Waits until everything is written, however late the reader comes.
   *
   * @param enough resolves when it is not waited for any more
   * @throws {Error} if something could not be written, for instance because the disk is full
   */
  async flush(enough: Promise<void>): Promise<void> {
    await Promise.race([this.#writing, enough]);
    const cause = this.#failure;
    if (cause === undefined) return;
    throw new Error(`Cannot write to standard output: ${describeSystemError(cause)}`, { cause });
  }

  async #write(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#output.isGone) {
        const lines = this.#waiting;
        this.#waiting = [];
        for (const line of lines) await this.#output.write([line]);
      }
    } catch (error) {
      this.#failure = error as Error;
    }
    this.#writing = undefined;
    if (this.#output.isGone || this.#failure !== undefined) this.#onGone();
  }
}
