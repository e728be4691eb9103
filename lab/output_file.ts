/**
 * Files that results are written to. They may be pipes that have a name, as `mkfifo` and `>(jq .)` of
 * a shell make them: opening one blocks the thread until somebody reads it, and then no signal would
 * be heard either. So it is opened only where somebody does.
 *
 * @module
 */

import { closeSync, constants, existsSync, openSync, rmSync, statSync, writeSync } from "node:fs";
import { describeSystemError } from "../engine/net/constants.ts";
import { writeAll } from "../engine/net/write_all.ts";

/** What a thread waits on that nobody wakes. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** A file that is open for writing, and empty. */
export class OutputFile implements Disposable {
  #file: number | undefined;

  /**
   * Opens a file, or creates it.
   *
   * @param path where it is
   * @throws {Error} of the system; `ENXIO` for a pipe that nobody reads
   */
  constructor(path: string) {
    this.#file = openSync(path, flags() | constants.O_TRUNC, 0o666);
  }

  /**
   * Writes text, all of it.
   *
   * @param text what to write
   * @throws {Error} of the system
   */
  write(text: string): void {
    const file = this.#file as number;
    const sleep = (ms: number) => void Atomics.wait(NEVER, 0, 0, ms);
    writeAll(new TextEncoder().encode(text), (bytes) => writeSync(file, bytes), sleep);
  }

  /** Closes it. */
  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** Windows has no such flag, and no such pipes. */
function flags(): number {
  return constants.O_WRONLY | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);
}

/**
 * Writes a file.
 *
 * @param path where it is
 * @param text all that it is to hold
 * @throws {Error} of the system
 */
export function writeOutput(path: string, text: string): void {
  using file = new OutputFile(path);
  file.write(text);
}

/**
 * Tests whether a file can be written. An existing file stays as it is, a new one is removed again,
 * and whoever reads a pipe does not see that it was opened.
 *
 * @param path where it is
 * @throws {Error} of the system
 */
export function tryOutput(path: string): void {
  if (isPipe(path)) return;
  const isNew = !existsSync(path);
  closeSync(openSync(path, flags(), 0o666));
  if (isNew) rmSync(path);
}

/**
 * Whether a path is that of a pipe.
 *
 * @param path where it is
 */
export function isPipe(path: string): boolean {
  return existsSync(path) && statSync(path).isFIFO();
}

/**
 * Says why a file cannot be written.
 *
 * @param error what one of the functions here has thrown
 */
export function sayUnwritten(error: unknown): string {
  const isUnread = (error as { code?: unknown }).code === "ENXIO";
  return isUnread ? "nobody reads this pipe (ENXIO)" : describeSystemError(error);
}
