/**
 * Lines out of the bytes that a server sends, in bounded memory and fit for a terminal.
 *
 * @module
 */

import { escapeText, shorten } from "../../protocols/text.ts";

/** The most characters of a line that are kept; ours are a fraction of that. */
export const KEPT_CHARACTERS = 8 * 1024;

/** Takes lines out of a stream of bytes, whatever way the network cut it. */
export class IncomingLines {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #begun = "";

  /**
   * Takes what a read brought.
   *
   * @param bytes not kept
   * @returns the lines that ended in it, without their ends. What a terminal could take for a
   * command stands in them as an escape; of a line that is too long only the beginning is there,
   * and `...`.
   */
  add(bytes: Uint8Array): string[] {
    const [first = "", ...rest] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    const pieces = [this.#begun + first, ...rest];
    // More than is shown, so that the cut can be seen, and no more than that.
    this.#begun = (pieces.pop() as string).slice(0, KEPT_CHARACTERS + 2);
    return pieces.map(finish);
  }

  /** What was begun when nothing more can come; `undefined` if it is nothing. */
  last(): string | undefined {
    const line = this.#begun + this.#decoder.decode();
    this.#begun = "";
    return line === "" ? undefined : finish(line);
  }
}

function finish(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return escapeText(text.length > KEPT_CHARACTERS ? shorten(text, KEPT_CHARACTERS) : text);
}

/**
 * Makes any piece of a stream of text fit for a terminal, its line ends left as they are.
 *
 * @param text one or more lines, or parts of them
 */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}
