/**
 * What a text looks like on a screen: whether there is anything to be seen, and whether its marks
 * stay on their own row.
 *
 * @module
 */

/**
 * The most combining marks that one character may carry. The longest syllables of Tibetan have so
 * many. With more of them a character grows over the rows above and below it.
 */
export const MARK_LIMIT = 8;

/**
 * What leaves no trace on a screen: spaces, what fonts are told to ignore (UAX #44,
 * Default_Ignorable_Code_Point), the marks around annotations, and the empty cell of Braille.
 */
const UNSEEN = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\ufff9-\ufffb\u2800]*$/u;

/** Invisible characters that may stand between the marks of one character. */
const BETWEEN_MARKS = /(?!\p{Mark})\p{Default_Ignorable_Code_Point}/gu;

const TOWER = new RegExp(`\\p{Mark}{${MARK_LIMIT + 1}}`, "u");
const MARKS_BEYOND = new RegExp(`(\\p{Mark}{${MARK_LIMIT}})\\p{Mark}+`, "gu");

/**
 * Whether there is nothing to be seen of a text.
 *
 * @param text a text without control characters
 */
export function looksEmpty(text: string): boolean {
  return UNSEEN.test(text);
}

/**
 * Whether a character of a text carries more than {@linkcode MARK_LIMIT} combining marks.
 *
 * @param text any text
 */
export function hasTower(text: string): boolean {
  return TOWER.test(text.replace(BETWEEN_MARKS, ""));
}

/**
 * Leaves out the marks of a text that are too many for their character.
 *
 * @param text any text
 */
export function withoutTowers(text: string): string {
  return hasTower(text) ? text.replace(BETWEEN_MARKS, "").replace(MARKS_BEYOND, "$1") : text;
}
