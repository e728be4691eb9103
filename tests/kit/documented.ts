/**
 * Whether the documentation shows what is printed.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { assert } from "./harness.ts";

/**
 * Asserts that each line that `docs/observe.md` shows is printed too, with other numbers.
 *
 * @param name the block of the document: ` ```console NAME `
 * @param output what was printed
 */
export function assertDocumented(name: string, output: string): void {
  const document = readFileSync(new URL("../../docs/observe.md", import.meta.url), "utf8");
  const block = new RegExp(`^\`\`\`console ${name}\n(.*?)^\`\`\`$`, "ms").exec(document);
  assert(block !== null, `docs/observe.md shows ${name}`);
  const printed = new Set(shapesOf(output));
  for (const line of shapesOf(block[1] as string)) {
    assert(printed.has(line), `${line}\nis not in\n${[...printed].join("\n")}`);
  }
}

/** Lines without what is a matter of chance: numbers, units of time, widths. */
function shapesOf(text: string): string[] {
  return text.trim().split("\n").map((line) =>
    line.replaceAll(/<?\d+(\.\d+)*/g, "N").replaceAll(/ (µs|ms|s)(?= |$)/g, " s")
      .replaceAll(/ +/g, " ")
  );
}
