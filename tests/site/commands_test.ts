/**
 * How the commands of the lessons are typed, on a few of them. `deno task prove site` types all.
 *
 * @module
 */

import { COMMANDS } from "../../commands.ts";
import { runtime } from "../../engine/net/runtime.ts";
import {
  commandOf,
  inForm,
  isInExecutable,
  needsSources,
} from "../../site/elements/command_forms.ts";
import { readPage } from "../../site/page_text.ts";
import { PAGES } from "../../site/pages.ts";
import { LEFT_OUT, refresh, shapeOf, typeCommand } from "../../site/shown_commands.ts";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../kit/harness.ts";
import { BUILD_MS, buildExecutable, whyNoExecutable } from "../kit/executable.ts";
import { Folder } from "../kit/folder.ts";
import { ourRuntime } from "../kit/server_process.ts";

const commands = PAGES.flatMap((page) => readPage(page).commands);

test("what is printed is compared without what is a matter of chance", () => {
  assertEquals(
    ["echo   ░▒─  3.09 ms", " 1,024 of 2 KiB (12)", "on deno 2.9.6"].map(shapeOf),
    ["echo ▒───  12 µs", " 7 of 1 B (3)", "on bun 1.4.5"].map(shapeOf),
  );
  assertEquals(shapeOf("event   9 ms   –   3 ms"), shapeOf("event  10 ms  12 ms  4 ms"));
  assert(shapeOf("3 passed") !== shapeOf("3 failed"));
});

test("a page has the lines of today, in their order, and says where it leaves lines out", () => {
  const printed = ["one 1", "two 2", "three 3"];
  const shown = (lines: string[]) => refresh("command", lines, printed);
  assertEquals(shown(["one 7", "two 8", "three 9"]), printed);
  assertEquals(shown([LEFT_OUT, "three 9"]), [LEFT_OUT, "three 3"]);
  assertEquals(shown(["one 9", LEFT_OUT]), ["one 1", LEFT_OUT]);
  for (
    const wrong of [["one 1"], ["two 2", LEFT_OUT], ["one 1", "three 3"], ["two 2", "one 1"], [
      LEFT_OUT,
      "four 4",
      LEFT_OUT,
    ]]
  ) {
    assertThrows(() => shown(wrong), Error, "print");
  }
});

test("a command that prints something else than its page says is found", async () => {
  const shown = (command: string, output: string[]) =>
    typeCommand({ command, output, lines: [0, 0] }, ourRuntime);
  await shown("echo one 1; echo two 2", [LEFT_OUT, "two 3"]);
  await assertRejects(() => shown("echo one 1", ["three 3"]), Error, "does not print");
  await assertRejects(() => shown("exit 2", []), Error, "status 2");
});

test("each command can be typed with Bun and, if all of it is there, with the executable", () => {
  for (const [name, { script }] of Object.entries(COMMANDS)) {
    assertEquals(commandOf(script), name);
    assertEquals(inForm(`deno run -A ${script} --help`, "executable"), `handshake ${name} --help`);
  }
  let executable = 0;
  for (const { command } of commands) {
    assertEquals(inForm(command, "deno"), command);
    if (!command.includes("deno")) continue;
    const bun = inForm(command, "bun");
    assert(!bun.includes("deno"), bun);
    const other = inForm(command, "executable");
    const names = [...other.matchAll(/(?:^|')handshake (\S+)/g)].map(([, name = ""]) => name);
    for (const name of names) assert(name in COMMANDS, other);
    assert(names.length === 0 ? other === command : !other.includes("deno"), other);
    assertEquals(needsSources(command, "executable"), names.length === 0, command);
    assertEquals([needsSources(command, "deno"), needsSources(command, "bun")], [false, false]);
    executable += Number(names.length > 0);
  }
  assert(executable > 30);
});

/** One that takes a moment, and starts a server with another command. */
const sample = commands.find(({ command }) => command.includes("--only split"));

test("a command of the lessons does what its page says", async () => {
  assert(commands.length > 30);
  for (const { command, notRun } of commands) assert(notRun !== "", command);
  assert(sample !== undefined && sample.output.length > 0);
  await typeCommand(sample, ourRuntime);
}, { timeoutMs: 60_000 });

test("a command of the lessons does the same with the executable", async () => {
  assert(sample !== undefined && isInExecutable(sample.command));
  using folder = new Folder();
  const path = await buildExecutable(folder.path("."));
  await typeCommand(sample, { name: "executable", path });
}, {
  timeoutMs: BUILD_MS,
  skip: whyNoExecutable ??
    (runtime.name === "bun" ? undefined : "the tests on Bun run the same executable"),
});
