/**
 * Writing that does not return before all is written.
 *
 * @module
 */

/** How long a pipe that is full is left alone, in milliseconds. */
const FULL_MS = 2;

/** Nobody ever wakes who waits for it. */
const NEVER = new Int32Array(new SharedArrayBuffer(4));

/**
 * Writes all of `bytes`, holding this thread up. A pipe may be set to non-blocking, as Bun itself
 * does with standard output, or by another program that shares it: where it is full, it is tried
 * again.
 *
 * @param bytes what to write
 * @param write writes some of it and says how much
 * @throws {Error} if it cannot be written, for instance `EPIPE`
 */
export function writeAll(bytes: Uint8Array, write: (bytes: Uint8Array) => number): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += write(bytes.subarray(at));
    } catch (error) {
      if ((error as { code?: unknown }).code !== "EAGAIN") throw error;
      Atomics.wait(NEVER, 0, 0, FULL_MS);
    }
  }
}
