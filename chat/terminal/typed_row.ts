/**
 * The part of a long line that fits on one row, with the cursor in it.
 *
 * How many columns a character takes is for the terminal to decide, and no two terminals agree on
 * all of them: clusters of Thai or Devanagari, emoji with joiners, flags, and whatever is newer
 * than the terminal. So widths are never used here to find a place on the screen. They only choose
 * how much is shown, and each is the largest that any terminal is likely to give.
 *
 * @module
 */

import stringWidth from "string-width";
import { escapeText } from "../../protocols/text.ts";
import { withoutTowers } from "../talk/looks.ts";

/** What stands at the edge of the row when there is more of the line. */
const MORE_LEFT = "<";
const MORE_RIGHT = ">";

/** The prompt when the real one would take more than half of the row. */
const SHORT_PROMPT = "> ";

/** Characters whose widths are beyond dispute. */
const CERTAIN = /^[\x20-\x7e\u00c0-\u024f\u0400-\u045f\u3041-\u3096\u30a1-\u30fa\u4e00-\u9fff]*$/;

/** A row as it is drawn. */
export interface Row {
  /** What stands before the cursor, with the prompt. */
  readonly before: string;
  /** What stands after the cursor. */
  readonly after: string;
  /** How many columns are before the cursor, at least and at most: terminals differ about that. */
  readonly column: { readonly least: number; readonly most: number };
  /** The most columns that the whole row takes. */
  readonly width: number;
}

/** A character as the user sees it: a grapheme cluster (UAX #29). */
interface Cluster {
  /** Where it begins in the line. */
  readonly at: number;
  /** How it is shown. */
  readonly shown: string;
  /** The most columns that it takes. */
  readonly width: number;
}

const segmenter = new Intl.Segmenter();

/** The view of a line that is longer than its row. It moves only when the cursor would leave it. */
export class TypedRow {
  /** The first cluster that is shown. */
  #first = 0;

  /**
   * Chooses what is shown.
   *
   * @param prompt what stands before the line
   * @param line the line
   * @param cursor where the cursor is in it
   * @param columns how many columns the terminal has
   */
  lay(prompt: string, line: string, cursor: number, columns: number): Row {
    // The last column stays empty: there the cursors of terminals behave differently.
    const room = Math.max(1, columns - 1);
    const lead = mostWidth(prompt) * 2 <= columns ? prompt : SHORT_PROMPT.slice(0, room - 1);
    const clusters = clustersOf(line);
    const at = clusters.findIndex((cluster) => cluster.at >= cursor);
    const here = at < 0 ? clusters.length : at;
    // One column for each mark, and one for the cursor at the end of the line.
    const most = Math.max(1, room - mostWidth(lead) - 3);
    this.#first = firstShown(clusters, Math.min(this.#first, clusters.length), here, most);
    const end = endShown(clusters, this.#first, most);
    const shown = (from: number, to: number) =>
      clusters.slice(from, to).map((cluster) => cluster.shown).join("");
    const before = lead + (this.#first > 0 ? MORE_LEFT : "") + shown(this.#first, here);
    const after = shown(here, end) + (end < clusters.length ? MORE_RIGHT : "");
    return {
      before,
      after,
      column: { least: leastWidth(before), most: mostWidth(before) },
      width: mostWidth(before + after),
    };
  }
}

/**
 * Where the cursor is after it was moved by one character of the program, if the user is to see it
 * move by one character of the screen.
 *
 * @param line the line
 * @param cursor where it is now
 * @param isBack whether it was moved to the left
 */
export function snap(line: string, cursor: number, isBack: boolean): number {
  if (cursor === line.length) return cursor;
  const { index = 0, segment = "" } = segmenter.segment(line).containing(cursor) ?? {};
  return index === cursor || isBack ? index : index + segment.length;
}

/** The most columns that a text takes on any terminal that is likely to exist. */
function mostWidth(text: string): number {
  return clustersOf(text).reduce((sum, { width }) => sum + width, 0);
}

/** The fewest columns: a terminal may show all that it takes for one character in one column. */
function leastWidth(text: string): number {
  if (CERTAIN.test(text)) return stringWidth(text);
  return Array.from(segmenter.segment(text), ({ segment }) => {
    const width = stringWidth(segment);
    return CERTAIN.test(segment) ? width : Math.min(1, width);
  }).reduce((sum, width) => sum + width, 0);
}

function clustersOf(text: string): Cluster[] {
  return Array.from(segmenter.segment(text), ({ segment, index }) => {
    const shown = withoutTowers(escapeText(segment));
    return { at: index, shown, width: widthOf(shown) };
  });
}

/** Terminals show a cluster as one, or each of its characters for itself. */
function widthOf(cluster: string): number {
  if (cluster.length === 1 && cluster >= " " && cluster <= "~") return 1;
  const apart = Array.from(cluster, (character) => stringWidth(character));
  return Math.max(stringWidth(cluster), apart.reduce((sum, width) => sum + width, 0));
}

function widthBetween(clusters: readonly Cluster[], from: number, to: number): number {
  let width = 0;
  for (let index = from; index < to; index++) width += (clusters[index] as Cluster).width;
  return width;
}

/** The first cluster to show so that the cursor is seen, and no room is wasted. */
function firstShown(
  clusters: readonly Cluster[],
  previous: number,
  here: number,
  most: number,
): number {
  let first = previous;
  // When the view has to move, it moves by a third of the row.
  if (here < first) {
    first = here;
    while (first > 0 && widthBetween(clusters, first - 1, here) <= most / 3) first--;
  } else if (widthBetween(clusters, first, here) > most) {
    while (first < here && widthBetween(clusters, first, here) > most * 2 / 3) first++;
  }
  let rest = widthBetween(clusters, first, clusters.length);
  while (first > 0 && rest + (clusters[first - 1] as Cluster).width <= most) {
    rest += (clusters[--first] as Cluster).width;
  }
  return first;
}

function endShown(clusters: readonly Cluster[], first: number, most: number): number {
  let width = 0;
  let end = first;
  while (end < clusters.length) {
    width += (clusters[end] as Cluster).width;
    if (width > most) break;
    end++;
  }
  return end;
}
