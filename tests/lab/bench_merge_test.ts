/**
 * `bench merge`: the sum of what several machines have measured, and what is refused.
 *
 * @module
 */

import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { UsageError } from "../../engine/cli/flags.ts";
import { Distribution } from "../../lab/load/distribution.ts";
import type { LoadPart, Run, Second } from "../../lab/load/results.ts";
import { mergeFiles } from "../../lab/merge.ts";
import { formatJson, parseJson } from "../../lab/report/json.ts";
import {
  apartNotes,
  MergeError,
  mergeReports,
  nameNotes,
  type Source,
} from "../../lab/report/merge.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { Dice, LOAD, type Sample, sampleReport, sampleRun } from "../kit/report_samples.ts";
import { Script } from "../kit/server_process.ts";

/** A run whose requests took these times. */
function runOf(times: readonly number[], own: Sample = {}): Run {
  const distribution = new Distribution();
  distribution.add(new Float64Array(times.flatMap((us) => [us, 1])));
  const latency = distribution.encode();
  const figures = distribution.summary();
  const run = sampleRun(new Dice(1), { name: "10.0.0.1:80", subject: null, server: null, ...own });
  return {
    ...run,
    requests: times.length,
    rate: times.length,
    duration_s: own.duration_s ?? 1,
    latency_us: figures,
    service_us: figures,
    lag_us: figures,
    seconds: run.seconds.slice(0, 1).map((second) => ({ ...second, histogram: latency })),
    histogram: { latency, service: latency, connect: null, lag: latency },
  };
}

/** Times that look random. */
function draw(seed: number, count: number, usual: number): number[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, () => Math.round(usual * Math.exp(dice.normal())));
}

const FAST = draw(1, 5_000, 100);
const SLOW = draw(2, 3_000, 20_000);

function sourceOf(file: string, ...runs: readonly Run[]): Source {
  return { file, report: sampleReport(runs) };
}

test("the distributions of machines are added exactly, and percentiles come from the sum", () => {
  const sources = [
    sourceOf("a", runOf(FAST, { due: 6_000, load: { target_rate: 6_000 }, errors: { reset: 2 } })),
    sourceOf("b", runOf(SLOW, { due: 3_500, load: { target_rate: 3_500 }, errors: { reset: 1 } })),
  ];
  const { runs: [run], machine, parts } = mergeReports(sources, "it");
  assert(run !== undefined);
  const whole = new Distribution();
  whole.add(new Float64Array([...FAST, ...SLOW].flatMap((us) => [us, 1])));
  const counts = (text: string) => [...Distribution.decode(text).counts()];
  for (const field of ["latency", "service", "lag"] as const) {
    assertEquals(counts(run.histogram[field] as string), counts(whole.encode()));
    assertEquals(run[`${field}_us`].percentiles, whole.summary().percentiles);
  }
  assertEquals(counts(run.seconds[0]?.histogram as string), counts(whole.encode()));
  const sum = [...FAST, ...SLOW].reduce((total, us) => total + us, 0);
  const { max, mean, p50 } = run.latency_us;
  assertEquals(max, Math.max(...SLOW));
  assert(Math.abs((mean ?? 0) - sum / 8_000) < 0.1);
  // Half of all requests: far from the mean of the two medians.
  assert((p50 ?? 0) < 400, `${p50}`);
  assertEquals(
    [run.requests, run.due, run.rate, run.errors, run.load.connections, run.load.target_rate],
    [8_000, 9_500, 8_000, { reset: 3 }, 2 * LOAD.connections, 9_500],
  );
  assertEquals([machine.cores, parts.map(({ file }) => file)], [4, ["a", "b"]]);
});

