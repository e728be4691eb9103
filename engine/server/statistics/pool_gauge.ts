/**
 * The figures of a pool of threads whose connections the main thread hands over, in shared memory.
 *
 * @module
 */

import type { OwnFigures } from "../core/statistics_share.ts";

const QUEUED = 0;
const BUSY = 1;
const WORKERS = 2;

/** What a pool shows of itself. Only the main thread writes it. */
export class PoolGauge {
  readonly #memory = new SharedArrayBuffer(64);
  readonly #words = new Int32Array(this.#memory);

  /** How many threads serve a connection. */
  get busy(): number {
    return this.#words[BUSY] as number;
  }

  set busy(count: number) {
    this.#words[BUSY] = count;
  }

  /**
   * Shows how many connections wait for a thread, and how many threads there are.
   *
   * @param queued connections that wait
   * @param workers threads that run
   */
  show(queued: number, workers: number): void {
    this.#words[QUEUED] = queued;
    this.#words[WORKERS] = workers;
  }

  /** Where other threads find the figures. */
  get figures(): Required<Pick<OwnFigures, "queued" | "busy" | "workers">> {
    const word = (at: number) => ({ kind: "word", memory: this.#memory, at } as const);
    return { queued: word(QUEUED), busy: word(BUSY), workers: word(WORKERS) };
  }
}
