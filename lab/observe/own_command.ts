/**
 * The command line that runs this program again.
 *
 * @module
 */

import { basename } from "node:path";
import process from "node:process";
import { buildInfo } from "../../engine/cli/build_info.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES, scriptCommand } from "../../engine/process/runtimes.ts";

/**
 * The command line that runs a script of this project again, on the same runtime or as the same
 * executable.
 *
 * @param script its path, for instance `lab/observe.ts`; its command has the same name
 * @param args its arguments
 */
export function ownCommand(script: string, ...args: readonly string[]): string[] {
  if (buildInfo.isExecutable === true) {
    // An executable with a single command is that command.
    const command = buildInfo.command === undefined ? [basename(script, ".ts")] : [];
    return [process.execPath, ...command, ...args];
  }
  const own = RUNTIMES.find(({ name }) => name === runtime.name) as RuntimeCommand;
  return scriptCommand(own, script, ...args);
}
