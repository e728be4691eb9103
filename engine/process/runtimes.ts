/**
 * The two runtimes, as another process would start them.
 *
 * @module
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "../net/runtime.ts";
import { findExecutable, isExecutable } from "./executables.ts";

/** The name of a runtime. */
export type RuntimeName = "deno" | "bun";

/** A runtime. */
export interface RuntimeCommand {
  /** Its name, for people. */
  readonly name: RuntimeName;
  /** The path of its executable. */
  readonly path: string;
  /** Whether it was found. */
  readonly isHere: boolean;
  /** The arguments before a script's path and arguments. */
  readonly run: readonly string[];
  /** The arguments before the paths of tests. */
  readonly test: readonly string[];
}

/** The folder of the project. */
export const ROOT = new URL("../..", import.meta.url);

/**
 * This runtime as it runs now. The other one as `deno install` has installed it, or as PATH has it.
 */
export const RUNTIMES: readonly RuntimeCommand[] = [
  {
    name: "deno",
    ...find("deno"),
    run: ["run", "-A"],
    // A task of its own checks the types. Threads start sooner without modules that they never use.
    test: ["test", "-A", "--no-check", "--unstable-lazy-dynamic-imports"],
  },
  {
    name: "bun",
    ...find("bun", fileURLToPath(new URL("node_modules/bun/bin/bun.exe", ROOT))),
    run: [],
    test: ["test"],
  },
];

/**
 * What the environment of tests holds besides: where the runtimes are. Some tests need the other one
 * too.
 */
export const RUNTIME_PATHS: Readonly<Record<string, string>> = Object.fromEntries(
  RUNTIMES.map(({ name, path }) => [pathVariable(name), path]),
);

/**
 * The command line that runs a script of the project, from any folder.
 *
 * @param runtime the runtime
 * @param script the path of the script in the project
 * @param args the arguments
 */
export function scriptCommand(
  { path, run }: RuntimeCommand,
  script: string,
  ...args: readonly string[]
): string[] {
  return [path, ...run, fileURLToPath(new URL(script, ROOT)), ...args];
}

/** Finds a runtime: its path, or only its name if it is not here. */
function find(
  name: RuntimeCommand["name"],
  ...others: readonly string[]
): Pick<RuntimeCommand, "path" | "isHere"> {
  if (runtime.name === name) return { path: process.execPath, isHere: true };
  // The test runner for both runtimes says where the other runtime is.
  const given = runtime.variable(pathVariable(name)) ?? [];
  const path = [given, others].flat().find(isExecutable) ?? findExecutable(name);
  return { path: path ?? name, isHere: path !== undefined };
}

/** The variable of the environment that says where a runtime is. */
function pathVariable(name: RuntimeName): string {
  return `${name.toUpperCase()}_PATH`;
}
