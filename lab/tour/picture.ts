/**
 * The pictures of the tour, in text.
 *
 * @module
 */

import { pad, render, type Rendition, type Screen, wrap } from "../report/screen.ts";
import { formatTime } from "../../engine/values/units.ts";
import { type Doing, DOING_WORDS, type Life } from "../../engine/figures/life.ts";

/** The widest picture, in characters: longer lines are hard to compare. */
const WIDEST = 100;

/** How each part of a client's time looks, from the one that is shown first when there is no room. */
const SIGNS: readonly (readonly [doing: Doing, sign: string, look: Rendition])[] = [
  ["computing", "█", "green"],
  ["accept", "░", "red"],
  ["queue", "▒", "yellow"],
  ["thread", "▓", "red"],
  ["talk", "─", "faint"],
];

/** A line of a picture. */
export interface Track {
  readonly name: string;
  readonly life: Life;
}

/** What the signs mean, a line each where there is room. */
export function drawSigns(screen: Screen): readonly string[] {
  const width = Math.max(1, Math.min(screen.columns(), WIDEST) - 4);
  return SIGNS.flatMap(([doing, sign, look]) => {
    const [first = "", ...rest] = wrap(DOING_WORDS[doing], width);
    return [`  ${render(screen, look, sign)} ${first}`, ...rest.map((line) => `    ${line}`)];
  });
}

/**
 * Draws the lives of some clients below each other, on one scale.
 *
 * @param screen where it appears
 * @param tracks the clients
 * @returns its lines: one for each client, and the scale
 */
export function drawLives(screen: Screen, tracks: readonly Track[]): readonly string[] {
  const ends = tracks.flatMap(({ life }) => life.stretches);
  const beginUs = Math.min(...ends.map(({ fromUs }) => fromUs));
  const endUs = Math.max(...ends.map(({ toUs }) => toUs));
  const nameWidth = widest(tracks.map(({ name }) => name));
  const times = tracks.map(({ life }) => formatTime(lengthOf(life)));
  const room = Math.min(screen.columns(), WIDEST) - nameWidth - widest(times) - 4;
  const columns = Math.max(10, room);
  const columnUs = Math.max(1, endUs - beginUs) / columns;
  const lines = tracks.map(({ name, life }, index) => {
    const signs = Array.from({ length: columns }, (_, column) => {
      const fromUs = beginUs + column * columnUs;
      return signAt(screen, life, fromUs, fromUs + columnUs);
    });
    return `${pad(name, nameWidth, "left")}  ${signs.join("")}  ${times[index]}`;
  });
  return [...lines, render(screen, "faint", `a column is ${formatTime(columnUs)}`)];
}

/**
 * Draws numbers as bars on one scale.
 *
 * @param screen where they appear
 * @param bars a name and a time in microseconds each
 */
export function drawBars(
  screen: Screen,
  bars: readonly (readonly [name: string, us: number])[],
): readonly string[] {
  const nameWidth = widest(bars.map(([name]) => name));
  const times = bars.map(([, us]) => formatTime(us));
  const room = Math.min(screen.columns(), WIDEST) - nameWidth - widest(times) - 4;
  const most = Math.max(...bars.map(([, us]) => us));
  return bars.map(([name, us], index) => {
    const bar = "█".repeat(Math.max(1, Math.round(us / most * Math.max(10, room))));
    return `${pad(name, nameWidth, "left")}  ${render(screen, "green", bar)}  ${times[index]}`;
  });
}

/** How long a client was there, in microseconds. */
export function lengthOf({ stretches }: Life): number {
  return (stretches.at(-1)?.toUs ?? 0) - (stretches[0]?.fromUs ?? 0);
}

/** The sign of what took most of a column. */
function signAt(screen: Screen, { stretches }: Life, fromUs: number, toUs: number): string {
  const shares = new Map<Doing, number>();
  for (const stretch of stretches) {
    const common = Math.min(toUs, stretch.toUs) - Math.max(fromUs, stretch.fromUs);
    if (common > 0) shares.set(stretch.doing, (shares.get(stretch.doing) ?? 0) + common);
  }
  const most = Math.max(...shares.values());
  const found = SIGNS.find(([doing]) => shares.get(doing) === most);
  return found === undefined ? " " : render(screen, found[2], found[1]);
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map((text) => text.length));
}
