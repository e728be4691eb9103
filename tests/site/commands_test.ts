/**
 * How the commands of the lessons are tried, on a few of them. `deno task prove site` types all.
 *
 * @module
 */

import { PAGES } from "../../site/pages.ts";
import { assert, assertEquals, assertRejects, test } from "../kit/harness.ts";
import { readPage } from "../kit/lesson_pages.ts";
import { shapesOf, typeCommand } from "../kit/shown_commands.ts";

test("what is printed is compared without what is a matter of chance", () => {
  assertEquals(
    shapesOf("echo   ░▒─  3.09 ms\n 1,024 of 2 KiB (12)"),
    shapesOf("echo ▒───  12 µs\n 7 of 1 B (3)"),
  );
  assert(shapesOf("3 passed")[0] !== shapesOf("3 failed")[0]);
});

test("a command that prints something else than its page says is found", async () => {
  const command = "echo one 1; echo two 2";
  await typeCommand({ command, output: ["…", "two 3"] });
  await assertRejects(() => typeCommand({ command, output: ["three 3"] }), Error, "does not print");
  await assertRejects(() => typeCommand({ command: "exit 2", output: [] }), Error, "status 2");
});

test("a command of the lessons does what its page says", async () => {
  const commands = PAGES.flatMap((page) => readPage(page).commands);
  assert(commands.length > 30);
  for (const { command, notRun } of commands) assert(notRun !== "", command);
  const shown = commands.find(({ command }) => command.includes("--only split"));
  assert(shown !== undefined && shown.output.length > 0);
  await typeCommand(shown);
}, { timeoutMs: 60_000 });
