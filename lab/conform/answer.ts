/**
 * Whether what has come is what must come.
 *
 * @module
 */

import type { Expected, Leniency, Turn, Words } from "../../protocols/conformance.ts";
import { escapeBytes } from "../../protocols/text.ts";
import type { Ending } from "./inbox.ts";

/** The longest line that a regular expression is tried on, in bytes. */
const LINE_LIMIT = 64 * 1024;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What may come, in a form that is easy to compare with. */
interface Wanted {
  readonly expect: Uint8Array | RegExp | undefined;
  readonly closes: boolean;
}

/** How far an answer has come: it is whole, it can still become it, or it cannot. */
export type Progress = "whole" | "possible" | "impossible";

/** What the answer of a turn is. */
export interface Answer {
  readonly progress: Progress;
  /** How many bytes belong to it, if it is whole. */
  readonly length: number;
  /** Why it is right but not strict. */
  readonly because?: string;
}

/** The answer to one turn, judged again whenever more of it has come. */
export class AnswerJudge {
  readonly #main: Wanted;
  readonly #lenient: readonly (Wanted & { readonly because: string })[];
  readonly #ignores: RegExp | undefined;
  /** How many bytes of the words have been compared already, and were right. */
  #right = 0;

  /**
   * @param turn what must come
   * @param ignores lines that may come besides
   */
  constructor(turn: Turn, ignores?: RegExp) {
    this.#main = wantedOf(turn);
    this.#lenient = (turn.lenient ?? []).map((given: Leniency) => ({
      ...wantedOf(given),
      because: given.because,
    }));
    this.#ignores = ignores;
  }

  /** How many bytes of the expected words have come, and were right. */
  get right(): number {
    return this.#right;
  }

  /**
   * Judges what has come so far.
   *
   * @param unread all that was not taken yet; it only grows from call to call
   * @param ending how the connection has ended
   * @param isLate whether nothing more will be waited for
   */
  judge(unread: Uint8Array, ending: Ending | undefined, isLate: boolean): Answer {
    const main = this.#progressOf(this.#main, unread, ending, true);
    if (main.progress === "whole") return main;
    if (main.progress === "possible" && !isLate) return main;
    let isPossible = main.progress === "possible";
    for (const wanted of this.#lenient) {
      const found = this.#progressOf(wanted, unread, ending, false);
      if (found.progress === "whole") return { ...found, because: wanted.because };
      isPossible ||= found.progress === "possible";
    }
    return { progress: isPossible ? "possible" : "impossible", length: 0 };
  }

  #progressOf(
    { expect, closes }: Wanted,
    unread: Uint8Array,
    ending: Ending | undefined,
    isMain: boolean,
  ): Answer {
    const missing: Progress = ending === undefined ? "possible" : "impossible";
    let length = 0;
    if (expect instanceof RegExp) {
      const line = this.#findLine(expect, unread, ending !== undefined);
      if (line === "none yet") return { progress: missing, length: 0 };
      if (line === "another") return { progress: "impossible", length: 0 };
      length = line;
    } else if (expect !== undefined) {
      const from = isMain ? this.#right : 0;
      const right = from + countAlike(expect.subarray(from), unread.subarray(from));
      if (isMain) this.#right = right;
      if (right < expect.length) {
        const progress = right < unread.length ? "impossible" : missing;
        return { progress, length: 0 };
      }
      length = expect.length;
    }
    if (!closes) return { progress: "whole", length };
    length = this.#skipIgnored(unread, length);
    if (length < unread.length) {
      // A part of a line may become one that is ignored.
      const isPart = this.#ignores !== undefined && !unread.includes(LINE_FEED, length);
      return { progress: isPart ? missing : "impossible", length: 0 };
    }
    return { progress: ending === undefined ? "possible" : "whole", length };
  }

  /** The length of all up to the line that matches. */
  #findLine(
    pattern: RegExp,
    unread: Uint8Array,
    isLast: boolean,
  ): number | "none yet" | "another" {
    for (let from = 0;;) {
      const end = unread.indexOf(LINE_FEED, from);
      if (end < 0 && unread.length - from > LINE_LIMIT) return "another";
      if (end < 0 && !(isLast && from < unread.length)) return "none yet";
      const line = textOf(unread, from, end < 0 ? unread.length : end);
      const next = end < 0 ? unread.length : end + 1;
      if (pattern.test(line)) return next;
      if (this.#ignores?.test(line) !== true) return "another";
      from = next;
    }
  }

  #skipIgnored(unread: Uint8Array, from: number): number {
    if (this.#ignores === undefined) return from;
    for (;;) {
      const end = unread.indexOf(LINE_FEED, from);
      if (end < 0 || !this.#ignores.test(textOf(unread, from, end))) return from;
      from = end + 1;
    }
  }
}

/** A line as text, without its end. Lone bytes become U+FFFD. */
function textOf(bytes: Uint8Array, from: number, to: number): string {
  const end = to > from && bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
  return new TextDecoder().decode(bytes.subarray(from, end));
}

/** How many bytes at the beginning are the same. */
function countAlike(one: Uint8Array, other: Uint8Array): number {
  const most = Math.min(one.length, other.length);
  let at = 0;
  while (at < most && one[at] === other[at]) at++;
  return at;
}

function wantedOf({ expect, closes = false }: Pick<Turn, "expect" | "closes">): Wanted {
  return { expect: expect instanceof RegExp ? expect : wordsOf(expect), closes };
}

/**
 * The bytes of words.
 *
 * @param words text or bytes
 */
export function bytesOf(words: Words): Uint8Array {
  return typeof words === "string" ? new TextEncoder().encode(words) : words;
}

function wordsOf(words: Words | undefined): Uint8Array | undefined {
  return words === undefined ? undefined : bytesOf(words);
}

/** How much is shown of what was expected, in characters. */
const SHOWN = 160;

/**
 * Says what must come, for people.
 *
 * @param turn the turn
 */
export function describeExpected(
  { expect, means, closes = false }: Pick<Turn, "expect" | "means" | "closes">,
): string {
  const words = expect === undefined
    ? ""
    : means !== undefined
    ? means
    : expect instanceof RegExp
    ? `a line like ${expect}`
    : describeWords(bytesOf(expect));
  return [words, closes ? "FIN" : ""].filter(Boolean).join(" and ") || "nothing";
}

function describeWords(bytes: Uint8Array): string {
  const text = escapeBytes(bytes.subarray(0, SHOWN), SHOWN);
  return `"${text}"${bytes.length > SHOWN ? ` … ${bytes.length} bytes` : ""}`;
}

/** Whether something is expected at all. */
export function isAwaited({ expect, closes }: { expect?: Expected; closes?: boolean }): boolean {
  return expect !== undefined || closes === true;
}
