/**
 * The command line of a process that serves connections.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { buildInfo } from "../../cli/build_info.ts";
import { choiceOption, type Option, OptionError } from "../../cli/options.ts";
import { argumentsOfChild, type Parentage } from "../../net/parentage.ts";
import { runtime } from "../../net/runtime.ts";
import { type CommandLine, runtimeArguments } from "../../process/own_command_line.ts";
import { type RuntimeCommand, type RuntimeName, RUNTIMES } from "../../process/runtimes.ts";

/** On which runtime processes run. */
export const CHILD_RUNTIME: Option<RuntimeName> = choiceOption("childRuntime", {
  choices: ["deno", "bun"],
  default: runtime.name as RuntimeName,
  shown: "the parent's",
  help: "the runtime of the processes that serve",
});

/** How long a runtime may take to say where it is, in milliseconds. */
const ANSWER_MS = 10_000;

/** How to start processes. */
export interface ChildCommand {
  /** The command line of a process, without what it has to know of its parent. */
  readonly path: string;
  readonly args: readonly string[];
}

/**
 * Finds out how processes are started.
 *
 * @param mode the mode whose work they do
 * @param url its module
 * @param on the runtime
 * @throws {OptionError} if they cannot be started on that runtime
 */
export function childCommand(mode: string, url: string, on: RuntimeName): ChildCommand {
  if (buildInfo.isExecutable === true) {
    if (on !== runtime.name) {
      throw new OptionError(
        `Cannot use childRuntime: this executable runs on ${runtime.name}, and so do its processes`,
      );
    }
    // The executable may hold several commands.
    return { path: process.execPath, args: buildInfo.command === undefined ? [mode] : [] };
  }
  if (!url.startsWith("file:")) {
    throw new OptionError(`Cannot start processes: ${url} is no file`);
  }
  const script = fileURLToPath(url);
  if (on === runtime.name) return { path: process.execPath, args: [...ownArguments(), script] };
  const other = RUNTIMES.find(({ name }) => name === on) as RuntimeCommand;
  if (!other.isHere) throw new OptionError(`Cannot use childRuntime: ${on} is not installed`);
  return { path: whereIs(other), args: [...other.run, script] };
}

/** The arguments of the runtime before its script. */
function ownArguments(): readonly string[] {
  if (runtime.name === "bun") return [];
  // Under another command than `run`, for instance a test, only the permissions are the same.
  return runtimeArguments() ?? ["run", "-A"];
}

/**
 * The executable of a runtime. What PATH leads to may be a script that starts it, and then the kernel
 * would name another process than the one that was started here.
 */
function whereIs({ name, path }: RuntimeCommand): string {
  const print = "console.log(process.execPath)";
  const args = name === "deno" ? ["eval", print] : ["-e", print];
  try {
    const options = { encoding: "utf8", timeout: ANSWER_MS, stdio: ["ignore", "pipe", "ignore"] };
    return (execFileSync(path, args, options as Parameters<typeof execFileSync>[2]) as string)
      .trim() || path;
  } catch (cause) {
    throw new OptionError(`Cannot use childRuntime: ${name} cannot be started`, { cause });
  }
}

/**
 * The whole command line of a process.
 *
 * @param command how processes are started
 * @param parentage what it has to know
 */
export function commandLineOf(command: ChildCommand, parentage: Parentage): CommandLine {
  const { path, args } = command;
  return { path, args: [...args, ...argumentsOfChild(parentage)], folder: process.cwd() };
}
