/**
 * When requests are due: at random, in bursts, at rates that change; and how a server recovers.
 *
 * @module
 */

import fc from "fast-check";
import { type ArrivalKind, Arrivals, readArrivals } from "../../lab/load/arrivals.ts";
import { Distribution } from "../../lab/load/distribution.ts";
import { measure } from "../../lab/load/measure.ts";
import { type EngineKind, makePlan, type Plan, whyNoDescriptors } from "../../lab/load/plan.ts";
import { parseCourse, RateCourse, type RatePart } from "../../lab/load/rate_course.ts";
import { recoveriesOf, spikesOf, type Window } from "../../lab/load/recovery.ts";
import type { Run } from "../../lab/load/results.ts";
import { Schedule, type ScheduleOptions } from "../../lab/load/schedule.ts";
import { findingsOf } from "../../lab/report/findings.ts";
import { dueRate, formatLoad, reachedShare } from "../../lab/report/contests.ts";
import { assert, assertEquals, assertRejects, assertThrows, test } from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Dice, type Sample, sampleRun } from "../kit/report_samples.ts";

/** The engines that exist on this system. */
const ENGINES: readonly EngineKind[] = whyNoDescriptors() === undefined
  ? ["descriptors", "runtime"]
  : ["runtime"];

/** All due times of a schedule, over all its threads. */
function duesOf(options: Omit<ScheduleOptions, "thread">): number[] {
  return Array.from({ length: options.threads }, (_, thread) => {
    const schedule = new Schedule({ ...options, thread });
    const before = schedule.waitingAt(options.endsAt);
    const dues: number[] = [];
    for (let due = schedule.next; due < Infinity; due = schedule.next) {
      dues.push(schedule.take(due) as number);
    }
    assertEquals(dues.length, before, "what waits at the end is what is taken");
    assertEquals(schedule.dueBefore(Infinity), dues.length);
    return dues;
  }).flat().sort((a, b) => a - b);
}

const FOREVER = { startsAt: 0, endsAt: Infinity, requests: Infinity, threads: 1 };

/** The greatest distance between the distribution of values and a distribution function. */
function distance(values: readonly number[], cumulative: (value: number) => number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const { length } = sorted;
  return Math.max(...sorted.map((value, index) => {
    const expected = cumulative(value);
    return Math.max(expected - index / length, (index + 1) / length - expected);
  }));
}

const SEEDS = Array.from({ length: 40 }, (_, seed) => seed * 997);

