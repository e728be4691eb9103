/**
 * A program: what its command line can be, and what it does. Each script is one, and the executable
 * holds all of them.
 *
 * @module
 */

import type { Command } from "./flags.ts";

/** A command that a user can run. */
export interface Program {
  /** What its command line can be. */
  readonly command: Command;
  /** Reads the command line of this process and does what it says, until the process ends. */
  run(): void;
}
