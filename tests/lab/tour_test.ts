/**
 * The tour: who waited for whom, in simulated servers and in real ones.
 *
 * @module
 */

import { readdirSync, writeFileSync } from "node:fs";
import process from "node:process";
import type { Event } from "../../engine/recording/events.ts";
import { RUNTIMES } from "../../engine/process/runtimes.ts";
import { formatTime } from "../../engine/values/units.ts";
import { threeClients } from "../../lab/simulator/clients.ts";
import { simulate, type SimulationOptions } from "../../lab/simulator/simulate.ts";
import { type Doing, livesOf, visitsOf } from "../../engine/figures/life.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { readStrictly } from "../kit/recordings.ts";
import { commandOf, Program } from "../kit/server_process.ts";

const SCRIPT = "lab/tour.ts";
const LONG = 0;

/** Who each of the three clients waited for, and how: in a simulated server, where time is exact. */
function waitsIn(
  options: Pick<SimulationOptions, "mode"> & Partial<SimulationOptions>,
): readonly (readonly [waitedFor: number | undefined, most: Doing])[] {
  const { recording, clients } = simulate({
    protocol: "frame",
    clients: threeClients(),
    workers: 2,
    ...options,
  });
  const events = recording.filter((line): line is Event => line.type !== "recording");
  const begun = events.filter((event) => event.type === "begun");
  const visits = threeClients().map(({ atUs = 0 }, index) => {
    const peer = begun.find(({ connection }) => connection === index + 1)?.peer ?? "";
    return { peer, fromUs: atUs, toUs: clients[index]?.overUs as number };
  });
  return livesOf(events, visits).map(({ stretches, waitedFor }, index) => {
    const { fromUs, toUs } = visits[index] as { fromUs: number; toUs: number };
    assertEquals([stretches[0]?.fromUs, stretches.at(-1)?.toUs], [fromUs, toUs]);
    for (const [at, { fromUs }] of stretches.entries()) {
      if (at > 0) assertEquals(fromUs, stretches[at - 1]?.toUs, "there is no gap");
    }
    const longest = stretches.toSorted((a, b) => b.toUs - b.fromUs - (a.toUs - a.fromUs))[0];
    return [waitedFor, longest?.doing as Doing] as const;
  });
}

test("a life is told as it was: who waited for whom, and for what", () => {
  const [long, echo, small] = waitsIn({ mode: "sequential" });
  assertEquals([long, echo, small], [
    [undefined, "computing"],
    [LONG, "accept"],
    [LONG, "accept"],
  ]);
  const one = waitsIn({ mode: "threadpool", workers: 1 });
  assertEquals(one.slice(1), [[LONG, "queue"], [LONG, "queue"]]);
  // Each has a thread of its own. Starting it is nobody's fault.
  for (const [waitedFor] of waitsIn({ mode: "threaded" })) assertEquals(waitedFor, undefined);
  const inPlace = waitsIn({ mode: "event", offload: 0 });
  assertEquals(inPlace.slice(1).map(([waitedFor]) => waitedFor), [LONG, LONG]);
  // The loop is free, and the only Worker is not.
  const oneWorker = waitsIn({ mode: "event", offload: 1 });
  assertEquals(oneWorker.map(([waitedFor]) => waitedFor), [undefined, undefined, LONG]);
  assertEquals(oneWorker[2]?.[1], "thread");
  const twoWorkers = waitsIn({ mode: "event", offload: 2 });
  assertEquals(twoWorkers.map(([waitedFor]) => waitedFor), [undefined, undefined, undefined]);
});

test("who came when is what the clients say, and else what the kernel has told at the earliest", () => {
  const [A, B, C, D] = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4"] as const;
  const socket = (at: number, remote: string, connected?: number): Event => ({
    ...{ type: "socket", at, cookie: remote, local: "127.0.0.1:80", remote, state: "ESTABLISHED" },
    waiting: true,
    ...(connected !== undefined && { connected }),
  });
  const events: Event[] = [
    { type: "begun", at: 5_000, connection: 1, peer: A },
    // A look at the queue has found these, one of them late.
    socket(45_000, B, 12_000),
    socket(45_000, C),
    { type: "begun", at: 80_000, connection: 2, peer: B, connected: 15_000 },
    { type: "begun", at: 81_000, connection: 3, peer: C, connected: 18_000 },
    // Nobody has looked.
    { type: "begun", at: 82_000, connection: 4, peer: D, connected: 60_000 },
    ...[1, 2, 3, 4].map((connection): Event => (
      { type: "over", at: 89_000 + connection * 1_000, connection, outcome: "done" }
    )),
  ];
  const told = (more: readonly Event[]) =>
    visitsOf([...events, ...more].toSorted((one, other) => one.at - other.at))
      .map(({ peer, fromUs, toUs, isByServer }) => [peer, fromUs, toUs, isByServer ?? false]);
  assertEquals(told([]), [
    [A, 5_000, 90_000, true],
    [B, 12_000, 91_000, true],
    [C, 18_000, 92_000, true],
    [D, 60_000, 93_000, true],
  ]);
  // Their own clocks know it, and know when the answer was there.
  const client = (peer: string, at: number, to: number): Event => (
    { type: "client", at, peer, connected: at + 100, to }
  );
  assertEquals(
    told([client(D, 57_000, 93_500), client(B, 10_000, 91_500), client(A, 4_000, 90_500)]),
    [
      [A, 4_000, 90_500, false],
      [B, 10_000, 91_500, false],
      [C, 18_000, 92_000, true],
      [D, 57_000, 93_500, false],
    ],
  );
  // The same address may be another client's afterwards, and of one nothing else may be known.
  assertEquals(told([client(A, 100_000, 101_000)]).at(-1), [A, 100_000, 101_000, false]);
});

