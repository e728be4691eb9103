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

/** The two clocks that are compared, in milliseconds. */
export interface Clocks {
  /** Whole milliseconds since 1970, as the kernel counts them. */
  readonly system: () => number;
  /** As {@linkcode moment}. */
  readonly own: () => number;
}

/** How closely the clocks are compared, in milliseconds. */
const CLOSE_MS = 0.01;

/** How often that is tried at most. Each time takes up to a millisecond. */
const MOST_TICKS = 10;

/** How many looks at a clock that stands still are enough. */
const MOST_LOOKS = 10_000_000;

/**
 * Measures how far the system's clock (CLOCK_REALTIME), by which the kernel stamps packets, is ahead
 * of {@linkcode moment}. Both begin alike, but a thread that has to wait for its processor while it
 * starts may be off by a millisecond. It takes a few milliseconds of work.
 *
 * @param clocks the clocks
 * @returns milliseconds, with fractions; negative if it is behind
 */
export function systemClockLead(
  { system, own }: Clocks = { system: Date.now, own: moment },
): number {
  let lead = 0;
  let closest = Infinity;
  for (let tick = 0; tick < MOST_TICKS && closest > CLOSE_MS; tick++) {
    let [before, between, after] = [own(), own(), own()];
    const began = system();
    let now = began;
    // At the moment at which the whole milliseconds change, they are exact. That is somewhere between
    // the last two looks, and so between the first and the last of these three.
    for (let look = 0; now === began && look < MOST_LOOKS; look++) {
      [before, between] = [between, after];
      now = system();
      after = own();
    }
    if (now !== began && after - before < closest) {
      closest = after - before;
      lead = now - (before + after) / 2;
    }
  }
  return lead;
}
