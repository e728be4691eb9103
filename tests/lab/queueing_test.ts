/**
 * Queueing theory against values that are known, and against a simulation; and the lesson that
 * compares it with a real pool.
 *
 * @module
 */

import { Schedule } from "../../lab/load/schedule.ts";
import { Random } from "../../lab/load/random.ts";
import { erlangC, type Pool, predictFixed, predictRandom } from "../../lab/report/queueing.ts";
import { compareWithTheory } from "../../scripts/queueing.ts";
import { measure } from "../../lab/load/measure.ts";
import { makePlan } from "../../lab/load/plan.ts";
import { assert, assertEquals, assertMatch, assertThrows, test } from "../kit/harness.ts";
import { Dice, sampleReport, sampleRun } from "../kit/report_samples.ts";
import { ServerProcess } from "../kit/server_process.ts";

function near(actual: number, expected: number, share: number, what = ""): void {
  assert(Math.abs(actual - expected) <= share * expected, `${what} ${actual} is not ${expected}`);
}

test("Erlang's formula gives the values of textbooks", () => {
  near(erlangC(0.5, 1), 0.5, 1e-12);
  near(erlangC(1, 2), 1 / 3, 1e-12);
  // 8 erlangs on 10 lines.
  near(erlangC(8, 10), 0.409_18, 1e-4);
  // The formula as it stands in books, from the smallest term up.
  let term = 1;
  let sum = 1;
  for (let count = 1; count < 200; count++) sum += term *= 180 / count;
  term *= 180 / 200;
  near(erlangC(180, 200), term * 10 / (sum + term * 10), 1e-9);
});

test("one worker has the formulas of M/M/1 and of Pollaczek and Khinchine", () => {
  for (const load of [0.1, 0.5, 0.8, 0.95]) {
    const pool: Pool = { rate: load * 100, service: 0.01, workers: 1 };
    const random = predictRandom(pool);
    near(random.meanResponse, 0.01 / (1 - load), 1e-9);
    near(random.response(0.99), Math.log(100) * 0.01 / (1 - load), 1e-6);
    const fixed = predictFixed(pool);
    near(fixed.meanWait, 0.01 * load / (2 * (1 - load)), 1e-6);
    near(fixed.waiting, load, 1e-6);
  }
});

test("the mean of the waiting times is that of their distribution", () => {
  // Little's law gives the one, and Franx' formula the other.
  for (const workers of [2, 4, 7]) {
    const pool = { rate: 85 * workers, service: 0.01, workers };
    const prediction = predictFixed(pool);
    let sum = 0;
    const parts = 4_000;
    for (let part = 0; part < parts; part++) {
      sum += prediction.response((part + 0.5) / parts) - pool.service;
    }
    near(sum / parts, prediction.meanWait, 0.01, `${workers} workers:`);
  }
});

/** Simulates a pool; returns the response times in seconds, in order. */
function simulate({ rate, service, workers }: Pool, isRandom: boolean, seed: number): number[] {
  const schedule = new Schedule({
    rate,
    arrivals: "poisson",
    seed,
    startsAt: 0,
    endsAt: Infinity,
    requests: 100_000,
    thread: 0,
    threads: 1,
  });
  const random = new Random(seed + 5);
  const free = Array.from({ length: workers }, () => 0);
  const times: number[] = [];
  for (let due = schedule.next; due < Infinity; due = schedule.next) {
    schedule.take(due);
    const worker = free.indexOf(Math.min(...free));
    const lasts = 1_000 * service * (isRandom ? random.exponential() : 1);
    const end = Math.max(due, free[worker] as number) + lasts;
    free[worker] = end;
    times.push((end - due) / 1_000);
  }
  return times.sort((a, b) => a - b);
}

test("a simulation of random arrivals agrees with theory, in its mean and in its tail", () => {
  for (const [isRandom, predict] of [[true, predictRandom], [false, predictFixed]] as const) {
    for (const workers of [1, 4]) {
      for (const load of [0.5, 0.7]) {
        const pool = { rate: load * workers / 0.02, service: 0.02, workers };
        const times = simulate(pool, isRandom, 11 * workers);
        const { meanResponse, response } = predict(pool);
        const what = `${isRandom ? "M/M" : "M/D"}/${workers} at ${load}:`;
        near(times.reduce((sum, one) => sum + one, 0) / times.length, meanResponse, 0.06, what);
        near(times[Math.floor(times.length * 0.5)] as number, response(0.5), 0.06, what);
        near(times[Math.floor(times.length * 0.99)] as number, response(0.99), 0.12, what);
      }
    }
  }
});

test("an overloaded pool has no prediction", () => {
  for (const predict of [predictRandom, predictFixed]) {
    for (const rate of [0, 200, 300]) {
      assertThrows(() => predict({ rate, service: 0.02, workers: 4 }), RangeError);
    }
  }
});

/** A series as the bench writes it, with times as theory computes them. */
function seriesOf(protocol: string, predict: typeof predictFixed, rates: readonly number[]) {
  const dice = new Dice(2);
  return sampleReport(rates.map((target_rate) => {
    const pool = { rate: target_rate, service: 0.02, workers: 4 };
    const { meanResponse, response } = predict(pool);
    const run = sampleRun(dice, { load: { protocol, target_rate, arrivals: "poisson" } });
    const latency_us = {
      ...run.latency_us,
      mean: meanResponse * 1e6,
      p50: response(0.5) * 1e6,
      p99: response(0.99) * 1e6,
    };
    return { ...run, due: target_rate * 60, duration_s: 60, latency_us };
  }));
}

test("the table of the lesson has what was measured beside what theory says", () => {
  for (
    const [protocol, predict] of [["service", predictFixed], [
      "random_service",
      predictRandom,
    ]] as const
  ) {
    const table = compareWithTheory(seriesOf(protocol, predict, [100, 10, 160]), 4);
    assertMatch(table, /^Service time 20\.0 ms, 4 workers$/m);
    const rows = table.trim().split("\n").slice(4).map((line) =>
      line.split("|").map((cell) => cell.trim()).filter(Boolean)
    );
    assertEquals(rows.map(([arrived, busy]) => [arrived, busy]), [
      ["100 /s", "50 %"],
      ["160 /s", "80 %"],
    ]);
    for (const [, , mean, computed, p50, half, p99, most] of rows) {
      assertEquals([mean, p50, p99], [computed, half, most]);
    }
  }
  const wrong = sampleReport([sampleRun(new Dice(1))]);
  assertThrows(() => compareWithTheory(wrong, 4), RangeError, "expected --arrivals poisson");
});

test("a pool answers every request of both loads whose service times are known", async () => {
  const protocol = "./examples/service.ts";
  await using pool = await ServerProcess.start("threadpool", [
    "--workers",
    "3",
    "--quiet",
    "--protocol",
    protocol,
  ]);
  const runs = await Promise.all(
    [protocol, "./examples/random_service.ts"].map(async (protocol) => {
      const options = { protocol, rate: 40, arrivals: "poisson", duration: 400, connections: 40 };
      const plan = await makePlan({ ...options, size: [20, 20] });
      return await measure({ ...plan, rehearse: false }, { ...pool, name: "pool" });
    }),
  );
  for (const { requests, due, errors } of runs) assertEquals([requests, errors], [due, {}]);
  // No answer comes earlier than it may.
  assert((runs[0]?.latency_us.mean ?? 0) >= 20_000);
});
