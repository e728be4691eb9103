/**
 * Names for those who build the pages: of the elements, and of the clients in the figures. Nothing
 * here needs a browser.
 *
 * @module
 */

/** Those that play a recording, which their `src` names. */
export const PLAYING = ["model-figure", "client-timeline", "yours-and-ours"] as const;

/** All of them. */
export const ELEMENTS: readonly string[] = [...PLAYING, "predict-first", "model-playground"];

/** The letters by which the texts call the three clients. */
const LETTERS: readonly (readonly [name: string, letter: string])[] = [
  ["long prime", "A"],
  ["echo", "B"],
  ["small prime", "C"],
];

/**
 * What a client is called in figures and tables: with its letter, if it has one.
 *
 * @param name its name, for instance `echo 2`
 * @returns for instance `B echo 2`
 */
export function labelOf(name: string): string {
  const letter = LETTERS.find(([known]) => name.startsWith(known))?.[1];
  return letter === undefined ? name : `${letter} ${name}`;
}
