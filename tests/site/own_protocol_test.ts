/**
 * The page on protocols of one's own: its list of exports is complete, and its module does what the
 * page says of it.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { parseJson } from "../../lab/report/json.ts";
import * as library from "../../protocol.ts";
import { exportsOf, exportsTable, passedOn } from "../../scripts/exports.ts";
import { fillExports, QuoteError } from "../../scripts/quotes.ts";
import { readPage } from "../../site/page_text.ts";
import { assert, assertEquals, assertMatch, assertThrows, test } from "../kit/harness.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

const FACTORS = "./examples/factors.ts";

const { text } = readPage({ file: "own-protocol.md" });

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}

test("the page lists all that handshake/protocol exports, each once and with a line", () => {
  const marked = [...text.matchAll(/^<!-- exports (.+) -->$/gm)]
    .flatMap(([, paths = ""]) => paths.split(" "));
  const passed = passedOn(read("protocol.ts"));
  assertEquals(marked.toSorted(), [...passed.keys()].toSorted());
  // Only the modules of a mark are parsed, and only what is there when the program runs can be counted.
  const rows = [...text.matchAll(/^\| `(\w+)(?:\([^)]*\))?` +\| (\S.*?) +\|$/gm)];
  const names = rows.map(([, name = ""]) => name);
  for (const name of Object.keys(library)) {
    assertEquals(names.filter((one) => one === name).length, 1, name);
  }
  for (const name of ["Protocol", "Context", "Conformance", "LoadContext", "Opening"]) {
    assert(names.includes(name), name);
  }
});

test("what the commands of the page need, readers of the page have", () => {
  const { commands } = readPage({ file: "own-protocol.md" });
  const named = commands.flatMap(({ command }) => command.match(/examples\/\w+\.ts/g) ?? []);
  assertEquals([...new Set(named)], ["examples/factors.ts"]);
  assert(text.includes(`\`\`\`ts\n${read("examples/factors.ts")}\`\`\`\n`), "it is shown whole");
});

const CODE = `/** One: a thing. And more. */
export interface One {}

/**
 * Two of it, with {@linkcode One} | another.
 *
 * @param first the first
 */
// deno-lint-ignore no-explicit-any -- it is a test
export function* two<T>(_first: One = {}, { x }: { x: T }, last?: () => void): Generator {}

/** Is nobody's business. */
const three = 3;

/** Has choices: - one. */
export const four = three;
`;

test("an export is listed with the names of its parameters and its first sentence", () => {
  assertEquals(exportsOf(CODE).map(({ shape, says }) => [shape, says]), [
    ["One", "One: a thing"],
    ["two(first, options, last)", "Two of it, with `One` \\| another"],
    ["four", "Has choices"],
  ]);
  const files: Record<string, string> = {
    "protocol.ts": 'export {\n  type One,\n  four,\n} from "./a.ts";\nexport * from "./b.ts";\n',
    "a.ts": CODE,
    "b.ts": "/** Five. */\nexport const five = 5;\n",
  };
  const of = (path: string) => files[path] as string;
  const table = exportsTable(["a.ts", "b.ts"], of);
  assertEquals(table.match(/`\w+`/g), ["`One`", "`four`", "`five`"]);
  const page = "Before.\n\n<!-- exports a.ts b.ts -->\n\nBehind.\n";
  const filled = fillExports(page, of);
  assertEquals(filled, `Before.\n\n<!-- exports a.ts b.ts -->\n\n${table}\n\nBehind.\n`);
  assertEquals(fillExports(filled, of), filled);
  assertThrows(() => fillExports(page.replace("b.ts", "c.ts"), of), QuoteError, "not export c.ts");
}, { pure: true });

test("the module of the page is a load for its server, and finds a wrong answer", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", FACTORS]);
  await using other = await ServerProcess.start("event", ["--protocol", "echo"]);
  const [right, wrong] = await Promise.all([server, other].map(async ({ address }) => {
    const at = `127.0.0.1:${address.port}`;
    const args = [at, "--protocol", FACTORS, "-c", "2", "-n", "50", "--no-floor", "--json"];
    await using script = new Script("lab/bench.ts", args);
    const { code, stdout, stderr } = await script.end(30_000);
    return { code, stderr, run: parseJson(stdout, "its output").runs[0] };
  }));
  assertEquals([right?.code, right?.run?.requests, right?.run?.errors], [0, 50, {}], right?.stderr);
  assertEquals([wrong?.code, wrong?.run?.requests], [1, 0], wrong?.stderr);
  assertEquals(Object.keys(wrong?.run?.errors ?? {}), ["wrong reply"]);
  const place = read(FACTORS).split("\n").findIndex((line) => line.includes("throw new Error")) + 1;
  assertMatch(
    wrong?.stderr ?? "",
    new RegExp(
      `The first "wrong reply" was: Cannot accept .* \\(factors\\.ts:${place}:\\d+\\)$`,
      "m",
    ),
  );
});

test("the help of conform and of the bench says what a module has to export", async () => {
  const all = await Promise.all(
    [["lab/conform.ts"], ["lab/bench.ts"], ["lab/bench.ts", "compare"]].map(
      async ([path = "", ...args]) => {
        await using script = new Script(path, [...args, "--help"]);
        return (await script.end()).stdout.replaceAll(/\s+/g, " ");
      },
    ),
  );
  assertMatch(
    all[0] ?? "",
    /exports `conformance = \{ examples: \[\{ section, name, turns: \[\{ send/,
  );
  for (const help of all.slice(1)) {
    assertMatch(help, /exports `function\* load\(\{ input, size, random \}\)`/);
    assertMatch(help, /The exit status is 0 if .* It is 1 if a server was left out, .* no answer/);
  }
});
