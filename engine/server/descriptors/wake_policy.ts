/**
 * Decides when to wake another thread for a connection.
 *
 * Waking an idle thread for each connection is fair and slow. It was measured with conversations
 * that take microseconds: fifty threads that take turns on two cores did little more than half the
 * work of eight. The reason is presumably that each JavaScript engine's memory has left the caches
 * before its next turn. But a connection should be left for a busy thread only if one will be free
 * soon.
 *
 * So a thread is woken at once only while fewer threads are busy than there are cores. Otherwise
 * the policy measures how fast connections leave the queue. If this one will be taken within
 * {@linkcode PATIENCE_MS} at that rate, it is left for the threads that already run. The queue may
 * also stand still, because those threads are stuck with slow clients or long conversations. When
 * nothing has left it for {@linkcode STALLED} pauses of a millisecond, more and more threads are woken, until
 * one of the busy ones takes a connection again. Other systems, too, tolerate a standing queue for
 * a few milliseconds (CoDel, RFC 8289).
 *
 * @module
 */

import type { DescriptorRing } from "./descriptor_ring.ts";

/** How long a connection may wait for a busy thread while another is idle, in milliseconds. */
const PATIENCE_MS = 10;

/** The rate is measured over this time, in milliseconds. */
const WINDOW_MS = 20;

/** Without a connection for this time the rate is unknown again, in milliseconds. */
const IDLE_MS = 5 * WINDOW_MS;

/**
 * How many pauses without progress make a stalled queue. A pause is a millisecond: `STALL_MS` of
 * `waking.ts`.
 */
const STALLED = 10;

/** The policy. The one thread that puts connections into the queue uses it. */
export class WakePolicy {
  readonly #ring: DescriptorRing;
  readonly #cores: number;
  readonly #clock: () => number;
  #since: number;
  #takenThen = 0;
  /** How many connections leave the queue in a millisecond; `Infinity` while it is unknown. */
  #perMs = Infinity;
  #seen = 0;
  #stalls = 0;
  /** How many threads were woken for connections that busy threads did not take. */
  #woken = 0;

  /**
   * @param ring the queue
   * @param cores how many processors there are
   * @param clock tells the time, in milliseconds
   */
  constructor(ring: DescriptorRing, cores: number, clock = () => performance.now()) {
    this.#ring = ring;
    this.#cores = cores;
    this.#clock = clock;
    this.#since = clock();
  }

  /**
   * Whether to wake a thread for the connection that was just put in.
   *
   * @param busy how many threads are serving
   */
  isUrgent(busy: number): boolean {
    const { length, taken } = this.#ring;
    if (busy < this.#cores) return true;
    const now = this.#clock();
    const elapsed = now - this.#since;
    if (elapsed >= WINDOW_MS) {
      // If no connection came for a long time, none could be taken. That says nothing about the
      // rate.
      this.#perMs = elapsed > IDLE_MS ? Infinity : ((taken - this.#takenThen) | 0) / elapsed;
      this.#since = now;
      this.#takenThen = taken;
    }
    return length > this.#perMs * PATIENCE_MS;
  }

  /**
   * How many threads to wake after a millisecond in which no connection came.
   *
   * @returns 0 at first and while connections leave the queue; then twice as many each time
   */
  wakeAfterPause(): number {
    const { taken } = this.#ring;
    // Connections that went to newly woken threads do not show that the busy ones make progress.
    const progress = ((taken - this.#seen) | 0) > this.#woken;
    this.#stalls = progress ? 0 : this.#stalls + 1;
    this.#seen = taken;
    this.#woken = 0;
    const overdue = this.#stalls - STALLED;
    return overdue < 0 ? 0 : this.#cores * 2 ** Math.min(overdue, 16);
  }

  /** @param count how many threads were woken of those that were wanted */
  woke(count: number): void {
    this.#woken = count;
  }
}
