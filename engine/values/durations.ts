/**
 * Durations as people write them.
 *
 * @module
 */

import { offAtZero } from "./quantities.ts";
import { quote } from "./thrown.ts";

/** The longest time that a runtime's timer and poll(2) can wait, in milliseconds: 24.8 days. */
export const LONGEST_MS = 0x7fff_ffff;

/** A number of milliseconds, or text such as `500ms`, `5s` or `1m30s`; 0 is off. */
export type Duration = number | string;

const UNITS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000, ms: 1 };

/** How to write a duration, for the message about a wrong one. */
export const DURATION_FORM = "a duration such as 500ms, 5s or 1m30s";

/**
 * Reads a duration.
 *
 * @param duration milliseconds, or numbers with the units `h`, `m`, `s` and `ms`, largest first
 * @returns milliseconds
 * @throws {RangeError} if it is no duration, or if no timer can wait so long
 */
export function parseDuration(duration: Duration): number {
  const ms = typeof duration === "number" ? duration : readDuration(duration.trim());
  if (ms === undefined || !(ms >= 0 && ms <= LONGEST_MS)) {
    throw new RangeError(
      `expected ${offAtZero(DURATION_FORM)}, current value is ${quote(duration)}`,
    );
  }
  return ms;
}

function readDuration(text: string): number | undefined {
  if (text === "0") return 0;
  const number = "(\\d+(?:\\.\\d+)?)";
  const pattern = `^(?:${number}h)?(?:${number}m)?(?:${number}s)?(?:${number}ms)?$`;
  const match = new RegExp(pattern).exec(text);
  if (text === "" || match === null) return undefined;
  const [, ...parts] = match;
  return Object.values(UNITS)
    .reduce((sum, unit, index) => sum + Number(parts[index] ?? 0) * unit, 0);
}

/**
 * Writes a duration as people do.
 *
 * @param ms milliseconds
 * @returns for instance `5s` or `1m30s`
 */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0";
  let rest = ms;
  let text = "";
  for (const [name, unit] of Object.entries(UNITS)) {
    const count = name === "ms" ? rest : Math.floor(rest / unit);
    if (count > 0) text += `${count}${name}`;
    rest -= count * unit;
  }
  return text;
}
