/**
 * What is left of a game: its recording, and how it has ended.
 *
 * @module
 */

import { RecordingFile } from "../../../engine/recording/recording_file.ts";
import { packets } from "./game.ts";
import type { WireOutcome } from "./play.ts";
import type { Scenario } from "./scenario.ts";

/** The name of the command, in recordings. */
export const NAME = "observe wire";

/**
 * Begins a recording, if one is wanted.
 *
 * @param path the file
 * @param beganUs when it began, in microseconds since 1970
 * @throws {Error} if it cannot be written
 */
export function record(path: string | undefined, beganUs: number): RecordingFile | undefined {
  if (path === undefined) return undefined;
  return RecordingFile.create(path, { by: NAME, tier: "T2", beganUs });
}

/**
 * How a game has ended, in sentences.
 *
 * @param outcome how
 * @param scenario what was played
 */
export function describeOutcome(outcome: WireOutcome, scenario: Scenario | undefined): string {
  const { won, client, server } = outcome;
  const states = `The kernel says: client ${client}, server ${server}.`;
  const moral = won === true && scenario !== undefined ? [scenario.moral] : [];
  return [`${describeShortly(outcome, scenario)}.`, states, ...moral].join(" ");
}

/**
 * How a game has ended, in one sentence without its full stop.
 *
 * @param outcome how
 * @param scenario what was played
 */
export function describeShortly(
  { won, why, score }: WireOutcome,
  scenario: Scenario | undefined,
): string {
  const time = (score.ms / 1000).toFixed(1);
  const spent = `${packets(score.packets)}, ${score.lost} of them lost, in ${time} s`;
  if (won === true) return `Won with ${spent}; the least is ${scenario?.least}`;
  if (won === false) return `Lost: ${why}`;
  return `Over after ${spent}${why === undefined ? "" : `: ${why}`}`;
}
