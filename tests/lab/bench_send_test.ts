/**
 * `--send`: loads of bytes that were typed, on servers whose answers are known, and on real ones.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { EscapeError, readEscapes } from "../../lab/load/escapes.ts";
import { measure, type MeasureOptions } from "../../lab/load/measure.ts";
import {
  type EngineKind,
  makePlan,
  type PlanOptions,
  whyNoDescriptors,
} from "../../lab/load/plan.ts";
import type { Run } from "../../lab/load/results.ts";
import { protocolOf, serverOf, shortTalk, type Talk } from "../../lab/load/talk.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { LoadedServer, PORT } from "../../lab/loaded_server.ts";
import { formatLoad, loadKey } from "../../lab/report/contests.ts";
import { formatJson, parseJson } from "../../lab/report/json.ts";
import { Input } from "../../protocol.ts";
import { bytesOf } from "../kit/conversation.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertRejects, test, until } from "../kit/harness.ts";
import { LoadServer, type Reaction } from "../kit/load_server.ts";
import { waits } from "../kit/processes.ts";
import { sampleReport } from "../kit/report_samples.ts";
import { catchesTerm, Program, Script, whyNoProgram } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

/** The engines that exist on this system. */
const ENGINES: readonly EngineKind[] = whyNoDescriptors() === undefined
  ? ["descriptors", "runtime"]
  : ["runtime"];

const PING = { send: "PING\\r\\n", until: "\\r\\n" };

/** A talk as `makePlan` reads it. */
async function talkOf(options: PlanOptions): Promise<Talk> {
  return (await makePlan(options)).talk as Talk;
}

/**
 * Feeds an exchange with an answer in pieces.
 *
 * @returns how many bytes were beyond the answer, or that more was awaited, or what was thrown
 */
function feed(talk: Talk, pieces: readonly Uint8Array[]): number | "awaits more" | string {
  const input = new Input();
  const random = undefined as never;
  const exchange = protocolOf(talk).exchange({ input, size: 0, random });
  exchange.next();
  exchange.next(undefined);
  try {
    for (const [index, piece] of pieces.entries()) {
      if (exchange.next(piece).done !== true) continue;
      const unread = pieces.slice(index + 1).reduce((sum, { length }) => sum + length, 0);
      return input.length + unread;
    }
  } catch (error) {
    return (error as Error).message;
  }
  return "awaits more";
}

test("escapes stand for single bytes, and all else for itself", () => {
  const all = readEscapes('a\\r\\n\\t\\0\\x00\\xfF\\\\\\"é@');
  assertEquals([...all], [97, 13, 10, 9, 0, 0, 255, 92, 34, 0xc3, 0xa9, 64]);
  assertEquals([...readEscapes("\\012\\\\n")], [0, 0x31, 0x32, 92, 0x6e]);
});

test("an escape that there is not is named with its position", () => {
  const cases: readonly (readonly [text: string, end: string])[] = [
    ["\\q", "at character 1, got \\q"],
    ["é\\r\\é", "at character 4, got \\é"],
    ["😀\\x1", "at character 2, got \\x1"],
    ["ab\\xg0", "at character 3, got \\xg0"],
    ["end\\", "at character 4, got a backslash at the end"],
  ];
  for (const [text, end] of cases) {
    let message = "";
    try {
      readEscapes(text);
    } catch (error) {
      assert(error instanceof EscapeError);
      message = error.message;
    }
    assert(message.endsWith(end), message);
  }
});

