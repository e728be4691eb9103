/**
 * The bench as users type it: what it prints and where, what it writes, how it ends, and what it
 * leaves behind.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { parseJson } from "../../lab/report/json.ts";
import type { Report, Run } from "../../lab/load/results.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  delay,
  test,
  until,
} from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import {
  commandOf,
  type Ending,
  Program,
  Script,
  ServerProcess,
  whyNoProgram,
} from "../kit/server_process.ts";
import { isOurs } from "../kit/turns.ts";

/** A short load. On a busy machine a short time might have no answers. */
const BRIEF = ["--protocol", "echo", "-c", "2", "-n", "40"];

/** The same for servers that the bench starts. */
const BRIEFLY = ["--protocols", "echo", "-c", "2", "-d", "300ms", "--warm-up", "0"];

/** A server of somebody else's: it echoes, with one process for each connection. */
const NCAT = "ncat -lk -e /bin/cat 127.0.0.1 {port}";

const skip = whyNoProgram("ncat");

const whyNoHangUp = runtime.os === "linux"
  ? undefined
  : "only Linux shows which processes ignore a hang-up";

/** The bench, and everything it starts. */
class Bench extends Script {
  readonly #mark: string;

  constructor(...args: string[]) {
    const mark = crypto.randomUUID();
    const environment = { ...process.env as Record<string, string>, HANDSHAKE_TEST: mark };
    // What the machine can do at best has a test of its own, and takes its time.
    super("lab/bench.ts", [...args, "--no-floor"], { environment });
    this.#mark = mark;
  }

  /** The processes that it has left behind: they have its environment. Linux only. */
  get left(): string[] {
    if (runtime.os !== "linux") return [];
    return readdirSync("/proc").filter((name) => {
      if (!/^\d+$/.test(name) || name === String(this.pid)) return false;
      try {
        return readFileSync(`/proc/${name}/environ`, "utf8").includes(this.#mark);
      } catch {
        // The process is gone, or belongs to somebody else.
        return false;
      }
    });
  }

  /** Waits for its end, and for the end of everything it has started. */
  async alone(): Promise<Ending> {
    const ending = await this.end();
    await until("all servers to end", () => this.left.length === 0);
    return ending;
  }
}

/** Runs the bench to its end. */
async function bench(...args: string[]): Promise<Ending> {
  await using run = new Bench(...args);
  return await run.alone();
}

/** The report that it wrote. */
function reportOf(text: string): Report {
  return parseJson(text, "what it wrote");
}

function at({ address: { port } }: { readonly address: { readonly port: number } }): string {
  return `127.0.0.1:${port}`;
}

/** Its standard error contains only its remarks and its progress. */
function assertRemarks(stderr: string): void {
  for (const line of stderr.trim().split("\n")) assertMatch(line, /^bench: .| errors \d/);
}

test("the bench prints what it has measured, and its progress on standard error", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo"]);
  const { code, stdout, stderr } = await bench(at(server), ...BRIEF);
  assertEquals(code, 0);
  assertEquals(stdout.split("\n")[0], "echo · 2 connections · 64 B");
  assertMatch(stdout, /^rate +[\d.]+ (k?)\/s$/m);
  assertMatch(stdout, /^errors +none$/m);
  assertMatch(stdout, /^ +p50 +p90 +p99 +p99\.9 +max +mean$/m);
  assertMatch(stdout, /^latency +(?:[\d.]+ [µm]s|–) /m);
  if (runtime.os === "linux") assertMatch(stdout, /^cpu +[\d.]+ [mµ]?s, /m);
  // deno-lint-ignore no-control-regex -- there must be none in a pipe
  assertNotMatch(stdout + stderr, /\x1b/);
  assertRemarks(stderr);
});

