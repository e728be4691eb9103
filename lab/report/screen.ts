/**
 * Where people look: how wide it is, whether it can be drawn on, and whether it may have colours.
 *
 * @module
 */

import stringWidth from "string-width";
import { environment } from "../../engine/net/environment.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { takeColumns, wrap as wrapLetters } from "../../engine/cli/layout.ts";

/** Graphic renditions (ECMA-48, SGR). */
const RENDITIONS = { bold: 1, faint: 2, red: 31, green: 32, yellow: 33 } as const;

/** How text can look. */
export type Rendition = keyof typeof RENDITIONS;

/** Standard output or error, or what stands for it. */
export interface Screen {
  /** Whether lines can be drawn over; where not there is no escape sequence at all. */
  readonly isTerminal: boolean;
  /** Whether there may be colours. */
  readonly hasColours: boolean;
  /** How many characters a line has room for; without end where it is no terminal. */
  columns(): number;
  /** Writes text as it is. */
  write(text: string): void;
}

/**
 * Standard output or error.
 *
 * `NO_COLOR` in the environment, if it is not empty, turns colours off, and `TERM=dumb` all that
 * is more than text.
 *
 * @param to which
 */
export function screenOf(to: "stdout" | "stderr"): Screen {
  const isTerminal = runtime.isTerminal(to) && environment("TERM") !== "dumb";
  return {
    isTerminal,
    hasColours: isTerminal && (environment("NO_COLOR") ?? "") === "",
    columns: () => isTerminal ? runtime.columns(to) : Infinity,
    write: (text) => runtime.printNow(to, text),
  };
}

/**
 * Text as it is to look.
 *
 * @param screen where
 * @param rendition how
 * @param text fit for a terminal
 */
export function render(screen: Screen, rendition: Rendition, text: string): string {
  return screen.hasColours && text !== "" ? `\x1b[${RENDITIONS[rendition]}m${text}\x1b[0m` : text;
}

/**
 * A text, or its beginning and its end where there is no room for all of it: names that begin
 * alike differ at their end.
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
 * Text filled up with spaces.
 *
 * @param text without escape sequences
 * @param columns how wide it is to be
 * @param side where the text stands
 */
export function pad(text: string, columns: number, side: "left" | "right"): string {
  const spaces = " ".repeat(Math.max(0, columns - stringWidth(text)));
  return side === "left" ? text + spaces : spaces + text;
}

/**
 * Text in lines, broken between words; what is longer than a line is broken anywhere.
 *
 * @param text without escape sequences
 * @param columns how long a line may be
 * @param indent how far all lines but the first begin to the right
 */
export function wrap(text: string, columns: number, indent = 0): string[] {
  return wrapLetters(text, columns, indent, stringWidth);
}