test("an answer ends where it was said to, however the network cuts it", async () => {
  const cases: readonly (readonly [options: PlanOptions, came: string, beyond: number | string])[] =
    [
      [PING, "+PONG\r\n", 0],
      [PING, "\r\n", 0],
      [PING, "\r\r\n", 0],
      [PING, "\n\r\r\r\n", 0],
      [PING, "+PONG\r\n+MORE\r\n", 7],
      [PING, "+PONG\r", "awaits more"],
      [{ ...PING, until: "aab" }, "aaab", 0],
      [{ ...PING, until: "abab" }, "abaabababab", 4],
      [{ ...PING, until: "aabaaac" }, "aabaabaaac", 0],
      [{ ...PING, until: "\\x00" }, "\0", 0],
      [{ send: "x", bytes: 5 }, "12345", 0],
      [{ send: "x", bytes: 5 }, "1234567", 2],
      [{ send: "x", bytes: 5 }, "1234", "awaits more"],
      [{ send: "x", expect: "+OK\\r\\n" }, "+OK\r\n", 0],
      [{ send: "x", expect: "+OK\\r\\n" }, "+OK\r\n!", 1],
      [{ send: "x", expect: "+OK\\r\\n" }, "+OK", "awaits more"],
      [{ ...PING, maxAnswer: 7 }, "+PONG\r\n", 0],
    ];
  for (const [options, came, beyond] of cases) {
    const talk = await talkOf(options);
    const bytes = bytesOf(came);
    for (let first = 0; first <= bytes.length; first++) {
      for (let second = first; second <= bytes.length; second++) {
        const pieces = [bytes.slice(0, first), bytes.slice(first, second), bytes.slice(second)];
        const found = feed(talk, pieces.filter(({ length }) => length > 0));
        assertEquals([came, first, second, found], [came, first, second, beyond]);
      }
    }
  }
});

