/**
 * `--profile`: the profiles that threads take of themselves, in every mode, and what is made of them.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { runtime } from "../../engine/net/runtime.ts";
import { profileOf } from "../../lab/profile/flame.ts";
import { readThreadProfile, type Window } from "../../lab/profile/thread_profile.ts";
import type { FlameNode } from "../../lab/load/results.ts";
import { parseJson } from "../../lab/report/json.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { LOAD } from "../kit/report_samples.ts";
import { type Row, ROWS } from "../kit/rows.ts";
import { Script, ServerProcess, whyNoProgram } from "../kit/server_process.ts";
import { isOurs } from "../kit/turns.ts";

const GRINDING = fileURLToPath(new URL("../kit/protocols/grinding.ts", import.meta.url));

/** What all tests of servers start them with. */
function environment(folder: Folder): Record<string, string> {
  return { ...process.env as Record<string, string>, HANDSHAKE_PROFILE: folder.path("") };
}

/** What the profiles of a folder hold of a certain time. */
interface Profiled {
  /** The names of the functions, by the thread's kind. */
  readonly functions: ReadonlySet<string>;
  /** For how long threads were seen to work. */
  readonly seenMs: number;
}

/** Reads the profiles of a folder. @param window the time, in milliseconds since 1970 */
function profilesIn(folder: Folder, window: Window): Profiled {
  const functions = new Set<string>();
  let seenMs = 0;
  for (const name of readdirSync(folder.path(""))) {
    if (!name.endsWith(".cpuprofile")) continue;
    const { thread, stacks } = readThreadProfile(folder.text(name), window);
    const kind = / computing$/.test(thread) ? "computing" : "serving";
    for (const { frames, ms } of stacks) {
      for (const { name } of frames) functions.add(`${kind}: ${name}`);
      seenMs += ms;
    }
  }
  return { functions, seenMs };
}

/** One row for each mode: how connections are handed over changes nothing for profiles. */
const MODES = ROWS.filter(({ mode, skip }, index) =>
  skip === undefined && ROWS.findIndex((row) => row.mode === mode) === index
).filter((_, index) => isOurs(index));

/** How many servers run at a time. */
const AT_A_TIME = 3;

/** Starts a server in a mode, has it work, ends it, and looks at what its threads have left. */
async function profileWork({ mode, args }: Row, times: number): Promise<Profiled> {
  using folder = new Folder();
  const flags = [...args, "--protocol", GRINDING, "--quiet"];
  const server = await ServerProcess.start(mode, flags, { environment: environment(folder) });
  const from = Date.now();
  {
    await using peer = await Peer.connect(server.address);
    await peer.send(`${times}\n`);
    assertEquals(await peer.line(), "done", mode);
  }
  const to = Date.now();
  await server.stop();
  return profilesIn(folder, { from, to });
}

/** How often a server works at most. */
const MOST_TIMES = 64;

/**
 * Looks for both functions of the protocol in the profiles of a mode. Samples are taken by a thread
 * that needs a processor too. On a busy machine it may get none while the server works: then there is
 * nothing to look at, and the server works for longer.
 */
async function profileMode(row: Row): Promise<void> {
  const { mode, loops } = row;
  const wanted = ["serving: grindHere", `${loops ? "computing" : "serving"}: grindThere`];
  for (let times = 1;; times *= 4) {
    const { functions, seenMs } = await profileWork(row, times);
    const missing = wanted.filter((name) => !functions.has(name));
    if (missing.length === 0) return;
    const found = `${mode} has no ${missing} in ${Math.round(seenMs)} ms: ${[...functions]}`;
    assert(times < MOST_TIMES, found);
  }
}

test("in every mode the profiles hold the protocol's own functions", async () => {
  const rows = [...MODES];
  const work = async () => {
    for (let row = rows.shift(); row !== undefined; row = rows.shift()) await profileMode(row);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, work));
}, { timeoutMs: 60_000 });

/** A profile with a node for each of these stacks, and samples of them a millisecond apart. */
function profileText(
  stacks: readonly (readonly [name: string, path: string])[],
  samples: readonly number[],
  ran_ms: number | null,
): string {
  const nodes = stacks.map(([functionName, url], index) => ({
    id: index + 2,
    callFrame: { functionName, url, lineNumber: 0, columnNumber: 0, scriptId: "1" },
  }));
  const root = { functionName: "(root)", url: "" };
  return JSON.stringify({
    nodes: [{ id: 1, callFrame: root, children: nodes.map(({ id }) => id) }, ...nodes],
    samples: samples.map((index) => index + 2),
    timeDeltas: samples.map(() => 1_000),
    startTime: 0,
    endTime: samples.length * 1_000,
    handshake: { thread: "it", ran_ms, queued_ms: 0, sample_us: 1_000, began_ms: 1_000 },
  });
}

const STACKS = [
  ["frame", "file:///x/handshake/protocols/frame.ts"],
  ["recv", "file:///x/handshake/engine/net/sockets.ts"],
  ["take", "file:///x/handshake/engine/server/descriptors/descriptor_ring.ts"],
  ["(idle)", ""],
] as const;

