/**
 * A program: what its command line can be, and what it does. Each script is one, and the executable
 * is all of them.
 *
 * @module
 */

import type { Command } from "./flags.ts";

/** A command that a person can run. */
export interface Program {
  /** What its command line can be. */
  readonly command: Command;
  /** Reads the command line of this process and does what it says, to the end of the process. */
  run(): void;
}
