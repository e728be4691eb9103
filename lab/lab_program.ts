/**
 * What the commands of the lab share: each works until it knows its exit status.
 *
 * @module
 */

import { EXIT_FAILED, EXIT_NOT_CONNECTED, EXIT_USAGE } from "../engine/cli/exit_status.ts";
import { type Command, UsageError } from "../engine/cli/flags.ts";
import { fail } from "../engine/cli/command_line.ts";
import { OptionError } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { ConnectError } from "../engine/dial/failures.ts";
import { runtime } from "../engine/net/runtime.ts";

/**
 * Makes a command a program that ends the process with its exit status.
 *
 * @param name the name that its errors begin with
 * @param command what its command line can be
 * @param perform does what the command line says, and returns the exit status
 */
export function labProgram(
  name: string,
  command: Command,
  perform: () => Promise<number>,
): Program {
  return {
    command,
    run: () =>
      void perform().then(
        (status) => runtime.exit(status),
        (error: Error) => fail(name, error.message, EXIT_FAILED),
      ),
  };
}

/**
 * The exit status for an error.
 *
 * @param error anything that was thrown
 */
export function statusOfError(error: unknown): number {
  if (error instanceof UsageError || error instanceof OptionError) return EXIT_USAGE;
  return error instanceof ConnectError ? EXIT_NOT_CONNECTED : EXIT_FAILED;
}
