/**
 * Types the commands that documents show, and compares what is printed with what they say.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { ROOT, type RuntimeCommand } from "../../engine/process/runtimes.ts";
import { Folder } from "./folder.ts";
import { assert } from "./harness.ts";
import type { ShownCommand } from "./lesson_pages.ts";
import { ourRuntime, Program } from "./server_process.ts";

/** How long a command may take, in milliseconds. */
const PATIENCE_MS = 120_000;

/** Words that stand for a folder or a file of the reader's own, behind these flags. */
const OWN = /(--record|--save|--json|--html)([ =])([\w./-]+)/g;

/**
 * Types a command on a runtime. It must end by itself, and print every line that is shown, with other
 * numbers. What it writes goes to a folder that is removed.
 *
 * @param shown the command, and what it prints
 * @param on the runtime: what is written as `deno run -A` runs there
 */
export async function typeCommand(
  { command, output }: ShownCommand,
  on: RuntimeCommand = ourRuntime,
): Promise<void> {
  using folder = new Folder();
  const own = new Map<string, string>();
  const placed = command.replaceAll(OWN, (_, flag: string, between: string, name: string) => {
    own.set(folder.path(name), name);
    return `${flag}${between}${folder.path(name)}`;
  });
  const run = on.name === "deno"
    ? `${on.path} run -A --node-modules-dir=manual`
    : [on.path, ...on.run].join(" ");
  const line = placed.replaceAll("deno run -A", run);
  await using program = new Program(["sh", "-c", line], { cwd: fileURLToPath(ROOT) });
  const { code, stdout, stderr } = await program.end(PATIENCE_MS);
  let printed = stdout + stderr;
  for (const [path, name] of own) printed = printed.replaceAll(path, name);
  // 1 is what a check ends with that has found something.
  assert(code === 0 || code === 1, `${command}\nends with status ${code}\n${printed}`);
  const shapes = new Set(shapesOf(printed));
  for (const shape of shapesOf(output.join("\n"))) {
    assert(shape === "…" || shapes.has(shape), `${command}\ndoes not print\n${shape}\n${printed}`);
  }
}

/**
 * Lines without what is a matter of chance: numbers, units, widths, and how the parts of a bar follow
 * each other.
 *
 * @param text the lines
 */
export function shapesOf(text: string): readonly string[] {
  return text.trim().split("\n").map((line) =>
    line.replaceAll(/<?\d[\d.,]*/g, "N").replaceAll(/ (?:µs|ms|s|B|KiB|MiB|GiB|k|M)(?=\W|$)/g, " u")
      .replaceAll(/[█░▒▓─][█░▒▓─ ]*/g, "█ ").replaceAll(/ +/g, " ").trim()
  );
}
