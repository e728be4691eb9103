/**
 * What somebody may have meant who typed a word that there is not.
 *
 * @module
 */

// @ts-types="../types/closest_string.d.ts"
import { closestString } from "@std/text/closest-string";

/**
 * The nearest of the words that there are. Of a single letter, as in `-v`, the one that begins with
 * it: by letters that differ, the shortest would be the nearest.
 *
 * @param typed what was typed
 * @param words what there is, at least one
 */
export function nearest(typed: string, words: readonly string[]): string {
  const [, letter] = /^-*(.)$/.exec(typed) ?? [];
  const begun = letter && words.find((word) => bare(word).startsWith(letter.toLowerCase()));
  return begun || closestString(typed, words);
}

/** A flag's name without its dashes. */
function bare(word: string): string {
  return word.replace(/^-+/, "");
}
