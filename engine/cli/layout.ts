/**
 * Text laid out for where it is read: lines that are no longer than a terminal is wide.
 *
 * @module
 */

/** The least room for explanations that stand beside what they explain. */
const LEAST_BESIDE = 30;

/** How far explanations that stand below what they explain are to the right of the margin. */
const BELOW = " ".repeat(6);

/** The spaces at which a line may end: not between a number and its unit. */
const BREAKS = / (?!(?<=\d )(?:[µm]?s|[kMG]?\/s|[kMG](?:\/s)?|[KMGT]?i?B|%|±)(?![\w/]))/;

/** How many columns of a terminal a text takes. */
type WidthOf = (text: string) => number;

/** That of plain letters. */
const lengthOf: WidthOf = ({ length }) => length;

/**
 * Words, and beside each what it means; below it where there is too little room.
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
 * Text in lines, broken between words; what is longer than a line is broken anywhere.
 *
 * @param text without escape sequences
 * @param columns how long a line may be
 * @param indent how far all lines but the first begin to the right
 * @param widthOf how wide text is, where it is not of letters alone that are all as wide
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
      // At least one character, however narrow it is.
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
 * The longest beginning that fits.
 *
 * @param text without escape sequences
 * @param columns into how many characters
 * @param widthOf how wide text is
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
