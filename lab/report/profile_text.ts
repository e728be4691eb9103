/**
 * Writes what a profile says in a few lines: the functions that took the most time.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import type { Profile } from "../load/results.ts";
import { formatLoad } from "./contests.ts";
import { clip, pad, render, type Screen, wrap } from "./screen.ts";
import { formatShare, formatTime } from "../../engine/values/units.ts";

/** How many functions are listed. */
const TOP = 5;

/** The least room for a name, in characters. */
const LEAST_NAME = 8;

/** For instance `profile of event · deno: 1.80 s of 4 threads`. */
export function profileTitle({ name, load, threads, ran_ms, waited_ms }: Profile): string {
  const all = ran_ms + waited_ms;
  const waiting = all > 0
    ? `; the ${formatShare(waited_ms / all)} that they waited are left out`
    : "";
  const who = threads === 1 ? "its thread" : `its ${threads} threads`;
  return `profile of ${name} (${formatLoad(load)}): ${
    formatTime(ran_ms * 1_000)
  } of ${who}${waiting}`;
}

/**
 * The functions in which it ran longest.
 *
 * @param profile the profile
 * @returns the share of the time, the name and the place of each
 */
export function topOf(
  { functions, ran_ms }: Profile,
): [share: string, name: string, where: string][] {
  return functions.slice(0, TOP).map(({ name, where, self_ms }) => [
    formatShare(ran_ms > 0 ? self_ms / ran_ms : 0),
    name,
    where === "" ? "(the runtime)" : where,
  ]);
}

/**
 * Writes a profile for a terminal.
 *
 * @param profile the profile
 * @param screen where it appears
 * @returns lines, the last one without its line end
 */
export function formatProfile(profile: Profile, screen: Screen): string {
  const title = wrap(escapeText(profileTitle(profile)), screen.columns(), 2);
  const rows = topOf(profile).map(([share, name, where]) =>
    [share.padStart(7), escapeText(name), escapeText(where)] as const
  );
  const width = Math.max(LEAST_NAME, ...rows.map(([, name]) => name.length));
  const most = Math.max(LEAST_NAME, Math.min(width, Math.floor(screen.columns() / 2) - 8));
  const lines = rows.map(([share, name, where]) => {
    const room = Math.max(LEAST_NAME, screen.columns() - most - 11);
    return `${share}  ${pad(clip(name, most), most, "left")}  ${clip(where, room)}`;
  });
  return [...title.map((line) => render(screen, "bold", line)), ...lines].join("\n");
}
