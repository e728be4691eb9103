/**
 * Protocols of your own: how they are found, and what is said of a module that holds none.
 *
 * @module
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { MODE_NAMES } from "../../modes/catalogue.ts";
import { serve as serveEvent } from "../../modes/event.ts";
import { serve as serveThreadpool } from "../../modes/threadpool.ts";
import { runtime } from "../../engine/net/runtime.ts";
import {
  describeWithPlace,
  placeOf,
  rememberModule,
  thrownAt,
} from "../../engine/values/places.ts";
import { OptionError, type ServeOptions } from "../../engine/server/core/options.ts";
import { loadProtocol, locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import type { Server } from "../../engine/server/core/server.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, numberOf } from "../kit/rows.ts";
import { Script, ServerProcess, totalsIn } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

const kv = new URL("../../examples/kv.ts", import.meta.url);
const folder = mkdtempSync(join(tmpdir(), "handshake own #1 100% "));
// Each runner announces its end by a different event, so both are listened to.
const remove = () => rmSync(folder, { recursive: true, force: true });
process.on("exit", remove);
globalThis.addEventListener("unload", remove);

/** Writes a module and returns its path. */
function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const GENERATOR = "export default function* own() {}\n";
/** The beginning of a module that imports the library, and with it the mode that imports the module. */
const IMPORTS = `
  import { encodeLine, write } from ${JSON.stringify(new URL("../../mod.ts", import.meta.url))};`;
const good = write(
  "good 50%#é.ts",
  `${IMPORTS}
  export default function* own() {
    yield* write(encodeLine("hello from my own"));
  }
`,
);

// It asks for things no driver can grant, and answers with the errors.
write(
  "wishes 50%#é.ts",
  `${IMPORTS}
  const wishes = [
    undefined,
    7,
    { kind: "sing" },
    { kind: "read", withinMs: NaN },
    { kind: "read", withinMs: 3_000_000_000 },
    { kind: "write", bytes: "text" },
  ];
  export default function* own() {
    for (const wish of wishes) {
      try {
        yield wish;
      } catch (error) {
        yield* write(encodeLine(error.name));
      }
    }
  }`,
);

/** A module that makes one mistake on each of these lines, as its clients ask. */
const MISTAKES = { itself: 6, task: 3, helper: 2, star: 9, bytes: 11, nope: 12 } as const;
write(
  "mistakes 50%#é.ts",
  `${IMPORTS.trimStart().replace("encodeLine, write", "compute, Input, readLine, write")}
const help = (): never => { throw new Error("help"); };
export const tasks = { fail: () => { throw new Error("task of /mistakes 50%#é.ts:99:1"); } };
export default function* own() {
  const word = new TextDecoder().decode((yield* readLine(new Input(), { limit: 99 })) ?? undefined);
  if (word === "itself") (null as unknown as string).trim();
  if (word === "helper") help();
  if (word === "task") yield* compute("fail", "");
  if (word === "star") yield readLine(new Input(), { limit: 99 });
  if (word === "peer") yield* readLine(new Input(), { limit: 0, during: "being asked" });
  if (word === "bytes") yield* write("text");
  if (word === "nope") yield* compute("nope", "");
}
`,
);

/** A module that throws only in a Worker. */
const inWorker = write(
  "in_worker.ts",
  `
  const isWorker = "DedicatedWorkerGlobalScope" in globalThis || globalThis.Bun?.isMainThread === false;
  if (isWorker) throw new Error("not\\nin a Worker");
  ${GENERATOR}`,
);

// Where a protocol is found.

test("a protocol is found by its name, its path or its URL", () => {
  assertEquals(locateProtocol("frame"), "frame");
  assertEquals(locateProtocol(kv), kv.href);
  assertEquals(locateProtocol(kv.href), kv.href);
  for (const path of ["./own.ts", "own.js", "../a/own.mts", "/abs/own.ts", "a b/50%#?/own.ts"]) {
    assertEquals(locateProtocol(path), pathToFileURL(path).href);
  }
  assertEquals(locateProtocol("./frame"), pathToFileURL("frame").href);
  for (const nothing of ["nonsense", "toString", "Frame", "__proto__"]) {
    assertThrows(() => locateProtocol(nothing), OptionError, "expected hello, frame, echo, print");
  }
});

test("a module's name is that of its file", async () => {
  const { name, opening } = await loadProtocol(kv.href);
  assertEquals([name, opening], ["kv", "client"]);
  assertEquals((await loadProtocol(pathToFileURL(good).href)).name, "good 50%#é");
  assertEquals((await loadProtocol(`data:text/javascript,${GENERATOR}`)).name, "own");
});

// What is wrong with it.

