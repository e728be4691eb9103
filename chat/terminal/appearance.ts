/**
 * How lines look in a terminal: with the time, with coloured names, with notices set apart.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { ServerLine } from "./server_line.ts";

/**
 * The colours of names, out of the 256 that terminals have. Each can be read on black and on white,
 * with a contrast of 4 to 1 or more.
 */
// deno-fmt-ignore -- in the order of the rainbow
export const NAME_COLOURS: readonly number[] = [
  131, 130, 64, 28, 29, 30, 31, 27, 63, 98, 129, 164, 162, 161,
];

/** Graphic renditions (ECMA-48, SGR). */
const BOLD = "1";
const FAINT = "2";

/** Formats lines for the terminal. */
export class Appearance {
  readonly #hasColours: boolean;

  /** @param hasColours whether colours and other styles may be used */
  constructor(hasColours: boolean) {
    this.#hasColours = hasColours;
  }

  /**
   * Formats a line that the server has said.
   *
   * @param line the line, which is safe to show in a terminal
   * @param at when it came
   */
  heard(line: ServerLine, at: Date): string {
    return `${this.#time(at)} ${this.#render(line)}`;
  }

  /**
   * Formats a line of the client itself.
   *
   * @param text what the client says
   * @param at when it says it
   */
  told(text: string, at: Date): string {
    return this.heard({ kind: "notice", text }, at);
  }

  /**
   * Formats a line of one's own that the server does not repeat, for instance a command.
   *
   * @param text the line as it was typed, safe to show in a terminal
   * @param at when it was sent
   */
  typed(text: string, at: Date): string {
    return `${this.#time(at)} ${this.#style(text, FAINT)}`;
  }

  #render(line: ServerLine): string {
    switch (line.kind) {
      case "notice":
        return this.#style(`* ${line.text}`, FAINT);
      case "other":
        return line.text;
      case "talk":
        return `${this.#label(line)} ${line.text}`;
      case "operator":
        return this.#style(`[${line.name}] ${line.text}`, BOLD);
      case "private":
        return `${this.#label(line)} ${this.#style(line.text, BOLD)}`;
    }
  }

  #label({ name, before, after }: Exclude<ServerLine, { kind: "notice" | "other" }>): string {
    return `[${before}${this.#style(name, `38;5;${nameColour(name)}`)}${after}]`;
  }

  #time(at: Date): string {
    const [hours, minutes] = [at.getHours(), at.getMinutes()];
    return this.#style(`${twoDigits(hours)}:${twoDigits(minutes)}`, FAINT);
  }

  #style(text: string, rendition: string): string {
    return this.#hasColours ? `\x1b[${rendition}m${text}\x1b[0m` : text;
  }
}

/**
 * The colour of a name: always the same, whoever else is there.
 *
 * @param name the name of a user
 * @returns one of {@linkcode NAME_COLOURS}
 */
export function nameColour(name: string): number {
  // FNV-1a, 32 bits: short names that differ in one letter fall far from each other.
  let hash = 0x811c9dc5;
  for (const character of keyOf(name)) {
    hash = Math.imul(hash ^ (character.codePointAt(0) as number), 0x01000193) >>> 0;
  }
  return NAME_COLOURS[hash % NAME_COLOURS.length] as number;
}

function twoDigits(number: number): string {
  return String(number).padStart(2, "0");
}
