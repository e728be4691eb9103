/**
 * The rates of a series of runs, as users write them.
 *
 * @module
 */

import { parseRate, RATE_FORM } from "../../engine/values/quantities.ts";

/** The most steps. */
const MOST_STEPS = 200;

/** How to write them, for the message about a wrong one. */
export const STEPS_FORM =
  `1k..64k (doubling), 1k..64k:10 (ten rates, evenly spaced) or a list of at most ${MOST_STEPS}, ` +
  `each ${RATE_FORM}`;

/**
 * Reads the rates of a series of runs.
 *
 * @param text a list of rates and ranges: `1k..64k` doubles from the first to the last, which is
 * always the last step; `1k..64k:10` has ten steps at equal distances
 * @returns requests a second, each once, the lowest first
 * @throws {RangeError} if it is none
 */
export function parseSteps(text: string): readonly number[] {
  const steps = text.split(",").flatMap((word) => {
    const [, from = "", to, count] = /^(.+?)(?:\.\.(.+?)(?::(\d+))?)?$/.exec(word.trim()) ?? [];
    const first = parseRate(from);
    return to === undefined ? [first] : rangeOf(first, parseRate(to), count);
  });
  const all = [...new Set(steps)].sort((a, b) => a - b);
  if (all.length > MOST_STEPS) throw new RangeError(`expected at most ${MOST_STEPS} rates`);
  if ((all[0] ?? 0) === 0) throw new RangeError("expected rates above 0");
  return all;
}

function rangeOf(first: number, last: number, count: string | undefined): number[] {
  if (first === 0 || first > last) throw new RangeError("expected the lower rate first");
  const steps: number[] = [];
  if (count === undefined) {
    for (let rate = first; rate < last; rate *= 2) steps.push(rate);
    return [...steps, last];
  }
  const number = Number(count);
  if (number < 2 || number > MOST_STEPS) {
    throw new RangeError(`expected 2 to ${MOST_STEPS} steps`);
  }
  for (let index = 0; index < number - 1; index++) {
    const rate = first + (last - first) * index / (number - 1);
    steps.push(rate >= 1_000 ? Math.round(rate) : Number(rate.toPrecision(4)));
  }
  return [...steps, last];
}
