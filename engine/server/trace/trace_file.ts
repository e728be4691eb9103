/**
 * A file in the Trace Event format, written piece by piece.
 *
 * The format is that of "Trace Event Format" (Duca, Sinclair, Google, 2016), in its simplest form:
 * an array of events. Its end may be missing, so what a killed server leaves behind can still be
 * opened. Perfetto (ui.perfetto.dev) and chrome://tracing read it.
 *
 * @module
 */

import type { WritableFile } from "../../net/adapter.ts";

/** An event. Times are in microseconds. */
export interface TraceEvent {
  /** What happens. */
  readonly name: string;
  /** What kind of thing, for filters. */
  readonly cat?: string;
  /**
   * The phase: `X` is a span on a thread, `b` and `e` are the ends of a span that belongs to none,
   * `i` a moment, `M` says what a thread or process is called.
   */
  readonly ph: "X" | "b" | "e" | "i" | "M";
  /** When it begins. */
  readonly ts?: number;
  /** How long a span on a thread takes. */
  readonly dur?: number;
  /** What it belongs to, where that is no thread. */
  readonly id?: string;
  /** Of a moment: whether it is one of the whole process. */
  readonly s?: "p";
  /** On which thread. */
  readonly tid: number;
  /** Anything else. */
  readonly args?: Readonly<Record<string, unknown>> | undefined;
}

/** There is only one process in a trace. */
const PROCESS = 1;

/** The file, and how much still goes into it. */
export class TraceFile {
  readonly #file: WritableFile;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #pending = 0;
  #written = 0;
  #isFirst = true;
  #failure: Error | undefined;

  /** @param file empty, to be closed with the trace */
  constructor(file: WritableFile) {
    this.#file = file;
    this.#lines.push("[\n");
  }

  /** How many bytes it has, with those that are still to be written. */
  get size(): number {
    return this.#written + this.#pending;
  }

  /** Why nothing can be written any more. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds an event. */
  add(event: TraceEvent): void {
    const text = JSON.stringify({ pid: PROCESS, ...event });
    const line = this.#isFirst ? text : `,\n${text}`;
    this.#isFirst = false;
    this.#lines.push(line);
    // Nearly all of it is ASCII; what is written is counted exactly.
    this.#pending += line.length;
  }

  /** Writes what was added. */
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
      // The disk is full, or whoever read it has gone. The server goes on.
      this.#failure = error as Error;
    }
  }

  /** Writes what is left, and the end. */
  close(): void {
    this.#lines.push("\n]\n");
    this.flush();
    this.#file.close();
  }
}
