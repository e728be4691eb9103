/**
 * Standard output and standard error that never hold the server up.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/** How many bytes wait for a slow terminal or pipe before lines are dropped. */
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

  /** @param to which stream @param onDropped is told how many lines were dropped */
  constructor(to: "stdout" | "stderr", onDropped: (lines: number) => void) {
    this.#to = to;
    this.#onDropped = onDropped;
  }

  /**
   * Writes a line some time soon, or drops it when too much waits already.
   *
   * @param line without its line end
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
   * @param withinMs how long to wait for a reader that is stuck
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

  /** Tells how many lines were dropped since it was told last. */
  tellDropped(): void {
    if (this.#dropped > 0) this.#onDropped(this.#dropped);
    this.#dropped = 0;
  }

  async #write(): Promise<void> {
    // A moment, so that what is told together is written together.
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
      // Whoever read it has gone, as in `… | head -1`. The server has not been told to stop.
      this.#broken = true;
      this.#lines = [];
    }
    this.#writing = undefined;
  }

  async #print(bytes: Uint8Array): Promise<number> {
    try {
      return await runtime.print(this.#to, bytes);
    } catch (error) {
      // A pipe that another program has set to non-blocking, and that is full.
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return 0;
    }
  }
}
