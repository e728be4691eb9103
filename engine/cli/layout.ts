/**
 * Lays out text for its place: lines that are no longer than the terminal is wide.
 *
 * @module
 */

/** The least width for explanations that stand beside their words. */
const LEAST_BESIDE = 30;

/** The indent of explanations that stand below their words. */
const BELOW = " ".repeat(6);

/** The spaces at which a line may break: not between a number and its unit. */
const BREAKS = / (?!(?<=\d )(?:[µm]?s|[kMG]?\/s|[kMG](?:\/s)?|[KMGT]?i?B|%|±)(?![\w/]))/;

/** The width of a text, in columns of a terminal. */
type WidthOf = (text: string) => number;

/** The width of text that consists of plain letters. */
const lengthOf: WidthOf = ({ length }) => length;

/**
 * Lays out words with their explanations: beside them, or below them if there is too little room.
 *
 * @param rows each word with its explanation
 * @param columns how long a line may be
 * @returns the lines
 */
export function formatRows(
  rows: readonly (readonly [word: string, explanation: string])[],
  columns: number,
): string[] {
  const width = Math.max(...rows.map(([word]) => word.length)) + 2;
  const isBeside = columns - width >= LEAST_BESIDE;
  const margin = isBeside ? " ".repeat(width) : BELOW;
  return rows.flatMap(([word, explanation]) => {
    const [first = "", ...more] = wrap(explanation, columns - margin.length)
      .map((line) => margin + line);
    return isBeside ? [word.padEnd(width) + first.slice(width), ...more] : [word, first, ...more];
  });
}

/**
 * Breaks a text into lines between words. A word that is longer than a line is broken anywhere.
 *
 * @param text without escape sequences
 * @param columns the length of a line
 * @param indent the indent of all lines but the first
 * @param widthOf the width of a text; needed if not all its letters are equally wide
 */
export function wrap(
  text: string,
  columns: number,
  indent = 0,
  widthOf: WidthOf = lengthOf,
): string[] {
  const lines: string[] = [];
  let line = "";
  const room = () => Math.max(1, columns - (lines.length === 0 ? 0 : indent));
  const end = () => {
    lines.push(" ".repeat(lines.length === 0 ? 0 : indent) + line);
    line = "";
  };
  for (let word of text.split(BREAKS)) {
    if (line !== "" && widthOf(`${line} ${word}`) > room()) end();
    while (widthOf(word) > room()) {
      // A line takes at least one character, however narrow it is.
      line = takeColumns(word, room(), widthOf) || [...word][0] as string;
      word = word.slice(line.length);
      end();
    }
    line = line === "" ? word : `${line} ${word}`;
  }
  end();
  return lines;
}

/**
 * Takes the longest beginning of a text that fits.
 *
 * @param text without escape sequences
 * @param columns how many columns there are
 * @param widthOf the width of a text
 */
export function takeColumns(text: string, columns: number, widthOf: WidthOf): string {
  let taken = "";
  let width = 0;
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    taken += character;
  }
  return taken;
}
