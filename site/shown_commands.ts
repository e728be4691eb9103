/**
 * The commands that the pages show: typed, and what they print compared with what the pages say, or
 * written into them.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { ROOT } from "../engine/process/runtimes.ts";
import { type Form, inForm } from "./elements/command_forms.ts";
import type { ShownCommand } from "./page_text.ts";

/** How long a command may take, in milliseconds. */
const PATIENCE_MS = 300_000;

/** The folder of the project. */
const PROJECT = fileURLToPath(ROOT);

/** Stands for lines that a page leaves out. */
export const LEFT_OUT = "…";

/** Words that stand for a folder or a file of the reader's own, behind these flags. */
const OWN = /(--record|--save|--json|--html)([ =])([\w./-]+)/g;

/** The statuses with which a command may end: a check may find something, a threshold may not hold. */
const ENDINGS: readonly unknown[] = [0, 1, 99];

/** What commands are typed with: a runtime, or the executable. */
export interface Tool {
  /** The form of the commands that its readers type. */
  readonly name: Form;
  /** The path of the program. */
  readonly path: string;
}

/** A command does something else than its page says. */
export class ShownCommandError extends Error {
  override readonly name = "ShownCommandError";
}

/**
 * Types a command in the form that the readers type who have the tool. It must end by itself. What it
 * writes goes to a folder that is removed. Whoever has the executable has no sources: there that folder
 * is the current one, and holds the examples that the command names. The page shows them whole, and
 * asks such readers to save them.
 *
 * @param shown the command as the page shows it, and what else is typed
 * @param on the tool
 * @returns the lines that it prints
 * @throws {ShownCommandError} if it ends with another status than commands of lessons do, or never
 */
export async function typeLine(
  { command, typedWith }: Pick<ShownCommand, "command" | "typedWith">,
  on: Tool,
): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "handshake-lesson-"));
  try {
    const own = new Map<string, string>();
    const placed = inForm([command, typedWith ?? []].flat().join(" "), on.name)
      .replaceAll(OWN, (_, flag, between, name: string) => {
        own.set(join(folder, name), name);
        return `${flag}${between}${join(folder, name)}`;
      });
    const line = on.name === "deno"
      ? placed.replaceAll("deno run -A ", `${on.path} run -A --node-modules-dir=manual `)
      : on.name === "bun"
      ? placed.replaceAll(/\bbun (?=[\w/]+\.ts\b)/g, `${on.path} `)
      : placed.replaceAll(/\bhandshake (?=\w)/g, `${on.path} `);
    if (on.name === "executable") saveExamples(command, folder);
    const { code, text } = await run(line, on.name === "executable" ? folder : PROJECT);
    for (const [path, name] of own) {
      if (!existsSync(path)) throw new ShownCommandError(`${command}\nwrites no ${name}\n${text}`);
    }
    let printed = text;
    for (const [path, name] of own) printed = printed.replaceAll(path, name);
    if (!ENDINGS.includes(code)) {
      throw new ShownCommandError(`${command}\nends with status ${code}\n${printed}`);
    }
    return printed.trimEnd().split("\n").map((line) => line.trimEnd());
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function saveExamples(command: string, folder: string): void {
  for (const [path] of command.matchAll(/\bexamples\/\w+\.ts\b/g)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    copyFileSync(join(PROJECT, path), join(folder, path));
  }
}

/** Runs a line in a shell in a folder: what it prints, to standard error last. */
async function run(line: string, cwd: string): Promise<{ code: number | null; text: string }> {
  const child = spawn("sh", ["-c", line], {
    cwd,
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const printed = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => printed[name] += text);
  }
  // The shell and what it has started.
  const late = setTimeout(() => process.kill(-(child.pid as number), "SIGKILL"), PATIENCE_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    return { code, text: printed.stdout + printed.stderr };
  } finally {
    clearTimeout(late);
  }
}

/**
 * Types a command, which must print what its page shows, with other numbers.
 *
 * @param shown the command, and what the page shows
 * @param on what it is typed with
 * @throws {ShownCommandError} if it does not
 */
export async function typeCommand(shown: ShownCommand, on: Tool): Promise<void> {
  const printed = await typeLine(shown, on);
  if (shown.output.length > 0) refresh(shown.command, shown.output, printed);
}

/**
 * What a page shows of a command, with the lines of today.
 *
 * The lines that the page shows must be there, in the same order, and lines may be left out only where
 * the page says so.
 *
 * @param command the command, for messages
 * @param shown what the page shows
 * @param printed what the command prints today
 * @throws {ShownCommandError} if a line is not there
 */
export function refresh(
  command: string,
  shown: readonly string[],
  printed: readonly string[],
): readonly string[] {
  const fail = (why: string) =>
    new ShownCommandError(`${command}\n${why}\n${printed.map((line) => `  ${line}`).join("\n")}`);
  const lines: string[] = [];
  const shapes = printed.map(shapeOf);
  let next = 0;
  let mayLeaveOut = false;
  for (const line of shown) {
    if (line === LEFT_OUT) {
      lines.push(line);
      mayLeaveOut = true;
      continue;
    }
    const found = shapes.indexOf(shapeOf(line), next);
    if (found < 0) throw fail(`does not print, after what was found before,\n  ${line}`);
    if (found > next && !mayLeaveOut) {
      throw fail(`prints more than the page says before\n  ${line}`);
    }
    lines.push(printed[found] as string);
    next = found + 1;
    mayLeaveOut = false;
  }
  if (next < printed.length && !mayLeaveOut) {
    throw fail("prints more than the page says at the end");
  }
  return lines;
}

/**
 * A line without what is a matter of chance: numbers, units, widths, how the parts of a bar follow
 * each other, and the name of the runtime.
 *
 * @param line the line
 */
export function shapeOf(line: string): string {
  return line.replaceAll(/<?\d[\d.,]*/g, "N")
    .replaceAll(/ (?:µs|ms|s|B|KiB|MiB|GiB|k|M|k\/s|M\/s)(?=\W|$)/g, " u")
    .replaceAll(/\b(?:deno|bun)\b/g, "runtime").replaceAll(/N ± N/g, "N")
    .replaceAll(/\bclients? (?:was|were)\b/g, "clients were")
    // On a slow machine a table may have too few samples for a percentile.
    .replaceAll(/ {2}–(?= |$)/g, "  N u")
    .replaceAll(/[█░▒▓─][█░▒▓─ ]*/g, "█ ").replaceAll(/[-─]{2,}/g, "--")
    .replaceAll(/ +/g, " ").trim();
}
