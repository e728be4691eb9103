/**
 * How requests follow each other in the open model: evenly, at random, or in bursts. It is a pure
 * function of the seed, whatever the number of threads.
 *
 * Many users who know nothing of each other arrive as a Poisson process: the times between them are
 * exponentially distributed, and short ones are the most frequent. So requests meet each other, and
 * wait, long before a server has no time left. Even arrivals hide that.
 *
 * @module
 */

import { Random } from "./random.ts";

/** How requests follow each other. */
export type ArrivalKind = "even" | "poisson" | `burst:${number}`;

/** The longest burst. */
const LONGEST_BURST = 1_000_000;

/** How to write them, for the message about a wrong one. */
export const ARRIVALS_FORM = "even, poisson or burst:N";

/**
 * Reads how requests follow each other.
 *
 * @param text `even`, `poisson`, or for instance `burst:10`
 * @returns the same; `undefined` if it is something else
 */
export function readArrivals(text: string): ArrivalKind | undefined {
  if (text === "even" || text === "poisson") return text;
  const [, digits] = /^burst:(\d{1,7})$/.exec(text) ?? [];
  const size = Number(digits);
  return size >= 1 && size <= LONGEST_BURST ? `burst:${size}` : undefined;
}

/**
 * How many requests are due at the same time.
 *
 * @param kind how they follow each other
 */
export function burstOf(kind: ArrivalKind): number {
  return kind.startsWith("burst:") ? Number(kind.slice("burst:".length)) : 1;
}

/** What keeps the numbers of the arrivals apart from those of the payloads. */
const OWN_SEED = 0x3c6e_f372;

/**
 * The places of one request after another, on an axis where one request is due in each unit on
 * average.
 */
export class Arrivals {
  readonly #burst: number;
  readonly #random: Random | undefined;
  #index = -1;
  #place = 0;

  /**
   * @param kind how they follow each other
   * @param seed the same seed gives the same places
   */
  constructor(kind: ArrivalKind, seed: number) {
    this.#burst = burstOf(kind);
    this.#random = kind === "poisson" ? new Random((seed ^ OWN_SEED) >>> 0) : undefined;
  }

  /**
   * Goes on to a later request.
   *
   * @param count how many requests further, at least 1; the first request is one further than the
   * beginning
   * @returns its place
   */
  advance(count: number): number {
    this.#index += count;
    const random = this.#random;
    if (random === undefined) return this.#index - this.#index % this.#burst;
    for (let left = count; left > 0; left--) this.#place += random.exponential();
    return this.#place;
  }
}
