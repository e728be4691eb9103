/**
 * What the peers of connections have not acknowledged, for those who ask about one connection after
 * another, each in its own time.
 *
 * All connections of the process are read at once: `engine/net/send_queues.ts`. What was read serves
 * all who ask soon after, so that however many ask, the loop spends a small part of its time on it.
 *
 * @module
 */

import { readSendQueues } from "../net/send_queues.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";

/** For how many times as long as reading took nothing is read again. */
const SPARED = 10;

/** Looks at the kernel's send queues for the connections of one server. */
export class SendQueueLooks {
  readonly #deadlines: Deadlines;
  readonly #forget = new Deadline(() => this.#queues = undefined, true);
  #queues: ReadonlyMap<string, number> | undefined;

  /** @param deadlines keeps time */
  constructor(deadlines: Deadlines) {
    this.#deadlines = deadlines;
  }

  /**
   * How many bytes of a connection the kernel has and the peer has not.
   *
   * @param ends which connection it is, as its `ends` say
   * @returns bytes; 0 if that is not known
   */
  bytesOf(ends: string): number {
    return (this.#queues ??= this.#read()).get(ends) ?? 0;
  }

  #read(): ReadonlyMap<string, number> {
    const fromMs = this.#deadlines.now;
    const queues = readSendQueues();
    const spareMs = Math.ceil((this.#deadlines.now - fromMs) * SPARED);
    this.#deadlines.set(this.#forget, Math.max(1, spareMs));
    return queues;
  }
}
