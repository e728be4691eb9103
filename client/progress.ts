/**
 * A progress bar for people who wait, on a terminal only.
 *
 * @module
 */

import { runtime } from "../engine/net/runtime.ts";
import type { Summary } from "./summary.ts";

const REDRAW_MS = 100;
const CELLS = 20;

// With wrapping turned off, a terminal that is too narrow shows the beginning of the line, so its
// width need not be known. The numbers come first in the line for that reason.
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR_REST = "\x1b[K";

/** Draws a bar on standard error until it is disposed of. It has no colours to turn off. */
export class ProgressBar implements Disposable {
  readonly #summary: Summary;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(summary: Summary) {
    this.#summary = summary;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /**
   * Starts a bar if there is somebody to see it.
   *
   * @param summary the progress so far
   */
  static start(summary: Summary): ProgressBar | undefined {
    return runtime.isTerminal("stderr") ? new ProgressBar(summary) : undefined;
  }

  #draw(): void {
    const { done, failed, wanted } = this.#summary;
    const share = (done + failed) / wanted;
    const filled = Math.floor(share * CELLS);
    const bar = "#".repeat(filled) + ".".repeat(CELLS - filled);
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    const line = `${percent} ${done + failed}/${wanted}, ${failed} failed [${bar}]`;
    this.#print(`\r${NO_WRAP}${line}${CLEAR_REST}${WRAP}`);
  }

  #print(text: string): void {
    try {
      runtime.printNow("stderr", text);
    } catch {
      // The terminal was closed, and nobody is left to see the bar.
      clearInterval(this.#timer);
    }
  }

  /** Removes the bar. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#print(`\r${CLEAR_REST}`);
  }
}
