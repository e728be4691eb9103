/**
 * Types the commands of the lessons, and writes what they print today into the texts.
 *
 * A text says which lines it shows: those that are there now. Each is replaced by the line of the same
 * shape, with the numbers of today. Where a text shows nothing but `…`, everything is written, and the
 * author leaves out what nobody needs.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { ROOT, type RuntimeCommand } from "../engine/process/runtimes.ts";
import { labProgram, untilInterrupted } from "../lab/lab_program.ts";
import { ON, runtimeOn } from "../lab/on_runtime.ts";
import { readPage, type ShownCommand } from "../site/page_text.ts";
import { type Page, PAGES } from "../site/pages.ts";
import { LEFT_OUT, refresh, ShownCommandError, typeLine } from "../site/shown_commands.ts";

const COMMAND: Command = {
  name: "outputs",
  summary: "type the commands of the lessons, and write what they print into the texts",
  positionals: [],
  rest: {
    name: "page",
    kind: "string",
    default: "all of them",
    suggestions: PAGES.map(nameOf),
    help: "pages whose commands are typed",
  },
  flags: [
    { ...ON, help: "the runtime on which they are typed" },
    { name: "check", kind: "boolean", help: "change nothing; fail if something else is printed" },
  ],
  example: "deno task outputs lessons/threadpool --check",
};

function nameOf({ file }: Page): string {
  return file.replace(/\.md$/, "");
}

async function outputs(values: Values, signal: AbortSignal): Promise<number> {
  const asked = (values.page ?? []) as readonly string[];
  for (const name of asked) {
    if (PAGES.some((page) => nameOf(page) === name)) continue;
    throw new UsageError(`there is no page "${name}": they stand in site/pages.ts`);
  }
  const on = runtimeOn(values);
  let status: number = EXIT_DONE;
  for (const page of PAGES) {
    if (asked.length > 0 && !asked.includes(nameOf(page))) continue;
    const file = new URL(`site/${page.file}`, ROOT);
    const lines = readFileSync(file, "utf8").split("\n");
    // From the last one to the first: the places of those before stay as they are.
    const shown = readPage(page).commands.filter(({ notRun, output }) =>
      notRun === undefined && output.length > 0
    );
    for (const each of shown.toReversed()) {
      if (signal.aborted) return EXIT_FAILED;
      try {
        const [from, to] = each.lines;
        lines.splice(from, to - from, ...await outputOf(each, on));
        say("stdout", `${nameOf(page)}: ${each.command}\n`);
      } catch (error) {
        if (!(error instanceof ShownCommandError)) throw error;
        status = EXIT_FAILED;
        say("stderr", `${nameOf(page)}: ${error.message}\n`);
      }
    }
    if (values.check !== true) writeFileSync(file, lines.join("\n"));
  }
  return status;
}

/** What a command prints today, as far as its page shows it. */
async function outputOf(shown: ShownCommand, on: RuntimeCommand): Promise<readonly string[]> {
  const { command, output } = shown;
  const printed = await typeLine(shown, on);
  const isOpen = output.every((line) => line === LEFT_OUT);
  return isOpen ? printed : refresh(command, output, printed);
}

function say(stream: "stdout" | "stderr", text: string): void {
  runtime.printNow(stream, text);
}

if (isMainModule(import.meta)) {
  labProgram(COMMAND.name, COMMAND, () => {
    const values = readCommandLine(COMMAND);
    return untilInterrupted(COMMAND.name, (signal) => outputs(values, signal));
  }).run();
}
