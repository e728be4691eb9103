/**
 * What the commands of the lab share: each works until it knows its exit status.
 *
 * @module
 */

import { escapeText } from "../protocols/text.ts";
import {
  EXIT_FAILED,
  EXIT_NOT_CONNECTED,
  EXIT_SIGNALLED,
  EXIT_USAGE,
} from "../engine/cli/exit_status.ts";
import { type Command, UsageError } from "../engine/cli/flags.ts";
import { fail } from "../engine/cli/command_line.ts";
import { OptionError } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { ConnectError, messageOf } from "../engine/dial/failures.ts";
import { runtime } from "../engine/net/runtime.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import { endAllAtOnce, ServerStartError } from "./loaded_server.ts";
import { sayUnwritten, writeOutput } from "./output_file.ts";

/** The name that means standard output instead of a file. */
export const STDOUT = "-";

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
 * Does the work of a command that starts servers. A signal interrupts it, and then it still ends
 * its servers in order. A second signal ends all at once.
 *
 * @param name the name that its errors begin with
 * @param work the work; it ends when the signal aborts
 * @returns the exit status: that of the work, or of its error, or of the interruption
 */
export async function untilInterrupted(
  name: string,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const interrupt = new AbortController();
  const forget = onEndingSignal(() => {
    if (interrupt.signal.aborted) {
      endAllAtOnce();
      runtime.exit(EXIT_SIGNALLED);
    }
    interrupt.abort();
  });
  try {
    const status = await work(interrupt.signal);
    return interrupt.signal.aborted ? EXIT_SIGNALLED : status;
  } catch (error) {
    if (interrupt.signal.aborted) return EXIT_SIGNALLED;
    runtime.printNow("stderr", `${name}: ${messageOf(error)}\n`);
    return statusOfError(error);
  } finally {
    forget();
  }
}

/**
 * Writes a result where the user wants it.
 *
 * @param path the file, or {@linkcode STDOUT}
 * @param text what to write
 * @throws {UsageError} if the file cannot be written; the message is one line
 */
export function writeResult(path: string, text: string): void {
  if (path === STDOUT) return runtime.printNow("stdout", text);
  try {
    writeOutput(path, text);
  } catch (error) {
    throw new UsageError(`cannot write ${escapeText(path)}: ${sayUnwritten(error)}`);
  }
}

/**
 * The exit status for an error.
 *
 * @param error anything that was thrown
 */
export function statusOfError(error: unknown): number {
  if (error instanceof UsageError || error instanceof OptionError) return EXIT_USAGE;
  const isThere = !(error instanceof ConnectError || error instanceof ServerStartError);
  return isThere ? EXIT_FAILED : EXIT_NOT_CONNECTED;
}
