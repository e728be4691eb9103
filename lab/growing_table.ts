/**
 * A table on standard output whose rows come one after another.
 *
 * @module
 */

import { runtime } from "../engine/net/runtime.ts";

/**
 * Begins a table: prints its titles. Each column is as wide as its title.
 *
 * @param titles the titles of its columns
 * @returns prints a row, with a cell for each column
 */
export function beginTable(titles: readonly string[]): (cells: readonly string[]) => void {
  const print = (cells: readonly string[]) => {
    const aligned = cells.map((cell, index) => cell.padStart((titles[index] as string).length));
    runtime.printNow("stdout", `${aligned.join("  ")}\n`);
  };
  print(titles);
  return print;
}
