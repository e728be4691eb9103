/**
 * A write that returns only when everything is written.
 *
 * @module
 */

/** After how long a full pipe is tried again, in milliseconds. */
const FULL_MS = 2;

/**
 * Writes all of `bytes` and blocks this thread meanwhile. A pipe may be non-blocking: Bun makes
 * standard output so, and so may another program that shares the pipe. A full one is tried again.
 *
 * @param bytes what to write
 * @param write writes some of the bytes and returns how many
 * @param sleep blocks this thread for a number of milliseconds
 * @throws {Error} if it cannot be written, for instance `EPIPE`
 */
export function writeAll(
  bytes: Uint8Array,
  write: (bytes: Uint8Array) => number,
  sleep: (ms: number) => void,
): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += write(bytes.subarray(at));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      sleep(FULL_MS);
    }
  }
}