test("who waits for a Worker waits for whoever has that Worker, until its own computation begins", () => {
  const [A, B] = ["127.0.0.1:1", "127.0.0.1:2"];
  const [first, second, loop] = [1, 2, 3];
  const events: Event[] = [
    { type: "thread", at: 0, thread: first, name: "computing 0" },
    { type: "thread", at: 0, thread: second, name: "computing 1" },
    { type: "thread", at: 0, thread: loop, name: "loop 0", loop: true },
    { type: "begun", at: 0, connection: 1, peer: A },
    { type: "served", at: 0, connection: 1, thread: loop },
    { type: "begun", at: 10_000, connection: 2, peer: B },
    { type: "served", at: 10_000, connection: 2, thread: loop },
  ];
  /** A computes from 0 to 50 ms in the first Worker. */
  const waited = (thread: number, beganAt: number, endedAt: number) => {
    const span = { type: "span", task: "prime" } as const;
    const spans: Event[] = [
      { ...span, at: 0, to: 50_000, name: "waiting for computing", connection: 1 },
      { ...span, at: 0, to: 50_000, name: "computing", thread: first, connection: 1 },
      { ...span, at: 10_000, to: endedAt, name: "waiting for computing", connection: 2 },
      { ...span, at: beganAt, to: beganAt + 100, name: "computing", thread, connection: 2 },
      { type: "over", at: endedAt, connection: 2, outcome: "done" },
      { type: "over", at: 60_000, connection: 1, outcome: "done" },
    ];
    const visits = [{ peer: A, fromUs: 0, toUs: 60_000 }, {
      peer: B,
      fromUs: 10_000,
      toUs: endedAt,
    }];
    const life = livesOf([...events, ...spans], visits)[1];
    return [life?.waitedFor, life?.waitedUs];
  };
  assertEquals(waited(first, 50_000, 51_000), [LONG, 40_000]);
  // The other Worker has begun late, and the loop has heard of the result late. Neither is A's fault.
  assertEquals(waited(second, 15_000, 40_000), [undefined, 0]);
});

test("the tour visits real servers, draws what they have recorded, and keeps it", async () => {
  using folder = new Folder();
  await using tour = new Program(
    commandOf(SCRIPT, ["sequential", "event", "--record", folder.path("kept")]),
  );
  const { code, stdout, stderr } = await tour.end(60_000);
  assertEquals([code, stderr], [0, ""]);
  const titles = ["sequential", "event --offload 0", "event --offload 2"];
  for (const title of titles) {
    const rows = stdout.split("\n").filter((line) => line.startsWith(`${title}  `));
    assertEquals(rows.length, 2, `${title} is in the table and in the picture`);
  }
  const orders = [...stdout.replaceAll(/\s+/g, " ").matchAll(/ came in this order: ([^.]+)\./g)];
  assertEquals(orders.length, titles.length);
  assertMatch(stdout, /^echo {2,}.*[░▒▓─█]/m);
  // A thread that serves one after another answers whoever it has greeted first.
  assertMatch(orders[0]?.[1] ?? "", /^long prime, /);
  // The table at the end says the same as a figure of what was kept: when each had its answer.
  const shown = stdout.slice(stdout.indexOf("When each client had its answer")).split("\n");
  for (const [index, name] of ["01-sequential", "02-event", "03-event"].entries()) {
    const file = folder.path(`kept/${name}.jsonl`);
    const { events, isFinished } = readStrictly(file);
    assert(isFinished);
    assertEquals(events.filter(({ type }) => type === "begun").length, 3);
    const visits = visitsOf(events);
    const times = visits.map(({ fromUs, toUs }) => formatTime(toUs - fromUs));
    const row = shown.find((line) => line.startsWith(`${titles[index]}  `)) ?? "";
    assertEquals(row.match(/[\d.]+ (?:µs|ms|s)\b/g), times, row);
    // A picture that says how long somebody waited for somebody says what the tour says.
    for (const { waitedUs, waitedFor } of livesOf(events, visits)) {
      if (waitedFor === undefined) continue;
      assertStringIncludes(stdout.replaceAll(/\s+/g, " "), `waited ${formatTime(waitedUs)} for `);
    }
  }
}, { timeoutMs: 60_000 });

