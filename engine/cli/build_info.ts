/**
 * From what an executable was built. Its entry module says so before anything else runs.
 *
 * @module
 */

/** What is known of the build; nothing where the sources are run as they are. */
export const buildInfo: {
  /** The commit of the sources. */
  commit?: string;
  /** Whether this process is an executable, with all modules in one file. */
  isExecutable?: boolean;
  /** Of an executable that holds one command alone: which. */
  command?: string;
} = {};
