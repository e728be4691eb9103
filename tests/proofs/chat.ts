/**
 * Whatever the network does and whoever comes first, the chat keeps what it promises: nobody hears a
 * line twice, out of its order or after having left, a slow member loses only itself, everybody is
 * told the end, and nothing is left.
 *
 * What runs is the chat itself, in virtual time: `lab/simulator/chat/`. Each seed is a history.
 *
 * @module
 */

import { type ChatTrial, explore } from "../../lab/simulator/chat/explore.ts";
import type { Path } from "../../lab/simulator/network.ts";
import { assertEquals } from "../kit/harness.ts";
import { prove } from "../kit/proof.ts";

/** Half a second may pass until a segment has come. So anybody may count as a slow reader. */
const LOSSY: Path = { delayUs: 10, loss: 0.2, buffer: 2_048 };

/** What is tried, and its share of the seeds. */
const TRIALS: readonly (readonly [share: number, trial: ChatTrial])[] = [
  [1, {}],
  [1 / 20, { members: 12, lines: 6 }],
  [1 / 10, { hasSleeper: true }],
  [1 / 10, { hasSleeper: true, knobs: { slow: "drop" } }],
  [1 / 10, { members: 2, lines: 1, hasSleeper: true }],
  [1 / 10, { hasSleeper: true, sips: true }],
  [1 / 10, { hasSleeper: true, sips: true, knobs: { slow: "drop", outboxBytes: 8_192 } }],
  [1 / 10, { members: 6, lines: 6, hasSleeper: true, knobs: { outboxBytes: 2_048, path: LOSSY } }],
  [1 / 10, { members: 8, lines: 2, knobs: { namesUs: 5_000, closesAtMs: 6, drainMs: 2 } }],
];

/**
 * Tries seeds, from 1 on.
 *
 * @param seeds how many
 * @returns how many histories there were
 * @throws {Error} if one of them breaks a promise; the message has its seed
 */
export function tryChats(seeds: number): number {
  let tried = 0;
  for (const [share, trial] of TRIALS) {
    const count = Math.ceil(seeds * share);
    assertEquals(explore(1, count, trial), undefined, JSON.stringify(trial));
    tried += count;
  }
  return tried;
}

await prove(import.meta, () => `${tryChats(50_000)} histories`);
