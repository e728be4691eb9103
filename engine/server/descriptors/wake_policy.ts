/**
 * When to wake another thread for a connection.
 *
 * To wake an idle thread for each connection is fair and slow: where conversations take
 * microseconds, fifty threads that take turns on two cores were measured to do little more than
 * half the work of eight, presumably because the memory of each JavaScript engine has left the
 * caches. But to leave a connection waiting for a busy thread is only right when one will be free
 * soon.
 *
 * So a thread is woken at once only while fewer are busy than there are cores. Otherwise the
 * policy measures how fast connections leave the queue: if at that rate this one will be taken
 * within {@linkcode PATIENCE_MS}, it is left for the threads that run already. And when nothing
 * has left the queue for {@linkcode STALLED} milliseconds, because those threads are stuck with
 * slow clients or long conversations, more and more are woken, until one of the busy ones takes
 * a connection again. A few milliseconds are what is granted to a standing
 * queue elsewhere too (CoDel, RFC 8289).
 *
 * @module
 */

import type { DescriptorRing } from "./descriptor_ring.ts";

/** How long a connection may wait for a busy thread while another is idle, in milliseconds. */
const PATIENCE_MS = 10;

/** Over how long the rate is measured, in milliseconds. */
const WINDOW_MS = 20;

/** After how long without a connection the rate is unknown again, in milliseconds. */
const IDLE_MS = 5 * WINDOW_MS;

/** How many milliseconds without any progress make a queue a stalled one. */
const STALLED = 10;

/** The policy of the one thread that puts connections into a queue. */
export class WakePolicy {
  readonly #ring: DescriptorRing;
  readonly #cores: number;
  #since = performance.now();
  #takenThen = 0;
  /** How many connections leave the queue in a millisecond; not known yet. */
  #perMs = Infinity;
  #seen = 0;
  #stalls = 0;
  /** How many threads were woken for connections that busy threads did not take. */
  #woken = 0;

  /** @param ring the queue @param cores how many processors there are */
  constructor(ring: DescriptorRing, cores: number) {
    this.#ring = ring;
    this.#cores = cores;
  }

  /**
   * Whether to wake a thread for the connection that was just put in.
   *
   * @param busy how many threads are serving
   */
  isUrgent(busy: number): boolean {
    const { length, taken } = this.#ring;
    if (busy < this.#cores) return true;
    const now = performance.now();
    const elapsed = now - this.#since;
    if (elapsed >= WINDOW_MS) {
      // After a time without connections, that none was taken says nothing.
      this.#perMs = elapsed > IDLE_MS ? Infinity : ((taken - this.#takenThen) | 0) / elapsed;
      this.#since = now;
      this.#takenThen = taken;
    }
    return length > this.#perMs * PATIENCE_MS;
  }

  /**
   * How many threads to wake after a millisecond in which no connection came.
   *
   * @returns 0 at first and as long as connections leave the queue; then twice as many each time
   */
  wakeAfterPause(): number {
    const { taken } = this.#ring;
    // What was taken by those that were woken for it is no progress of those that were busy.
    const progress = ((taken - this.#seen) | 0) > this.#woken;
    this.#stalls = progress ? 0 : this.#stalls + 1;
    this.#seen = taken;
    this.#woken = 0;
    const overdue = this.#stalls - STALLED;
    return overdue < 0 ? 0 : this.#cores * 2 ** Math.min(overdue, 16);
  }

  /** So many threads were woken of those that were wanted. */
  woke(count: number): void {
    this.#woken = count;
  }
}
