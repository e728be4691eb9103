/**
 * Writes a recording: bounded in size, and never a reason for its program to wait or to fail.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { nowUs } from "../values/moment.ts";
import { type Event, type Header, roundUs, type Tier, VERSION } from "./events.ts";
import { TextFile } from "./text_file.ts";

/** The largest size of a recording, in bytes. */
export const LIMIT_BYTES: number = 64 * 1024 * 1024;

/** The room that is kept for the last lines: what was left out, and the end. In bytes. */
const LAST_BYTES = 4096;

/** What may be left out, as {@linkcode LeftOutEvent} calls it. */
const LEFT_OUT: { readonly [type in Event["type"]]?: string } = {
  begun: "connections",
  span: "spans",
  packet: "packets",
  socket: "sockets",
};

/** How to write a recording. */
export interface RecordingOptions {
  /** Who records: a mode or a command, for instance `observe timeline`. */
  readonly by: string;
  /** Which means there are to look at TCP. */
  readonly tier?: Tier | undefined;
  /**
   * When the recording begins, in microseconds since 1970.
   *
   * @default {now}
   */
  readonly beganUs?: number;
  /**
   * The largest size of the file, in bytes.
   *
   * @default {67108864}
   */
  readonly limitBytes?: number | undefined;
}

/**
 * Makes the first line of a recording of this process.
 *
 * @param by who records: see {@linkcode RecordingOptions}
 * @param beganUs when it began, in whole microseconds since 1970
 * @param tier which means there are
 */
export function makeHeader(by: string, beganUs: number, tier?: Tier): Header {
  return {
    type: "recording",
    version: VERSION,
    began_us: beganUs,
    by,
    runtime: `${runtime.name} ${runtime.version}`,
    os: runtime.os,
    ...(tier !== undefined && { tier }),
  };
}

/** A recording in progress. */
export class RecordingFile implements Disposable {
  /** When it began, in whole microseconds since 1970. */
  readonly beganUs: number;
  readonly #file: TextFile;
  readonly #limitBytes: number;
  readonly #leftOut = new Map<string, number>();
  #reserved = 0;
  #isClosed = false;

  private constructor(file: TextFile, options: RecordingOptions) {
    const { by, tier, beganUs = nowUs(), limitBytes = LIMIT_BYTES } = options;
    this.beganUs = Math.floor(beganUs);
    this.#file = file;
    this.#limitBytes = limitBytes;
    this.#write(makeHeader(by, this.beganUs, tier));
    // A reader that looks at once finds a recording.
    this.#file.flush();
  }

  /**
   * Begins a recording.
   *
   * @param path the file; an existing file is overwritten
   * @param options who records
   * @throws {Error} if the file cannot be written; the message is one line
   */
  static create(path: string | URL, options: RecordingOptions): RecordingFile {
    return new RecordingFile(TextFile.create(path, "recording"), options);
  }

  /** The time since the recording began, in microseconds: an event's `at`. */
  now(): number {
    return this.at(nowUs());
  }

  /** A moment as an event's `at`. @param us the moment, in microseconds since 1970 */
  at(us: number): number {
    return roundUs(us - this.beganUs);
  }

  /** The error that stopped the writing. The program goes on. */
  get failure(): Error | undefined {
    return this.#file.failure;
  }

  /** Whether there is room, besides what is reserved. */
  get hasRoom(): boolean {
    return this.#file.size + LAST_BYTES + this.#reserved < this.#limitBytes;
  }

  /**
   * Keeps room for events that must find some, such as the ends of what has begun.
   *
   * @param bytes how much, in place of what was reserved before
   */
  reserve(bytes: number): void {
    this.#reserved = bytes;
  }

  /**
   * Adds an event. It is in the file after the next {@linkcode RecordingFile.flush}.
   *
   * @param event the event
   * @returns whether there was room; what had none is counted, and told at the end
   */
  add(event: Event): boolean {
    if (this.hasRoom) {
      this.#write(event);
      return true;
    }
    this.leaveOut(LEFT_OUT[event.type] ?? "events");
    return false;
  }

  /** Adds an event for which room was reserved. */
  addReserved(event: Event): void {
    this.#write(event);
  }

  /**
   * Counts what was not recorded. The recording tells it at its end.
   *
   * @param what a plural, for instance `packets`
   * @param count how many
   */
  leaveOut(what: string, count = 1): void {
    if (count > 0) this.#leftOut.set(what, (this.#leftOut.get(what) ?? 0) + count);
  }

  /** What was left out so far, and how many. */
  get leftOut(): ReadonlyMap<string, number> {
    return this.#leftOut;
  }

  /** Writes what was added. Call it at intervals, and after what must not be lost. */
  flush(): void {
    if (!this.#isClosed) this.#file.flush();
  }

  /** Writes the last lines and closes the file. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    const at = this.now();
    for (const [what, count] of this.#leftOut) this.#write({ type: "left_out", at, count, what });
    this.#write({ type: "end", at });
    this.#file.close();
  }

  /**
   * Closes the file, for a command whose result it is.
   *
   * @throws {Error} if something could not be written; the message is one line
   */
  finish(): void {
    this[Symbol.dispose]();
    this.#file.check();
  }

  #write(line: Header | Event): void {
    this.#file.add(`${JSON.stringify(line)}\n`);
  }
}
