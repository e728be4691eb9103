/**
 * Guesses what a user meant by a word that does not exist.
 *
 * @module
 */

// @ts-types="../types/levenshtein_distance.d.ts"
import { levenshteinDistance } from "@std/text/levenshtein-distance";

/** The most letters that may be wrong. */
const MOST_WRONG = 3;

/** How many letters of a word must be there for it to be recognised by its beginning. */
const LEAST_BEGUN = 3;

/**
 * Returns the nearest of the existing words, if it is near enough to be meant: it begins with what
 * was typed, or few of its letters differ. A single letter, as in `-v`, means a word that begins
 * with it.
 *
 * @param typed what the user typed
 * @param words the existing words
 * @returns one of them; `undefined` if none is near
 */
export function nearest(typed: string, words: readonly string[]): string | undefined {
  const name = bare(typed).toLowerCase();
  if (name === "") return undefined;
  if (name.length === 1 || name.length >= LEAST_BEGUN) {
    const begun = words.find((word) => bare(word).startsWith(name));
    if (begun !== undefined) return begun;
  }
  const distances = words.map((word) => [word, levenshteinDistance(name, bare(word))] as const);
  const [[word, distance] = ["", Infinity]] = distances.toSorted(([, a], [, b]) => a - b);
  const letters = Math.max(name.length, bare(word).length);
  return distance <= Math.min(MOST_WRONG, letters >> 1) ? word : undefined;
}

/** A flag's name without its dashes. */
function bare(word: string): string {
  return word.replace(/^-+/, "");
}
