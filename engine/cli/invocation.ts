/**
 * How this process was asked for what it does: as a script, or as a command of the executable.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { buildInfo } from "./build_info.ts";
import type { Program } from "./program.ts";

/** A command of a command, for instance `handshake threadpool`. */
export interface Invocation {
  /** Its name, where the command that it belongs to calls it otherwise than it does itself. */
  readonly name?: string;
  /** How a person types it, without its arguments. */
  readonly typed: string;
  /** What a person has typed behind that. */
  readonly args: readonly string[];
}

/** How this process was asked; `undefined` for a script of its own. */
let invocation: Invocation | undefined;

/** What stands between the runtime's name and the script's. */
const RUN: Readonly<Record<string, string>> = { deno: "run -A ", bun: "" };

/**
 * From now on this process is a command of another one.
 *
 * @param asked how it was asked for
 */
export function invokeAs(asked: Invocation): void {
  invocation = asked;
}

/**
 * Runs the one program that an executable holds. In its Workers nothing is to be done: their work
 * begins with what its module has told them to listen for.
 *
 * @param program makes it
 */
export async function runAlone(program: () => Program | Promise<Program>): Promise<void> {
  if (!runtime.isMainThread) return;
  invokeAs({ typed: asWord(runtime.executable), args: runtime.args });
  (await program()).run();
}

/** How what runs is typed, where it is a command of another one. */
export function programName(): string | undefined {
  return invocation?.typed;
}

/**
 * What calls itself so, as it is called here.
 *
 * @param name what it is called as a script of its own
 */
export function calledName(name: string): string {
  return invocation?.name ?? name;
}

/** The arguments of what runs. */
export function programArguments(): readonly string[] {
  return invocation?.args ?? runtime.args;
}

/**
 * How a person runs a script of this project with the runtime at hand.
 *
 * @param script its path
 */
export function formatScript(script: string): string {
  return `${runtime.name} ${RUN[runtime.name]}${script}`;
}

/**
 * How a person runs what has all commands.
 *
 * @param script its path, where it is a script
 */
export function baseCommand(script: string): string {
  return buildInfo.isExecutable === true ? asWord(runtime.executable) : formatScript(script);
}

/**
 * How a person runs what runs, with other arguments.
 *
 * @param script its path, where it is a script
 * @param args the arguments
 */
export function formatRun(script: string, args = ""): string {
  return `${invocation?.typed ?? formatScript(script)} ${args}`.trimEnd();
}

/**
 * Text as one word of a shell.
 *
 * @param text any text
 */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The same as a person would type it: in quotes only where it needs them.
 *
 * @param text any text
 */
export function asWord(text: string): string {
  // The shells of Windows know other quotes, and split the path of a program at spaces alone.
  if (runtime.os === "windows") return /\s/.test(text) ? `"${text}"` : text;
  return /^[\p{L}\p{N}_./:=,@%+-]+$/u.test(text) ? text : quoteWord(text);
}
