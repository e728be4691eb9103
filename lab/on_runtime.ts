/**
 * The option that says on which runtime servers are started.
 *
 * @module
 */

import { buildInfo } from "../engine/cli/build_info.ts";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { runtime } from "../engine/net/runtime.ts";
import { type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";

/** `--on RUNTIME`. */
export const ON: Flag = {
  name: "on",
  kind: "choice",
  choices: RUNTIMES.map(({ name }) => name),
  default: "this runtime",
  help: "the runtime of the servers",
};

/**
 * The runtime that a command line asks for with {@linkcode ON}.
 *
 * @param values what the command line says
 * @throws {UsageError} if it is not here
 */
export function runtimeOn(values: Values): RuntimeCommand {
  const wanted = values.on ?? runtime.name;
  const found = RUNTIMES.find(({ name }) => name === wanted) as RuntimeCommand;
  if (buildInfo.isExecutable === true && wanted !== runtime.name) {
    throw new UsageError(`this executable has only ${runtime.name} in it`);
  }
  if (!found.isHere) {
    throw new UsageError(`wrong value for --on: ${found.name} is not installed here`);
  }
  return found;
}