test("the times between Poisson arrivals are exponentially distributed, for every seed", () => {
  const count = 4_000;
  for (const seed of SEEDS) {
    const rate = 250;
    const dues = duesOf({ ...FOREVER, rate, arrivals: "poisson", seed, requests: count });
    const gaps = dues.map((due, index) => due - (dues[index - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / count;
    const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / count;
    // The deviations of both are known. Five of them are never seen.
    assert(Math.abs(mean / 4 - 1) < 5 / Math.sqrt(count), `mean ${mean} of seed ${seed}`);
    assert(Math.abs(variance / 16 - 1) < 5 * Math.sqrt(8 / count), `variance ${variance}`);
    // Kolmogorov and Smirnov: one in a million is beyond 2.6 / sqrt(n).
    const far = distance(gaps, (gap) => 1 - Math.exp(-gap / 4));
    assert(far < 2.6 / Math.sqrt(count), `distance ${far} of seed ${seed}`);
    // A gap says nothing about the next one.
    const together = gaps.slice(1).reduce((sum, gap, index) =>
      sum + (gap - mean) * ((gaps[index] as number) - mean), 0) / count / variance;
    assert(Math.abs(together) < 5 / Math.sqrt(count), `correlation ${together} of seed ${seed}`);
  }
});

test("the number of Poisson arrivals varies as much as its mean", () => {
  const counts = SEEDS.slice(0, 20).flatMap((seed) => {
    const dues = duesOf({ ...FOREVER, rate: 100, arrivals: "poisson", seed, endsAt: 10_000 });
    const seconds = Array.from({ length: 10 }, () => 0);
    for (const due of dues) seconds[Math.floor(due / 1000)]! += 1;
    return seconds;
  });
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  assert(Math.abs(mean - 100) < 5 * 10 / Math.sqrt(counts.length), `mean ${mean}`);
  assert(Math.abs(variance / 100 - 1) < 5 * Math.sqrt(2 / counts.length), `variance ${variance}`);
});

test("the same seed gives the same arrivals, whatever the number of threads, and others differ", () => {
  const options = { ...FOREVER, rate: 1_000, arrivals: "poisson", endsAt: 200 } as const;
  const one = duesOf({ ...options, seed: 7 });
  assertEquals(duesOf({ ...options, seed: 7, threads: 3 }), one);
  assert(String(duesOf({ ...options, seed: 8 })) !== String(one));
  assert(one.length > 100);
});

test("a burst is due at once, and the mean rate stays", () => {
  const options = { ...FOREVER, rate: 100, arrivals: "burst:10", endsAt: 1_000 } as const;
  for (const threads of [1, 3]) {
    const dues = duesOf({ ...options, threads });
    assertEquals(dues, Array.from({ length: 100 }, (_, at) => Math.floor(at / 10) * 100));
  }
  assertEquals(duesOf({ ...options, requests: 15 }).length, 15);
});

test("how requests follow each other is read, and what is nothing is not", () => {
  for (const text of ["even", "poisson", "burst:1", "burst:1000000"]) {
    assertEquals(readArrivals(text), text as ArrivalKind);
  }
  assertEquals(readArrivals("burst:007"), "burst:7");
  for (const text of ["", "Even", "burst", "burst:", "burst:0", "burst:-1", "burst:1000001"]) {
    assertEquals(readArrivals(text), undefined, text);
  }
  assertEquals(new Arrivals("even", 1).advance(3), 2);
});

const PARTS = fc.array(
  fc.record({
    from: fc.oneof(fc.constant(0), fc.double({ min: 0.5, max: 5_000, noNaN: true })),
    to: fc.oneof(fc.constant(0), fc.double({ min: 0.5, max: 5_000, noNaN: true })),
    ms: fc.double({ min: 1, max: 3_000, noNaN: true }),
  }),
  { minLength: 1, maxLength: 5 },
);

test("the time of a place and the place of a time are the inverse of each other", () => {
  fc.assert(fc.property(PARTS, fc.double({ min: 0, max: 0.999, noNaN: true }), (parts, share) => {
    const course = new RateCourse(parts);
    if (course.count === 0) return;
    const place = course.count * share;
    const time = course.timeOf(place);
    assert(time >= 0 && time <= course.durationMs * (1 + 1e-9), `time ${time}`);
    const back = course.placeAt(time);
    assert(Math.abs(back - place) < 1e-6 * (1 + course.count), `${place} became ${back}`);
    assertEquals(course.timeOf(course.count * 1.001), Infinity);
  }));
});

test("a rate that changes makes as many requests due as its area, by any number of threads", () => {
  const kinds: ArrivalKind[] = ["even", "burst:7"];
  fc.assert(
    fc.property(PARTS, fc.constantFrom(...kinds), fc.integer({ min: 1, max: 4 }), (
      parts,
      arrivals,
      threads,
    ) => {
      const { durationMs: endsAt, count } = new RateCourse(parts);
      const options = { ...FOREVER, rate: 1, parts, arrivals, endsAt };
      const dues = duesOf({ ...options, threads });
      const most = arrivals === "even" ? 1 : 7;
      assert(Math.abs(dues.length - count) <= most, `${dues.length} of ${count}`);
      assertEquals(dues, duesOf({ ...options, threads: 1 }));
    }),
    { numRuns: 50 },
  );
});

test("a ramp has its requests where its rate is, even and at random", () => {
  const parts: readonly RatePart[] = [{ from: 0, to: 4_000, ms: 1_000 }];
  // The share of the requests before a time is the square of the share of the time.
  const cumulative = (ms: number) => (ms / 1_000) ** 2;
  const options = { ...FOREVER, rate: 2_000, parts, endsAt: 1_000 };
  const even = duesOf(options);
  assertEquals(even.length, 2_000);
  assert(distance(even, cumulative) < 1e-3);
  for (const seed of SEEDS) {
    const random = duesOf({ ...options, arrivals: "poisson", seed });
    assert(distance(random, cumulative) < 2.6 / Math.sqrt(random.length));
  }
});

test("a rate that changes is read with every unit of rates", () => {
  assertEquals(parseCourse("1k..20k/60s,20k/30s"), [
    { from: 1_000, to: 20_000, ms: 60_000 },
    { from: 20_000, to: 20_000, ms: 30_000 },
  ]);
  assertEquals(parseCourse("60/m..2/s/1m30s, 0/500ms"), [
    { from: 1, to: 2, ms: 90_000 },
    { from: 0, to: 0, ms: 500 },
  ]);
  // These are constant rates, or wrong ones.
  for (const text of ["20k", "20/s", "100/m", "1k..2k", "1k,2k", "", "1k/1s,2k"]) {
    assertEquals(parseCourse(text), undefined, text);
  }
  for (const text of ["x/1s", "1k/5", "0/1s,0..0/2s", "1k/0s", "1..2..3/1s"]) {
    assertThrows(() => parseCourse(text), RangeError);
  }
});

test("what contradicts a rate that changes is refused", async () => {
  const changing = "1k/1s,2k/1s";
  const plan = await makePlan({ protocol: "echo", rate: changing });
  assertEquals([plan.durationMs, plan.rate], [2_000, 1_500]);
  for (
    const [options, why] of [
      [{ rate: changing, duration: 1_000 }, "duration with a rate that changes"],
      [{ rate: changing, ramp: 500 }, "ramp with a rate that changes"],
      [{ rate: changing, think: 5 }, "think with rate"],
      [{ rate: "1k..2k" }, "1k..20k/60s,20k/30s"],
      [{ arrivals: "poisson" }, "arrivals without rate"],
      [{ arrivals: "even" }, "arrivals without rate"],
      [{ rate: 5, arrivals: "burst:0" }, "even, poisson or burst:N"],
      [{ rate: 2e6, arrivals: "poisson" }, "at most 1M/s"],
    ] as const
  ) {
    await assertRejects(() => makePlan({ protocol: "echo", ...options }), RangeError, why);
  }
});

/** Seconds with so many requests each, all of which take so long, in milliseconds. */
function windowsOf(times: readonly number[], requests = 2_000, errors: number[] = []): Window[] {
  return times.map((ms, index) => {
    const latency = new Distribution();
    latency.add(Float64Array.of(ms * 1000, requests));
    const durationMs = 1_000;
    return {
      endsAt: (index + 1) * 1_000,
      durationMs,
      requests,
      errors: errors[index] ?? 0,
      latency,
    };
  });
}

const SPIKE: readonly RatePart[] = [
  { from: 2_000, to: 2_000, ms: 4_000 },
  { from: 9_000, to: 9_000, ms: 2_000 },
  { from: 2_000, to: 2_000, ms: 6_000 },
];

test("a spike is where the rate rises and falls again", () => {
  const of = (text: string) =>
    spikesOf(parseCourse(text) ?? []).map(({ from, to }) => [from / 1000, to / 1000]);
  assertEquals(of("1k/10s,20k/5s,1k/30s"), [[10, 15]]);
  assertEquals(of("1k/10s,20k/5s,2k/30s"), [[10, 15]]);
  assertEquals(of("1k/10s,1k..20k/5s,20k..1k/5s,1k/9s"), [[10, 20]]);
  assertEquals(of("1k/10s,5k/5s,20k/5s,10k/5s,1k/9s"), [[10, 25]]);
  assertEquals(of("1k/1s,5k/1s,1k/1s,5k/1s,1k/1s"), [[1, 2], [3, 4]]);
  assertEquals(of("1k/1s,5k/1s,2k/1s,8k/1s,1k/1s"), [[1, 2], [3, 4]]);
  for (const text of ["1k..20k/60s,20k/30s", "20k/5s,1k/5s", "1k/5s"]) assertEquals(of(text), []);
});

test("a server has recovered with the first second that is as quick as those before the spike", () => {
  const [slow] = recoveriesOf(SPIKE, windowsOf([9, 1, 2, 1, 50, 90, 60, 30, 2, 1, 40, 1]));
  assertEquals(slow, {
    from_s: 4,
    to_s: 6,
    percentile: 99,
    // The first second does not count.
    before_us: 2_000,
    recovered_s: 2,
    watched_s: 6,
  });
  const [never] = recoveriesOf(SPIKE, windowsOf([1, 1, 1, 1, 50, 90, 60, 30, 20, 9, 4, 2]));
  assertEquals([never?.recovered_s, never?.watched_s], [null, 6]);
  const [atOnce] = recoveriesOf(SPIKE, windowsOf([1, 1, 1, 1, 2, 2, 1, 1, 1, 1, 1, 1]));
  assertEquals(atOnce?.recovered_s, 0);
  // Whoever fails quickly has not recovered.
  const failing = [0, 0, 0, 0, 9, 9, 9, 9, 9, 0, 0, 0];
  const [refusing] = recoveriesOf(SPIKE, windowsOf(failing.map(() => 1), 2_000, failing));
  assertEquals(refusing?.recovered_s, 3);
  // The percentile is one that so few requests allow.
  const few = SPIKE.map(({ from, to, ms }) => ({ from: from / 10, to: to / 10, ms }));
  const [lower] = recoveriesOf(few, windowsOf([1, 1, 1, 1, 5, 5, 5, 1, 1, 1, 1, 1], 200));
  assertEquals([lower?.percentile, lower?.recovered_s], [90, 1]);
  const none = SPIKE.map(({ ms }, index) => ({ from: index % 2 * 9, to: index % 2 * 9, ms }));
  assertEquals(recoveriesOf(none, windowsOf([]))[0]?.percentile, null);
});

/** A server that answers its requests one after another, each after this time. */
function oneAtATime(ms: number): Parameters<typeof LoadServer.start>[0] {
  const queue: (() => void)[] = [];
  const next = () => {
    queue[0]?.();
    queue.shift();
    if (queue.length > 0) setTimeout(next, ms);
  };
  return (bytes, socket) => {
    queue.push(() => void socket.write(bytes));
    if (queue.length === 1) setTimeout(next, ms);
  };
}

/** On each engine, at the same time. */
async function onEach(play: (engine: EngineKind) => Promise<void>): Promise<void> {
  await Promise.all(ENGINES.map(play));
}

test("both engines keep a rate that changes, and say how a spike was survived", () =>
  onEach(async (engine) => {
    await using server = await LoadServer.start(oneAtATime(1));
    const rate = "60/1200ms,2000/200ms,60/1200ms";
    const plan = await makePlan({ protocol: "echo", engine, rate, connections: 8 });
    const run = await measure({ ...plan, rehearse: false }, { ...server, name: "queue" });
    // The counts tell that every part was as long and as quick as it should.
    assertEquals([run.due, run.requests, run.errors], [544, 544, {}]);
    assertEquals(server.arrivals, 544);
    assertEquals(run.load.rate_parts?.length, 3);
    const [recovery, ...more] = run.recoveries;
    assertEquals([recovery?.from_s, recovery?.to_s, more], [1.2, 1.4, []]);
    assert(findingsOf([run]).some((text) => /the spike from 1.2 s to 1.4 s/.test(text)));
    const due = "60 /s for 1s200ms, 2.00 k/s for 200ms, 60 /s for 1s200ms due";
    assert(formatLoad(run.load).endsWith(` · ${due}`));
  }));

test("of a rate that changes only what was due counts as its target, wherever the run has ended", () => {
  const run = (own: Sample): Run =>
    sampleRun(new Dice(1), {
      ...own,
      load: { target_rate: 500, rate_parts: [{ from: 0, to: 1_000, seconds: 2 }] },
    });
  // -n 40 ends it in the beginning, where the rate is low.
  const cut = run({ due: 40, requests: 40, duration_s: 0.4, rate: 100 });
  const whole = run({ due: 1_000, requests: 1_000, duration_s: 2, rate: 500 });
  const late = run({ due: 1_000, requests: 1_000, duration_s: 4, rate: 250 });
  assertEquals([cut, whole, late].map((run) => reachedShare([run])), [1, 1, 0.5]);
  assertEquals([whole, late].map(dueRate), [500, 500]);
  assertEquals(dueRate(cut)?.toFixed(3), "100.000");
  const missed = (run: Run) =>
    findingsOf([run]).filter((text) => /that were due is what/.test(text));
  assertEquals([missed(cut), missed(whole)], [[], []]);
  assertEquals(missed(late).length, 1);
});

test("both engines send random arrivals and bursts as their schedules say", () =>
  onEach(async (engine) => {
    await using server = await LoadServer.start();
    const options = { protocol: "echo", engine, rate: 400, duration: 500, connections: 60 };
    const once = async (arrivals: ArrivalKind, seed: number) => {
      const plan: Plan = await makePlan({ ...options, arrivals, seed });
      const run = await measure({ ...plan, rehearse: false }, { ...server, name: "test" });
      const dues = duesOf({ ...FOREVER, ...plan, rate: 400, endsAt: 500 });
      assertEquals([run.due, run.requests], [dues.length, dues.length]);
      return run;
    };
    const [random, bursts] = await Promise.all([once("poisson", 3), once("burst:40", 1)]);
    assertEquals(bursts.due, 200);
    assert(formatLoad(random.load).endsWith(" · 400 /s due · Poisson arrivals, seed 3"));
    assert(formatLoad(bursts.load).endsWith(" · 400 /s due · bursts of 40"));
  }));