test("what does not belong together is refused, with the reason", () => {
  const refusal = (own: Sample): string => {
    const sources = [sourceOf("a", runOf(FAST)), sourceOf("b", runOf(SLOW, own))];
    return assertThrows(() => mergeReports(sources, "it"), MergeError).message;
  };
  const begin = "a and b do not belong together: ";
  assertEquals(
    refusal({ load: { protocol: "echo" } }),
    `${begin}the protocol is "frame" in one ` +
      'and "echo" in the other',
  );
  assertEquals(
    refusal({ load: { size: [64, 128] } }),
    `${begin}the size is [64,64] in one and ` +
      "[64,128] in the other",
  );
  assertEquals(
    refusal({ load: { target_rate: 10 } }),
    `${begin}the model is closed in one and ` +
      "open in the other",
  );
  assertEquals(refusal({ duration_s: 2 }), `${begin}one took 1.00 s and the other 2.00 s`);
  assertMatch(refusal({ load: { pipeline: 2 } }), /the pipeline is 1 in one and 2 in the other$/);
  const subject = { mode: "event", runtime: "bun" };
  assertMatch(refusal({ subject, name: "event" }), /one is of 10.0.0.1:80 and the other of event$/);
  const [one, other] = [runOf(FAST), runOf(SLOW)];
  const merge = (...sources: ReturnType<typeof sourceOf>[]) =>
    assertThrows(() => mergeReports(sources, "it"), MergeError).message;
  assertEquals(merge(sourceOf("a", one), sourceOf("b", one)), "a and b hold the same measurement");
  assertMatch(
    merge(sourceOf("a", one, other), sourceOf("b", runOf(draw(3, 9, 9)))),
    /^a has 2 runs and b has one/,
  );
  assertMatch(merge(sourceOf("a"), sourceOf("b")), /^a has no run$/);
});

test("servers that were compared are told apart by their names, and others are refused", () => {
  let seed = 10;
  const compared = (file: string, ...names: readonly string[]) =>
    sourceOf(file, ...names.map((name) => runOf(draw(seed++, 100, 100), { name })));
  const { runs } = mergeReports([compared("a", "old", "new"), compared("b", "new", "old")], "it");
  assertEquals(runs.map(({ name, requests }) => [name, requests]), [["old", 200], ["new", 200]]);
  assertEquals(
    assertThrows(
      () => mergeReports([compared("a", "old", "new"), compared("b", "old", "other")], "it"),
      MergeError,
    ).message,
    "a and b do not belong together: one is of new, old and the other of old, other",
  );
  // A single server may have another address for each machine.
  const one = [compared("a", "127.0.0.1:80"), compared("b", "10.0.0.1:80")];
  assertEquals(mergeReports(one, "it").runs[0]?.requests, 200);
  assertEquals(nameNotes(one), [
    "a is of 127.0.0.1:80 and b of 10.0.0.1:80: the sum is right if both are one server",
  ]);
  assertEquals(nameNotes([compared("a", "x"), compared("b", "x")]), []);
});

test("what was added up already does not count twice, and stays in the list of parts", () => {
  const [a, b, c] = [1, 2, 3].map((seed) =>
    sourceOf("abc"[seed - 1] as string, runOf(draw(seed, 1_000, 100)))
  ) as [Source, Source, Source];
  const both: Source = { file: "both", report: mergeReports([a, b], "it") };
  const refused = (...sources: readonly Source[]) =>
    assertThrows(() => mergeReports(sources, "it"), MergeError).message;
  assertEquals(refused(both, b), "both and b hold the same measurement");
  assertEquals(refused(a, both), "a and both hold the same measurement");
  // It was written and read in between.
  const text = formatJson({ ...both.report, findings: [] });
  assertEquals(
    refused({ file: "read", report: parseJson(text, "read") }, a),
    "read and a hold the same measurement",
  );
  const all = mergeReports([both, c], "it");
  assertEquals(all.parts.map(({ file }) => file), ["a", "b", "c"]);
  assertEquals([all.runs[0]?.requests, all.machine.cores], [3_000, 6]);
});

