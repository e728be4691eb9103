/**
 * What each command of `observe` is: its command line, and what it does.
 *
 * @module
 */

import type { Command, Values } from "../../engine/cli/flags.ts";
import { type Option, stringOption } from "../../engine/cli/options.ts";

/** One command of `observe`. */
export interface Subcommand {
  /** Its command line. */
  readonly command: Command;
  /**
   * Does what the command line says.
   *
   * @param values the given values
   * @returns the exit status
   * @throws {UsageError | OptionError} if a value is wrong
   */
  perform(values: Values): Promise<number>;
}

/** The recording, in each command that can write one. */
export const RECORD: Option<string> = stringOption("record", {
  value: "FILE",
  help: "write what is seen into a file for observe replay",
});

/** The script of `observe`. */
export const SCRIPT = "lab/observe.ts";
