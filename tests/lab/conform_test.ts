/**
 * The checker finds the weaknesses of small servers, and passes those that are slow but right. A
 * checker that cannot fail proves nothing.
 *
 * @module
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { quoteWord } from "../../engine/cli/invocation.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { whyNoAbuse } from "../../lab/checked_server.ts";
import { AnswerJudge } from "../../lab/conform/answer.ts";
import { FRAMINGS } from "../../lab/conform/framing.ts";
import { formatJunit } from "../../lab/conform/junit.ts";
import type { Report } from "../../lab/conform/results.ts";
import { bytesOf } from "../kit/conversation.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { Script, ServerProcess, whyNoProgram } from "../kit/server_process.ts";
import { badIn, type Checked, checkStarted, commandLine, everything } from "../proofs/conform.ts";
import { passThrough, survive } from "../proofs/faults.ts";
import type { Weakness } from "../kit/weak_server.ts";

const skip = whyNoSockets();

/** Checks a server that is started for it, in some cases. */
function checked(command: string, definition: string, only: readonly string[]): Promise<Report> {
  return checkStarted(command, definition, { only, timeoutMs: 3_000, clients: 8 });
}

/** The names of the cases with a verdict, without what all of them begin with. */
function namesOf({ results }: Report, verdict: string): string[] {
  return results.filter((result) => result.verdict === verdict).map(({ name }) => name);
}

/** What the checker must find in each small server, in the cases that are about it. */
const FOUND: readonly {
  readonly server: Weakness;
  /** How many descriptors the server may have. */
  readonly descriptors?: number;
  readonly only: readonly string[];
  /** What the names of the failed cases must be like; none may fail if left out. */
  readonly failed?: RegExp;
  /** How many clients it serves at once: 8 are tried. */
  readonly clients?: number;
}[] = [
  {
    server: "hello-right",
    descriptors: 128,
    only: ["three steps", "mistakes", "RST at", "more connections", "afterwards"],
  },
  { server: "hello-bytewise", only: ["three steps", "no number", "RST at"] },
  {
    server: "hello-sequential",
    only: ["three steps", "concurrency", "silence"],
    clients: 1,
  },
  {
    server: "hello-read",
    only: ["HELLO 7, HELLO 8"],
    failed: /split at every position|a byte at a time|all in one write/,
  },
  { server: "hello-reset", only: ["three steps", "RST at every step"], failed: /RST at/ },
  {
    server: "hello-descriptors",
    descriptors: 128,
    only: ["three steps", "more connections than descriptors"],
    failed: /more connections/,
  },
  { server: "hello-leak", only: ["three steps", "afterwards"], failed: /afterwards/ },
  { server: "echo-right", only: ["bytes ·", "closing", "tiny window"] },
  { server: "echo-sequential", only: ["bytes and FIN"], clients: 1 },
  { server: "echo-last-words", only: ["bytes ·", "bytes and FIN"], failed: /FIN/ },
  { server: "echo-hoard", only: ["bytes and FIN", "never read"], failed: /never read/ },
];

test("the checker finds what is wrong with small servers, and nothing else", async () => {
  await Promise.all(FOUND.map(async ({ server, descriptors, only, failed, clients = 8 }) => {
    const run = commandLine("tests/kit/weak_server.ts", server);
    const command = descriptors === undefined
      ? run
      : `sh -c 'ulimit -n ${descriptors}; exec "$@"' sh ${run}`;
    const [protocol] = server.split("-") as [string];
    const report = await checked(command, protocol, only);
    const shown = `${server}: ${JSON.stringify(badIn(report), null, 1)}`;
    assertEquals(report.clients_at_once, clients, shown);
    const bad = namesOf(report, "failed");
    if (failed === undefined) return assertEquals(bad, [], shown);
    assert(bad.length > 0, `${shown} nothing was found`);
    for (const name of bad) assertMatch(name, failed, shown);
    assert(namesOf(report, "passed").length > 0, shown);
  }));
}, { skip, sanitize: false, timeoutMs: 60_000 });

test(
  "modes pass the checker: hello, frame, echo, print and protocols with cases of their own",
  async () => {
    const rows = [
      ["event", "hello", "hello"],
      ["nonblocking", "frame", "frame"],
      ["event", "echo", "echo"],
      ["sequential", "print", "print"],
      ["nonblocking", "./examples/kv.ts", "./examples/kv_conformance.ts"],
      ["event", "./examples/factors.ts", "./examples/factors.ts"],
    ] as const;
    await Promise.all(rows.map(async ([mode, protocol, definition]) => {
      const run = commandLine(`modes/${mode}.ts`, "--protocol", protocol);
      // The proof tries every split in every mode.
      const splits = protocol.startsWith("./examples/") ? ["split"] : [];
      const only = [...splits, "in one write", "mistakes", "errors", "questions", "text ·", "FIN"];
      const report = await checked(run, definition, only);
      assertEquals(badIn(report), [], `${mode} ${protocol}`);
      assert(report.counts.passed > 8, JSON.stringify(report.counts));
    }));
  },
  { skip, sanitize: false, timeoutMs: 60_000 },
);

