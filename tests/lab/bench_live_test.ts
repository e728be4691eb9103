/**
 * What others learn of a measurement while it goes on, and what ends it early.
 *
 * @module
 */

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { parse } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import form from "../../docs/bench-live.schema.json" with { type: "json" };
import { parseJson } from "../../lab/report/json.ts";
import { labelsOf, LiveMetrics } from "../../lab/report/live_metrics.ts";
import { Distribution } from "../../lab/load/distribution.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { formatMetrics } from "../../engine/server/metrics/exposition.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Dice, sampleRun } from "../kit/report_samples.ts";
import { Script } from "../kit/server_process.ts";

const LOAD = ["--protocol", "echo", "-c", "2", "--no-floor"];

function at({ address }: LoadServer): string {
  return `127.0.0.1:${address.port}`;
}

test("a condition that holds ends the run: the files say so, and the exit status is 99", async () => {
  using folder = new Folder();
  // Half of all answers are wrong.
  await using server = await LoadServer.start((bytes, socket, index) => {
    socket.write(index % 2 === 0 ? bytes : bytes.map((byte) => byte ^ 1));
  });
  await using script = new Script("lab/bench.ts", [
    ...[at(server), ...LOAD, "-d", "60s", "--abort-on", "p99>3600s", "--abort-on", "errors>5%"],
    ...["--json", folder.path("it.json"), "--csv", folder.path("it.csv"), "--live-json"],
  ]);
  const { code, stdout, stderr } = await script.end(30_000);
  assertEquals(code, 99, stderr);
  const why = /--abort-on errors>5% \([\d.]+ %\)/;
  assertMatch(
    stderr,
    new RegExp(`^bench: .*the run was ended after \\S+ s by ${why.source}$`, "m"),
  );
  assertMatch(stderr, new RegExp(`^answered .*then ended by ${why.source}`, "m"));
  const { runs: [run] } = parseJson(folder.text("it.json"), "it.json");
  assert(run !== undefined && run.interrupted && run.duration_s < 30);
  assertMatch(run.aborted ?? "", /^errors>5% /);
  assertMatch(folder.text("it.csv"), /^run,.*errors>5%/m);
  // Each line of standard output is as the schema says.
  const isLive = new Ajv2020({ allowUnionTypes: true, strict: false }).compile(form);
  const lines = stdout.trim().split("\n").map((line) => JSON.parse(line));
  for (const line of lines) assert(isLive(line), JSON.stringify([line, isLive.errors]));
  const kinds = lines.map(({ kind }) => kind);
  assertEquals([kinds[0], kinds.at(-1)], ["begin", "end"]);
  const seconds = lines.filter(({ kind }) => kind === "second");
  assertEquals(seconds.reduce((sum, { requests }) => sum + requests, 0), run.requests);
  assertMatch(lines.at(-1).aborted, /^errors>5% /);
});

test("a server that answers nothing any more ends the run: what is due and waits is seen", async () => {
  // The one connection waits, so nothing else can be sent: most of what is due fails, or waits.
  const conditions = [["errors>50%", "--timeout", "300ms"], ["p50>200ms"]] as const;
  await Promise.all(conditions.map(async ([condition, ...more]) => {
    await using server = await LoadServer.start((bytes, socket, index) => {
      if (index < 100) socket.write(bytes);
    });
    await using script = new Script("lab/bench.ts", [
      ...[at(server), "--protocol", "echo", "-c", "1", "--no-floor", "-d", "60s"],
      ...["--rate", "1000/s", "--abort-on", condition, ...more],
    ]);
    const { code, stderr } = await script.end(30_000);
    assertEquals(code, 99, stderr);
    // On a busy machine what was answered may be late enough for that, too.
    assertMatch(stderr, new RegExp(`the run was ended after \\S+ s by --abort-on ${condition} `));
  }));
});

test("a measurement goes on if nobody reads any more how it goes, and says so", async () => {
  using folder = new Folder();
  await using server = await LoadServer.start();
  await using script = new Script("lab/bench.ts", [
    ...[at(server), ...LOAD, "-n", "50", "--json", folder.path("it.json"), "--live-json"],
  ]);
  script.hangUp();
  const { code, stderr } = await script.end();
  assertEquals([code, stderr.includes("--live-json ends here: ")], [1, true], stderr);
  const { runs: [run] } = parseJson(folder.text("it.json"), "it.json");
  assertEquals([run?.requests, run?.interrupted], [50, false]);
});

test(
  "a pipe that nobody reads is said, and does not keep the bench from hearing signals",
  async () => {
    using folder = new Folder();
    await using server = await LoadServer.start();
    execFileSync("mkfifo", [folder.path("pipe")]);
    const bench = (...args: string[]) =>
      new Script("lab/bench.ts", [at(server), ...LOAD, "-n", "5", ...args, folder.path("pipe")]);
    await using live = bench("--live-json");
    await using late = bench("--json");
    const why = /^bench: cannot write --(?:live-)?json \S+: nobody reads this pipe \(ENXIO\)$/m;
    const endings = await Promise.all([live.end(), late.end()]);
    for (const { stderr } of endings) assertMatch(stderr, why);
    // The one is opened before anything is measured. The other is judged when it is written.
    assertEquals(endings.map(({ code }) => code), [2, 1]);
  },
  { skip: runtime.os === "windows" ? "Windows has no such pipes" : undefined },
);

