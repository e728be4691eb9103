/**
 * Writes to standard output or standard error without blocking the thread, also where another
 * program has made the pipe non-blocking.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";

/** How long to wait when such a pipe is full, in milliseconds. */
const FULL_MS = 10;

/**
 * Writes some bytes, and waits for the reader if need be.
 *
 * @param to the stream
 * @param bytes the bytes, which must not change until the promise resolves
 * @returns how many were written; 0 if the pipe was full
 * @throws {Error} if they cannot be written, for instance `EPIPE`
 */
export async function printSome(to: "stdout" | "stderr", bytes: Uint8Array): Promise<number> {
  try {
    return await runtime.print(to, bytes);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
    await new Promise((resolve) => setTimeout(resolve, FULL_MS));
    return 0;
  }
}
