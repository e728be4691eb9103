/**
 * Sizes and rates as people write them.
 *
 * @module
 */

import { quote } from "./thrown.ts";

/** A number of bytes, or text such as `64k` or `256KiB`; 0 is off. */
export type Size = number | string;

/** A number of events a second, or text such as `20/s`, `5k/s` or `100/m`; 0 is off. */
export type Rate = number | string;

/** How to write a size, for the message about a wrong one. */
export const SIZE_FORM = "a size such as 65536, 64k or 256KiB";

/** How to write a rate, for the message about a wrong one. */
export const RATE_FORM = "a rate such as 20/s, 5k/s or 100/m";

/**
 * How to write a quantity that 0 turns off.
 *
 * @param form how to write it
 */
export function offAtZero(form: string): string {
  return `${form} (0 is off)`;
}

/** How many bytes each letter stands for: powers of 1024. */
const BYTES: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** How many seconds each letter stands for. */
const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3_600 };

/** What each letter before the unit of a rate stands for: powers of 1000. */
const TIMES: Readonly<Record<string, number>> = { "": 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };

/** The most events a second. */
const HIGHEST_RATE = 1e9;

/**
 * Reads a size.
 *
 * @param size bytes, or a whole number with a unit: `k`, `m` or `g` in either case, or `KiB` and so
 * on
 * @returns bytes
 * @throws {RangeError} if it is no size
 */
export function parseSize(size: Size): number {
  const bytes = typeof size === "number" ? size : readSize(size.trim());
  if (Number.isSafeInteger(bytes) && bytes >= 0) return bytes;
  throw new RangeError(`expected ${offAtZero(SIZE_FORM)}, current value is ${quote(size)}`);
}

/**
 * Reads a rate.
 *
 * @param rate events a second, or a number with `k`, `M` or `G` and `/s`, `/m` (or `/min`) or `/h`, as
 * the bench prints them too
 * @returns events a second
 * @throws {RangeError} if it is no rate, or more than 1,000,000,000 a second
 */
export function parseRate(rate: Rate): number {
  const perSecond = typeof rate === "number" ? rate : readRate(rate.trim());
  if (perSecond >= 0 && perSecond <= HIGHEST_RATE) return perSecond;
  throw new RangeError(`expected ${offAtZero(RATE_FORM)}, current value is ${quote(rate)}`);
}

function readSize(text: string): number {
  const match = /^(\d+)(?:([kmg])(?:ib)?)?$/i.exec(text);
  if (match === null) return NaN;
  const [, count, unit = ""] = match;
  return Number(count) * (BYTES[unit.toLowerCase()] as number);
}

function readRate(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(?: ?([kKMG]))? ?(?:\/(s|min|m|h))?$/.exec(text);
  if (match === null) return NaN;
  const [, count, prefix = "", unit = "s"] = match;
  return Number(count) * (TIMES[prefix] as number) / (SECONDS[unit] as number);
}
