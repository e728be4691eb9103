/**
 * The two runtimes, as other processes than this one start them.
 *
 * @module
 */

import { accessSync, constants } from "node:fs";
import process from "node:process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { environment } from "../net/environment.ts";
import { runtime } from "../net/runtime.ts";

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
export const ROOT = new URL("../..", import.meta.url);

/** This runtime as it runs, the other as `deno install` has installed it or as a shell knows it. */
export const RUNTIMES: readonly RuntimeCommand[] = [
  {
    name: "deno",
    path: pathOf("deno"),
    run: ["run", "-A"],
    // The types are checked by a task of their own.
    test: ["test", "-A", "--no-check"],
  },
  {
    name: "bun",
    path: pathOf("bun", fileURLToPath(new URL("node_modules/bun/bin/bun.exe", ROOT))),
    run: [],
    test: ["test"],
  },
];

/**
 * The command line that runs a script of the project, from whatever folder.
 *
 * @param runtime on which
 * @param script its path from the folder of the project
 * @param args its arguments
 */
export function scriptCommand(
  { path, run }: RuntimeCommand,
  script: string,
  ...args: readonly string[]
): string[] {
  return [path, ...run, fileURLToPath(new URL(script, ROOT)), ...args];
}

/** Where a runtime is; just its name if it cannot be found. */
function pathOf(name: RuntimeCommand["name"], ...others: readonly string[]): string {
  if (runtime.name === name) return process.execPath;
  const folders = (environment("PATH") ?? "").split(delimiter).map((folder) => join(folder, name));
  // Whoever runs the tests on both says where the other one is.
  const given = environment(`${name.toUpperCase()}_PATH`) ?? [];
  return [given, others, folders].flat().find(isExecutable) ?? name;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
