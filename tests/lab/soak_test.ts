/**
 * A soak finds what rises and what is lost, however rarely, and says so when there was too little
 * work to find it.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import process from "node:process";
import { type Evidence, judge, leastWork } from "../../lab/soak/judge.ts";
import type { Sample, SoakReport, Work } from "../../lab/soak/results.ts";
import { soak } from "../../lab/soak/soak.ts";
import { ownSubject, type Subject } from "../../lab/soak/subject.ts";
import type { LoadedServer } from "../../lab/loaded_server.ts";
import { isRising, trendOf } from "../../lab/soak/trend.ts";
import { ECHO_CONFORMANCE } from "../../lab/conform/definitions/echo.ts";
import { Random } from "../../lab/load/random.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { ourRuntime, Script } from "../kit/server_process.ts";
import { findFaults, whyNoSoak } from "../proofs/soak.ts";

const MIB = 2 ** 20;

/** How often something is tried that depends on chance. */
const TRIES = 200;

/** A number from 0 to 1. */
function unit(random: Random): number {
  return random.next() / 2 ** 32;
}

/** How many events come by chance where so many are expected. */
function chanceEvents(random: Random, expected: number): number {
  let count = 0;
  for (let left = Math.exp(-expected), share = unit(random); share > left; count++) {
    share *= unit(random);
  }
  return count;
}

/** A run in which everything is as it should be, and precisely as long as it must be. */
function quietRun(
  rarest: number,
  figures: (look: number) => Partial<Sample> = () => ({}),
): Evidence {
  const { requests, leaks } = leastWork(rarest);
  const looks = 24;
  const samples = Array.from({ length: looks }, (_, index): Sample => ({
    at: index,
    progress: (index + 1) / looks,
    generation: 0,
    requests: Math.ceil(requests * (index + 1) / looks),
    connections: Math.ceil(2.4 * leaks * (index + 1) / looks),
    attack_rounds: 1,
    memory_bytes: 100 * MIB,
    descriptors: 20,
    threads: 5,
    ...figures(index),
  }));
  const last = samples.at(-1) as Sample;
  const half = samples.slice(looks / 2);
  const work: Work = {
    requests: last.requests,
    requests_through_faults: 0,
    cases: 0,
    connections: last.connections,
    connections_last_half: last.connections - (half[0] as Sample).connections,
    attacks: {},
    torn: 0,
    restarts: 0,
  };
  return { samples, work, failed: {}, words: {}, troubles: [], attackKinds: 0, rarest };
}

test("a trend is told from chance", () => {
  const level = Array.from({ length: 12 }, () => 5);
  assertEquals(trendOf(level), { rise: 0, chance: 1 });
  const steady = level.map((_, index) => index);
  assertEquals(trendOf(steady).rise, 11);
  assert(isRising(trendOf(steady), 11) && !isRising(trendOf(steady), 12));
  assert(!isRising(trendOf(steady.toReversed()), 0));
  // One that is far off changes nothing.
  assert(isRising(trendOf(steady.with(3, 1_000)), 10));
  const random = new Random(1);
  let found = 0;
  for (let turn = 0; turn < TRIES; turn++) {
    // Memory under a collector: it grows, and falls back.
    const offset = random.between(0, 6);
    const saw = steady.map((at) => 100 + 10 * ((at + offset) % 7) + 3 * unit(random));
    if (isRising(trendOf(saw), 0)) found++;
  }
  assertEquals(found, 0);
});

test("the least work finds a leak that comes by chance in 98 of 100 runs", () => {
  const random = new Random(2);
  let found = 0;
  for (let turn = 0; turn < TRIES; turn++) {
    let [leaked, connections] = [0, 0];
    const rarest = 10_000;
    const evidence = quietRun(rarest);
    const samples = evidence.samples.map((sample) => {
      leaked += chanceEvents(random, (sample.connections - connections) * 10 / rarest);
      connections = sample.connections;
      return { ...sample, descriptors: 20 + leaked };
    });
    if (judge({ ...evidence, samples }).verdict === "failed") found++;
  }
  assert(found >= TRIES * 0.98, `${found} of ${TRIES}`);
  // And five lost requests are expected of which all fail to come in 7 of 1,000 runs.
  assertEquals(leastWork(10_000), { requests: 50_000, leaks: 8_000 });
});

