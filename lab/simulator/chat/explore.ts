/**
 * Tries a simulated chat with many seeds, and finds the first history that breaks a promise.
 *
 * @module
 */

import type { Path } from "../network.ts";
import { companyOf, type CompanyOptions } from "./members.ts";
import { brokenPromises } from "./promises.ts";
import { type ChatSimulation, type ChatSimulationOptions, simulateChat } from "./simulate_chat.ts";

/** What a chat is tried with. All that is left to chance follows from the seed. */
export interface ChatTrial extends Partial<CompanyOptions> {
  /** Other knobs of the chat. */
  readonly knobs?: Partial<Omit<ChatSimulationOptions, "members" | "seed">>;
}

/** A network on which everything may go wrong that TCP puts right. */
export const ROUGH_PATH: Path = {
  delayUs: 100,
  jitterUs: 400,
  loss: 0.02,
  segment: 64,
  cuts: true,
};

/** How much the kernels keep on the way to a member that sleeps, in bytes: little, so that it matters. */
const SMALL_BUFFER = 2_048;

/**
 * Simulates the chat that belongs to a seed: its members, its network and its turns.
 *
 * @param seed the seed
 * @param trial what it is tried with
 */
export function chatOf(
  seed: number,
  { members = 4, lines = 4, hasSleeper = false, sips = false, knobs }: ChatTrial = {},
): ChatSimulation {
  const company = companyOf(seed, { members, lines, hasSleeper, sips });
  const path = hasSleeper
    ? { delayUs: 100, jitterUs: 400, cuts: true, buffer: SMALL_BUFFER }
    : ROUGH_PATH;
  return simulateChat({ path, ...knobs, members: company, seed });
}

/** A history that breaks a promise. */
export interface Failure {
  readonly seed: number;
  readonly broken: readonly string[];
}

/**
 * Tries one seed after another.
 *
 * @param from the first seed
 * @param count how many
 * @param trial what each is tried with
 * @returns the first history that breaks a promise; `undefined` if none does
 */
export function explore(from: number, count: number, trial?: ChatTrial): Failure | undefined {
  for (let seed = from; seed < from + count; seed++) {
    const broken = brokenPromises(chatOf(seed, trial));
    if (broken.length > 0) return { seed, broken };
  }
  return undefined;
}
