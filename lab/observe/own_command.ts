/**
 * The command line that runs this program again.
 *
 * @module
 */

import process from "node:process";
import { buildInfo } from "../../engine/cli/build_info.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES, scriptCommand } from "../../engine/process/runtimes.ts";
import { SCRIPT } from "./subcommand.ts";

/**
 * The command line that runs `observe` again, on the same runtime or as the same executable.
 *
 * @param args the arguments of `observe`
 */
export function ownCommand(...args: readonly string[]): string[] {
  if (buildInfo.isExecutable === true) {
    // An executable with a single command is that command.
    return [process.execPath, ...(buildInfo.command === undefined ? ["observe"] : []), ...args];
  }
  const own = RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
  return scriptCommand(own, SCRIPT, ...args);
}
