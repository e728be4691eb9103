/**
 * What each command of `observe` is: its command line, and what it does.
 *
 * @module
 */

import type { Command, Values } from "../../engine/cli/flags.ts";

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

/** The script of `observe`. */
export const SCRIPT = "lab/observe.ts";
