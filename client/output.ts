/**
 * What the client prints: answers to standard output, notes to standard error.
 *
 * @module
 */

// @ts-types="../engine/types/delay.d.ts"
import { delay } from "@std/async/delay";
import { escapeBytes, escapeText } from "../protocols/text.ts";
import { runtime } from "../engine/net/runtime.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";

/** How long a pipe that another program has set to non-blocking is left alone when it is full. */
const FULL_MS = 10;

/**
 * Prints a line to standard error.
 *
 * @param line without its line end
 */
export function printNote(line: string): void {
  print("stderr", line);
}

/**
 * Prints a line to standard output, the last one.
 *
 * @param line without its line end
 */
export function printResult(line: string): void {
  // Where nobody reads it any more the exit status still says how it went.
  print("stdout", line);
}

/**
 * Prints a line to standard output. Where nobody reads it any more, as in `… | head -1`, nothing
 * is left to do: it ends the process.
 *
 * @param line without its line end
 */
export function printAnswer(line: string): void {
  if (!print("stdout", line)) runtime.exit(EXIT_DONE);
}

/**
 * Writes bytes to standard output as they are, without holding anything else up. Where nobody
 * reads them any more it ends the process.
 *
 * @param bytes left alone until the promise resolves
 */
export async function writeOutput(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    try {
      at += await runtime.print("stdout", bytes.subarray(at));
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === "EPIPE") runtime.exit(EXIT_DONE);
      if (code !== "EAGAIN") throw error;
      await delay(FULL_MS);
    }
  }
}

/**
 * Bytes as a person reads them: text where they are text, made fit for a terminal.
 *
 * @param bytes what was sent or came
 */
export function showBytes(bytes: Uint8Array): string {
  try {
    return escapeText(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // No text.
    return escapeBytes(bytes);
  }
}

/** Prints a line, and says whether there was somebody to read it. */
function print(to: "stdout" | "stderr", line: string): boolean {
  try {
    runtime.printNow(to, `${line}\n`);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EPIPE") throw error;
    return false;
  }
}