test("a wrong answer and one that is too long say what came", async () => {
  const short = await talkOf({ send: "x", expect: "+PONG\\r\\n" });
  const wrong = 'expected "+PONG\\r\\n", got ';
  assert(String(feed(short, [bytesOf("-ERR no\r\n")])).endsWith(`${wrong}"-ERR no\\r\\n"`));
  assert(String(feed(short, [bytesOf("+PO"), bytesOf("OL")])).endsWith(`${wrong}"+POOL"`));
  const long = await talkOf({ send: "x", expect: "a".repeat(400) });
  const late = feed(long, [bytesOf("a".repeat(200)), bytesOf(`${"a".repeat(20)}b!`)]);
  assertMatch(String(late), /expected "a{77}\.\.\." from byte 213, got "a{8}b!"$/);
  const bounded = await talkOf({ ...PING, maxAnswer: 4 });
  assertEquals(feed(bounded, [bytesOf("12\r\n")]), 0);
  for (const pieces of [["123\r"], ["12", "3\r"], ["12345"], ["12\r", "\r\n"]]) {
    assertMatch(String(feed(bounded, pieces.map(bytesOf))), /at most 4 bytes, got more: "12/);
  }
});

test("what contradicts itself is refused before anything is sent", async () => {
  using folder = new Folder();
  writeFileSync(folder.path("empty"), "");
  const cases: readonly (readonly [PlanOptions, RegExp])[] = [
    [{ send: "x" }, /^Cannot tell where an answer ends: expected until, bytes or expect/],
    [{ send: "x", until: "y", bytes: 3 }, /^Cannot use until with bytes/],
    [{ send: "x", bytes: 3, expect: "yy" }, /expect with bytes: it has 2 bytes and not 3/],
    [{ ...PING, expect: "PONG" }, /expect "PONG" with until "\\r\\n": an answer ends with/],
    [{ ...PING, expect: "A\\r\\nB\\r\\n" }, /so none could be as expected/],
    [{ send: "x", bytes: 9, maxAnswer: 8 }, /8 bytes are fewer than an answer has/],
    [{ ...PING, protocol: "echo" }, /^Cannot use protocol with send/],
    [{ ...PING, size: [64, 64] }, /^Cannot use size with send/],
    [{ until: "x" }, /^Cannot use until without send/],
    [{ protocol: "echo", greetingUntil: "x" }, /^Cannot use greeting-until without send/],
    [{ ...PING, send: "a\\q" }, /^Cannot use send "a\\q": expected .* at character 2, got \\q$/],
    [{ ...PING, until: "\\x" }, /^Cannot use until ".*" ?: expected .* at character 1, got \\x$/],
    [{ ...PING, send: "@" }, /expected a file after the @/],
    [{ ...PING, send: `@${folder.path("none")}` }, /^Cannot read .*none for send: .*ENOENT/],
    [{ ...PING, send: `@${folder.path("")}` }, /^Cannot read .* for send: .*EISDIR/],
    [{ ...PING, send: `@${folder.path("empty")}` }, /^Cannot send .*empty: it is empty$/],
    [{ ...PING, send: "@/dev/zero" }, /^Cannot send \/dev\/zero: it has more than 67108864 bytes/],
    [{ ...PING, connect: true, pipeline: 2 }, /^Cannot use pipeline with connect/],
  ];
  for (const [options, pattern] of cases) {
    const error = await assertRejects(() => makePlan(options), OptionError);
    assertMatch(error.message, pattern);
  }
});

test("a request is what was typed, or what a file holds", async () => {
  using folder = new Folder();
  const path = folder.path("request");
  writeFileSync(path, Uint8Array.of(0x5c, 0x72, 0, 0xff));
  const requestOf = async (send: string) => [...(await talkOf({ send, bytes: 1 })).request];
  assertEquals(await requestOf(`@${path}`), [0x5c, 0x72, 0, 0xff]);
  assertEquals(await requestOf("@@a\\n"), [...bytesOf("@a\n")]);
  assertEquals(await requestOf("@@@"), [...bytesOf("@@")]);
  assertEquals(await requestOf("a@"), [...bytesOf("a@")]);
});

test("the server of the rehearsal answers as the load expects", async () => {
  const all: readonly PlanOptions[] = [
    PING,
    { send: "x", bytes: 5_000 },
    { send: "x".repeat(3_000), expect: "y".repeat(3_000) },
    { send: "x", connect: true },
    { ...PING, greetingUntil: "!" },
  ];
  for (const options of all) {
    const talk = shortTalk(await talkOf(options));
    const serve = serverOf(talk).serve(undefined as never, {});
    const sent: Uint8Array[] = [];
    for (let step = serve.next(); step.done !== true;) {
      if (step.value.kind === "write") sent.push(step.value.bytes);
      if (step.value.kind === "read" && sent.length > (talk.greetingUntil ? 1 : 0)) break;
      step = serve.next(step.value.kind === "read" ? talk.request : undefined);
    }
    const answer = sent.at(-1) as Uint8Array;
    assert(answer.length <= 1024 && talk.request.length <= 1024);
    assertEquals(feed(talk, [answer]), options.connect === true ? "awaits more" : 0);
  }
});

async function load(
  { address }: Pick<LoadServer, "address">,
  options: PlanOptions,
  more: Partial<MeasureOptions> = {},
): Promise<Run> {
  const plan = await makePlan({ connections: 3, threads: 1, ...options });
  return await measure({ ...plan, rehearse: false }, { address, name: "test", ...more });
}

/** Loads a server that reacts in this way. */
async function loadOn(react: Reaction, options: PlanOptions, greeting = ""): Promise<Run> {
  await using server = await LoadServer.start(react, greeting);
  return await load(server, options);
}

/** Answers each line with this. */
const answers = (text: string): Reaction => (bytes, socket) => {
  const lines = bytes.filter((byte) => byte === 10).length;
  if (lines > 0) socket.write(text.repeat(lines));
};

for (const [index, engine] of ENGINES.entries()) {
  // The two take turns on each runtime.
  const once = takeTurns(index, test);
  const pinging = { ...PING, engine, requests: 40 };

  once(`${engine}: --send counts answers, and failures by their kind`, async () => {
    const runs = await Promise.all([
      loadOn(answers("+PONG\r\n"), pinging),
      loadOn(answers("+PONG\r\n"), { ...pinging, expect: "+PONG\\r\\n", pipeline: 8 }),
      loadOn(answers("-ERR\r\n"), { ...pinging, expect: "+PONG\\r\\n" }),
      loadOn(answers("+PONG\r\n."), pinging),
      loadOn(answers("123456789\r\n"), { ...pinging, maxAnswer: 10 }),
      loadOn(answers("12345"), { engine, requests: 40, send: "\\n", bytes: 5, rate: 400 }),
      loadOn((_, socket) => socket.end(), { ...pinging, requests: 9 }),
    ]);
    assertEquals(runs.map(({ requests, errors }) => [requests, errors]), [
      [40, {}],
      [40, {}],
      [0, { "wrong reply": 40 }],
      [0, { surplus: 40 }],
      [0, { "too long": 40 }],
      [40, {}],
      [0, { closed: 9 }],
    ]);
  });

  once(`${engine}: what came before a request is not its answer`, async () => {
    // Two answers to each of two requests: the third and the fourth are nobody's.
    const twice = await loadOn(answers("A\nB\n"), {
      engine,
      send: "x\\n",
      until: "\\n",
      pipeline: 2,
      connections: 1,
      requests: 20,
    });
    assertEquals(Object.keys(twice.errors), ["surplus"]);
    // A greeting in two lines, of which only one was announced.
    const greeted = await loadOn(answers("A\n"), {
      engine,
      send: "x\\n",
      expect: "A\\n",
      greetingUntil: "\\n",
      connect: true,
      requests: 6,
    }, "hi\nho\n");
    assertEquals([greeted.requests, greeted.errors], [0, { surplus: 6 }]);
  });

  once(`${engine}: a greeting precedes the first request of each connection`, async () => {
    const options = { engine, send: "x\\n", expect: "y\\n", greetingUntil: "\\r\\n", requests: 12 };
    const runs = await Promise.all([
      loadOn(answers("y\n"), options, "INFO {}\r\n"),
      loadOn(answers("y\n"), { ...options, connect: true }, "INFO {}\r\n"),
      loadOn(answers("y\n"), { ...options, maxAnswer: 5 }, "INFO {}\r\n"),
    ]);
    assertEquals(runs.map(({ requests, errors }) => [requests, errors]), [
      [12, {}],
      [12, {}],
      [0, { "too long": 12 }],
    ]);
  });

  once(`${engine}: with --connect alone, an answer ends with its connection`, async () => {
    const options = { engine, send: "x\\n", connect: true, requests: 9 };
    const runs = await Promise.all([
      loadOn((_, socket) => void socket.end("bye"), options),
      loadOn((_, socket) => void socket.end(), options),
      loadOn((_, socket) => void socket.end("12345678"), { ...options, maxAnswer: 7 }),
    ]);
    assertEquals(runs.map(({ requests, errors }) => [requests, errors]), [
      [9, {}],
      [0, { closed: 9 }],
      [0, { "too long": 9 }],
    ]);
  });

  once(`${engine}: an answer that comes while its request is sent is received`, async () => {
    using folder = new Folder();
    const length = 12 * 1024 * 1024;
    writeFileSync(folder.path("large"), new Uint8Array(length));
    // It reads no further while its answer has nowhere to go.
    const echo: Reaction = (bytes, socket) => {
      if (socket.write(bytes)) return;
      socket.pause();
      socket.once("drain", () => socket.resume());
    };
    const run = await loadOn(echo, {
      engine,
      send: `@${folder.path("large")}`,
      bytes: length,
      maxAnswer: length,
      connections: 1,
      requests: 1,
    });
    assertEquals([run.requests, run.errors, run.bytes_received], [1, {}, length]);
  });
}

test("results say what was sent, and only the same is compared", async () => {
  await using server = await LoadServer.start(answers("+PONG\r\n"));
  const run = await load(server, { ...PING, requests: 4 });
  const other = await load(server, { ...PING, expect: "+PONG\\r\\n", requests: 4 });
  assertEquals(run.load.protocol, '"PING\\r\\n"');
  assertEquals(run.load.send, {
    request: "PING\\r\\n",
    request_sha256: "dedee95a5c3354a76fa11ee26963cbe70f4149c9680bfa9c05c4befa372ced97",
    until: "\\r\\n",
    bytes: null,
    expect: null,
    greeting_until: null,
    max_answer: 1024 * 1024,
  });
  assertEquals(formatLoad(run.load), '"PING\\r\\n" · 3 connections · 6 B');
  assert(loadKey(run.load) !== loadKey(other.load));
  assertEquals(parseJson(formatJson(sampleReport([run])), "it").runs[0]?.load, run.load);
});

test("a wrong --send ends with 2 and one line, and the help says what ends an answer", async () => {
  const script = (...args: string[]) => new Script("lab/bench.ts", [...args, "--no-floor"]).end();
  const [wrong, beside, help] = await Promise.all([
    script("127.0.0.1:9", "--send", "a\\q", "--until", "x"),
    script("127.0.0.1:9", "--send", "x"),
    script("--help"),
  ]);
  assertEquals([wrong.code, wrong.stdout], [2, ""]);
  assertMatch(
    wrong.stderr,
    /^bench: Cannot use send "a\\q": expected .* at character 2, got \\q\n$/,
  );
  assertEquals(beside.code, 2);
  assertMatch(help.stdout, /with --connect and none of them, it ends when the server closes/);
});

test(
  "a request that comes from a pipe is read once, and waiting for it can be interrupted",
  async () => {
    using folder = new Folder();
    const pipe = folder.path("pipe");
    execFileSync("mkfifo", [pipe]);
    await using bench = new Script("lab/bench.ts", [
      ...["127.0.0.1:9", "--send", `@${pipe}`, "--until", "x", "--no-floor"],
    ]);
    // It opens the pipe to read it, and nobody writes. Deno catches all signals with its first
    // listener, a moment before that is there.
    await until("the bench to wait", () => catchesTerm(bench.pid) && waits(bench.pid));
    bench.signal("SIGINT");
    assertEquals((await bench.end()).code, 130);
    await using writer = new Program(["sh", "-c", `printf 'ping' >${pipe}`]);
    const options = { send: `@${pipe}`, until: "x" };
    const [one, other] = [await makePlan(options), await makePlan({ ...options, connections: 2 })];
    assertEquals([one.talk?.request, other.talk?.request], [bytesOf("ping"), bytesOf("ping")]);
    await writer.end();
  },
  { skip: runtime.os === "linux" ? undefined : "only Linux tells what a process waits for" },
);

/** Real servers: how each is started, and what it is asked. */
const PEERS: readonly (readonly [command: string, options: PlanOptions])[] = [
  [
    `redis-server --port ${PORT} --bind 127.0.0.1 --save ''`,
    { send: "PING\\r\\n", until: "\\r\\n", expect: "+PONG\\r\\n", pipeline: 4 },
  ],
  [
    `memcached -l 127.0.0.1 -p ${PORT} -u nobody`,
    { send: "get x\\r\\n", until: "END\\r\\n", expect: "END\\r\\n" },
  ],
  [
    `memcached -l 127.0.0.1 -p ${PORT} -u nobody`,
    { send: "version\\r\\n", until: "\\r\\n", rate: 500 },
  ],
  [
    `nats-server -a 127.0.0.1 -p ${PORT}`,
    { send: "PING\\r\\n", expect: "PONG\\r\\n", greetingUntil: "\\r\\n" },
  ],
];

for (const [command, options] of PEERS) {
  const [name = ""] = command.split(" ");
  test(`a real ${name} answers ${options.send}`, async () => {
    await using server = await LoadedServer.startAny(command);
    const runs = await Promise.all(
      ENGINES.map((engine) => load(server, { ...options, engine, requests: 60 })),
    );
    for (const { requests, errors } of runs) assertEquals([requests, errors], [60, {}]);
  }, { skip: whyNoProgram(name) });
}
