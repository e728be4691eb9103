/**
 * A file in the Trace Event format that is written piece by piece.
 *
 * The format is that of "Trace Event Format" (Duca, Sinclair, Google, 2016), in its simplest form:
 * an array of events. Its end may be missing, so the file of a server that was killed can still be
 * opened. Perfetto (ui.perfetto.dev) and chrome://tracing read it.
 *
 * @module
 */

import type { TextFile } from "../../recording/text_file.ts";

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
  readonly #file: TextFile;
  #isFirst = true;

  /** @param file an empty file; it is closed together with the trace */
  constructor(file: TextFile) {
    this.#file = file;
    this.#file.add("[\n");
  }

  /** The size in bytes, including what is still to be written. */
  get size(): number {
    return this.#file.size;
  }

  /** The error that stopped the writing. */
  get failure(): Error | undefined {
    return this.#file.failure;
  }

  /** Adds an event. */
  add(event: TraceEvent): void {
    const text = JSON.stringify({ pid: PROCESS, ...event });
    this.#file.add(this.#isFirst ? text : `,\n${text}`);
    this.#isFirst = false;
  }

  /** Writes the events that were added. */
  flush(): void {
    this.#file.flush();
  }

  /** Writes the remaining events and the end of the file. */
  close(): void {
    this.#file.add("\n]\n");
    this.#file.close();
  }
}