test("what has risen is told, and only that", () => {
  const reasons = (figures: (look: number) => Partial<Sample>) =>
    judge(quietRun(1_000, figures)).reasons.map((reason) => reason.replaceAll(/\d[\d,.]*\b/g, "N"));
  assertEquals(judge(quietRun(1_000)).verdict, "passed");
  assertEquals(reasons((look) => ({ threads: 5 + Math.floor(look / 2) })), [
    "threads rise: by N over the N connections of the last half",
  ]);
  assertEquals(reasons((look) => ({ memory_bytes: (100 + 2 * look) * MIB })), [
    "memory rise: by N MiB over the N connections of the last half",
  ]);
  // It jumps once, and stays there.
  assertEquals(reasons((look) => ({ memory_bytes: (look < 20 ? 100 : 140) * MIB })), [
    "memory ends at N MiB, after N MiB when it was warm: more than N % and N MiB",
  ]);
  // Within 32 MiB, or within a tenth.
  assertEquals(reasons((look) => ({ memory_bytes: (look < 20 ? 100 : 130) * MIB })), []);
  assertEquals(reasons((look) => ({ memory_bytes: (look < 20 ? 1000 : 1090) * MIB })), []);
  // What rises before the last half is warm-up.
  assertEquals(reasons((look) => ({ descriptors: 20 + Math.min(look, 8) })), []);
});

test("after restarts the last half is that of one process, and nothing is inherited", () => {
  const generation = (look: number) => Math.min(4, look);
  const processes = (descriptors: (look: number) => number) =>
    judge(quietRun(1_000, (look) => ({
      generation: look === 23 ? 5 : generation(look),
      descriptors: descriptors(look),
    })));
  // A process that has just started has fewer of everything.
  assertEquals(processes((look) => look < 23 ? 20 : 12).verdict, "passed");
  const { verdict, reasons } = processes((look) => 20 + (look === 23 ? 5 : generation(look)));
  assertEquals([verdict, ...reasons], [
    "failed",
    "each process has more descriptors than the one before it: 20, 21, 22, 23, 24, 25",
  ]);
});

test("too little work is no pass, and a failure is one with little work too", () => {
  const evidence = quietRun(1_000);
  const lacks = (more: Partial<Evidence>) => {
    const { verdict, reasons } = judge({ ...evidence, ...more });
    return [verdict, reasons.length, reasons[0] ?? ""] as const;
  };
  const { work } = evidence;
  const [verdict, count, why] = lacks({ work: { ...work, requests: 4_999 } });
  assertEquals([verdict, count], ["too little", 1]);
  assertEquals(why, "too few requests to find one lost in 1,000: 4,999 of 5,000");
  assertEquals(lacks({ work: { ...work, connections_last_half: 799 } }).slice(0, 2), [
    "too little",
    1,
  ]);
  assertMatch(
    lacks({ attackKinds: 12 })[2],
    /not warm before the last half: it had borne each attack 1 of 2 times/,
  );
  assertEquals(lacks({ samples: [] })[0], "too little");
  assertEquals(lacks({ samples: [], failed: { closed: 1 }, words: { closed: "gone" } }), [
    "failed",
    1,
    '1 honest request failed: closed, the first with "gone"',
  ]);
});

test("a leak and a loss are found in real servers, and a right one passes", async () => {
  await findFaults(200);
}, { skip: whyNoSoak, sanitize: false, timeoutMs: 60_000 });