test("the chat passes the checker", async () => {
  const run = commandLine("chat/server.ts");
  const report = await checked(run, "chat", ["commands", "talk", "names", "lines", "closing"]);
  assertEquals(badIn(report), []);
}, { skip, sanitize: false, timeoutMs: 60_000 });

/** Runs the checker as a command. */
async function conform(...args: readonly string[]) {
  await using script = new Script("lab/conform.ts", args);
  return await script.end(60_000);
}

test("its exit status, its JSON and its JUnit file tell what was found", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo"]);
  const { hostname, port } = server.address;
  const to = `${hostname}:${port}`;
  using folder = new Folder();
  const junit = folder.path("junit.xml");
  const [right, wrong, none, unknown, list] = await Promise.all([
    conform(to, "--protocol", "echo", "--only", "bytes", "--skip", "SPLIT", "--json"),
    conform(to, "--only", "64 bytes", "--timeout", "1s", "--junit", junit),
    conform("127.0.0.1:1"),
    conform(to, "--only", "no such case"),
    conform("--protocol", "frame", "--list"),
  ]);
  assertEquals(right.code, 0, right.stderr);
  const report = JSON.parse(right.stdout) as Report;
  assertEquals([report.schema, report.protocol], ["handshake-conform/1", "echo"]);
  assert(report.counts.passed > 3);
  assert(
    report.results.some(({ verdict, remark }) => verdict === "skipped" && remark === "--skip"),
  );
  assertEquals(report.counts.failed, 0);
  assertMatch(right.stderr, /^passed +bytes · /m);

  // An echo server says HELLO 7 where HELLO 8 is due.
  assertEquals(wrong.code, 1, wrong.stderr);
  assertMatch(wrong.stdout, /^failed +mistakes · more than 64 bytes/m);
  assertMatch(wrong.stdout, /^ +sent +"HELLO 0000/m);
  assertMatch(wrong.stdout, /^ +expected +a line that begins with "ERROR" and FIN$/m);
  const xml = readFileSync(junit, "utf8");
  assertMatch(xml, /<testsuite name="conform hello" tests="\d+" failures="\d+"/);
  assertMatch(xml, /<failure message="another answer[^"]*">sent: &quot;HELLO/);

  assertEquals(none.code, 3);
  assertMatch(none.stderr, /^conform: Cannot connect to 127\.0\.0\.1:1: connection refused/);
  assertEquals(unknown.code, 2);
  assertMatch(unknown.stderr, /no case of hello has that name/);
  assertEquals(list.code, 0);
  assertMatch(
    list.stdout,
    /^frames · each byte is answered one higher · split at every position$/m,
  );
  assertMatch(list.stdout, /^abuse · silence$/m);
}, { skip, sanitize: false, timeoutMs: 60_000 });

test(
  "a started server ends with all that it has started, also if the checker is killed",
  async () => {
    using folder = new Folder();
    await Promise.all((["SIGINT", "SIGKILL"] as const).map(async (signal) => {
      const file = folder.path(signal);
      const run = commandLine("modes/event.ts");
      const start = `sh -c 'sleep 600 & echo $! >"$0"; exec "$@"' ${quoteWord(file)} ${run}`;
      await using script = new Script("lab/conform.ts", ["--start", start, "--only", "silence"]);
      const isWritten = () => existsSync(file) && readFileSync(file, "utf8").endsWith("\n");
      await until("the server to have a child", isWritten);
      const child = Number(readFileSync(file, "utf8").trim());
      assert(isAlive(child), "it runs");
      script.signal(signal);
      await until(`${signal} to end all of it`, () => !isAlive(child));
      const { code } = await script.end();
      if (signal === "SIGINT") assertEquals(code, 130);
    }));
  },
  { skip, sanitize: false, timeoutMs: 60_000 },
);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("abuse needs no word on this machine, and a repeated address elsewhere", () => {
  assertEquals(whyNoAbuse("127.0.0.1", ["localhost", "localhost:1"], undefined), undefined);
  assertEquals(whyNoAbuse("::1", ["::1", "[::1]:1"], undefined), undefined);
  assertEquals(whyNoAbuse("192.0.2.7", ["host", "host:1"], "host"), undefined);
  assertEquals(whyNoAbuse("192.0.2.7", ["host", "host:1"], "host:1"), undefined);
  assertStringIncludes(whyNoAbuse("192.0.2.7", ["host"], undefined) as string, "--abuse host");
  assertStringIncludes(whyNoAbuse("192.0.2.7", ["host"], "other") as string, "says other");
});

