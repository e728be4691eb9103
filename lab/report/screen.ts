/**
 * The screen that people look at: its width, whether it can be redrawn, and whether it has colours.
 *
 * @module
 */

import stringWidth from "string-width";
import { runtime } from "../../engine/net/runtime.ts";
import { takeColumns, wrap as wrapLetters } from "../../engine/cli/layout.ts";

/**
 * The terminal does not wrap lines, and wraps them again. Without wrapping, a terminal that has just
 * become narrower still shows the beginning of each line.
 */
export const NO_WRAP = "\x1b[?7l";
export const WRAP = "\x1b[?7h";

/** Clears what is right of the cursor, and everything below it too. */
export const CLEAR_REST = "\x1b[K";
export const CLEAR_BELOW = "\x1b[J";

/** Graphic renditions (ECMA-48, SGR). */
const RENDITIONS = { bold: 1, faint: 2, red: 31, green: 32, yellow: 33 } as const;

/** The ways in which text can look. */
export type Rendition = keyof typeof RENDITIONS;

/** Standard output or standard error, or a stand-in for it. */
export interface Screen {
  /** Whether lines can be redrawn. If not, no escape sequence is written at all. */
  readonly isTerminal: boolean;
  /** Whether colours are allowed. */
  readonly hasColours: boolean;
  /** How many characters fit on a line; `Infinity` if it is not a terminal. */
  columns(): number;
  /** Writes text as it is. */
  write(text: string): void;
}

/**
 * Standard output or standard error as a screen.
 *
 * A non-empty `NO_COLOR` in the environment turns colours off. `TERM=dumb` turns off everything but
 * plain text.
 *
 * @param to which of the two
 */
export function screenOf(to: "stdout" | "stderr"): Screen {
  const isTerminal = runtime.isTerminal(to) && runtime.variable("TERM") !== "dumb";
  return {
    isTerminal,
    hasColours: isTerminal && (runtime.variable("NO_COLOR") ?? "") === "",
    columns: () => isTerminal ? runtime.columns(to) : Infinity,
    write: (text) => runtime.printNow(to, text),
  };
}

/**
 * Gives text a look.
 *
 * @param screen where the text appears
 * @param rendition the look
 * @param text text that is safe for a terminal
 */
export function render(screen: Screen, rendition: Rendition, text: string): string {
  return screen.hasColours && text !== "" ? `\x1b[${RENDITIONS[rendition]}m${text}\x1b[0m` : text;
}

/**
 * Shortens a text that does not fit to its beginning and its end: names that begin alike differ at
 * their end.
 *
 * @param text without escape sequences
 * @param columns how much room there is
 */
export function clip(text: string, columns: number): string {
  if (stringWidth(text) <= columns) return text;
  if (columns < 1) return "";
  const end = [...text].reverse().join("");
  const half = Math.floor((columns - 1) / 2);
  const after = [...takeColumns(end, half, stringWidth)].reverse().join("");
  return `${takeColumns(text, columns - 1 - stringWidth(after), stringWidth)}…${after}`;
}

/**
 * Fills up a text with spaces.
 *
 * @param text without escape sequences
 * @param columns the width to fill
 * @param side the side that the text stands on
 */
export function pad(text: string, columns: number, side: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, columns - stringWidth(text)));
  return side === "left" ? text + spaces : spaces + text;
}

/**
 * Breaks a text into lines between words. A word that is longer than a line is broken anywhere.
 *
 * @param text without escape sequences
 * @param columns the length of a line
 * @param indent the indent of all lines but the first
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  return wrapLetters(text, columns, indent, stringWidth);
}
