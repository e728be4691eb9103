/**
 * Programs as a user without rights runs them.
 *
 * @module
 */

import { realpathSync, statSync } from "node:fs";
import process from "node:process";
import { whyNoProgram } from "./server_process.ts";

/** What comes before the command line of a program that such a user runs: setpriv(1). */
export const AS_NOBODY: readonly string[] = [
  ...["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"],
];

/** Why the scripts of this project cannot be run as such a user; `undefined` if they can. */
export function whyNotAsNobody(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can become somebody else";
  const why = whyNoProgram("setpriv");
  if (why !== undefined) return why;
  const parts = realpathSync(process.execPath).split("/");
  // Every folder on the way to the runtime must be open to everybody.
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join("/") || "/");
  const closed = paths.find((path) => (statSync(path).mode & 1) === 0);
  return closed === undefined ? undefined : `only its owner may look into ${closed}`;
}
