/**
 * Names for those who build the pages: of the elements, and of the clients in the figures. Nothing
 * here needs a browser.
 *
 * @module
 */

/** The figures: each plays a recording, which its `src` names. */
export const FIGURES: readonly string[] = [
  "model-figure",
  "client-timeline",
  "segment-ladder",
  "line-table",
];

/** All that play a recording. */
export const PLAYING: readonly string[] = [...FIGURES, "yours-and-ours"];

/** All of them. */
export const ELEMENTS: readonly string[] = [
  ...PLAYING,
  "command-switch",
  "predict-first",
  "model-playground",
  "chat-playground",
];

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