test("--json - leaves only JSON on standard output, and -n counts the requests", async () => {
  await using server = await LoadServer.start();
  const { code, stdout, stderr } = await bench(
    at(server),
    "--protocol",
    "echo",
    "-c",
    "2",
    "-n",
    "100",
    "--json",
    "-",
  );
  assertEquals(code, 0);
  const { runs: [run, ...more], command } = reportOf(stdout);
  assertEquals([run?.requests, run?.errors, more], [100, {}, []]);
  assertStringIncludes(command, `lab/bench.ts ${at(server)} --protocol echo -c 2`);
  // Those who watch still get the table.
  assertMatch(stderr, /^latency +/m);
});

test("on Deno the bench needs permission only to connect and to read its modules", async () => {
  await using server = await LoadServer.start();
  const permissions = ["--allow-net=127.0.0.1", "--allow-read=."];
  const args = [at(server), ...BRIEF];
  await using run = new Script("lab/bench.ts", args, { permissions });
  const { code, stdout, stderr } = await run.end();
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^errors +none$/m);
  assertStringIncludes(stderr, "the runtime's own sockets");
  assertRemarks(stderr);
}, { skip: runtime.name === "deno" ? undefined : "Bun has no permissions" });

test("with --rate both times stand side by side, with the share that was reached", async () => {
  await using server = await LoadServer.start();
  const { code, stdout } = await bench(at(server), ...BRIEF, "--rate", "200/s");
  assertEquals(code, 0);
  assertMatch(stdout, /^rate +[\d.]+ \/s, [\d.]+ % of the 200 \/s that were due$/m);
  assertMatch(stdout, /^response +(?:[\d.]+ [µm]?s|–) /m);
  assertMatch(stdout, /^service +(?:[\d.]+ [µm]?s|–) /m);
});

test("a run is written in all forms at once, over existing files", async () => {
  using folder = new Folder();
  await using server = await LoadServer.start();
  writeFileSync(folder.path("it.csv"), "an older one, and longer ".repeat(1000));
  const forms = ["json", "csv", "markdown", "html"];
  const files = forms.flatMap((form) => [`--${form}`, folder.path(`it.${form}`)]);
  const { code, stdout } = await bench(at(server), ...BRIEF, ...files);
  assertEquals(code, 0);
  assertMatch(stdout, /^latency /m);
  const [run] = reportOf(folder.text("it.json")).runs as [Run];
  assertEquals([run.name, run.load.protocol, run.subject], [at(server), "echo", null]);
  assertStringIncludes(folder.text("it.csv"), at(server));
  assertNotMatch(folder.text("it.csv"), /older/);
  assertMatch(folder.text("it.markdown"), /^\*\*echo · 2 connections · 64 B\*\*\n\n\| server \|/);
  assertMatch(folder.text("it.html"), /^<!doctype html>/i);
  assertStringIncludes(folder.text("it.html"), at(server));
});

test("a form without a file goes to standard output, its table to standard error", async () => {
  await using server = await LoadServer.start();
  const last = await bench(at(server), ...BRIEF, "--markdown");
  const first = await bench(at(server), "--markdown", ...BRIEF);
  for (const { code, stdout, stderr } of [last, first]) {
    assertEquals(code, 0, stderr);
    assertMatch(stdout, /^\*\*echo · 2 connections · 64 B\*\*\n\n\| server \|/);
    assertMatch(stderr, /^latency +/m);
  }
});

