/**
 * Reads the lines of a recording, for a picture of it.
 *
 * A browser may be given any file, and a line that is no event must not break the picture. So what
 * cannot be drawn is left out, and counted. `engine/recording/read_recording.ts` is strict.
 *
 * @module
 */

import type { Event, Header } from "../recording/events.ts";

/** A line that can be drawn. */
export type Line = Header | Event;

/** What was read. */
export interface ReadLines {
  readonly lines: readonly Line[];
  /** How many lines were not JSON, or had no type or no time. */
  readonly damaged: number;
}

/** The version of the form that is known. */
const VERSION = 1;

/** What must be a number, by type: a picture cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  recording: ["version", "began_us"],
  thread: ["at", "thread"],
  begun: ["at", "connection"],
  queued: ["at", "to", "connection"],
  served: ["at", "thread", "connection"],
  over: ["at", "connection"],
  span: ["at", "to"],
};

/**
 * Reads JSON lines.
 *
 * @param text the text of a recording, or some whole lines of it
 */
export function readLines(text: string): ReadLines {
  const lines: Line[] = [];
  let damaged = 0;
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const found = readLine(line);
    if (found === undefined) damaged++;
    else lines.push(found);
  }
  return { lines, damaged };
}

/** @returns `undefined` if it is damaged */
function readLine(text: string): Line | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const fields = value as Readonly<Record<string, unknown>>;
  if (typeof fields.type !== "string") return undefined;
  const needed = NEEDED[fields.type] ?? ["at"];
  if (!needed.every((name) => Number.isFinite(fields[name]))) return undefined;
  if (fields.type === "recording" && fields.version !== VERSION) return undefined;
  return value as Line;
}
