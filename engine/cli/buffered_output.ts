/**
 * Standard output and standard error that never make the server wait.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { isWithin } from "../values/pause.ts";
import { printSome } from "./print_some.ts";

/** How many bytes may wait for a slow terminal or pipe before lines are dropped. */
const BUFFER_BYTES = 1024 * 1024;

/**
 * The most bytes that a pipe takes in one piece, whoever else writes to it: `PIPE_BUF` (pipe(7)),
 * which is at least 512 on every system.
 */
const PIECE_BYTES = runtime.os === "linux" ? 4096 : 512;

/** One of the process's two output streams, buffered. */
export class BufferedOutput {
  readonly #to: "stdout" | "stderr";
  readonly #onDropped: (lines: number) => void;
  readonly #encoder = new TextEncoder();
  #lines: string[] = [];
  #waiting = 0;
  #dropped = 0;
  #broken = false;
  #writing: Promise<void> | undefined;
  #isShared = false;

  /** @param to the stream @param onDropped is called with the number of lines that were dropped */
  constructor(to: "stdout" | "stderr", onDropped: (lines: number) => void) {
    this.#to = to;
    this.#onDropped = onDropped;
  }

  /**
   * From now on another thread writes lines to the stream too. So each line is written as a whole,
   * if it is not longer than a pipe takes in one piece.
   */
  share(): void {
    this.#isShared = true;
  }

  /**
   * Writes a line soon, or drops it if too much is waiting already.
   *
   * @param line the line, without its line end
   */
  writeLine(line: string): void {
    if (this.#broken) return;
    if (this.#waiting + line.length > BUFFER_BYTES) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#waiting += line.length + 1;
    this.#writing ??= this.#write();
  }

  /**
   * Waits until everything is written.
   *
   * @param withinMs how long to wait for a reader that is stuck, in milliseconds
   * @returns whether everything was written
   */
  async flush(withinMs: number): Promise<boolean> {
    const written = async () => {
      while (this.#writing !== undefined) await this.#writing;
    };
    await isWithin(withinMs, written());
    return this.#writing === undefined;
  }

  /** Reports how many lines were dropped since the last report. */
  tellDropped(): void {
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#dropped = 0;
  }

  async #write(): Promise<void> {
    // Waits a moment, so that lines that come together are written together.
    await Promise.resolve();
    try {
      while (this.#lines.length > 0) {
        let bytes = this.#isShared ? this.#takePiece() : this.#takeAll();
        while (bytes.length > 0) bytes = bytes.subarray(await printSome(this.#to, bytes));
        this.#waiting = this.#lines.reduce((sum, line) => sum + line.length + 1, 0);
        this.tellDropped();
      }
    } catch {
      // The reader has gone, as in `… | head -1`. Nobody has told the server to stop.
      this.#broken = true;
      this.#lines = [];
    }
    this.#writing = undefined;
  }

  #takeAll(): Uint8Array {
    const bytes = this.#encoder.encode(this.#lines.join("\n") + "\n");
    this.#lines = [];
    return bytes;
  }

  /** Takes as many lines as make a piece, at least one. */
  #takePiece(): Uint8Array {
    const piece = new Uint8Array(PIECE_BYTES);
    let length = 0;
    let taken = 0;
    for (const line of this.#lines) {
      const { read, written } = this.#encoder.encodeInto(`${line}\n`, piece.subarray(length));
      if (read <= line.length) break;
      length += written;
      taken++;
    }
    const [first] = this.#lines.splice(0, Math.max(1, taken));
    return taken > 0 ? piece.subarray(0, length) : this.#encoder.encode(`${first}\n`);
  }
}
