/**
 * What the machine can do at best: the noise floor, and the null server.
 *
 * @module
 */

import { measureFloor } from "../../lab/floor.ts";
import { spin } from "../../lab/load/noise.ts";
import { startNullServer } from "../../lab/load/null_server.ts";
import { makePlan, type PlanOptions, whyNoDescriptors } from "../../lab/load/plan.ts";
import type { NullRun } from "../../lab/load/results.ts";
import { floorSentences } from "../../lab/report/floor_text.ts";
import { parseJson } from "../../lab/report/json.ts";
import { assert, assertEquals, assertMatch, test } from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Peer } from "../kit/peer.ts";
import { Dice, LOAD, sampleRun } from "../kit/report_samples.ts";
import { Script } from "../kit/server_process.ts";

const skip = whyNoDescriptors();

test("a busy thread that is not run shows in the gaps of its clock", () => {
  // Ten readings a millisecond would be ten gaps. These are a microsecond apart, but for two.
  let readings = 0;
  let now = 0;
  const { longest, lost, spun } = spin(20, () => {
    readings++;
    now += readings === 100 ? 5 : readings === 200 ? 0.5 : 0.001;
    return now;
  });
  assertEquals([longest, lost].map((ms) => Number(ms.toFixed(3))), [5, 5.5]);
  assert(spun >= 20 && spun < 20.1);
}, { pure: true });

test("the null server answers echo and frame at once, in pieces of any size", async () => {
  await using echo = await startNullServer("echo");
  await using frame = await startNullServer("frame");
  {
    await using peer = await Peer.connect(echo.address);
    await peer.send("one\n");
    assertEquals(await peer.line(), "one");
  }
  await using peer = await Peer.connect(frame.address);
  assertEquals(await peer.take(1), "*");
  await peer.send("^ab");
  assertEquals(await peer.take(2), "bc");
  await peer.send("yz$^a$");
  assertEquals(await peer.take(3), "z{b");
}, skip === undefined ? {} : { skip });

test("the bench says what the machine can do at best, unless it is told not to", async () => {
  await using server = await LoadServer.start();
  const at = `127.0.0.1:${server.address.port}`;
  const args = [at, "--protocol", "echo", "-c", "2", "-n", "20", "--json"];
  await using script = new Script("lab/bench.ts", args);
  const { stdout, stderr } = await script.end();
  const { floor, runs } = parseJson(stdout, "its output");
  assert(floor !== null);
  assertEquals(runs[0]?.requests, 20);
  assertEquals(server.accepted, 3, "the measured server sees nothing of it");
  const { noise: { spun_ms, longest_us, lost_share }, nulls } = floor;
  assert(spun_ms >= 200 && longest_us <= spun_ms * 1_000 && lost_share >= 0 && lost_share <= 1);
  const [one] = nulls as [NullRun];
  assertEquals([nulls.length, one.protocol, one.connections], [1, "echo", 2]);
  assert((one.rate ?? 0) > 0 && (one.latency_us?.p50 ?? 0) > 0);
  assertMatch(stderr, /A null server, which answers at once, reached [\d.]+ k?\/s, p50 /);
  assertMatch(stderr, /A busy thread was not run for up to [\d.]+ [µm]?s at a time/);
}, skip === undefined ? {} : { skip });

test("no null server is shown beside a load with which it cannot be compared", async () => {
  const plan = (options: PlanOptions) => makePlan({ protocol: "echo", connections: 2, ...options });
  const plans = await Promise.all([
    plan({ think: 1_000 }),
    plan({ rate: "999/s" }),
    plan({ rate: "2k..20k/60s" }),
    plan({ size: [1, 1_000_000] }),
  ]);
  const floor = await measureFloor({}, plans, new AbortController().signal);
  assertEquals(floor?.nulls.map(({ rate, why }) => [rate, why]), [
    [null, "the clients think, so what is reached is their pace and not what the machine can do"],
    [null, "999 /s are due, and at more of them than that the times are others"],
    [null, "the rate changes, and with it the times"],
    [null, "the requests are larger than those that it answers"],
  ]);
}, skip === undefined ? {} : { skip });

test("what has no null server says why, and which load it is", () => {
  const latency_us = { p50: 30, p90: 40, p99: null, p999: null, max: 9, mean: 31, percentiles: [] };
  const noise = { spun_ms: 200, longest_us: 1_200, lost_share: 0.031 };
  const one = { load: LOAD, protocol: "echo", connections: 50, rate: 1_000, latency_us, why: null };
  const other = { ...one, protocol: null, rate: null, latency_us: null, why: "there is none" };
  const open = { ...one, protocol: "frame", load: { ...LOAD, target_rate: 10 } };
  const limited = "a server that comes near this is limited by this load and what else runs here.";
  const near = "times that come near these are those of this load and what else runs here.";
  assertEquals(floorSentences({ noise, nulls: [one, other, open] }, []), [
    "A null server (an echo server), which answers at once, reached 1.00 k/s, p50 30 µs under " +
    `frame · 50 connections · 64 B: ${limited}`,
    "There is no null server to compare with under frame · 50 connections · 64 B: there is none.",
    "A null server, which answers at once, had at 1.00 k/s p50 30 µs under frame · 50 connections · " +
    `64 B · 10 /s due: ${near}`,
    "A busy thread was not run for up to 1.20 ms at a time on this machine, 3.10 % of the time: what " +
    "is shorter or rarer may be noise.",
  ]);
  assertEquals(floorSentences(null, []), []);

  // What a server surpasses is no limit, and is not called one.
  const dice = new Dice(1);
  const slower = { name: "slow", rate: 900, latency_us: { ...latency_us, p50: 31 } };
  const faster = { name: "fast", rate: 1_100, latency_us: { ...latency_us, p50: 20 } };
  const said = (one: NullRun) =>
    floorSentences(
      { noise, nulls: [one] },
      [slower, faster].map((sample) => sampleRun(dice, { ...sample, load: one.load })),
    )[0];
  assertMatch(
    said(one) ?? "",
    /p50 30 µs: fast did better, 1\.10 k\/s, so this machine can do more/,
  );
  assertMatch(
    said(open) ?? "",
    /p50 30 µs: fast did better, p50 20 µs, so this machine can do more/,
  );
}, { pure: true });
