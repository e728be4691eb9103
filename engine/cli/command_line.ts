/**
 * The command line of this process: it is read, explained, or refused.
 *
 * @module
 */

import { describeSystemError } from "../net/constants.ts";
import { runtime } from "../net/runtime.ts";
import { buildInfo, VERSION } from "./build_info.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_USAGE } from "./exit_status.ts";
import { type Command, formatHelp, parseFlags, UsageError, type Values } from "./flags.ts";
import { calledName, programArguments, programName } from "./invocation.ts";

/**
 * Reads the command line of this process. If it asks for help or the version, or if it is wrong,
 * the answer is printed and the process exits.
 *
 * @param command describes the command line
 * @returns the values that were given
 */
export function readCommandLine(command: Command): Values {
  let values: Values;
  // For a command of the executable, the user typed both names.
  const asked = { ...command, name: programName() ?? command.name };
  try {
    values = parseFlags(asked, programArguments());
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(command.name, error.message, EXIT_USAGE);
  }
  if (values.help === true) printAndExit(formatHelp(asked, runtime.columns("stdout")));
  if (values.version === true) printAndExit(formatVersion());
  return values;
}

/** What runs here: its version, the runtime and, in an executable, the commit of its sources. */
export function formatVersion(): string {
  const { commit } = buildInfo;
  const details = [`${runtime.name} ${runtime.version}`, ...(commit ? [`commit ${commit}`] : [])];
  return `handshake ${VERSION} (${details.join(", ")})`;
}

/**
 * Prints what the user asked for, and ends the process.
 *
 * @param text the text, without its last line end
 */
export function printAndExit(text: string): never {
  try {
    runtime.printNow("stdout", `${text}\n`);
  } catch (error) {
    // Readers who have read enough, as in `… | head -1`, have gone.
    if ((error as { code?: unknown }).code !== "EPIPE") {
      const why = describeSystemError(error);
      fail("handshake", `Cannot write to standard output: ${why}`, EXIT_FAILED);
    }
  }
  runtime.exit(EXIT_DONE);
}

/**
 * Says on one line why the process ends, and ends it.
 *
 * @param name the command's name
 * @param message what is wrong
 * @param status the exit status
 */
export function fail(name: string, message: string, status: number): never {
  try {
    runtime.printNow("stderr", `${calledName(name)}: ${message.replaceAll("\n", " ")}\n`);
  } catch {
    // Nobody can be told, but the exit status still tells.
  }
  runtime.exit(status);
}
