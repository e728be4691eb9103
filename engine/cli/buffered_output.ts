/**
 * Standard output and standard error that never make the server wait.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/** How many bytes may wait for a slow terminal or pipe before lines are dropped. */
const BUFFER_BYTES = 1024 * 1024;

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

  /** @param to the stream @param onDropped is called with the number of lines that were dropped */
  constructor(to: "stdout" | "stderr", onDropped: (lines: number) => void) {
    this.#to = to;
    this.#onDropped = onDropped;
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, withinMs));
    const written = async () => {
      while (this.#writing !== undefined) await this.#writing;
    };
    await Promise.race([written(), late]);
    clearTimeout(timer);
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
        let bytes = this.#encoder.encode(this.#lines.join("\n") + "\n");
        this.#lines = [];
        while (bytes.length > 0) bytes = bytes.subarray(await this.#print(bytes));
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

  async #print(bytes: Uint8Array): Promise<number> {
    try {
      return await runtime.print(this.#to, bytes);
    } catch (error) {
      // Another program has set the pipe to non-blocking, and the pipe is full.
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return 0;
    }
  }
}
