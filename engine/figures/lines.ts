/**
 * Reads the lines of a recording, for a picture of it.
 *
 * A browser may be given any file, and a line that is no event must not break the picture. So what
 * cannot be drawn is left out, and counted. `engine/recording/read_recording.ts` is strict.
 *
 * @module
 */

import { type Event, type Header, VERSION } from "../recording/events.ts";

/** A line that can be drawn. */
export type Line = Header | Event;

/** What was read. */
export interface ReadLines {
  readonly lines: readonly Line[];
  /** How many lines were not JSON, or had no type or no time. */
  readonly damaged: number;
}

/** What must be a number, by type: a picture cannot do without. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  recording: ["version", "began_us"],
  thread: ["at", "thread"],
  begun: ["at", "connection"],
  queued: ["at", "to", "connection"],
  served: ["at", "thread", "connection"],
  over: ["at", "connection"],
  span: ["at", "to"],
  client: ["at", "connected", "to"],
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

/** Lines in the order of time, as a file has them only nearly; its header comes first. */
export function inOrder(lines: readonly Line[]): readonly Line[] {
  const us = (line: Line) => line.type === "recording" ? -1 : line.at;
  return lines.toSorted((one, other) => us(one) - us(other));
}

/** Loads the recordings that a figure is given one after another. */
export class RecordingSource {
  #loading: AbortController | undefined;

  /**
   * Loads a recording. What was under way before is given up.
   *
   * @param source its URL
   * @param show is given its lines
   * @param fail is told, in words, why it cannot be shown
   */
  async load(
    source: string,
    show: (lines: readonly Line[]) => void,
    fail: (why: string) => void,
  ): Promise<void> {
    this.stop();
    const { signal } = this.#loading = new AbortController();
    try {
      const response = await fetch(source, { signal });
      if (!response.ok) throw new Error(`the answer is ${response.status}`);
      const { lines } = readLines(await response.text());
      if (lines.length === 0) throw new Error("it is not a recording");
      show(lines);
    } catch (error) {
      if (signal.aborted) return;
      fail(`Cannot show ${source}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Gives up what is under way. */
  stop(): void {
    this.#loading?.abort();
  }
}
