/**
 * The one clock of this project: every thread and every recording counts with it.
 *
 * @module
 */

/**
 * The present moment on the clock of this thread. It never goes back. The clocks of two threads
 * differ if the machine was suspended, or its time was set, between the starts of the threads.
 *
 * @returns milliseconds since 1970, with fractions
 */
export function moment(): number {
  return performance.timeOrigin + performance.now();
}
