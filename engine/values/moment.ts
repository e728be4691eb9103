/**
 * The one clock of this project: every thread and every recording counts with it.
 *
 * @module
 */

/** How precisely the clock is set, in microseconds. */
const PRECISION_US = 10;

/** How long to try, in microseconds. */
const PATIENCE_US = 100_000;

/** How far the clock of this thread is behind the system's, in milliseconds, as far as is known. */
let behindMs = 0;

/**
 * The present moment on the clock of this thread. The clocks of two threads differ if the machine
 * was suspended, or its time was set, between the starts of the threads.
 *
 * @returns milliseconds since 1970, with fractions
 */
export function moment(): number {
  return performance.timeOrigin + performance.now() + behindMs;
}

/** The same moment in microseconds since 1970, as recordings count. */
export function nowUs(): number {
  return moment() * 1000;
}

/**
 * A stamp of the system's time, which all threads and processes of the machine share, however their
 * own clocks were set. If somebody sets the system's time meanwhile, what is counted from it is wrong.
 *
 * @returns milliseconds, of which 32 bits are left; never 0, which stands for no stamp
 */
export function stamp(): number {
  return (Date.now() | 0) || 1;
}

/**
 * How long ago a stamp was made.
 *
 * @param then from {@linkcode stamp}; 0 for none
 * @returns whole milliseconds, of which one may be too many or too few; 0 without a stamp
 */
export function msSince(then: number): number {
  return then === 0 ? 0 : Math.max(0, (Date.now() - then) | 0);
}

/**
 * Sets the clock of this thread by the system's (CLOCK_REALTIME), which stamps packets. When a thread
 * starts, its runtime reads two clocks, one after the other. If the thread has to wait in between,
 * `performance.timeOrigin` is wrong for good, on a busy machine by milliseconds. This takes a
 * millisecond, or some more on a busy machine.
 */
export function setClock(): void {
  behindMs = 0;
  const endsUs = nowUs() + PATIENCE_US;
  // When the last look at the system's clock began, and what it saw.
  let lastUs = nowUs();
  let lastMs = Date.now();
  while (lastUs < endsUs) {
    const beganUs = nowUs();
    const ms = Date.now();
    // The system's clock has gone on to a new millisecond. If both looks took no time, it was now.
    if (ms !== lastMs && nowUs() - lastUs < PRECISION_US) {
      const foundUs = ms * 1000 - beganUs;
      // A clock that was not held up at its start is better than this measurement.
      if (Math.abs(foundUs) > PRECISION_US) behindMs = foundUs / 1000;
      return;
    }
    lastUs = beganUs;
    lastMs = ms;
  }
}
