/**
 * Guesses what a user meant by a word that does not exist.
 *
 * @module
 */

// @ts-types="../types/closest_string.d.ts"
import { closestString } from "@std/text/closest-string";

/**
 * Returns the nearest of the existing words. For a single letter, as in `-v`, it is a word that
 * begins with that letter: counting the letters that differ would always find the shortest word.
 *
 * @param typed what the user typed
 * @param words the existing words, at least one
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
