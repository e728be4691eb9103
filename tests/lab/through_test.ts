/**
 * `bench --through`: the bench says what lies between it and the server, and its figures hold it.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Report, Run } from "../../lab/load/results.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { Script, type ScriptOptions, ServerProcess, whyNoLimit } from "../kit/server_process.ts";

const skip = whyNoSockets();

/** A load of a few requests, at once. */
const BRIEF = ["--protocol", "echo", "-c", "8", "-n", "40", "--json", "-"];

/** How the bench is started, and with which status it ends. */
type Start = ScriptOptions & { readonly status?: number };

/** Runs the bench; returns its runs. */
async function bench(args: readonly string[], options: Start = {}): Promise<Run[]> {
  return [...(await report(args, options)).runs];
}

async function report(
  args: readonly string[],
  { status = 0, ...options }: Start = {},
): Promise<Report> {
  const { code, stdout, stderr } = await new Script(
    "lab/bench.ts",
    [...args, "--no-floor"],
    options,
  ).end(60_000);
  assertEquals(code, status, stderr);
  return JSON.parse(stdout) as Report;
}

test("the bench loads a server through faults, and says so", async () => {
  await using server = await ServerProcess.start("nonblocking", ["--protocol", "echo", "--quiet"]);
  const target = `${server.address.hostname}:${server.address.port}`;
  const through = async (toxics: string, more: readonly string[] = [], status = 0) => {
    const [run] = await bench([target, ...BRIEF, "--through", toxics, ...more], { status });
    assert(run !== undefined);
    assertEquals(run.name, `${target} through ${toxics}`);
    return run;
  };
  const [cut, late, lateBothWays, torn] = await Promise.all([
    through("slicer:1..7", ["--size", "1..300"]),
    through("down:latency:50ms"),
    through("slicer:1..30 latency:25ms", ["--connect"]),
    // A run without an answer is no result.
    through("down:reset:1B", [], 1),
  ]) as [Run, Run, Run, Run];
  // Every answer is compared with its request, byte by byte, so none was cut short or mixed up.
  for (const { requests, errors } of [cut, late, lateBothWays]) {
    assertEquals([requests, errors], [40, {}]);
  }
  // What is held back for so long cannot come earlier.
  for (const { latency_us } of [late, lateBothWays]) {
    assert((latency_us.p50 ?? 0) >= 50_000, JSON.stringify(latency_us));
  }
  assertEquals([torn.requests, torn.errors], [0, { reset: 40 }]);
  // The process that is looked at is the server's, and not the proxy's.
  if (runtime.os === "linux") assert(cut.server !== null && cut.server.memory_bytes !== null);
}, { skip, sanitize: false, timeoutMs: 60_000 });

test("the bench compares servers through faults, and says so", async () => {
  const toxics = "slicer:1..7 up:latency:10ms";
  const { runs, profiles } = await report([
    ...["compare", "--modes", "event,nonblocking", "--runtimes", runtime.name],
    ...["--protocols", "echo", "-c", "4", "-d", "1s", "--warm-up", "0", "--repeat", "1"],
    ...["--through", toxics, "--profile", "--json", "-"],
  ]);
  const names = ["event", "nonblocking"].map((mode) =>
    `${mode} · ${runtime.name} through ${toxics}`
  );
  assertEquals(runs.map(({ name }) => name).sort(), names);
  for (const { requests, errors, latency_us } of runs) {
    assert(requests > 0);
    assertEquals(errors, {});
    assert((latency_us.max ?? 0) >= 10_000, JSON.stringify(latency_us));
  }
  // So are those of a run that does not count: four connections that wait for 10 ms cannot do more.
  assertEquals(profiles.map(({ name }) => name).sort(), names);
  for (const { rate } of profiles) assert(rate > 0 && rate <= 400, String(rate));
}, { skip, sanitize: false, timeoutMs: 60_000 });

test(
  "the bench refuses what is no toxic, and what takes more descriptors than there are",
  async () => {
    const run = (...args: string[]) => new Script("lab/bench.ts", [...args, "--no-floor"]).end();
    const limited = async () => {
      await using server = await ServerProcess.start("nonblocking", ["--protocol", "echo"]);
      const target = `${server.address.hostname}:${server.address.port}`;
      const args = [target, "--protocol", "echo", "-c", "64", "--through", "slicer:1..7"];
      return await new Script("lab/bench.ts", [...args, "--no-floor"], { descriptors: 200 }).end();
    };
    const [rain, blank, many, few] = await Promise.all([
      run("127.0.0.1:1", "--through", "rain"),
      run("127.0.0.1:1", "--through", " "),
      run("compare", "--through", "slicer:1..7 rain"),
      whyNoLimit === undefined ? limited() : undefined,
    ]);
    for (const { code, stderr } of [rain, blank, many]) {
      assertEquals(code, 2, stderr);
      assertMatch(stderr, /^bench: wrong value for --through: expected a toxic such as latency:/);
    }
    if (few === undefined) return;
    // Two more for each: the proxy is in the same process.
    assertEquals(few.code, 2, few.stderr);
    assertStringIncludes(few.stderr, "Cannot open 64 connections: the limit of open files is 200");
  },
  { skip, sanitize: false, timeoutMs: 60_000 },
);