test(
  "the short tour has one idea and three pictures, and then each runtime that is here",
  async () => {
    await using tour = new Program(commandOf(SCRIPT, ["--short"]));
    await using interrupted = new Program(commandOf(SCRIPT, ["--short"]));
    await using wrong = new Program(commandOf(SCRIPT, ["--short", "event"]));
    await interrupted.printed("1. sequential");
    interrupted.signal("SIGINT");
    const [{ code, stdout, stderr }, end, refused] = await Promise.all([
      tour.end(60_000),
      interrupted.end(60_000),
      wrong.end(),
    ]);
    assertEquals([code, stderr], [0, ""]);
    // In a pipe there are neither colours nor a cursor, and a line is as wide as an old terminal.
    for (const line of stdout.split("\n")) {
      assert(line.length <= 80, line);
      // deno-lint-ignore no-control-regex
      assert(!/[\x00-\x1f]/.test(line), line);
    }
    const titles = ["sequential", "event --offload 0", "event --offload 2"];
    const found = [...stdout.matchAll(/^\d\. (.*)$/gm)].map(([, title]) => title);
    assertEquals(found, titles);
    const orders = [...stdout.replaceAll(/\s+/g, " ").matchAll(/ came in this order: ([^.]+)\./g)]
      .map(([, order = ""]) => order);
    assertMatch(orders[0] ?? "", /^long prime, /);
    assertEquals(orders.length, titles.length);
    const bars = [...stdout.matchAll(/^(.*), (deno|bun) +█+ +[\d.]+ (?:µs|ms|s)$/gm)]
      .map(([, title, on]) => `${title}, ${on}`);
    const here = RUNTIMES.filter(({ isHere }) => isHere).map(({ name }) => name).sort();
    assertEquals(
      bars.sort(),
      titles.flatMap((title) => here.map((on) => `${title}, ${on}`)).sort(),
    );
    assertEquals([end.code, end.stderr], [130, ""]);
    assertEquals([refused.code, refused.stderr], [
      2,
      "tour: --short has stations of its own: name no models\n",
    ]);
  },
  { timeoutMs: 60_000 },
);

/** The environment of a program whose temporary files lie in a folder. */
function inFolder(folder: string): Record<string, string> {
  return { PATH: process.env.PATH ?? "", TMPDIR: folder };
}

test("the tour ends when its reader has seen enough", async () => {
  using folder = new Folder();
  const command = commandOf(SCRIPT, ["sequential", "sequential"]);
  const script = '("$@"; echo "status $?" >&2) | head -1';
  await using tour = new Program(["sh", "-c", script, "sh", ...command], {
    environment: inFolder(folder.path("")),
  });
  const { stdout, stderr } = await tour.end(30_000);
  assertMatch(stdout, /^Three clients [^\n]*\n$/);
  assertEquals(stderr, "status 0\n");
  assertEquals(readdirSync(folder.path("")), []);
});

test("a second signal ends the tour at once, and its folder goes too", async () => {
  using folder = new Folder();
  await using tour = new Program(commandOf(SCRIPT, []), {
    environment: inFolder(folder.path("")),
  });
  await tour.printed("One thread serves");
  assertEquals(readdirSync(folder.path("")).length, 1);
  tour.signal("SIGINT");
  tour.signal("SIGTERM");
  const { code, stderr } = await tour.end();
  assertEquals([code, stderr], [130, ""]);
  assertEquals(readdirSync(folder.path("")), []);
});

test("a folder that cannot be made is named", async () => {
  using folder = new Folder();
  writeFileSync(folder.path("file"), "");
  const file = folder.path("file");
  await using named = new Program(commandOf(SCRIPT, ["--record", file]));
  await using own = new Program(commandOf(SCRIPT, []), { environment: inFolder(file) });
  const [{ code, stderr }, other] = await Promise.all([named.end(), own.end()]);
  assertEquals([code, other.code], [2, 2]);
  assertEquals(stderr, `tour: cannot make the folder ${file}: file exists (EEXIST)\n`);
  const why = "not a directory (ENOTDIR)";
  assertEquals(other.stderr, `tour: cannot make a folder in ${file}: ${why}\n`);
});

test("a model that is not there is named, with those that are", async () => {
  await using tour = new Program(commandOf(SCRIPT, ["sequencial"]));
  const { code, stdout, stderr } = await tour.end();
  assertEquals([code, stdout], [2, ""]);
  assertMatch(stderr, /^tour: there is no model "sequencial": expected sequential, threaded, /);
});
