/**
 * What an event loop gives to those who run on it: the time, and a later moment to do something.
 *
 * Whoever asks a loop that it was given, and not the runtime, also runs in virtual time, where a
 * thousand histories take a second and each can be seen again.
 *
 * @module
 */

/** An event loop. */
export interface EventLoop {
  /** The time in milliseconds, on a clock that never goes back. */
  now(): number;
  /** The time of day, in milliseconds since 1970. */
  date(): number;
  /**
   * Does something as soon as that which runs now is over, before anything else happens.
   *
   * @param work what to do
   */
  soon(work: () => void): void;
  /**
   * Does something in another turn, when a time is over.
   *
   * @param ms how long from now, in milliseconds
   * @param work what to do
   * @returns a function that sees to it that it is not done; it may be called afterwards
   */
  after(ms: number, work: () => void): () => void;
}

/** The loop of the runtime, on this thread. */
export const THIS_LOOP: EventLoop = {
  now: () => performance.now(),
  date: () => Date.now(),
  soon: (work) => queueMicrotask(work),
  after(ms, work) {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};