test("rates that change are added, and how the server recovered is seen in the sum", () => {
  const parts = (low: number, high: number) =>
    [low, high, low].map((rate) => ({ from: rate, to: rate, seconds: 3 }));
  const spiked = (seed: number, rate_parts: readonly LoadPart[]): Run => {
    const seconds = Array.from({ length: 9 }, (_, index) => {
      const usual = index >= 3 && index < 7 ? 50_000 : 100;
      const run = runOf(draw(seed, 2_000, usual));
      return { ...run.seconds[0] as Second, at: index + 1 };
    });
    const load = { target_rate: 2_000, rate_parts };
    return { ...runOf(draw(seed, 100, 100), { load, duration_s: 9, due: 100 }), seconds };
  };
  const a = sourceOf("a", spiked(1, parts(500, 2_000)));
  const { runs: [run] } = mergeReports([a, sourceOf("b", spiked(20, parts(100, 300)))], "it");
  assertEquals(run?.load.rate_parts, parts(600, 2_300));
  assertEquals(
    run?.recoveries.map(({ from_s, to_s, recovered_s }) => [from_s, to_s, recovered_s]),
    [[3, 6, 1]],
  );
  const other = parts(100, 300).map((part) => ({ ...part, seconds: 2 }));
  assertMatch(
    assertThrows(() => mergeReports([a, sourceOf("b", spiked(20, other))], "it"), MergeError)
      .message,
    /the course of the rate, in seconds, is \[3,3,3\] in one and \[2,2,2\] in the other$/,
  );
});

test("what the others were compared with stays so in the sum", () => {
  const named = (file: string, reference?: string): Source => {
    const { report } = sourceOf(file, runOf(draw(file.charCodeAt(0), 100, 100)));
    return { file, report: reference === undefined ? report : { ...report, reference } };
  };
  const referenceOf = (...sources: readonly Source[]) => mergeReports(sources, "it").reference;
  assertEquals(referenceOf(named("a", "x"), named("b", "x")), "x");
  assertEquals(referenceOf(named("a", "x"), named("b", "y")), undefined);
  assertEquals(referenceOf(named("a"), named("b")), undefined);
});

test("runs of different times are added, and it is said", () => {
  const later = { started_at: "2026-01-02T03:05:05.678Z" };
  const [a, b] = [sourceOf("a", runOf(FAST)), sourceOf("b", runOf(SLOW, later))];
  assertEquals(apartNotes([a, a]), []);
  assertMatch(apartNotes([a, b]).join(), /^a and b began 60.0 s apart, by the clocks of their/);
});

test("bench merge writes all forms, and exits with 2 if files do not belong together", async () => {
  using folder = new Folder();
  const write = (name: string, run: Run) =>
    writeFileSync(folder.path(name), formatJson(sampleReport([run])));
  write("a.json", runOf(FAST));
  write("b.json", runOf(SLOW, { started_at: "2026-01-02T03:04:05.700Z" }));
  copyFileSync(folder.path("a.json"), folder.path("copy.json"));
  const text = readFileSync(folder.path("b.json"), "utf8");
  writeFileSync(folder.path("new.json"), text.replace("handshake-bench/1", "handshake-bench/2"));
  const merge = async (...args: string[]) => {
    await using script = new Script("lab/bench.ts", ["merge", ...args], { cwd: folder.path("") });
    return await script.end();
  };
  const forms = ["--csv", "s.csv", "--html", "s.html", "--json", "s.json", "--markdown", "s.md"];
  const [good, copied] = await Promise.all([
    merge("a.json", "b.json", ...forms, "--threshold", "errors<1"),
    merge("a.json", "copy.json"),
  ]);
  assertEquals([good.code, good.stderr], [0, ""]);
  assertStringIncludes(good.stdout, "frame · 100 connections · 64 B");
  assertMatch(good.stdout, /^Added up: b\.json, from 2 × Intel/m);
  const { runs, parts } = parseJson(folder.text("s.json"), "s.json");
  assertEquals([runs[0]?.requests, parts.length], [8_000, 2]);
  assertMatch(folder.text("s.csv"), /^run,10\.0\.0\.1:80,/m);
  assertStringIncludes(folder.text("s.html"), "What was added up");
  assertStringIncludes(folder.text("s.md"), "frame · 100 connections");
  assertEquals(copied.code, 2);
  assertMatch(copied.stderr, /a\.json and .*copy\.json hold the same measurement/);
  const refused = (other: string) =>
    assertRejects(
      () => mergeFiles({ file: folder.path("a.json"), other: folder.path(other) }, "", () => {}),
      UsageError,
    );
  assertMatch(
    (await refused("../" + basename(folder.path("")) + "/a.json")).message,
    /with itself/,
  );
  assertMatch((await refused("none.json")).message, /cannot read \S+none\.json: /);
  assertMatch(
    (await refused("new.json")).message,
    /its schema is "handshake-bench\/2", this bench/,
  );
});