mkdirSync(join(folder, "folder"));
const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ["that does not exist", join(folder, "missing.ts"), /^Cannot import .*missing\.ts/],
  ["that is a folder", join(folder, "folder"), /^Cannot import .*folder/],
  [
    "without a default export",
    write("none.ts", "export const own = 1;"),
    /\* \(context\)", got none$/,
  ],
  ["whose default is not a function", write("number.ts", "export default 7;"), /got Number$/],
  [
    "whose default is not a generator",
    write("f.ts", "export default function own() {}"),
    /got Function$/,
  ],
  [
    "whose default is asynchronous",
    write("async.ts", "export default async function* own() {}"),
    /got AsyncGeneratorFunction$/,
  ],
  [
    "whose tasks are not functions",
    write("tasks.ts", `${GENERATOR} export const tasks = { sum: 1 };`),
    /"export const tasks" to hold functions$/,
  ],
  [
    "whose tasks are asynchronous",
    write("async_tasks.ts", `${GENERATOR} export const tasks = { async sum() {} };`),
    /"export const tasks" to hold functions$/,
  ],
  [
    "that does not know who speaks first",
    write("opening.ts", `${GENERATOR} export const opening = "nobody";`),
    /"export const opening" to be one of client, greeting, server$/,
  ],
  ["whose tasks are null", write("null.ts", `${GENERATOR} export const tasks = null;`), /to hold/],
  [
    "with a syntax error",
    write("syntax.ts", "export default function* own() {\n  let x = ;\n}\n"),
    /^Cannot import .*syntax\.ts.*(2:11|line 2, column 11)/,
  ],
  [
    "with several syntax errors",
    write("errors.ts", "export default function* own( {\n  let x = ;\n}\n"),
    /^Cannot import .*errors\.ts.*\b2\b/,
  ],
  [
    "that throws",
    write("throws.ts", 'throw new Error("two\\nlines, \\u001b[31mred\\u0007");'),
    /throws\.ts: two lines, red\\x07$/,
  ],
  ["that throws nothing", write("throws_null.ts", "throw null;"), /throws_null\.ts: null$/],
  [
    "that imports a missing module",
    write("inner.ts", `import "./not_there.ts"; ${GENERATOR}`),
    /^Cannot import .*not_there\.ts.*inner\.ts/,
  ],
];

for (const [what, path, expected] of WRONG) {
  test(`a module ${what} gives one line of error that names the module once`, async () => {
    const error = await assertRejects(() => loadProtocol(locateProtocol(path)), OptionError);
    assertMatch(error.message, expected);
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    assertNotMatch(error.message, /[\x00-\x1f\x7f]/);
    assert(
      error.message.split(path).length + error.message.split(pathToFileURL(path).href).length <= 3,
    );
  }, { sanitize: false });
}

const onceForEach = takeTurns(0, test);
for (const [index, mode] of MODE_NAMES.entries()) {
  onceForEach(`${mode} exits with 2 and one line if there is no protocol`, async () => {
    const all = WRONG.filter(([what]) =>
      /not exist$|missing module$|is a folder|not a generator|throws$/.test(what)
    );
    // The tests above look at each of them in the module that all modes use.
    const wrong = mode === "event" ? all : all.filter((_, at) => at === index % all.length);
    await Promise.all(wrong.map(async ([, path]) => {
      await using script = new Script(`modes/${mode}.ts`, ["0", "--protocol", path]);
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [2, ""], stderr);
      assertMatch(stderr, new RegExp(`^${mode}: Cannot [^\n]*\n$`));
    }));
  }, { sanitize: false });
}

