/**
 * Counts and logs the errors that belong to no conversation.
 *
 * @module
 */

import type { StrayReport } from "../../workers/strays.ts";
import type { Journal } from "../journal/journal.ts";
import type { CounterBlock } from "./counters.ts";

/** How long nothing more is logged after one was, in milliseconds. */
const QUIET_MS = 1_000;

/** The errors outside all conversations of a server. */
export class StrayLog {
  readonly #journal: Journal;
  readonly #counters: CounterBlock;
  #untold = 0;
  #toldAt = -Infinity;

  /** @param journal the journal to log in @param counters the main thread's */
  constructor(journal: Journal, counters: CounterBlock) {
    this.#journal = journal;
    this.#counters = counters;
  }

  /**
   * Counts the errors. It logs them at most once a second, so that a protocol that throws all the
   * time does not fill the log.
   */
  readonly tell = ({ error, count }: StrayReport): void => {
    this.#counters.strayed(count);
    this.#untold += count;
    const now = performance.now();
    if (now - this.#toldAt < QUIET_MS) return;
    this.#toldAt = now;
    const more = this.#untold > 1 ? " (the last of {count})" : "";
    const text = `an error outside every conversation: {error}${more}`;
    this.#journal.log({ level: "error", text, properties: { error, count: this.#untold } });
    this.#untold = 0;
  };
}
