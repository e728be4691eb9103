/**
 * Clients for simulations: the three that every lesson has, and crowds.
 *
 * @module
 */

import { askFrame, GUESTS } from "../../engine/server/live/guests.ts";
import type { Client } from "./simulate.ts";

export {
  askFrame,
  beSilent,
  type Guest,
  GUESTS,
  LONG_PRIME,
} from "../../engine/server/live/guests.ts";

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
