/**
 * A protocol that only one process can load before the test allows the others to: the one that is the
 * first to make a file. The folder is named by the environment.
 *
 * @module
 */

import { closeSync, existsSync, openSync } from "node:fs";
import process from "node:process";
import { pause } from "../../../engine/values/pause.ts";
import { encodeLine, type Protocol, write } from "../../../protocol.ts";

/** Makes the file. Returns whether it was not there. */
function isFirst(file: string): boolean {
  try {
    closeSync(openSync(file, "wx"));
    return true;
  } catch {
    return false;
  }
}

const folder = process.env.LATE_FOLDER as string;
// The parent only looks what kind of protocol it is.
if (process.argv.includes("--child-of") && !isFirst(`${folder}/first`)) {
  while (!existsSync(`${folder}/go`)) await pause(10);
}

/** Says that it is there. */
export default function* late(): Protocol {
  yield* write(encodeLine("here"));
}
