/**
 * A text file that grows piece by piece, and whose failure harms nobody.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import { describeSystemError } from "../net/constants.ts";
import { runtime } from "../net/runtime.ts";
import type { WritableFile } from "../net/adapter.ts";

/** The file, and the text that is still to be written. */
export class TextFile {
  readonly #file: WritableFile;
  readonly #name: string;
  readonly #encoder = new TextEncoder();
  #pieces: string[] = [];
  #pending = 0;
  #written = 0;
  #failure: Error | undefined;

  private constructor(file: WritableFile, name: string) {
    this.#file = file;
    this.#name = name;
  }

  /**
   * Makes the file.
   *
   * @param path the file; an existing file is overwritten
   * @param what what the file is, for the error: `trace`
   * @throws {Error} if it cannot be written; the message is one line
   */
  static create(path: string | URL, what: string): TextFile {
    const name = `${what} ${escapeText(String(path))}`;
    try {
      return new TextFile(runtime.createFile(path), name);
    } catch (cause) {
      throw writeError(name, cause);
    }
  }

  /**
   * Gives a file that is there another name, as when logs are rotated: a process that still writes to
   * it writes on under that name.
   *
   * @param path the file
   * @param what see {@linkcode TextFile.create}
   * @returns its new name; `undefined` if there is no such file
   * @throws {Error} if it cannot be renamed; the message is one line
   */
  static moveAside(path: string | URL, what: string): string | undefined {
    const url = typeof path === "string" ? runtime.fileUrl(path) : path;
    const from = decodeURIComponent(url.pathname);
    try {
      if (runtime.statusOf(from)?.isFile !== true) return undefined;
      let number = 1;
      while (runtime.statusOf(`${from}.${number}`) !== undefined) number++;
      runtime.renameFile(from, `${from}.${number}`);
      return `${from}.${number}`;
    } catch (cause) {
      throw writeError(`${what} ${escapeText(String(path))}`, cause);
    }
  }

  /** The size in bytes, including what is still to be written. */
  get size(): number {
    return this.#written + this.#pending;
  }

  /** The error that stopped the writing. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Adds text. It is written by {@linkcode TextFile.flush}. */
  add(text: string): void {
    this.#pieces.push(text);
    // Nearly all of the text is ASCII, so this is an estimate. Written text is counted exactly.
    this.#pending += text.length;
  }

  /** Writes what was added. */
  flush(): void {
    const text = this.#pieces.join("");
    this.#pieces = [];
    this.#pending = 0;
    if (text === "" || this.#failure !== undefined) return;
    try {
      const bytes = this.#encoder.encode(text);
      this.#file.write(bytes);
      this.#written += bytes.length;
    } catch (error) {
      // The disk is full, or the reader has gone. Whoever writes goes on with its work.
      this.#failure = error as Error;
    }
  }

  /** Writes the rest and closes the file. */
  close(): void {
    this.flush();
    this.#file.close();
  }

  /** Does nothing if all was written. @throws {Error} if not; the message is one line */
  check(): void {
    if (this.#failure !== undefined) throw writeError(this.#name, this.#failure);
  }
}

function writeError(name: string, cause: unknown): Error {
  return new Error(`Cannot write the ${name}: ${describeSystemError(cause)}`, { cause });
}
