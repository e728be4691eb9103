/**
 * What an executable was built from. Its entry module fills this in before anything else runs.
 *
 * @module
 */

import manifest from "../../package.json" with { type: "json" };

/** The version of the project. */
export const VERSION: string = manifest.version;

/** The facts about the build; empty when the sources run as they are. */
export const buildInfo: {
  /** The commit of the sources. */
  commit?: string;
  /** Whether this process is an executable, with all modules in one file. */
  isExecutable?: boolean;
  /** The name of the only command, if the executable holds just one. */
  command?: string;
} = {};
