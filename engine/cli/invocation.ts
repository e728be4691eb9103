/**
 * How a user started this process: as a script, or as a command of the executable.
 *
 * @module
 */

import { parentage, runtime } from "../net/runtime.ts";
import { buildInfo } from "./build_info.ts";
import type { Program } from "./program.ts";

/** A command that belongs to another one, for instance `handshake threadpool`. */
export interface Invocation {
  /** Its name, if the parent command uses a different name from its own. */
  readonly name?: string;
  /** What a user types to run it, without its arguments. */
  readonly typed: string;
  /** The arguments that the user has typed after that. */
  readonly args: readonly string[];
}

/** How this process was started; `undefined` if it is a script of its own. */
let invocation: Invocation | undefined;

/** What stands between the runtime's name and the script's. */
const RUN: Readonly<Record<string, string>> = { deno: "run -A ", bun: "" };

/**
 * From now on, this process counts as a command of another one.
 *
 * @param asked how it was started
 */
export function invokeAs(asked: Invocation): void {
  invocation = asked;
}

/**
 * Runs the only program of an executable. It does nothing in a Worker: a Worker's work begins with
 * the messages that its module listens for. Nor does it do anything in a process that a server has
 * started.
 *
 * @param program makes the program
 */
export async function runAlone(program: () => Program | Promise<Program>): Promise<void> {
  if (!runtime.isMainThread || parentage !== undefined) return;
  invokeAs({ typed: asWord(runtime.executable), args: runtime.args });
  (await program()).run();
}

/** The words that a user types for this program, if it is a command of another one. */
export function programName(): string | undefined {
  return invocation?.typed;
}

/**
 * The name of a command, as the user knows it here.
 *
 * @param name its name as a script of its own
 */
export function calledName(name: string): string {
  return invocation?.name ?? name;
}

/** The arguments of this program. */
export function programArguments(): readonly string[] {
  return invocation?.args ?? runtime.args;
}

/**
 * What a user types to run a script of this project on this runtime.
 *
 * @param script the path of the script
 */
function formatScript(script: string): string {
  return `${runtime.name} ${RUN[runtime.name]}${script}`;
}

/**
 * What a user types to run the program that has all commands.
 *
 * @param script the path of its script, when it is not an executable
 */
export function baseCommand(script: string): string {
  return buildInfo.isExecutable === true ? asWord(runtime.executable) : formatScript(script);
}

/**
 * What a user types to run this program with other arguments.
 *
 * @param script the path of its script, when it is not a command of another one
 * @param args the arguments
 */
export function formatRun(script: string, args = ""): string {
  return `${invocation?.typed ?? formatScript(script)} ${args}`.trimEnd();
}

/**
 * Quotes a text as one word for a shell.
 *
 * @param text any text
 */
export function quoteWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes a text as one word for a shell, with quotes only if it needs them.
 *
 * @param text any text
 */
export function asWord(text: string): string {
  // The shells of Windows use other quotes, and they split a program's path only at spaces.
  if (runtime.os === "windows") return /\s/.test(text) ? `"${text}"` : text;
  return /^[\p{L}\p{N}_./:=,@%+-]+$/u.test(text) ? text : quoteWord(text);
}
