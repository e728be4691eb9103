/**
 * Opens the processes of a server while there are fewer and fewer descriptors left, and says on each
 * line of standard output how many were left before, and after.
 *
 * @module
 */

import { closeSync, openSync } from "node:fs";
import { childCommand } from "../../engine/server/processes/child_command.ts";
import { Children } from "../../engine/server/processes/children.ts";
import { ourRuntime } from "./server_process.ts";

/** More than they need. */
const MOST = 8;

function open(): void {
  const { url } = import.meta;
  const command = childCommand("prefork", url, ourRuntime.name);
  const none = { processes: 1, queue: 0, silent: 0 };
  new Children({ mode: "prefork", command, roles: [], accept: true, ...none }).close();
}

/** Takes all descriptors that are left. */
function takeAll(): number[] {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    return taken;
  }
}

// What is loaded and opened once is there from now on.
open();
const taken = takeAll();
for (let left = 0; left <= MOST; left++) {
  let how = "opened";
  try {
    open();
  } catch {
    how = "failed";
  }
  const after = takeAll();
  console.log(`${left} ${after.length} ${how}`);
  for (const fd of after) closeSync(fd);
  closeSync(taken.pop() as number);
}