test("a mode is restarted under traffic, and loses nobody", async () => {
  const subject = ownSubject("nonblocking", ourRuntime, "echo");
  let before: LoadedServer | undefined;
  // On a busy machine the process before may have ended when the next one is heard of.
  const start: Subject["start"] = async (...how) => {
    const next = await subject.start(...how);
    const replaced = before;
    before = next;
    await until("the process before to end", () => replaced?.whyEnded !== undefined || !replaced);
    return next;
  };
  const run = await soak({ ...subject, start }, {
    requests: 240,
    protocol: "echo",
    conformance: ECHO_CONFORMANCE,
    timeoutMs: 30_000,
    seed: 7,
    kinds: ["restarts"],
    rarest: 10,
    signal: new AbortController().signal,
  });
  const { samples, ...shown } = run;
  // A process that has just started still compiles, so its memory says nothing here.
  assertEquals(
    run.reasons.filter((reason) => !reason.startsWith("memory ")),
    [],
    JSON.stringify(shown),
  );
  assertEquals(run.failed, {});
  assertEquals(run.work.restarts, 5);
  assertEquals(samples.at(-1)?.generation, 5);
  assert(run.work.requests >= 240, JSON.stringify(shown));
}, { skip: whyNoSoak, sanitize: false, timeoutMs: 60_000 });

/** The processes that carry a mark in their environment. */
function marked(mark: string): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/environ`, "utf8").includes(mark);
    } catch {
      // The process is gone, or belongs to somebody else.
      return false;
    }
  });
}

test("the command attacks, tells what it does, and leaves nothing behind at Ctrl-C", async () => {
  const mark = crypto.randomUUID();
  const environment = { ...process.env as Record<string, string>, HANDSHAKE_TEST: mark };
  using folder = new Folder();
  const json = folder.path("soak.json");
  const args = ["nonblocking", "--on", ourRuntime.name, "--minutes", "5", "--seed", "3"];
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("handshake-soak-"));
  await using script = new Script("scripts/soak.ts", [...args, "--json", json], { environment });
  const line = /^nonblocking · \w+ · \d+ s · \d+ % · [\d,]+ requests · 0 failed · .* threads$/m;
  await until("the soak to tell a figure", () => line.test(script.stdout), 30_000);
  assertStringIncludes(script.stdout, "soak · frame · 5 minutes each · seed 3\n");
  script.signal("SIGINT");
  const { code, stdout, stderr } = await script.end(30_000);
  assertEquals([code, stderr], [130, ""]);
  assertMatch(stdout, /^nonblocking · \w+ {2}interrupted /m);
  const { seed, runs: [run] } = JSON.parse(folder.text("soak.json")) as SoakReport;
  assertEquals([seed, run?.verdict, run?.failed], [3, "interrupted", {}]);
  const { attacks = {}, torn = 0, cases = 0 } = run?.work ?? {};
  assert(Object.keys(attacks).length > 0 && torn > 0 && cases > 0, JSON.stringify(run?.work));
  await until("all servers to end", () => marked(mark).length === 0);
  const after = readdirSync(tmpdir()).filter((name) => name.startsWith("handshake-soak-"));
  assertEquals(after.filter((name) => !before.includes(name) && isOf(name, script.pid)), []);
}, { skip: whyNoSoak, sanitize: false, timeoutMs: 60_000 });

/** Whether a folder was made by a process. */
function isOf(name: string, pid: number): boolean {
  return name.startsWith(`handshake-soak-${pid}-`);
}

test("the command passes, fails and refuses with the exit statuses of the project", async () => {
  const run = (...args: string[]) => new Script("scripts/soak.ts", args).end();
  const [little, ...refused] = await Promise.all([
    run(
      ...["event", "--on", ourRuntime.name, "--requests", "100", "--json", "-"],
      ...["--without", "cases,abuse", "--without", "faults,restarts"],
    ),
    run("--minutes", "0"),
    run("fast"),
    run("--without", "rain"),
  ]);
  assertEquals(little.code, 1, little.stderr);
  const { schema, rarest, runs: [found] } = JSON.parse(little.stdout) as SoakReport;
  assertEquals([schema, rarest, found?.verdict], ["handshake-soak/1", 10_000, "too little"]);
  assertStringIncludes(little.stderr, "too few requests to find one lost in 10,000");
  assertEquals(refused.map(({ code }) => code), [2, 2, 2]);
  assertEquals(refused.map(({ stderr }) => stderr.split(":")[1]), [
    " wrong value for --minutes",
    ' there is no mode "fast"',
    " wrong value for --without",
  ]);
}, { skip: whyNoSoak, sanitize: false, timeoutMs: 60_000 });
