/**
 * Standard input as it comes: of a terminal, a pipe or a file, or closed from the beginning.
 *
 * @module
 */

// @ts-types="../types/delay.d.ts"
import { delay } from "@std/async/delay";
import { runtime } from "../net/runtime.ts";
import { describeError } from "../values/thrown.ts";

/** How much is read at a time, in bytes. */
const READ_BYTES = 64 * 1024;

/** How long a terminal or pipe that is set to non-blocking is left alone when it has nothing. */
const EMPTY_MS = 10;

/** How often a background job looks whether it is in the foreground, in milliseconds. */
const BACKGROUND_MS = 1_000;

/** How to read standard input. */
export interface InputOptions {
  /**
   * Whether a background job of a terminal, as `command &` starts it, waits with reading until it
   * is in the foreground. Otherwise its first read stops the whole process (SIGTTIN), which is what
   * people expect of a command that has nothing else to do. On Linux, and on Deno with all
   * permissions; elsewhere it is stopped.
   *
   * @default {false}
   */
  readonly waitsInBackground?: boolean;
}

/**
 * Reads standard input as it comes.
 *
 * @param options what to do in the background
 * @returns pieces of at most 64 KiB, each valid until the next is asked for
 * @throws {Error} if it cannot be read
 */
export async function* readInput(options: InputOptions = {}): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ_BYTES);
  const waits = options.waitsInBackground === true && runtime.isTerminal("stdin");
  for (;;) {
    while (waits && isInBackground()) await delay(BACKGROUND_MS);
    const count = await readSome(buffer);
    if (count === 0) return;
    yield buffer.subarray(0, count);
  }
}

async function readSome(buffer: Uint8Array): Promise<number> {
  for (;;) {
    try {
      return await runtime.readInput(buffer);
    } catch (cause) {
      const { code } = cause as { code?: unknown };
      // Who closes standard input, as `command <&-` does, has nothing to say.
      if (code === "EBADF") return 0;
      if (code !== "EAGAIN") {
        throw new Error(`Cannot read standard input: ${describeError(cause)}`, { cause });
      }
      await delay(EMPTY_MS);
    }
  }
}

/** Whether the terminal is another job's: see proc(5) and credentials(7). */
function isInBackground(): boolean {
  const status = runtime.processStatus() ?? "";
  // The second field, the program's name in parentheses, may hold spaces and parentheses itself.
  const [, , group, , , foreground] = status.slice(status.lastIndexOf(")") + 1).trim().split(" ");
  // Without a terminal of its own, -1, a process is nobody's job.
  return foreground !== undefined && Number(foreground) > 0 && foreground !== group;
}