test("conditions that do not hold change nothing, and those that were never judged are named", async () => {
  await using server = await LoadServer.start();
  await using script = new Script("lab/bench.ts", [
    ...[at(server), ...LOAD, "-n", "50", "--abort-on", "errors>5%", "--abort-on", "p99>10s"],
  ]);
  const { code, stdout, stderr } = await script.end();
  assertEquals(code, 0);
  assertMatch(stdout, /^answered +50 in /m);
  const never = stderr.split("\n").filter((line) => line.includes("--abort-on"));
  assertEquals(never, [
    "bench: --abort-on p99>10s was never judged: too few requests, 50 of 1.00 k",
  ]);
});

test("a file stays as it is if nothing is measured, and two outputs never share one", async () => {
  using folder = new Folder();
  const file = folder.path("it");
  writeFileSync(file, "of an earlier run");
  await using server = await LoadServer.start();
  const { dir, base } = parse(file);
  const cases: readonly (readonly [args: readonly string[], words: RegExp])[] = [
    [["--live-json", file, "--rate", "fast"], /--rate/],
    [
      ["--live-json", file, "--json", `${dir}/./${base}`],
      /--live-json and --json cannot both go to/,
    ],
    [["--live-json", "-", "--csv"], /--live-json and --csv cannot both go to standard output/],
  ];
  await Promise.all(cases.map(async ([args, words]) => {
    await using script = new Script("lab/bench.ts", [at(server), ...LOAD, "-n", "5", ...args]);
    const { code, stderr } = await script.end();
    assertEquals(code, 2, stderr);
    assertMatch(stderr, words);
  }));
  assertEquals([folder.text("it"), server.accepted], ["of an earlier run", 0]);
});

test("the metrics of a run can be collected while it goes on", async () => {
  await using server = await LoadServer.start();
  await using script = new Script("lab/bench.ts", [
    ...[at(server), ...LOAD, "-d", "60s", "--rate", "100/s", "--metrics", "0"],
  ]);
  let url = "";
  await until("the metrics", () => {
    url = /metrics at (http\S+)/.exec(script.stderr)?.[1] ?? "";
    return url !== "";
  });
  let text = "";
  await until("a second of the run", async () => {
    text = await (await fetch(url)).text();
    return /requests_total\{.*\} [1-9]/.test(text);
  });
  script.signal("SIGINT");
  assertEquals((await script.end()).code, 130);
  const labels = `server="${at(server)}",protocol="echo",connections="2",rate="100",repeat="1"`;
  assertStringIncludes(text, `handshake_bench_errors_total{${labels}} 0`);
  assertStringIncludes(text, "handshake_bench_running 1");
  assertMatch(text, /# EOF\n$/);
});

test("response times are told as a histogram of OpenMetrics", () => {
  const latency = new Distribution();
  latency.add(new Float64Array([40, 3, 1_000_000, 1]));
  const labels = labelsOf("it", { ...sampleRun(new Dice(1)).load, target_rate: 100 }, 1);
  const metrics = new LiveMetrics();
  const second = { ...sampleRun(new Dice(1)).seconds[0]!, errors: 2 };
  const soFar = {
    latency,
    requests: 4,
    run: () => sampleRun(new Dice(1)),
    runWithWaiting: () => undefined,
  };
  for (const _ of "ab") {
    metrics.add(labels, second, soFar);
  }
  const text = formatMetrics(metrics.all({}), "openmetrics");
  const buckets = [...text.matchAll(/_seconds_bucket\{.*le="(.*)"\} (\d+)/g)]
    .map(([, bound, count]) => `${bound} ${count}`);
  assertEquals(buckets.slice(0, 3), ["0.00001 0", "0.00002 0", "0.00005 6"]);
  assertEquals(
    buckets.slice(-5),
    ["1.0 8", "2.0 8", "5.0 8", "10.0 8", "+Inf 8"],
  );
  assertMatch(text, /^# TYPE handshake_bench_response_seconds histogram$/m);
  assertMatch(text, /^handshake_bench_response_seconds_count\{.*\} 8$/m);
  assertMatch(text, /^handshake_bench_response_seconds_sum\{.*\} 2\.0002\d*$/m);
  assertMatch(text, /^handshake_bench_errors_total\{.*\} 4$/m);
  // Another step of a search has a rate of its own.
  metrics.begin({ ...labels, rate: "200" });
  const both = formatMetrics(metrics.all({}), "openmetrics");
  assertMatch(both, /^handshake_bench_errors_total\{.*rate="100".*\} 4$/m);
  assertMatch(both, /^handshake_bench_errors_total\{.*rate="200".*\} 0$/m);
}, { pure: true });
