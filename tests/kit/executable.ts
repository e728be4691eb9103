/**
 * The executable, built as `deno task compile` builds it.
 *
 * @module
 */

import { existsSync } from "node:fs";
import { type RuntimeCommand, RUNTIMES } from "../../engine/process/runtimes.ts";
import { assertEquals } from "./harness.ts";
import { commandOf, type Ending, Program } from "./server_process.ts";

/** The base of the executable. */
export const bun = RUNTIMES.find(({ name }) => name === "bun") as RuntimeCommand;

/** Why there can be no executable, if there cannot. */
export const whyNoExecutable: string | undefined = existsSync(bun.path)
  ? undefined
  : "bun, the base of the executable, cannot be found";

/** How long one build may take, in milliseconds. The base of another system has to be fetched first. */
export const BUILD_MS = 120_000;

/**
 * Builds with the script behind `deno task compile`.
 *
 * @param folder the folder to build into
 * @param args what to build
 */
export async function compile(folder: string, ...args: readonly string[]): Promise<Ending> {
  await using compiler = new Program(
    commandOf("scripts/compile.ts", [...args, "--into", folder]),
  );
  return await compiler.end(BUILD_MS);
}

/**
 * Builds an executable for this machine.
 *
 * @param folder the folder to build into
 * @param args what to build
 * @returns its path
 */
export async function buildExecutable(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await compile(folder, ...args);
  assertEquals(code, 0, stderr);
  return stdout.split("  ")[0] as string;
}