/** Three samples of work, ten in a call that may wait, four asleep, three idle. */
const SAMPLES = [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3];

test("the time that a thread waits is left out, as the system tells it", () => {
  const window = { from: 0, to: 5_000 };
  const read = (ran: number | null) => readThreadProfile(profileText(STACKS, SAMPLES, ran), window);
  const shown = ({ stacks }: ReturnType<typeof read>) =>
    stacks.map(({ frames, ms }) => [frames.at(-1)?.name, Math.round(ms)]);
  // The thread has run for 5 ms: 3 of them in the protocol, so 2 in the call.
  assertEquals(shown(read(5)), [["frame", 3], ["recv", 2]]);
  assertEquals([read(5).ranMs, read(5).waitedMs].map(Math.round), [5, 15]);
  assertEquals(shown(read(3)), [["frame", 3]]);
  assertEquals(shown(read(null)), [["frame", 3], ["recv", 10]]);
}, { pure: true });

test("only what a server does under load counts", () => {
  // The first two samples of work are before the load.
  const window = { from: 1_002.5, to: 5_000 };
  const { stacks } = readThreadProfile(profileText(STACKS, SAMPLES, 7), window);
  const shown = stacks.map(({ frames, ms }) => [frames.at(-1)?.name, Math.round(ms)]);
  assertEquals(shown, [["frame", 1], ["recv", 4]]);
}, { pure: true });

test("profiles of threads are added up by function and by stack", () => {
  const window = { from: 0, to: 5_000 };
  const one = readThreadProfile(profileText(STACKS, SAMPLES, 5), window);
  const run = { name: "it", subject: null, load: LOAD, duration_s: 1, rate: 10 };
  const { functions, graph, threads, ran_ms, waited_ms } = profileOf(run, [one, one]);
  assertEquals([threads, ran_ms, waited_ms], [2, 10, 30]);
  assertEquals(functions.map(({ name, self_ms, total_ms }) => [name, self_ms, total_ms]), [
    ["frame", 6, 6],
    ["recv", 4, 4],
  ]);
  assertEquals(functions[0]?.where, "protocols/frame.ts");
  const names = ({ name, ms, children }: FlameNode): unknown => [name, ms, ...children.map(names)];
  assertEquals(names(graph), ["all threads", 10, ["frame", 6], ["recv", 4]]);
}, { pure: true });

test("compare --profile adds a run that does not count, and keeps the files", async () => {
  using folder = new Folder();
  await using script = new Script("lab/bench.ts", [
    ...["compare", "--modes", "sequential", "--runtimes", runtime.name, "--protocols", "echo"],
    ...["-c", "1", "-d", "1s", "--warm-up", "0", "--repeat", "1", "--no-floor"],
    ...["--profile", folder.path("kept"), "--json", folder.path("it.json")],
  ]);
  const { code, stdout, stderr } = await script.end();
  assertEquals([code, stderr.includes("its profiles are in")], [0, true], stderr);
  assertMatch(stdout, /^profile of sequential · .+ of its 2 threads; the .+ are left out$/m);
  assertEquals(stdout.match(/^ *[\d.]+ % {2}/gm)?.length, 5);
  const { runs, profiles } = parseJson(folder.text("it.json"), "it.json");
  assertEquals([runs.length, profiles.length, profiles[0]?.threads], [1, 1, 2]);
  const [kept = ""] = readdirSync(folder.path("kept"));
  assertEquals(readdirSync(folder.path(`kept/${kept}`)).length, 2);
});

test("a server that runs already is not profiled, and it is said what can be done", async () => {
  await using script = new Script("lab/bench.ts", ["127.0.0.1:1", "--profile"]);
  const { code, stderr } = await script.end();
  assertEquals(code, 2);
  assertStringIncludes(stderr, "HANDSHAKE_PROFILE=FOLDER");
});

test("a profile that is not whole costs nothing but itself, and the exit status is 1", async () => {
  using folder = new Folder();
  // As on a full disk.
  const server =
    `sh -c 'test -z "$HANDSHAKE_PROFILE" || echo "{" >"$HANDSHAKE_PROFILE/it.cpuprofile"; ` +
    `exec ncat -lk -e /bin/cat 127.0.0.1 $0' {port}`;
  await using script = new Script("lab/bench.ts", [
    ...[
      "compare",
      "--modes",
      "none",
      "--against",
      `it=${server}`,
      "--protocols",
      "echo",
      "-c",
      "1",
    ],
    ...["-d", "1s", "--warm-up", "0", "--repeat", "1", "--no-floor"],
    ...["--profile", folder.path("kept"), "--json", folder.path("it.json")],
  ]);
  const { code, stderr } = await script.end(60_000);
  assertEquals(code, 1, stderr);
  assertMatch(stderr, /^bench: it has no profile: .*it\.cpuprofile is not whole\. /m);
  const { runs, profiles } = parseJson(folder.text("it.json"), "it.json");
  assertEquals([runs.length, profiles.length], [1, 0]);
}, { skip: whyNoProgram("ncat") });
