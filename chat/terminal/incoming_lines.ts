/**
 * Takes lines out of the bytes that a server sends, in bounded memory, and makes them safe for a
 * terminal.
 *
 * @module
 */

import { escapeText, shorten } from "../../protocols/text.ts";
import { withoutTowers } from "../talk/looks.ts";

/** The most characters of a line that are kept. The lines of our server are far shorter. */
export const KEPT_CHARACTERS = 8 * 1024;

/** Takes lines out of a stream of bytes, wherever the network has cut it. */
export class IncomingLines {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #begun = "";

  /**
   * Adds the bytes of a read.
   *
   * @param bytes the bytes, which are not kept
   * @returns the lines that ended in them, without line ends. What a terminal could take for a
   * command is escaped, and marks that pile up are left out. Of a line that is too long there is only the beginning, and `...`.
   */
  add(bytes: Uint8Array): string[] {
    const [first = "", ...rest] = this.#decoder.decode(bytes, { stream: true }).split("\n");
    const pieces = [this.#begun + first, ...rest];
    // A little more than is shown, so that `finish` sees that the line was too long.
    this.#begun = (pieces.pop() as string).slice(0, KEPT_CHARACTERS + 2);
    return pieces.map(finish);
  }

  /** Takes the unfinished line when nothing more can come; `undefined` if there is none. */
  last(): string | undefined {
    const line = this.#begun + this.#decoder.decode();
    this.#begun = "";
    return line === "" ? undefined : finish(line);
  }
}

function finish(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const kept = text.length > KEPT_CHARACTERS ? shorten(text, KEPT_CHARACTERS) : text;
  return withoutTowers(escapeText(kept));
}

/**
 * Makes any piece of a stream of text safe for a terminal, and leaves its line ends as they are.
 *
 * @param text one or more lines, or parts of them
 */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeText).join("\n");
}
