/**
 * A file in the Trace Event format that is written piece by piece.
 *
 * The format is that of "Trace Event Format" (Duca, Sinclair, Google, 2016), in its simplest form:
 * an array of events. Its end may be missing, so the file of a server that was killed can still be
 * opened. Perfetto (ui.perfetto.dev) and chrome://tracing read it.
 *
 * @module
 */

import type { WritableFile } from "../../net/adapter.ts";

/** An event. Times are in microseconds. */
export interface TraceEvent {
  /** The name of what happens. */
  readonly name: string;
  /** The kind of event, for filters. */
  readonly cat?: string;
  /**
   * The phase. `X` is a span on a thread. `b` and `e` are the ends of a span that belongs to no
   * thread. `i` is a moment. `M` names a thread or process.
   */
  readonly ph: "X" | "b" | "e" | "i" | "M";
  /** When it begins. */
  readonly ts?: number;
  /** The length of a span on a thread. */
  readonly dur?: number;
  /** What a span belongs to if that is not a thread. */
  readonly id?: string;
  /** Whether a moment concerns the whole process. */
  readonly s?: "p";
  /** The thread. */
  readonly tid: number;
  /** Further details. */
  readonly args?: Readonly<Record<string, unknown>> | undefined;
}

/** There is only one process in a trace. */
const PROCESS = 1;

/** The file, and the events that are still to be written. */
export class TraceFile {
  readonly #file: WritableFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #pending = 0;
  #written = 0;
  #isFirst = true;
  #failure: Error | undefined;

  /** @param file an empty file; it is closed together with the trace */
  constructor(file: WritableFile) {
    this.#file = file;
    this.#lines.push("[\n");
  }

  /** The size in bytes, including what is still to be written. */
  get size(): number {
    return this.#written + this.#pending;
  }

  /** The error that stopped the writing. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds an event. */
  add(event: TraceEvent): void {
    const text = JSON.stringify({ pid: PROCESS, ...event });
    const line = this.#isFirst ? text : `,\n${text}`;
    this.#isFirst = false;
    this.#lines.push(line);
    // Nearly all of the text is ASCII, so this is an estimate. Written text is counted exactly.
    this.#pending += line.length;
  }

  /** Writes the events that were added. */
  flush(): void {
    const text = this.#lines.join("");
    this.#lines = [];
    this.#pending = 0;
    if (text === "" || this.#failure !== undefined) return;
    try {
      const bytes = this.#encoder.encode(text);
      this.#file.write(bytes);
      this.#written += bytes.length;
    } catch (error) {
      // The disk is full, or the reader has gone. The server goes on.
      this.#failure = error as Error;
    }
  }

  /** Writes the remaining events and the end of the file. */
  close(): void {
    this.#lines.push("\n]\n");
    this.flush();
    this.#file.close();
  }
}
