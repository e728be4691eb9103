/**
 * What the client prints: answers to standard output, notes to standard error.
 *
 * @module
 */

import { escapeBytes, escapeText } from "../protocols/text.ts";
import { runtime } from "../engine/net/runtime.ts";
import { printSome } from "../engine/cli/print_some.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";

/**
 * Prints a line to standard error.
 *
 * @param line without its line end
 */
export function printNote(line: string): void {
  print("stderr", line);
}

/**
 * Prints the last line to standard output.
 *
 * @param line without its line end
 */
export function printResult(line: string): void {
  // If nobody reads it any more, the exit status still tells the result.
  print("stdout", line);
}

/**
 * Prints a line to standard output. If nobody reads it any more, as in `… | head -1`, there is
 * nothing left to do, and the process ends.
 *
 * @param line without its line end
 */
export function printAnswer(line: string): void {
  if (!print("stdout", line)) runtime.exit(EXIT_DONE);
}

/**
 * Writes bytes to standard output as they are, without holding anything else up. If nobody reads
 * them any more, the process ends.
 *
 * @param bytes the bytes, which must not change until the promise resolves
 */
export async function writeOutput(bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    try {
      at += await printSome("stdout", bytes.subarray(at));
    } catch (error) {
      if ((error as { code?: unknown }).code === "EPIPE") runtime.exit(EXIT_DONE);
      throw error;
    }
  }
}

/**
 * Formats bytes for people to read: as text if they are text, and safe for a terminal.
 *
 * @param bytes the bytes that were sent or received
 */
export function showBytes(bytes: Uint8Array): string {
  try {
    return escapeText(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    // The bytes are not text.
    return escapeBytes(bytes);
  }
}

/** Prints a line, and returns whether there was anybody to read it. */
function print(to: "stdout" | "stderr", line: string): boolean {
  try {
    runtime.printNow(to, `${line}\n`);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EPIPE") throw error;
    return false;
  }
}
