/**
 * Clients for simulations: the three that every lesson has, and crowds.
 *
 * @module
 */

import { type Protocol, readWithin } from "../../protocols/effects.ts";
import { askFrame, GUESTS } from "../../engine/server/live/guests.ts";
import type { Client } from "./simulate.ts";

export { askFrame, type Guest, GUESTS, LONG_PRIME } from "../../engine/server/live/guests.ts";

/**
 * A client that says nothing for a time, and then closes.
 *
 * @param ms for how long, in milliseconds
 */
export function* beSilent(ms: number): Protocol {
  for (let answer = yield* readWithin(ms); answer instanceof Uint8Array;) {
    answer = yield* readWithin(ms);
  }
}

/**
 * The {@linkcode GUESTS} as clients of a simulation.
 *
 * @param apartUs how long after each other they come, in microseconds
 */
export function threeClients(apartUs = 1_000): readonly Client[] {
  return GUESTS.map(({ name, asks }, place) => ({
    name,
    atUs: place * apartUs,
    converse: () => askFrame(asks),
  }));
}