test("a wrong command line is reported on one line at the start, with status 2", async () => {
  using folder = new Folder();
  writeFileSync(folder.path("cut.json"), '{ "schema": "handshake-bench/1", "runs": [');
  writeFileSync(folder.path("other.json"), '{ "name": "handshake" }');
  writeFileSync(folder.path("newer.json"), '{ "schema": "handshake-bench/9" }');
  writeFileSync(folder.path("part.json"), '{ "schema": "handshake-bench/1", "runs": [{}] }');
  const before = folder.names;
  await using server = await LoadServer.start();
  const wrong: readonly (readonly [args: string[], words: string])[] = [
    [["--json", folder.path("no/it")], "cannot write --json"],
    [["--html", folder.path("it.html"), "--csv", "/"], "cannot write --csv /"],
    [["--json", "-", "--markdown"], "--json and --markdown cannot both go to standard output"],
    [["--csv", folder.path("it"), "--html", folder.path("it")], "--csv and --html cannot both go"],
    [["--threshold", "p99<5"], "a time such as"],
    [["--threshold", "p99<5ms", "--threshold", "speed>5"], "one of p50, p90"],
    [["--baseline", folder.path("none.json")], "cannot read --baseline"],
    [["--baseline", folder.path("cut.json")], "not JSON, or not all of it"],
    [["--baseline", folder.path("other.json")], "not a measurement of this bench"],
    [["--baseline", folder.path("newer.json")], "its schema is"],
    [
      ["--baseline", folder.path("part.json"), "--json", folder.path("it.json")],
      "required property",
    ],
    [["--rate", "fast"], "--rate"],
    [["--size", "5..1"], "64 or 1k..64k"],
    [["-c", "0"], "a whole number from 1"],
    [["-d", "0"], "expected a duration such as 500ms, 5s or 1m30s, got"],
    [["--timeout", "0"], "expected a duration such as 500ms, 5s or 1m30s, got"],
    [["-d", "100ms", "--ramp", "1s"], "ramp: it is longer than the run"],
    [["--pid", "4194303"], "--pid: there is no process 4194303"],
    [["--percentiles", "p50,p100"], "--percentiles: expected p50,p95,p99.9"],
    [["--size", "2g"], "at most 1g"],
    [["--protocol", "print"], "answers nothing"],
    [["--quickly"], "unknown flag --quickly: Allowed are"],
    [["--trheads", "1"], "did you mean --threads?"],
  ];
  const all = [
    ...wrong.map(([args, words]) => [[at(server), ...BRIEF, ...args], words] as const),
    [["127.0.0.1"], "HOST:PORT"] as const,
    [["127.0.0.1:99999"], "HOST:PORT"] as const,
    [["::1:80"], "HOST:PORT"] as const,
    [[], "<server>"] as const,
    ...([
      [["--modes", "fast"], "--modes: expected sequential"],
      [["--runtimes", "node"], "--runtimes: expected"],
      [["--modes", "none"], "nothing to compare"],
      [["--against", "cat=ncat -l 8080"], "'NAME=COMMAND {port}'"],
      [["--modes", "none", "--against", `a=${NCAT}`, "--against", `a=${NCAT}`], 'a "a" already'],
      [["-c", "1,0"], "--connections: expected 1,50,500"],
      [["--protocols", "echo,print"], "answers nothing"],
      [["--traces", folder.path("cut.json")], "cannot make --traces"],
      [["-n", "5"], "-n"],
    ] as const).map(([args, words]) => [["compare", ...args], words] as const),
    // What a command line says is read in the same way on both runtimes.
  ].filter((_, index) => isOurs(index));
  while (all.length > 0) {
    await Promise.all(
      all.splice(0, 4).map(async ([args, words]) => {
        const { code, stdout, stderr } = await bench(...args);
        assertEquals([code, stdout], [2, ""], args.join(" "));
        assertStringIncludes(stderr, words);
        assertEquals(stderr.trim().split("\n").length, 1, stderr);
      }),
    );
  }
  assertEquals(server.accepted, 0);
  assertEquals(folder.names, before);
}, { timeoutMs: 60_000 });

test("a file that cannot be written at the end costs no other file", async () => {
  using folder = new Folder();
  await using server = await LoadServer.start();
  const files = ["--json", "/dev/full", "--csv", folder.path("it.csv")];
  const { code, stdout, stderr } = await bench(at(server), ...BRIEF, ...files);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "bench: cannot write --json /dev/full: no space left (ENOSPC)");
  assertMatch(folder.text("it.csv"), /^row,/);
  assertMatch(stdout, /^latency /m);
  const strict = await bench(at(server), ...BRIEF, ...files, "--threshold", "p50<0us");
  assertEquals(strict.code, 99);
}, { skip: runtime.os === "linux" ? undefined : "only Linux has /dev/full" });

