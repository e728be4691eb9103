/**
 * Reads standard input as it arrives: from a terminal, a pipe or a file, or closed from the start.
 *
 * @module
 */

// @ts-types="../types/delay.d.ts"
import { delay } from "@std/async/delay";
import { runtime } from "../net/runtime.ts";
import { readSystemFile } from "../net/system_file.ts";
import { describeError } from "../values/thrown.ts";

/** How much is read at a time, in bytes. */
const READ_BYTES = 64 * 1024;

/**
 * The pause before reading again from a non-blocking terminal or pipe that is empty, in
 * milliseconds.
 */
const EMPTY_MS = 10;

/** How often a background job checks whether it is in the foreground, in milliseconds. */
const BACKGROUND_MS = 1_000;

/** How to read standard input. */
export interface InputOptions {
  /**
   * Whether a background job of a terminal, as `command &` starts it, waits until it is in the
   * foreground before it reads. Without this, its first read stops the whole process (SIGTTIN), as
   * people expect of a command that has nothing else to do. This works on Linux, and on Deno only
   * with all permissions; elsewhere the process is stopped.
   *
   * @default {false}
   */
  readonly waitsInBackground?: boolean;
}

/**
 * Reads standard input as it arrives.
 *
 * @param options what to do in the background
 * @returns pieces of at most 64 KiB; each is valid until the next one is requested
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
      // Standard input was closed, as by `command <&-`, so there is nothing to read.
      if (code === "EBADF") return 0;
      if (code !== "EAGAIN") {
        throw new Error(`Cannot read standard input: ${describeError(cause)}`, { cause });
      }
      await delay(EMPTY_MS);
    }
  }
}

/** Whether another job has the terminal: see proc(5) and credentials(7). */
function isInBackground(): boolean {
  const status = readSystemFile("/proc/self/stat") ?? "";
  // The second field is the program's name in parentheses. It may itself contain spaces and
  // parentheses.
  const [, , group, , , foreground] = status.slice(status.lastIndexOf(")") + 1).trim().split(" ");
  // A process without a terminal of its own has -1 here: it is not a job.
  return foreground !== undefined && Number(foreground) > 0 && foreground !== group;
}
