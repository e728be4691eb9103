/**
 * The two runtimes, as the scripts of this folder start them.
 *
 * The scripts themselves run on Deno: it is what `deno task` needs anyway.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** One runtime. */
export interface RuntimeCommand {
  /** Its name, for people. */
  readonly name: "deno" | "bun";
  /** The path of its executable. */
  readonly path: string;
  /** What comes before a script's own path and arguments. */
  readonly run: readonly string[];
  /** What comes before the paths of tests. */
  readonly test: readonly string[];
}

/** The folder of the project. */
export const ROOT = new URL("..", import.meta.url);

/** Deno as it runs this script, and Bun as `deno install` has installed it. */
export const RUNTIMES: readonly RuntimeCommand[] = [
  {
    name: "deno",
    path: Deno.execPath(),
    run: ["run", "-A"],
    // The types are checked by a task of their own.
    test: ["test", "-A", "--no-check"],
  },
  {
    name: "bun",
    path: fileURLToPath(new URL("node_modules/bun/bin/bun.exe", ROOT)),
    run: [],
    test: ["test"],
  },
];
