/**
 * Prints the errors that GitHub's own parser finds in workflows, as one JSON array for each
 * workflow. Deno cannot load that parser, because it imports JSON in the old way of Node.js. So
 * this runs on Bun.
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
