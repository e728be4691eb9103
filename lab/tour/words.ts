/**
 * What became of the clients of a server, drawn and in words: who waited for whom.
 *
 * @module
 */

import type { Life } from "../../engine/figures/life.ts";
import { formatTime } from "../../engine/values/units.ts";
import type { Screen } from "../report/screen.ts";
import { drawLives } from "./picture.ts";
import type { Seen } from "./visits.ts";

/** The clients of a server, in the order in which they came. */
export interface Visited {
  /** What they have seen. */
  readonly seen: readonly Pick<Seen, "name" | "answeredUs">[];
  /** What became of the time of each. */
  readonly lives: readonly Life[];
}

/**
 * Draws their lives below each other.
 *
 * @param screen where it appears
 * @param visited the clients
 */
export function drawVisit(screen: Screen, { seen, lives }: Visited): readonly string[] {
  const tracks = seen.map(({ name }, index) => ({ name, life: lives[index] as Life }));
  return drawLives(screen, tracks);
}

/**
 * Who waited for whom, in words.
 *
 * @param visited the clients
 */
export function describeVisit({ seen, lives }: Visited): string {
  const name = (index: number) => seen[index]?.name ?? "";
  const waited = lives.flatMap(({ waitedUs, waitedFor }, index) =>
    waitedFor === undefined
      ? []
      : [`${name(index)} waited ${formatTime(waitedUs)} for ${name(waitedFor)}`]
  );
  const who = waited.length === 0 ? "nobody waited for anybody" : waited.join(", and ");
  const text = `${who}; the answers came in this order: ${orderOf(seen)}.`;
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

/**
 * The names of the clients in the order of their answers.
 *
 * @param seen the clients
 */
export function orderOf(seen: Visited["seen"]): string {
  const sorted = seen.toSorted((one, other) => one.answeredUs - other.answeredUs);
  return sorted.map(({ name }) => name).join(", ");
}