test("a measurement is in its file, even if nobody reads what is printed", async () => {
  using folder = new Folder();
  await using server = await LoadServer.start();
  await using run = new Bench(at(server), ...BRIEF, "--json", folder.path("it.json"));
  run.hangUp();
  assertEquals((await run.alone()).code, 1);
  assertEquals(reportOf(folder.text("it.json")).runs.length, 1);
});

test("a server of whom every request fails, or that is silent, is no result: status 1", async () => {
  using folder = new Folder();
  await using answers = await LoadServer.start();
  await using lies = await LoadServer.start((bytes, socket) => void socket.write(bytes.fill(0x21)));
  await using silent = await LoadServer.start(() => {});
  const all = ["compare", `good=${at(answers)}`, "--protocols=echo", "-c2", "-d100ms"];
  const args = [...all, "--warm-up=0", "--repeat=1", "--no-floor"];
  const one = ["--protocol=echo", "-c2", "-d100ms", "--no-floor"];
  const files = [`a=${at(lies)}`, `b=${at(silent)}`].map((server, index) =>
    [server, folder.path(`${index}.json`)] as const
  );
  const [good, wrong, mute, ...compared] = await Promise.all([
    bench(...args),
    bench(at(lies), ...one),
    bench(at(silent), ...one, "--timeout=50ms"),
    ...files.map(([server, file]) => bench(...args, server, "--json", file)),
  ]);
  assertEquals(good.code, 0, good.stderr);
  assertEquals([wrong, mute, ...compared].map(({ code }) => code), [1, 1, 1, 1]);
  assertMatch(wrong.stdout, /requests failed, 100 %/);
  for (const { stdout } of compared) assertMatch(stdout, /^• [ab]: /m);
  for (const [, file] of files) {
    const { missing, runs } = reportOf(folder.text(file.split("/").at(-1) as string));
    assertEquals([missing.length, runs.length], [0, 2]);
  }
  const strict = await bench(at(lies), ...one, "--threshold", "errors<1%");
  assertEquals(strict.code, 99);
});

test("if no connection can be made, the bench exits with 3 and writes nothing", async () => {
  using folder = new Folder();
  const server = await LoadServer.start();
  await server[Symbol.asyncDispose]();
  const { code, stdout, stderr } = await bench(at(server), "--json", folder.path("it.json"));
  assertEquals([code, stdout, folder.names], [3, "", []]);
  assertStringIncludes(stderr, "connection refused (ECONNREFUSED)");
});

