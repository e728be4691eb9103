/**
 * How the visitors of a server are seen off when it ends: everybody is told, may talk on for a
 * while, is then asked to leave, and leaves with the last line read.
 *
 * @module
 */

import type { Deadlines } from "../../engine/drivers/deadlines.ts";
import { LONGEST_MS } from "../../engine/values/durations.ts";
import { closing } from "../talk/notices.ts";
import type { Visitors } from "./visitors.ts";

/** What a farewell needs. */
export interface FarewellParts {
  readonly visitors: Visitors;
  /** Knows the time. */
  readonly deadlines: Deadlines;
  /** Everybody is about to be asked to leave. */
  onEnding?: (() => void) | undefined;
}

/** The end of a server, for its visitors. */
export class Farewell {
  readonly #parts: FarewellParts;
  /** When they have to leave; `undefined` as long as nobody was told. */
  #endsAt: number | undefined;

  /** @param parts what it needs */
  constructor(parts: FarewellParts) {
    this.#parts = parts;
  }

  /** How long the visitors may still stay, in milliseconds. */
  get leftMs(): number {
    return Math.max(0, (this.#endsAt ?? Infinity) - this.#parts.deadlines.now);
  }

  /**
   * Tells everybody who is here, and everybody who still comes, that the server is about to end. When
   * it is called again, the earlier end counts.
   *
   * @param drainMs how long they may still stay, in milliseconds
   */
  announce(drainMs: number): void {
    const { visitors, deadlines } = this.#parts;
    const endsAt = deadlines.now + drainMs;
    if (this.#endsAt !== undefined && endsAt >= this.#endsAt) return;
    this.#endsAt = endsAt;
    visitors.announce(() => closing(this.leftMs));
    visitors.lookAgain();
  }

  /**
   * Sees everybody off. Nobody comes any more.
   *
   * @param done called when the last connection is closed
   */
  seeOff(done: () => void): void {
    const { visitors, onEnding } = this.#parts;
    // The time is looked at again if the end was hastened.
    if (visitors.open > 0 && this.leftMs > 0) {
      return visitors.whenGone(this.leftMs, () => this.seeOff(done));
    }
    onEnding?.();
    visitors.dismissAll();
    visitors.whenGone(LONGEST_MS, () => visitors.whenParted(done));
  }
}
