/**
 * A progress bar for a person who waits: on a terminal only.
 *
 * @module
 */

import { runtime } from "../engine/net/runtime.ts";
import type { Summary } from "./summary.ts";

const REDRAW_MS = 100;
const CELLS = 20;

// Without wrapping a terminal that is too narrow shows the beginning of the line, and nobody
// needs to know its width. The line says it in numbers first.
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";
const CLEAR_REST = "\x1b[K";

/** Draws a bar on standard error until it is disposed. It has no colours to turn off. */
export class ProgressBar implements Disposable {
  readonly #summary: Summary;
  readonly #timer: ReturnType<typeof setInterval>;

  private constructor(summary: Summary) {
    this.#summary = summary;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
  }

  /**
   * Starts a bar where there is somebody to see it.
   *
   * @param summary how far it has come
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
      // The terminal was closed: nobody is left to see it.
      clearInterval(this.#timer);
    }
  }

  /** Takes the bar away. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#print(`\r${CLEAR_REST}`);
  }
}
