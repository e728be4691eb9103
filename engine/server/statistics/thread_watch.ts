/**
 * Watches that the threads and processes of a server come out of their protocol's code, if each of them
 * serves one connection at a time.
 *
 * A conversation that computes and never yields holds such a thread until the server ends, and it looks
 * like one whose client is silent. So somebody has to say which one it is. The main thread can: where
 * others serve, it runs no protocol's code itself. What it reads are their pulses (`pulse.ts`).
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { readWords, type SharedPulses } from "../core/statistics_share.ts";
import type { Journal } from "../journal/journal.ts";
import { LOOK_MS, Stalls } from "./stillness.ts";

/** Somebody who is watched. */
export interface Watched {
  /** What it is called, for instance `worker 3`. */
  readonly name: string;
  /** Whose connection it serves, if that is known. */
  readonly peer: string | undefined;
}

/** What is watched, and what is said of it. */
export interface ThreadWatchParts {
  /** After how long in a protocol's code it is logged, in milliseconds. */
  readonly stallMs: number;
  /** The pulses. */
  readonly pulses: SharedPulses;
  /** Where it is logged. */
  readonly journal: Journal;
  /** Who has a pulse. @returns `undefined` if nobody has it now */
  find(index: number): Watched | undefined;
}

/** A watch in progress. */
export class ThreadWatch implements Disposable {
  readonly #parts: ThreadWatchParts;
  readonly #stalls: Stalls;
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param parts what is watched */
  constructor(parts: ThreadWatchParts) {
    this.#parts = parts;
    this.#stalls = new Stalls(parts.stallMs);
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    // What keeps the process running is its server.
    runtime.unrefTimer(this.#timer);
  }

  #look(): void {
    const { pulses, journal, find } = this.#parts;
    for (const { index, stillMs } of this.#stalls.look(readWords(pulses))) {
      const watched = find(index);
      // A thread that is lost may have left its pulse.
      if (watched === undefined) continue;
      const { name, peer } = watched;
      const properties = {
        thread: name,
        seconds: (stillMs / 1_000).toFixed(1),
        still_ms: Math.round(stillMs),
        ...(peer !== undefined && { peer }),
      };
      const whom = peer === undefined ? "" : ": it serves {peer}";
      const text = `{thread} has not left its protocol's code for {seconds} s${whom}`;
      journal.log({ level: "warning", text, properties });
    }
  }

  /** Ends it. It may be called again. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
