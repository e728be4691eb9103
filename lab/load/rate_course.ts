/**
 * A rate that changes in time: parts, each of which goes in a straight line from one rate to
 * another.
 *
 * The axis of _places_ counts the requests that are due on average: request 1000 has the place 1000.
 * A schedule lays its requests out on that axis as if the rate were constant, and the course says
 * when each place comes. For random arrivals that is the usual way to make a Poisson process whose
 * rate changes (E. Çinlar, "Introduction to Stochastic Processes", 1975).
 *
 * @module
 */

import { formatDuration, parseDuration } from "../../engine/values/durations.ts";
import { parseRate } from "../../engine/values/quantities.ts";

/** A part of a course: the rate goes evenly from one value to another. */
export interface RatePart {
  /** Requests a second at its beginning. */
  readonly from: number;
  /** Requests a second at its end. */
  readonly to: number;
  /** How long it lasts, in milliseconds. */
  readonly ms: number;
}

/** How to write a rate that changes, for the message about a wrong one. */
export const COURSE_FORM = "1k..20k/60s,20k/30s";

/** The most parts. */
const MOST_PARTS = 1_000;

/**
 * Reads a rate that changes.
 *
 * @param text for instance `1k..20k/60s,20k/30s`: from 1000 requests a second to 20,000 within a
 * minute, then 20,000 for half a minute
 * @returns its parts; `undefined` if the text is of another form, as a single rate is
 * @throws {RangeError} if a rate or a duration is wrong
 */
export function parseCourse(text: string): readonly RatePart[] | undefined {
  const words = text.split(",");
  // A duration begins with a digit; the unit of a rate, as in `20/s`, does not.
  const matches = words.map((word) => /^(.+?)(?:\.\.(.+))?\/(\d.*)$/.exec(word.trim()));
  if (words.length > MOST_PARTS || matches.includes(null)) return undefined;
  const parts = matches.map((match) => {
    const [, from = "", to = from, lasts = ""] = match as RegExpExecArray;
    return { from: parseRate(from), to: parseRate(to), ms: parseDuration(lasts) };
  });
  if (parts.some(({ ms }) => ms === 0)) throw new RangeError("expected parts longer than 0");
  if (parts.every(({ from, to }) => from + to === 0)) {
    throw new RangeError("expected a rate above 0 in some part");
  }
  return parts;
}

/**
 * Writes a part as people do.
 *
 * @param part the part
 * @param format writes a rate
 * @returns for instance `1.00 k/s to 20.0 k/s in 1m`
 */
export function formatPart({ from, to, ms }: RatePart, format: (rate: number) => string): string {
  const lasts = formatDuration(ms);
  return from === to
    ? `${format(from)} for ${lasts}`
    : `${format(from)} to ${format(to)} in ${lasts}`;
}

/** A part, and where it begins. */
interface Laid extends RatePart {
  readonly startsAt: number;
  readonly place: number;
  /** How many requests are due in it. */
  readonly count: number;
}

/** A rate in the course of time. */
export class RateCourse {
  readonly #parts: readonly Laid[];
  /** How long it lasts, in milliseconds. */
  readonly durationMs: number;
  /** How many requests are due in it, on average. */
  readonly count: number;

  /** @param parts its parts, in order; only the last may last for ever */
  constructor(parts: readonly RatePart[]) {
    let startsAt = 0;
    let place = 0;
    this.#parts = parts.map((part) => {
      const laid = { ...part, startsAt, place, count: (part.from + part.to) / 2 * part.ms / 1000 };
      startsAt += part.ms;
      place += laid.count;
      return laid;
    });
    this.durationMs = startsAt;
    this.count = place;
  }

  /** Requests a second, on average. */
  get mean(): number {
    const [only, ...others] = this.#parts;
    return others.length === 0 && only?.from === only?.to
      ? only?.from ?? 0
      : this.count / this.durationMs * 1000;
  }

  /**
   * The rate at a time, in requests a second.
   *
   * @param ms the time, in milliseconds from the beginning
   */
  rateAt(ms: number): number {
    const part = this.#parts.find(({ startsAt, ms: lasts }) => ms < startsAt + lasts) ??
      this.#parts.at(-1);
    if (part === undefined) return 0;
    if (part.from === part.to) return part.from;
    const share = Math.max(0, Math.min(1, (ms - part.startsAt) / part.ms));
    return part.from + (part.to - part.from) * share;
  }

  /**
   * How many requests are due before a time, on average: its place.
   *
   * @param ms the time, in milliseconds from the beginning
   */
  placeAt(ms: number): number {
    const part = this.#parts.findLast(({ startsAt }) => ms > startsAt);
    if (part === undefined) return 0;
    const seconds = Math.min(ms - part.startsAt, part.ms) / 1000;
    if (part.from === part.to) return part.place + part.from * seconds;
    const slope = (part.to - part.from) / part.ms * 1000;
    return part.place + part.from * seconds + slope * seconds ** 2 / 2;
  }

  /**
   * The time that so many requests stand for, each for the time until the next one is due.
   *
   * @param due how many of them were due
   * @returns milliseconds from the beginning, at most the whole course
   */
  spanOf(due: number): number {
    return Math.min(this.durationMs, this.timeOf(due));
  }

  /**
   * When a place comes, in milliseconds from the beginning; `Infinity` if it does not come any more.
   *
   * @param place how many requests are due before it, on average
   */
  timeOf(place: number): number {
    const part = this.#parts.find((part) => place < part.place + part.count);
    if (part === undefined) return Infinity;
    const within = place - part.place;
    if (within === 0) return part.startsAt;
    if (part.from === part.to) return part.startsAt + within * 1000 / part.from;
    const slope = (part.to - part.from) / part.ms * 1000;
    // The root of a quadratic equation, in the form that loses no digits. Rounding may take what
    // is under the root below zero, at the end of a part that goes down to nothing.
    const root = Math.sqrt(Math.max(0, part.from ** 2 + 2 * slope * within));
    return part.startsAt + Math.min(part.ms, 2000 * within / (part.from + root));
  }
}
