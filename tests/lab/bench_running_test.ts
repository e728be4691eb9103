/**
 * Comparisons of servers that run already, repeats of one server, and the reference of a comparison.
 *
 * @module
 */

import process from "node:process";
import { compare, preflightAll, readComparison } from "../../lab/compare.ts";
import { readReference } from "../../lab/reference.ts";
import { readPids, readRunning } from "../../lab/running_servers.ts";
import type { Report, Run } from "../../lab/load/results.ts";
import { tableOf } from "../../lab/report/columns.ts";
import { contestsOf } from "../../lab/report/contests.ts";
import { findingsOf } from "../../lab/report/findings.ts";
import { formatMarkdown } from "../../lab/report/markdown.ts";
import { repeatsTable } from "../../lab/report/repeats.ts";
import { formatTerminal } from "../../lab/report/terminal.ts";
import { UsageError, type Values } from "../../engine/cli/flags.ts";
import { runtime } from "../../engine/net/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Peer } from "../kit/peer.ts";
import { Live } from "../../lab/live.ts";
import { Dice, sampleReport, sampleRun } from "../kit/report_samples.ts";
import { ourRuntime, Script } from "../kit/server_process.ts";

const PLAIN = {
  isTerminal: false,
  hasColours: false,
  columns: () => Infinity,
  write: () => {},
};

const BRIEF = { protocols: "echo", connections: "2", duration: 60, warmUp: 0 } as const;

/** Compares, and says whose turn it was, in order. */
async function compared(values: Values): Promise<{ readonly report: Report; titles: string[] }> {
  const comparison = await readComparison({ ...BRIEF, ...values });
  await preflightAll(comparison);
  const titles: string[] = [];
  await using live = await Live.start({}, () => {});
  const { runs, missing, reference } = await compare(comparison, {
    signal: new AbortController().signal,
    live,
    onNote: () => {},
    onSecond: (title) => void titles.push(title),
  });
  const findings = findingsOf(runs, missing, reference);
  const more = { missing, findings, ...(reference !== undefined && { reference }) };
  return { report: { ...sampleReport(runs), ...more }, titles };
}

const at = ({ address: { hostname, port } }: LoadServer) => `${hostname}:${port}`;

test("servers that run already are loaded in turn and left as they are", async () => {
  await using one = await LoadServer.start();
  await using two = await LoadServer.start();
  const server = [at(one), `two=${at(two)}`];
  const { report, titles } = await compared({ server, repeat: 2, reference: "two" });
  assertEquals(
    report.runs.map(({ name, repeat, errors }) => [name, repeat, errors]),
    [1, 2].flatMap((repeat) => [[at(one), repeat, {}], ["two", repeat, {}]]),
  );
  assertEquals(report.missing, []);
  // Their seconds came in the same order.
  const order = titles.map((title) => title.replace(/ · .*? · /, " ").replace(/ · /, " "));
  assertEquals(new Set(order).size, 4, order.join());
  assertEquals(report.reference, "two");
  for (const { address } of [one, two]) {
    await using peer = await Peer.connect(address);
    await peer.send("still here\n");
    assertEquals(await peer.line(), "still here");
  }
  if (runtime.os !== "linux") return;
  // Both are served by this very process.
  assert(report.runs.every(({ server }) => server !== null && server.peak_memory_bytes > 0));
});

test("a server that does not run is missing, and the others are compared", async () => {
  await using gone = await LoadServer.start();
  await using one = await LoadServer.start();
  const place = at(gone);
  await gone[Symbol.asyncDispose]();
  const { report } = await compared({ server: [`gone=${place}`, at(one)], repeat: 2 });
  assertEquals(report.runs.map(({ name }) => name), [at(one), at(one)]);
  const [missing, ...others] = report.missing;
  assertEquals([missing?.name, missing?.repeats, missing?.wanted, others], [
    "gone",
    [1, 2],
    true,
    [],
  ]);
  assertMatch(missing?.why ?? "", /^Cannot connect to .*ECONNREFUSED/);
});