test("thresholds that are met pass, and each that fails is reported, with status 99", async () => {
  await using server = await LoadServer.start();
  const thresholds = (...texts: string[]) => texts.flatMap((text) => ["--threshold", text]);
  const kept = thresholds("max<10s", "errors<0.1%", "rate>1");
  const good = await bench(at(server), ...BRIEF, ...kept);
  assertEquals(good.code, 0);
  assertNotMatch(good.stderr, /threshold/);
  const failing = thresholds("errors<1", "p50<0us", "rate>1000000000");
  // A percentile needs enough requests, however busy the machine is.
  const counted = ["--protocol", "echo", "-c", "2", "-n", "50"];
  const bad = await bench(at(server), ...counted, ...failing);
  assertEquals(bad.code, 99);
  // The measurement is there all the same.
  assertMatch(bad.stdout, /^latency /m);
  const said = bad.stderr.split("\n").filter((line) => line.includes("threshold"));
  assertEquals(said.length, 2);
  assertMatch(said[0] ?? "", /^bench: threshold p50<0us failed: [\d.]+ [µm]s \(127\.0\.0\.1:/);
  assertMatch(said[1] ?? "", /^bench: threshold rate>1000000000 failed: [\d.]+ k?\/s \(/);
});

test("a signal ends the bench early, and everything says so", async () => {
  await Promise.all((["SIGINT", "SIGTERM", "SIGHUP"] as const).map(async (signal, index) => {
    using folder = new Folder();
    await using server = await LoadServer.start();
    const forms = ["json", "csv", "markdown", "html"];
    const files = index > 0 ? [] : forms.flatMap((form) => [`--${form}`, folder.path(form)]);
    const args = [at(server), "--protocol=echo", "-c3", "-d", "10m", "--threshold", "p50<10s"];
    await using run = new Bench(...args, ...files);
    await until("some requests", () => server.arrivals >= 100);
    run.signal(signal);
    const { code, stdout, stderr } = await run.end();
    assertEquals(code, 130);
    assertMatch(stdout, /^answered .*, then interrupted$/m);
    assertMatch(stdout, /^• .*: the run was interrupted after /m);
    assertMatch(stderr, /threshold p50<10s failed: .* until the run was interrupted \(/);
    // One connection tries the server, and three make requests.
    assertEquals(server.accepted, 4);
    if (index > 0) return;
    assertEquals(reportOf(folder.text("json")).runs[0]?.interrupted, true);
    assertMatch(folder.text("csv"), /^run,.*,true,(\d*,)*\r$/m);
    for (const form of ["markdown", "html"]) {
      assertMatch(folder.text(form), /the run was interrupted after/);
    }
  }));
}, { skip: whyNoHangUp });

test(
  "compare gives every server a turn before the first has its second one, and ends them all",
  async () => {
    using folder = new Folder();
    const file = folder.path("base.json");
    const { code, stdout, stderr } = await bench(
      "compare",
      ...["--modes", "sequential,event,threadpool", "--runtimes", runtime.name, ...BRIEFLY],
      // The measured server is a child of another process.
      ...["--against", `wrapped=sh -c '${NCAT} & wait'`],
      ...["--against", "gone=sh -c 'echo no {protocol} here >&2; exit 1' {port}"],
      ...["--repeat", "2", "--save", file, "--json", folder.path("same.json")],
    );
    assertEquals(code, 1, stderr);
    const text = readFileSync(file, "utf8");
    assertEquals(folder.text("same.json"), text);
    const { runs, command, missing } = reportOf(text);
    assertEquals(missing.map(({ name, repeats }) => [name, repeats]), [
      [`sequential · ${runtime.name}`, [1, 2]],
      ["gone", [1, 2]],
    ]);
    assertMatch(
      stdout,
      /^• gone, runs 1 to 2 of echo .*: not measured, Cannot start .* no echo here\.$/m,
    );
    assertStringIncludes(command, "lab/bench.ts compare --modes sequential,event,threadpool ");
    const inTurn = runs.toSorted((a, b) => a.started_at < b.started_at ? -1 : 1);
    const names = [`event · ${runtime.name}`, `threadpool · ${runtime.name}`, "wrapped"];
    const turns = inTurn.map(({ name, repeat }) => [name, repeat]);
    assertEquals(turns, [1, 2].flatMap((repeat) => names.map((name) => [name, repeat])));
    for (const { name, subject, errors } of runs) {
      assertEquals(errors, {}, name);
      assertEquals(subject === null, name === "wrapped");
    }
    for (const name of names) {
      const repeats = runs.filter((run) => run.name === name);
      assert(repeats.some(({ requests }) => requests > 0), name);
      if (runtime.os !== "linux" || name !== "wrapped") continue;
      // The shell and the processes that it has started count together as the server.
      for (const { server } of repeats) assert(server !== null && server.threads >= 2);
    }
    assertMatch(stdout, /^server +rate .*times slower/m);
    for (const name of names) assertStringIncludes(stdout, name);
    assertStringIncludes(stdout, "fewer than 3 times");
    const left = stderr.split("\n").filter((line) => line.includes("left out"));
    assertEquals(left.length, 2, stderr);
    assertMatch(left[0] ?? "", /sequential · \w+ is left out: it serves one connection at a time/);
    const why = /gone is left out: Cannot start sh -c .*: exit status 1: no echo here$/;
    assertMatch(left[1] ?? "", why);
    assertRemarks(stderr);
  },
  { skip, timeoutMs: 60_000 },
);

test("a comparison says which runtime is not here, and is of the other one alone", async () => {
  const environment = { PATH: "", DENO_PATH: "" };
  // The one mode cannot serve this load, so nothing is started.
  const args = ["compare", "--modes", "sequential", ...BRIEFLY, "--no-floor"];
  await using script = new Script("lab/bench.ts", args, { environment });
  await using named = new Script("lab/bench.ts", [...args, "--runtimes", "deno"], { environment });
  assertMatch(
    (await script.end()).stderr,
    /^bench: deno is not installed here: the modes are compared on bun alone$/m,
  );
  const { code, stderr } = await named.end();
  assertEquals([code, stderr], [
    2,
    "bench: wrong value for --runtimes: deno is not installed here\n",
  ]);
}, { skip: runtime.name === "bun" ? undefined : "deno install has installed bun here" });

test("an earlier comparison is the baseline of a later one", async () => {
  using folder = new Folder();
  const file = folder.path("base.json");
  const args = ["compare", "--modes", "none", "--against", `cat=${NCAT}`, ...BRIEFLY];
  // Each run must have an answer, of a server that starts a program for each connection.
  args.push("--duration", "1s");
  const first = await bench(...args, "--repeat", "3", "--save", file);
  assertEquals(first.code, 0, first.stderr);
  const again = await bench(...args, "--repeat", "3", "--baseline", file, "--save", file);
  assertEquals(again.code, 0, again.stderr);
  assertMatch(again.stdout, /\nSince the baseline:\n(• .*(baseline|differ).*\n)+$/);
  // What a file says about its machine is only text, which must not act on a terminal.
  const { machine, ...rest } = reportOf(folder.text("base.json"));
  writeFileSync(file, JSON.stringify({ ...rest, machine: { ...machine, cpu: "fast\x1b[2J" } }));
  const other = await bench(...args, "--size", "32", "--repeat", "1", "--baseline", file);
  assertStringIncludes(other.stdout, "• Nothing of the baseline was measured again");
  assertStringIncludes(other.stdout, "(cpu fast");
  // deno-lint-ignore no-control-regex -- there must be none
  assertNotMatch(other.stdout, /\x1b/);
}, { skip, timeoutMs: 60_000 });

test("compare measures a mode with a protocol of your own", async () => {
  const { code, stdout } = await bench(
    ...["compare", "--modes", "event", "--runtimes", runtime.name, "--repeat", "1", "-c", "1"],
    ...["--protocols", "./tests/kit/protocols/shout.ts", "-d", "1s", "--warm-up", "100ms"],
    ...["--json", "-"],
  );
  assertEquals(code, 0);
  const [run] = reportOf(stdout).runs as [Run];
  assertEquals([run.load.protocol, run.errors], ["shout", {}]);
  assert(run.requests > 0);
});

test("--traces writes a trace of each mode, and adds no run to the report", async () => {
  using folder = new Folder();
  const args = ["--modes", "event", "--runtimes", runtime.name, ...BRIEFLY, "--repeat", "1"];
  const traces = folder.path("traces");
  const { code, stdout, stderr } = await bench("compare", ...args, "--traces", traces, "--json=-");
  assertEquals([code, reportOf(stdout).runs.length], [0, 1]);
  const path = join(traces, `event-${runtime.name}-echo-2.json`);
  assertStringIncludes(stderr, `its trace is in ${path}`);
  const spans: { readonly name: string }[] = JSON.parse(readFileSync(path, "utf8"));
  assert(spans.length > 2, String(spans.length));
});

test("Ctrl-C keeps the complete runs", async () => {
  using folder = new Folder();
  const starts = folder.path("starts");
  const rival = `cat=sh -c 'echo >>${starts}; exec ${NCAT}'`;
  const args = ["--modes", "none", "--against", rival, ...BRIEFLY, "--repeat", "1000"];
  await using run = new Bench("compare", ...args, "--json", "-");
  // The third server starts when two runs are over.
  const count = () => existsSync(starts) ? readFileSync(starts, "utf8").length : 0;
  await until("a third start", () => count() >= 3);
  run.signal("SIGINT");
  const { code, stdout } = await run.alone();
  assertEquals(code, 130);
  const { runs, missing } = reportOf(stdout);
  assertEquals(missing.map(({ why }) => why), ["the comparison was interrupted"]);
  assert(runs.length >= 2 && runs.length < 1000, String(runs.length));
  for (const { duration_s } of runs) assert(duration_s >= 0.09, String(duration_s));
}, { skip });

test("a terminal that closes ends the bench as Ctrl-C does", async () => {
  using folder = new Folder();
  const starts = folder.path("starts");
  const rival = `cat=sh -c 'echo >>${starts}; exec ${NCAT}'`;
  const args = ["--modes", "none", "--against", rival, ...BRIEFLY, "--repeat", "1000"];
  await using run = new Bench("compare", ...args, "--json", folder.path("it.json"));
  const count = () => existsSync(starts) ? readFileSync(starts, "utf8").length : 0;
  await until("a second start", () => count() >= 2);
  run.signal("SIGHUP");
  assertEquals((await run.alone()).code, 130);
  assert(reportOf(folder.text("it.json")).runs.length >= 1);
}, { skip: skip ?? whyNoHangUp });

test("under nohup the bench goes on when the terminal closes", async () => {
  await using server = await LoadServer.start();
  const args = [at(server), "--protocol", "echo", "-c", "1", "-d", "2s", "--rate", "100/s"];
  await using run = new Program(["nohup", ...commandOf("lab/bench.ts", [...args, "--no-floor"])]);
  await until("some requests", () => server.arrivals >= 10);
  run.signal("SIGHUP");
  const { code, stdout } = await run.end();
  assertEquals(code, 0);
  assertMatch(stdout, /^answered .* in 2\.\d\d s$/m);
}, { skip: whyNoHangUp ?? whyNoProgram("nohup") });

test("Ctrl-C before anything was measured is not a failure of the bench", async () => {
  using folder = new Folder();
  const started = folder.path("started");
  const rival = `cat=sh -c '>${started}; exec ${NCAT}'`;
  await using run = new Bench("compare", "--modes=none", "--against", rival, ...BRIEFLY, "-d10m");
  await until("a start", () => existsSync(started));
  run.signal("SIGINT");
  const { code, stdout } = await run.alone();
  assertEquals([code, stdout], [130, ""]);
}, { skip });

test("a second Ctrl-C ends everything at once, even a server that ignores SIGTERM", async () => {
  using folder = new Folder();
  const started = folder.path("started");
  const rival = `deaf=sh -c 'trap "" TERM; >${started}; ${NCAT} & while :; do wait; done'`;
  const args = ["--modes", "none", "--against", rival, ...BRIEFLY, "-d", "10m"];
  await using run = new Bench("compare", ...args);
  await until("a start", () => existsSync(started));
  while (!run.isOver) {
    run.signal("SIGINT");
    await delay(50);
  }
  const { code } = await run.alone();
  assertEquals(code, 130);
}, { skip });

test("a server that cannot start fails its thresholds, and is missing in every file", async () => {
  using folder = new Folder();
  const forms = ["json", "csv", "markdown", "html"];
  const files = forms.flatMap((form) => [`--${form}`, folder.path(form)]);
  const starts = folder.path("starts");
  // It serves once, and never again.
  const once = `once=sh -c 'test -e ${starts} && exit 7; >${starts}; exec ${NCAT}'`;
  const args = ["--modes", "none", "--against", once, ...BRIEFLY, "--repeat", "3"];
  const never = ["--modes", "none", "--against", "never=sh -c 'exit 5' {port}", ...BRIEFLY];
  const [some, none] = await Promise.all([
    bench("compare", ...args, ...files, "--threshold", "errors<1%"),
    bench("compare", ...never, "--threshold", "rate>1", "--repeat", "1", "--json"),
  ]);
  assertEquals(some.code, 99);
  const said = some.stderr.split("\n").filter((line) => line.includes("threshold errors<1%"));
  assertEquals(said.length, 2, some.stderr);
  assertMatch(said[0] ?? "", /failed: not measured \(once, echo .*, run 2\)$/);
  const { runs, missing } = reportOf(folder.text("json"));
  assertEquals([runs.length, missing.map(({ name, repeats }) => [name, repeats])], [
    1,
    [["once", [2, 3]]],
  ]);
  assertStringIncludes(missing[0]?.why ?? "", "exit status 7");
  assertEquals(folder.text("csv").match(/^missing,once,/gm)?.length, 2);
  for (const form of ["markdown", "html"]) assertMatch(folder.text(form), /once, runs 2 to 3 of/);
  assertEquals(none.code, 99);
  const report = reportOf(none.stdout);
  assertEquals([report.runs, report.missing.length], [[], 1]);
  assertMatch(none.stderr, /never is left out: Cannot start .*: exit status 5$/m);
}, { skip });

test("a server that listens on another port is reported at once, with that port", async () => {
  const free = await LoadServer.start();
  const { port } = free.address;
  await free[Symbol.asyncDispose]();
  const rival = `astray=sh -c 'exec ncat -lk -e /bin/cat 127.0.0.1 ${port}' {port}`;
  const args = ["--modes", "none", "--against", rival, ...BRIEFLY, "--repeat", "1"];
  const { code, stderr } = await bench("compare", ...args);
  assertEquals(code, 1);
  assertMatch(stderr, new RegExp(`: it listens on port ${port} and not on \\d+$`, "m"));
}, { skip: skip ?? whyNoHangUp });

test("when the bench is killed, no server stays", async () => {
  using folder = new Folder();
  const started = folder.path("started");
  // The server has a child, which no signal for the server reaches.
  const rival = `wrapped=sh -c '>${started}; ${NCAT} & wait'`;
  const foreign = new Bench("compare", "--modes=none", "--against", rival, ...BRIEFLY, "-d10m");
  const own = new Bench(
    ...["compare", "--modes=event", "--runtimes", runtime.name, ...BRIEFLY, "-d10m"],
  );
  for (const run of [foreign, own]) {
    await using killed = run;
    await until("a server", () => killed.left.length >= 2 || existsSync(started));
    killed.signal("SIGKILL");
    await killed.end();
    await until("all servers to be gone", () => killed.left.length === 0);
  }
}, { skip: skip ?? whyNoHangUp });

test("other percentiles can be asked for, in tables, files and thresholds", async () => {
  await using server = await LoadServer.start();
  const asked = ["--percentiles", "p75,95", "--threshold", "p95<10s", "--threshold", "p99.99<10s"];
  const args = ["--protocol", "echo", "-c2", "-n", "400"];
  const { code, stdout, stderr } = await bench(at(server), ...args, ...asked);
  assertEquals(code, 99);
  assertMatch(stdout, /^ +p75 +p95 +max +mean$/m);
  assertMatch(stdout, /^interval +[\d.]+(–[\d.]+)? +[\d.]+(–[\d.]+)?$/m);
  assertNotMatch(stderr, /threshold p95/);
  assertMatch(stderr, /threshold p99\.99<10s failed: too few requests, 400 of 100 k \(/);
});

test("-h with anything behind it explains the bench, and loads nothing", async () => {
  await using server = await LoadServer.start();
  const { code, stdout } = await bench(at(server), "-h5");
  assertEquals([code, server.accepted], [0, 0]);
  assertMatch(stdout, /^usage: /m);
});

test("a long request does not delay the end of the run", async () => {
  await using server = await LoadServer.start(() => {});
  await using run = new Bench(at(server), "--protocol", "echo", "-c1", "-d10m", "--size", "400M");
  await until("the first bytes", () => server.arrivals > 0, 8_000);
  run.signal("SIGTERM");
  assertEquals((await run.end()).code, 130);
});
