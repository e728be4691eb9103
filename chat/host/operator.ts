/**
 * The operator: the person who types on a server's standard input.
 *
 * @module
 */

import { describeError } from "../../engine/values/thrown.ts";
import { readInput } from "../../engine/cli/standard_input.ts";
import { LINE_LIMIT, LineReader } from "../talk/lines.ts";

/** Prints a line for the operator. */
export type Print = (line: string) => void;

/**
 * Reads what the operator types until standard input ends. The server goes on after that: it may
 * have been started with a pipe, with a file, or with nothing as its input.
 *
 * @param print prints the answers
 * @param obey does what one line says. The line is not empty and is safe to show in a terminal. The
 * next line is read when `obey` is done.
 */
export async function listenToOperator(
  print: Print,
  obey: (line: string) => void | Promise<void>,
): Promise<void> {
  const lines = new LineReader();
  const take = async (line = lines.next()) => {
    for (; line !== undefined; line = lines.next()) {
      if (line.kind === "too long") print(`line too long: limit is ${LINE_LIMIT} bytes`);
      else if (line.kind === "line" && line.text.trim() !== "") await obey(line.text.trim());
    }
  };
  try {
    for await (const bytes of readInput({ waitsInBackground: true })) {
      lines.add(bytes);
      await take();
    }
    await take(lines.last());
  } catch (error) {
    print(describeError(error));
  }
}