test("servers that run and servers that are started are compared with each other", async () => {
  await using one = await LoadServer.start();
  const { report } = await compared({
    server: [`one=${at(one)}`],
    modes: "event",
    runtimes: ourRuntime.name,
    repeat: 1,
    send: "hello\\n",
    until: "\\n",
  });
  const started = `event · ${ourRuntime.name}`;
  assertEquals(report.runs.map(({ name, errors }) => [name, errors]), [[started, {}], ["one", {}]]);
  assert(report.runs.every(({ load }) => load.send?.request === "hello\\n"));
});

test("what is compared is read from the arguments, and mistakes are named", async () => {
  const cases: readonly (readonly [Values, RegExp])[] = [
    [{ server: ["localhost"] }, /<server>: expected HOST:PORT, NAME=HOST:PORT or unix:PATH, got/],
    [{ server: ["a=127.0.0.1"] }, /<server>: expected HOST:PORT, .*, got "127.0.0.1"/],
    [{ server: ["=127.0.0.1:9"] }, /<server>: expected NAME=HOST:PORT/],
    [{ server: ["127.0.0.1:9", "127.0.0.1:9"] }, /<server>: there is a "127.0.0.1:9" already/],
    [{ server: ["a=127.0.0.1:9", "a=127.0.0.1:8"] }, /there is a "a" already/],
    [{ server: ["127.0.0.1:9"], runtimes: "deno" }, /--runtimes without --modes/],
    [{ server: ["a=127.0.0.1:9"], reference: "b" }, /--reference: expected one of a, got "b"/],
    [{ server: ["127.0.0.1:9"], send: "x" }, /--protocols and --send exclude each other/],
    [{ send: "x", modes: "event", protocols: "echo,frame" }, /--send with --modes: expected/],
    [{ modes: "none" }, /nothing to compare: HOST:PORT, --modes or --against/],
    [{ server: ["127.0.0.1:9"], pid: ["x=1"] }, /--pid: expected 127.0.0.1:9, got "x"/],
  ];
  for (const [values, pattern] of cases) {
    const error = await assertRejects(() => readComparison({ ...BRIEF, ...values }), UsageError);
    assertMatch(error.message, pattern);
  }
  assertEquals(readRunning("unix:/run/a=b").name, "unix:/run/a=b");
  assertEquals(readRunning("x = [::1]:80"), { name: "x", host: "::1", port: 80 });
  const { protocols: _, ...unsaid } = BRIEF;
  const { plans } = await readComparison({ ...unsaid, server: ["127.0.0.1:9"] });
  assertEquals(plans.map(({ protocol }) => protocol), ["hello"]);
});

test("a process is named by the name of its server, or alone where there is one", () => {
  const [one, two] = ["one=127.0.0.1:1", "two=127.0.0.1:2"].map(readRunning);
  assert(one !== undefined && two !== undefined);
  const { pid } = process;
  assertEquals([...readPids([`two=${pid}`], [one, two])], [["two", pid]]);
  assertEquals([...readPids([String(pid)], [one])], [["one", pid]]);
  assertThrows(() => readPids([String(pid)], [one, two]), UsageError, "expected NAME=N");
  assertThrows(() => readPids(["one=x"], [one]), UsageError, "expected NAME=N");
  assertThrows(() => readPids(["1"], []), UsageError, "expected NAME=N");
  assertThrows(() => readPids(["a=1"], []), UsageError, "no server runs already");
  assertThrows(() => readPids(["one=4194305"], [one]), UsageError, "there is no process 4194305");
});

test("a reference may be typed without the sign between its words", () => {
  const subjects = ["event · deno", "event · bun", "a-b"].map((name) => ({ name }));
  for (const text of ["event · deno", "event deno", "event-deno", "event,deno"]) {
    assertEquals(readReference(text, subjects), "event · deno");
  }
  assertEquals(readReference("a-b", subjects), "a-b");
  // What lies on the way belongs to the name, and nobody types it twice.
  const far = [{ name: "old through latency:1ms", short: "old" }, { name: "new", short: "new" }];
  assertEquals(readReference("old", far), "old through latency:1ms");
  assertEquals(readReference(undefined, subjects), undefined);
  for (const text of ["event", "EVENT · deno", ""]) {
    const lists = "expected one of event · deno, event · bun, a-b";
    assertThrows(() => readReference(text, subjects), UsageError, lists);
  }
});

