/**
 * Tables for a terminal: as many columns as fit, in the order of their weight.
 *
 * @module
 */

import stringWidth from "string-width";
import { clip, pad } from "../report/screen.ts";

/** The gap between two columns. */
const GAP = "  ";

/** How much of a column that is shortened must stay, in characters. */
const LEAST = 12;

/** One column. */
export interface Column<Row> {
  /** What stands above it. */
  readonly title: string;
  /**
   * If there is no room, the columns with the highest numbers are left out first. Those with 0 stay,
   * and are shortened.
   */
  readonly order: number;
  /** The side that its texts stand on. */
  readonly side: "left" | "right";
  /** The least width, for rows that are not known yet. */
  readonly width?: number;
  /** Its text in a row, safe for a terminal. */
  readonly cell: (row: Row) => string;
}

/** How the columns of a table are laid out. */
export class Layout<Row> {
  readonly #shown: readonly Column<Row>[];
  readonly #widths: ReadonlyMap<Column<Row>, number>;
  readonly #isFixed: boolean;
  /** The titles of the columns that there was no room for. */
  readonly missing: readonly string[];

  /**
   * Fits columns into a width.
   *
   * @param columns all columns
   * @param room how many characters there are; `Infinity` if it is not a terminal
   * @param rows the rows, as far as they are known
   */
  constructor(columns: readonly Column<Row>[], room: number, rows: readonly Row[] = []) {
    const widths = new Map(columns.map((column) => {
      const texts = [column.title, ...rows.map(column.cell)].map((text) => stringWidth(text));
      return [column, texts.reduce((most, width) => Math.max(most, width), column.width ?? 0)];
    }));
    const excess = (list: readonly Column<Row>[]) =>
      list.reduce((sum, column) => sum + (widths.get(column) as number) + GAP.length, -GAP.length) -
      room;
    let shown = columns;
    while (excess(shown) > 0 && shown.some(({ order }) => order > 0)) {
      const last = Math.max(...shown.map(({ order }) => order));
      shown = shown.filter(({ order }) => order !== last);
    }
    for (const column of shown.filter(({ order }) => order === 0)) {
      const width = widths.get(column) as number;
      widths.set(column, Math.max(Math.min(LEAST, width), width - Math.max(0, excess(shown))));
    }
    this.#shown = shown;
    this.#widths = widths;
    this.#isFixed = room !== Infinity;
    this.missing = columns.filter((column) => !shown.includes(column)).map(({ title }) => title);
  }

  /** The titles. */
  get header(): string {
    return this.#line(({ title }) => title);
  }

  /** A row. In a pipe, what is too wide is not shortened. */
  row(row: Row): string {
    return this.#line(({ cell }) => cell(row));
  }

  #line(textOf: (column: Column<Row>) => string): string {
    return this.#shown.map((column) => {
      const width = this.#widths.get(column) as number;
      const text = textOf(column);
      return pad(this.#isFixed ? clip(text, width) : text, width, column.side);
    }).join(GAP).trimEnd();
  }
}
