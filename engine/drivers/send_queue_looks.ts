/**
 * What the peers of connections have not acknowledged, for all of a thread who ask about connections,
 * each in its own time.
 *
 * All connections of the process are read at once: `engine/net/send_queues.ts`. What was read serves
 * all who ask soon after, so that however many ask, the loop spends a small part of its time on it. But
 * nobody is served twice with the same, if they set their next look after they have asked: whoever
 * looks whether something has changed would see that nothing has.
 *
 * @module
 */

import { readSendQueues } from "../net/send_queues.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { LOOKS_AT_WRITE } from "./limits.ts";
import type { SendQueues } from "./write_watch.ts";

/** For how many times as long as reading took nothing is read again. */
const SPARED = 10;

/** Looks at the kernel's send queues for the connections of one thread. */
export class SendQueueLooks implements SendQueues {
  readonly #deadlines: Deadlines;
  /** For how long it serves at most, in milliseconds. */
  readonly #mostMs: number;
  readonly #forget = new Deadline(() => this.#queues = undefined, true);
  #queues: ReadonlyMap<string, number> | undefined;
  /** Until when that serves: a deadline may be late. */
  #until = 0;

  /**
   * @param deadlines keeps time
   * @param writeTimeoutMs the limit of the writes that are looked at, in milliseconds; 0 if there is none
   * @param apartMs how long others who ask wait at least between two looks, in milliseconds
   */
  constructor(deadlines: Deadlines, writeTimeoutMs: number, apartMs = Infinity) {
    this.#deadlines = deadlines;
    const lookMs = writeTimeoutMs > 0 ? writeTimeoutMs / LOOKS_AT_WRITE : Infinity;
    this.#mostMs = Math.min(lookMs, apartMs);
  }

  read(): ReadonlyMap<string, number> {
    const fromMs = this.#deadlines.now;
    if (this.#queues !== undefined && fromMs < this.#until) return this.#queues;
    const queues = readSendQueues();
    // Counted from the end: a reading may take longer than it serves, and many may wait for it.
    const { now } = this.#deadlines;
    const spareMs = Math.min((now - fromMs) * SPARED, this.#mostMs);
    this.#until = now + spareMs;
    this.#queues = queues;
    this.#deadlines.set(this.#forget, Math.max(1, Math.ceil(spareMs)));
    return queues;
  }
}