/** Repeats of a server that answers this much, with a spread of 1 %. */
function repeatsOf(name: string, rate: number): Run[] {
  return [0.99, 1, 1.01].map((factor, index) => ({
    ...sampleRun(new Dice(1)),
    name,
    repeat: index + 1,
    rate: rate * factor,
  }));
}

test("everything is compared with the reference, in place of the best", () => {
  const runs = [
    ...repeatsOf("fast", 3_000),
    ...repeatsOf("usual", 1_000),
    ...repeatsOf("alike", 1_001),
    ...repeatsOf("slow", 500),
  ];
  const [contest] = contestsOf(runs, "usual");
  assert(contest !== undefined);
  const { columns, entries } = tableOf(contest);
  const column = columns.find(({ title }) => title === "times its rate");
  assertEquals(entries.map((entry) => column?.cell(entry)), [
    "3.00 ± 0.04",
    "1.00 ± 0.01",
    "reference",
    "0.50 ± 0.01",
  ]);
  const [rate] = findingsOf(runs, [], "usual");
  assertEquals(
    rate,
    "rate against usual (1.00 k/s): fast (3.00 k/s) has 3.00 ± 0.04 times as much; " +
      "slow (500 /s) has 0.50 ± 0.01 times as much; alike (1.00 k/s) cannot be told from it.",
  );
  const report = { ...sampleReport(runs), reference: "usual" };
  assertMatch(formatTerminal(report, PLAIN), /times its rate/);
  assertMatch(formatMarkdown(report), /times its rate/);
  // If it was not measured, the others are compared with the best.
  const without = findingsOf(runs.filter(({ name }) => name !== "usual"), [], "usual");
  assertMatch(without[0] ?? "", /^fast \(3.00 k\/s\) answers most/);
});

test("repeats of one server are shown with their median and their spread", () => {
  const runs = repeatsOf("one", 1_000);
  const table = repeatsTable(runs);
  assertEquals(table.map(([title]) => title), ["", "run 1", "run 2", "run 3", "median", "±"]);
  assertEquals(table.map((row) => row[1]), [
    "rate",
    "990 /s",
    "1.00 k/s",
    "1.01 k/s",
    "1.00 k/s",
    "1.0 %",
  ]);
  assertMatch(formatTerminal(sampleReport(runs), PLAIN), /^server {2}one\n.*\nrun 1 /m);
  const many = repeatsTable(Array.from({ length: 30 }, () => runs[0] as Run));
  assertEquals(many.length, 3);
});

test("--repeat and --warm-up measure one server as often as that", async () => {
  await using server = await LoadServer.start();
  const script = (...args: string[]) =>
    new Script("lab/bench.ts", [at(server), ...args, "--no-floor"]).end();
  const echo = ["--protocol", "echo", "-c", "3"];
  const twice = await script(...echo, "-n", "6", "--repeat", "2", "--json");
  const report = JSON.parse(twice.stdout) as Report;
  assertEquals(report.runs.map(({ repeat, requests }) => [repeat, requests]), [
    [1, 6],
    [2, 6],
  ]);
  assertMatch(twice.stderr, /^median /m);
  assertEquals([twice.code, server.arrivals], [0, 12]);
  const warm = await script(...echo, "-n", "6", "--warm-up", "1s", "--json");
  const [run, ...others] = (JSON.parse(warm.stdout) as Report).runs;
  assertEquals([run?.requests, others, warm.code], [6, [], 0]);
  // Twelve of the first command, and six that count.
  assert(server.arrivals > 18, `${server.arrivals - 18} requests of the warm-up`);
  const both = await script(...echo, "--repeat", "2", "--find", "p99<5ms");
  assertEquals([both.code, both.stdout], [2, ""]);
});
