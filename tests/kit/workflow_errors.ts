/**
 * Prints what GitHub's own parser finds wrong with workflows, an array for each of them in JSON.
 * Deno cannot load that parser, which imports JSON as Node.js once let it: this runs on Bun.
 *
 * @module
 */

import { NoOperationTraceWriter, parseWorkflow } from "@actions/workflow-parser";
import { readFileSync } from "node:fs";
import process from "node:process";

const found = process.argv.slice(2).map((path) => {
  const file = { name: path, content: readFileSync(path, "utf8") };
  const { context } = parseWorkflow(file, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
});
console.log(JSON.stringify(found));