test("without permission to read or to download it, one line says so", async () => {
  for (
    const [path, permission] of [
      [good, "--allow-read"],
      ["https://127.0.0.1:1/own.ts", "--allow-import"],
    ] as const
  ) {
    const permissions = ["--allow-net=127.0.0.1"];
    const args = ["0", "--protocol", path];
    await using script = new Script("modes/event.ts", args, { permissions });
    const { code, stdout, stderr } = await script.end();
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, new RegExp(`^event: Cannot import [^\n]*${permission}[^\n]*\n$`));
  }
}, {
  sanitize: false,
  skip: runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`,
});

test("the place of an error is the innermost one of the module, whatever the message says", () => {
  rememberModule("file:///own/a%20b.ts", "a b.ts");
  const at = (stack: unknown, message = "oh") => {
    const error = new Error(message);
    Object.defineProperty(error, "stack", { value: stack });
    return placeOf(error);
  };
  const trace = (...frames: string[]) => ["Error: oh", ...frames].join("\n    at ");
  const outer = "own (file:///own/a%20b.ts:9:1)";
  assertEquals(at(trace("f (/engine/x.ts:1:1)", "own (/own/a b.ts:14:9)", outer)), "a b.ts:14:9");
  assertEquals(at(trace("f (/engine/x.ts:1:1)", outer)), "a b.ts:9:1");
  assertEquals(at(trace("/own/a%20b.ts:7:7")), "a b.ts:7:7");
  assertEquals(at(trace("f (file:///own/a b.ts:8:7)")), "a b.ts:8:7");
  assertEquals(at(trace("f (/other/own/a%20b.ts:7:7)")), undefined);
  assertEquals(at(trace("f (/own/a%20b.ts.js:7:7)", "f (/own/a%20b.ts)")), undefined);
  assertEquals(at(trace(`f (${"x".repeat(20_000)})`, outer)), undefined);
  assertEquals(
    at(`Error: no (/own/a b.ts:1:1)\n    at ${outer}`, "no (/own/a b.ts:1:1)"),
    "a b.ts:9:1",
  );
  assertEquals(
    [at(undefined), at(7), placeOf("text"), placeOf(undefined)],
    Array(4).fill(undefined),
  );
  const hostile = new Error("oh");
  Object.defineProperty(hostile, "stack", { get: () => assert(false, "asked") });
  assertEquals(placeOf(hostile), undefined);
  const other = thrownAt(new Error("oh"), "a b.ts:1:2");
  assertEquals([placeOf(other), describeWithPlace(other)], ["a b.ts:1:2", "oh (a b.ts:1:2)"]);
});

// In the modes.

for (const row of DIFFERENT) {
  // Each needs a server of its own.
  const once = takeTurns(numberOf(row), test);
  const options = { sanitize: false, skip: row.skip };

  once(
    `${row.name} finds a module whatever its name, and tells it which wishes cannot be granted`,
    async () => {
      const args = [...forOne(row), "--protocol", "./wishes 50%#é.ts"];
      await using server = await ServerProcess.start(row.mode, args, { cwd: folder });
      assertMatch(server.greeting, / · wishes 50%#é · /);
      await using peer = await Peer.connect(server.address);
      const told = ["TypeError", "TypeError", "TypeError", "RangeError", "RangeError", "TypeError"];
      assertEquals(await peer.rest(), told.map((name) => `${name}\n`).join(""));
      // Without its FIN the connection would linger, and the server would wait for it.
      peer.finish();
      const ending = await server.stop();
      assertEquals(ending.code, 0);
      assertEquals(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
    },
    options,
  );

  once(
    `${row.name} logs an error of a module once, with the line, and what a peer does wrong without`,
    async () => {
      const args = [...forOne(row), "--protocol", "./mistakes 50%#é.ts", "--compute-timeout", "0"];
      await using server = await ServerProcess.start(row.mode, args, { cwd: folder });
      const tell = async (word: string) => {
        await using peer = await Peer.connect(server.address);
        await peer.send(`${word}\n`);
        peer.finish();
        assertEquals(await peer.rest(), "");
      };
      for (const word of ["itself", "helper", "task", "star", "peer", "bytes", "nope"]) {
        await tell(word);
      }
      const { stderr } = await server.stop();
      const place = (word: keyof typeof MISTAKES) =>
        String.raw`\(mistakes 50%#é\.ts:${MISTAKES[word]}:\d+\)$`;
      for (
        const said of [
          ` ERR failed \\S+ after [^ ]+ ms: other: .*null.* ${place("itself")}`,
          ` ERR failed \\S+ after [^ ]+ ms: other: help ${place("helper")}`,
          ` ERR failed \\S+ after [^ ]+ ms: other: task of .*:99:1 ${place("task")}`,
          ` ERR failed \\S+ after [^ ]+ ms: other: Cannot grant the effect: [^(]*"yield\\*"[^(]* ${
            place("star")
          }`,
          ` ERR failed \\S+ after [^ ]+ ms: other: Cannot write: .* String ${place("bytes")}`,
          ` ERR failed \\S+ after [^ ]+ ms: other: Cannot compute: expected fail, .* ${
            place("nope")
          }`,
          ` WRN failed \\S+ after [^ ]+ ms: (too long|peer gone): [^(]*$`,
        ]
      ) {
        assertEquals(stderr.match(new RegExp(said, "gm"))?.length, 1, `${said}\n${stderr}`);
      }
    },
    options,
  );

  if (row.workers) {
    once(`${row.name} exits with 1 and one line if only its threads cannot import it`, async () => {
      const args = ["0", ...forOne(row), "--protocol", inWorker];
      await using script = new Script(`modes/${row.mode}.ts`, args);
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [1, ""], stderr);
      assertMatch(stderr, new RegExp(`^${row.mode}: [^\n]*in_worker\\.ts: not in a Worker\n$`));
    }, options);
  }
}

const LIBRARY: readonly (readonly [string, (options: ServeOptions) => Promise<Server>])[] = [
  ["event", serveEvent],
  ["threadpool", (options) => serveThreadpool({ ...options, workers: 1 })],
  ["threadpool by messages", (o) => serveThreadpool({ ...o, workers: 1, handoff: "message" })],
];

for (const [name, serve] of LIBRARY) {
  test(`${name} serves a module that a program names by URL or path`, async () => {
    for (const protocol of [kv, kv.href, good]) {
      await using server = await serve({ port: 0, protocol });
      await using peer = await Peer.connect(server.address);
      if (protocol === good) assertEquals(await peer.rest(), "hello from my own\n");
      else assertEquals(await (await peer.send("GET nothing\n")).line(), "(nil)");
    }
    await assertRejects(() => serve({ port: 0, protocol: "nonsense" }), OptionError, "nonsense");
  });
}