test("an answer is whole, possible or impossible, however it is cut", () => {
  const judge = (turn: ConstructorParameters<typeof AnswerJudge>[0], text: string, end?: "fin") => {
    // One that has seen all beginnings must judge as one that sees all at once.
    const ignores = turn.expect instanceof RegExp ? /^\* / : undefined;
    const growing = new AnswerJudge(turn, ignores);
    for (let length = 0; length < text.length; length++) {
      growing.judge(bytesOf(text.slice(0, length)), undefined, false);
    }
    const at = growing.judge(bytesOf(text), end, false);
    assertEquals(new AnswerJudge(turn, ignores).judge(bytesOf(text), end, false), at);
    return at.progress;
  };
  assertEquals(judge({ expect: "abc" }, "ab"), "possible");
  assertEquals(judge({ expect: "abc" }, "ab", "fin"), "impossible");
  assertEquals(judge({ expect: "abc" }, "abd"), "impossible");
  assertEquals(judge({ expect: "abc" }, "abcd"), "whole");
  assertEquals(judge({ expect: "abc", closes: true }, "abc"), "possible");
  assertEquals(judge({ expect: "abc", closes: true }, "abc", "fin"), "whole");
  assertEquals(judge({ expect: "abc", closes: true }, "abcd"), "impossible");
  assertEquals(judge({ expect: /^x\d$/ }, "x"), "possible");
  assertEquals(judge({ expect: /^x\d$/ }, "* joined\nx7\r\n"), "whole");
  assertEquals(judge({ expect: /^x\d$/ }, "x77\n"), "impossible");
});

test("each framing sends the same bytes, and asks for the same answers", () => {
  const turns = [{ send: "ab", expect: "1" }, { send: "cd", expect: "2" }];
  for (const { name, scripts } of FRAMINGS) {
    const all = scripts(turns, false);
    for (const moves of all) {
      const sent = moves.flatMap(({ pieces }) =>
        pieces.map((piece) => new TextDecoder().decode(piece))
      );
      assertEquals(sent.join(""), "abcd", name);
      assertEquals(moves.map(({ expect }) => expect ?? "").join(""), "12", name);
    }
  }
  const split = FRAMINGS.find(({ name }) => name.startsWith("split"));
  assertEquals(split?.scripts(turns, false).length, 2);
});

test("a JUnit file is well formed whatever a server says", () => {
  const text = formatJunit({
    schema: "handshake-conform/1",
    protocol: "hello",
    server: 'a<b>&"c"\u0000',
    clients_at_once: 1,
    clients_may_be_more: false,
    counts: { passed: 0, failed: 1, "not strict": 0, skipped: 0 },
    seconds: 1,
    results: [{ section: "s", name: "n", verdict: "failed", remark: "]]>\u0001", seconds: 0 }],
  });
  // deno-lint-ignore no-control-regex -- control characters are what this is about
  assert(!/[\u0000-\u0008]/.test(text));
  assertStringIncludes(text, "a&lt;b&gt;&amp;&quot;c&quot;");
});

test("the guide leads from a failing case to a passing one, as it is written there", async () => {
  const guide = readFileSync(new URL("../../docs/conform.md", import.meta.url), "utf8");
  using folder = new Folder();
  const servers = [
    ["hello.py", ["HELLO 7, HELLO 8"]],
    ["right.py", ["three steps · ", "mistakes · a", "line ends · \\r"]],
  ] as const;
  const [first, second] = await Promise.all(servers.map(async ([name, only]) => {
    const [, code] = new RegExp(`^\`\`\`python ${name}\n(.*?)^\`\`\`$`, "ms").exec(guide) ?? [];
    writeFileSync(folder.path(name), code as string);
    const command = `python3 ${quoteWord(folder.path(name))} {port}`;
    return await checkStarted(command, "hello", { only, timeoutMs: 2_000, clients: 2 });
  })) as [Report, Report];
  const failed = namesOf(first, "failed");
  assert(failed.includes("three steps · HELLO 7, HELLO 8, HELLO 9 · split at every position"));
  assert(namesOf(first, "passed").some((name) => name.endsWith("each message in one write")));
  assertEquals(badIn(second), []);
}, { skip: skip ?? whyNoProgram("python3"), sanitize: false, timeoutMs: 60_000 });

test("modes keep to the definition through a network that cuts, delays and resets", async () => {
  const found = (name: string) => everything().find((one) => one.name === name) as Checked;
  const only =
    /HELLO 7, HELLO 8|mistakes · a third|bytes · (what|every)|frames · (each|every)|closing/;
  const [sliced, printed, late, reset] = await Promise.all([
    passThrough(found("event · hello"), "slicer:1..7", only),
    passThrough(found("event · print"), "slicer:1..7", /it is printed/),
    passThrough(found("nonblocking · frame"), "latency:5ms±4ms", only),
    survive(found("threadpool by descriptors · echo"), 24),
  ]);
  const counts = `${sliced} ${printed} ${late} ${reset}`;
  assert(sliced > 5 && printed > 0 && late > 5 && reset > 3, counts);
}, { skip, sanitize: false, timeoutMs: 60_000 });
