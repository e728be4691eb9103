/**
 * The lesson on measuring: its commands do what it says, and they print what it shows, with other
 * figures.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "../../engine/net/runtime.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { commandOf, Program, ServerProcess, whyNoProgram } from "../kit/server_process.ts";
import { whyTheirs } from "../kit/turns.ts";

const root = new URL("../../", import.meta.url);
const lesson = readFileSync(new URL("docs/measuring.md", root), "utf8");

/** What a block shows: the typed command, and its output. */
interface Block {
  readonly name: string;
  readonly command: string;
  readonly printed: readonly string[];
}

const blocks: readonly Block[] = [
  ...lesson.matchAll(/^```console (\w+)\n\$ (.*)\n((?:.*\n)*?)```$/gm),
]
  .map(([, name = "", command = "", printed = ""]) => ({
    name,
    command,
    printed: printed.split("\n"),
  }));

/** The figures of the server's process exist only on Linux. */
const skip = runtime.os === "linux" ? whyNoProgram("ncat") : "the lesson shows Linux";

/** Leaves out all figures with their units, and the widths of columns. */
function inKind(line: string): string {
  return line
    .replaceAll(/\d[\d.]*(?: (?:[µm]?s|min|[kMG]|%|B|[KMG]iB)(?![\w]))?(?: ?\/s)?/g, "N")
    .replaceAll("N ± N", "N")
    // Short runs have fewer percentiles.
    .replaceAll(/(?<= )–(?= |$)/g, "N")
    .replaceAll(/\b(deno|bun)\b/g, "RUNTIME")
    .replaceAll(/ +/g, " ");
}

/** Types a command of the lesson, with a short run, on this runtime, in a folder of its own. */
async function type(command: string, port: number, cwd: string): Promise<string> {
  const brief = command.includes(" compare ")
    // Some modes start a thread for each connection. On a busy machine a short time has no answers.
    ? `--runtimes ${runtime.name} --warm-up 0 --repeat 2 -d 500ms -c 4 --no-floor`
    : command.includes("'p99<")
    // So many tell a p99, however busy the machine is.
    ? "--requests 1000 --no-floor"
    : "--requests 100 --no-floor";
  const line = command
    .replaceAll(
      /deno run -A (\S+)/g,
      (_, script) => commandOf(script, [], { cwd }).map((word) => `'${word}'`).join(" "),
    )
    .replaceAll(/ (--runtimes \w+|-d \d+s|--repeat \d+)/g, "")
    .replace(/bench\.ts'(?: compare)?/, `$& ${brief}`)
    .replaceAll(/(127\.0\.0\.1[: ])8080/g, `$1${port}`);
  await using program = new Program(["sh", "-c", line], { cwd });
  const { code, stdout, stderr } = await program.end(30_000);
  assertEquals(code, 0, `${command}\n${stderr}`);
  return stdout + stderr;
}

test("the commands of the lesson on measuring print what the lesson shows", async () => {
  const [first, ...others] = blocks;
  assertEquals(first?.name, "server");
  const flags = first?.command.split(" 8080 ")[1]?.split(" ") ?? [];
  await using server = await ServerProcess.start("event", [...flags, "--quiet"]);
  const folder = mkdtempSync(join(tmpdir(), "handshake-measuring-"));
  try {
    for (const { name, command, printed } of others) {
      const output = await type(command, server.address.port, folder);
      const lines = output.split("\n").map(inKind);
      for (const line of printed) {
        // The sentences depend on the numbers.
        if (line.startsWith("•")) continue;
        assert(lines.includes(inKind(line)), `${name} prints: ${line}\nbut: ${output}`);
      }
      if (name === "threshold") assertStringIncludes(output, "status 99");
    }
    assertStringIncludes(readFileSync(join(folder, "page.html"), "utf8"), "<!doctype html>");
  } finally {
    rmSync(folder, { recursive: true });
  }
  const names = ["prime", "closed", "open", "compare", "page", "threshold"];
  assertEquals(others.map(({ name }) => name), names);
}, { skip: skip ?? whyTheirs(1), timeoutMs: 60_000 });

test("the README's commands that measure work", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame", "--quiet"]);
  const folder = mkdtempSync(join(tmpdir(), "handshake-measuring-"));
  try {
    const readme = readFileSync(new URL("README.md", root), "utf8");
    // The command that made the published results is left out: it takes minutes.
    const [section = ""] = /^## Measuring$.*?(?=^## )/ms.exec(readme) ?? [];
    const commands = section.match(/^deno run -A lab\/bench\.ts .*$/gm) ?? [];
    assertEquals(commands.length, 3);
    for (const command of commands) {
      assertMatch(await type(command, server.address.port, folder), /^server +/m);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}, { skip: skip ?? whyTheirs(0), timeoutMs: 60_000 });

test("every link in the lesson on measuring leads somewhere", () => {
  for (const [, link = ""] of lesson.matchAll(/\]\(([^)#]+)/g)) {
    if (!link.startsWith("https:")) readFileSync(new URL(`docs/${link}`, root));
  }
});
