/**
 * The search for the highest rate that meets a target, and series of rates: against models of
 * servers, and against real ones whose behaviour is known by counts.
 *
 * @module
 */

import fc from "fast-check";
import process from "node:process";
import { Distribution } from "../../lab/load/distribution.ts";
import { kneeOf, type SteppedLoad } from "../../lab/load/knee.ts";
import { measure } from "../../lab/load/measure.ts";
import { type EngineKind, makePlan, type Plan, whyNoDescriptors } from "../../lab/load/plan.ts";
import {
  CONFIRMATIONS,
  findRate,
  MOST_STEPS,
  PRECISION,
  type Verdict,
} from "../../lab/load/rate_search.ts";
import { parseSteps } from "../../lab/load/rate_steps.ts";
import type { FoundRate, RateStep, Report, Run } from "../../lab/load/results.ts";
import { Schedule, type ScheduleOptions } from "../../lab/load/schedule.ts";
import {
  conduct,
  judgeStep,
  planStudy,
  rangeOf,
  reachedIn,
  readStudy,
  type Studied,
} from "../../lab/rate_study.ts";
import { compareWithBaseline } from "../../lab/report/baseline.ts";
import { formatLoad } from "../../lab/report/contests.ts";
import { formatCsv } from "../../lab/report/csv.ts";
import { formatHtml } from "../../lab/report/html.ts";
import { formatJson, parseJson } from "../../lab/report/json.ts";
import { formatMarkdown } from "../../lab/report/markdown.ts";
import { concludeSearch, concludeSeries, judgedRuns } from "../../lab/report/rate_study.ts";
import { formatTerminal } from "../../lab/report/terminal.ts";
import { parseThreshold } from "../../lab/report/thresholds.ts";
import { UsageError, type Values } from "../../engine/cli/flags.ts";
import { OptionError } from "../../engine/cli/options.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
  test,
  until,
} from "../kit/harness.ts";
import { LoadServer } from "../kit/load_server.ts";
import { Dice, sampleReport, sampleRun } from "../kit/report_samples.ts";
import { Script } from "../kit/server_process.ts";

const PASSED: Verdict = { kind: "passed", why: null };
const FAILED: Verdict = { kind: "failed", why: "it was slow" };
const LIMITED: Verdict = { kind: "load limited", why: "the load was busy" };
const SILENT: Verdict = { kind: "silent", why: "nothing was answered" };

const RANGE = { first: 1_000, least: 10, most: 1e9 };

/** Searches with a rule that says how each step goes, and counts the steps. */
async function searchFor(
  rule: (rate: number, index: number) => Verdict | undefined,
  range = RANGE,
): ReturnType<typeof findRate> {
  let steps = 0;
  return await findRate((rate) => {
    assert(rate >= range.least && rate <= range.most, `step at ${rate}`);
    if (steps > MOST_STEPS + 2 * CONFIRMATIONS) throw new Error("It does not end");
    return Promise.resolve(rule(rate, steps++));
  }, range);
}

test("a search finds every limit to 2 %, wherever it begins", async () => {
  await fc.assert(fc.asyncProperty(
    fc.double({ min: 1, max: 8.9, noNaN: true }),
    fc.double({ min: 1, max: 7, noNaN: true }),
    async (power, first) => {
      const limit = 10 ** power;
      const range = { ...RANGE, first: 10 ** first };
      const found = await searchFor((rate) => rate <= limit ? PASSED : FAILED, range);
      const { rate = NaN, next } = found;
      assertEquals(found.end, "found");
      assert(rate <= limit && limit < (next?.rate ?? NaN), `${rate} of ${limit}`);
      // Rates below 1000 have four digits.
      assert((next as { rate: number }).rate - rate <= PRECISION * rate + 0.1, `next to ${rate}`);
      assertEquals(next?.why, "it was slow");
    },
  ));
});

test("a search that begins far above what a server can do takes few steps", async () => {
  await fc.assert(fc.asyncProperty(
    fc.double({ min: 1, max: 4, noNaN: true }),
    fc.double({ min: 0.5, max: 1.5, noNaN: true }),
    async (power, share) => {
      const limit = 10 ** power;
      let steps = 0;
      // What is answered of far too much may be more than what is answered in time, or less.
      const { rate = NaN } = await searchFor((rate) => {
        steps++;
        return rate <= limit ? PASSED : { ...FAILED, answered: Math.min(rate, share * limit) };
      }, { ...RANGE, first: 1e6 });
      assert(rate <= limit && rate > 0.97 * limit, `${rate} of ${limit}`);
      // Two or three down, up to three up, then six times halving and three confirming.
      assert(steps <= 22, `${steps} steps to ${limit}`);
    },
  ));
}, { pure: true });

test("a search ends where no rate passes, and where every rate does", async () => {
  const never = await searchFor(() => FAILED);
  assertEquals([never.end, never.rate, never.next?.rate], ["never", undefined, 10]);
  const every = await searchFor(() => PASSED);
  assertEquals([every.end, every.rate, every.next], ["every rate", 1e9, undefined]);
  const silent = await searchFor(() => SILENT);
  assertEquals([silent.end, silent.rate], ["silent", undefined]);
  // It ended when it was asked for too much.
  let isGone = false;
  const gone = await searchFor((rate) => {
    isGone ||= rate > 5_000;
    return isGone ? SILENT : PASSED;
  });
  assertEquals([gone.end, gone.rate], ["silent", 4_000]);
});

test("a step that the load limited is no pass, and is said", async () => {
  const rule = (rate: number) => rate <= 7_000 ? PASSED : LIMITED;
  const { end, rate = NaN, next } = await searchFor(rule);
  assertEquals([end, next?.kind, next?.why], ["found", "load limited", "the load was busy"]);
  assert(rate <= 7_000 && rate * (1 + PRECISION) + 1 >= 7_000);
  const all = await searchFor(() => LIMITED);
  assertEquals([all.end, all.next?.kind], ["never", "load limited"]);
});

test("one spoiled run does not mislead a search, and chance is not confirmed", async () => {
  // Each rate fails the first time that it is measured.
  const seen = new Set<number>();
  const spoiled = await searchFor((rate) => {
    const isFirst = !seen.has(rate);
    seen.add(rate);
    return rate <= 9_000 && !isFirst ? PASSED : FAILED;
  });
  assert(spoiled.rate !== undefined && spoiled.rate > 8_800, String(spoiled.rate));
  // Above 4000 it passes only now and then.
  for (let seed = 1; seed <= 50; seed++) {
    const dice = new Dice(seed);
    const rule = (rate: number) => rate <= 4_000 || dice.next() < 0.3 ? PASSED : FAILED;
    const { end, rate = NaN } = await searchFor(rule);
    assertEquals(end, "found");
    assert(rate >= 1_400, `${rate} with the seed ${seed}`);
  }
  let confirming = 0;
  const once = await findRate((rate, phase) => {
    if (phase === "confirming") confirming++;
    return Promise.resolve(phase === "confirming" || rate > 2_000 ? FAILED : PASSED);
  }, RANGE);
  assertEquals([once.end, once.rate], ["not confirmed", undefined]);
  assert(confirming > 1 && confirming < 30, String(confirming));
});

test("a search that is interrupted tells what is known so far", async () => {
  const cut = await searchFor((rate, index) =>
    index === 6 ? undefined : rate <= 2_000 ? PASSED : FAILED
  );
  assertEquals([cut.end, cut.rate, cut.next?.rate], ["interrupted", 2_000, 3_000]);
  // A confirming run has failed, and the steps below it have passed.
  let confirming = 0;
  const later = await findRate((rate, phase) => {
    if (phase === "confirming") confirming++;
    if (confirming === 2) return Promise.resolve(undefined);
    return Promise.resolve(confirming === 1 || rate > 2_000 ? FAILED : PASSED);
  }, RANGE);
  assertEquals([later.end, later.rate, later.next?.rate], ["interrupted", 1_000, 2_000]);
});

/** A model of a server: workers that answer one request after another, each for this time. */
function model(
  { rate, seed, arrivals, seconds, serviceMs, workers }: {
    readonly rate: number;
    readonly seed: number;
    readonly arrivals: "even" | "poisson";
    readonly seconds: number;
    readonly serviceMs: number;
    readonly workers: number;
  },
): {
  readonly latency: Distribution;
  readonly mean: number;
  readonly answered: number;
  readonly reached: number;
} {
  const options: ScheduleOptions = {
    rate,
    seed,
    arrivals,
    startsAt: 0,
    endsAt: seconds * 1_000,
    requests: Infinity,
    thread: 0,
    threads: 1,
  };
  const schedule = new Schedule(options);
  const free = Array.from({ length: workers }, () => 0);
  const pairs: number[] = [];
  let sum = 0;
  let count = 0;
  let last = seconds * 1_000;
  for (let due = schedule.next; due < Infinity; due = schedule.next) {
    schedule.take(due);
    const worker = free.indexOf(Math.min(...free));
    const end = Math.max(due, free[worker] as number) + serviceMs;
    free[worker] = end;
    pairs.push((end - due) * 1_000, 1);
    sum += end - due;
    last = Math.max(last, end);
    count++;
  }
  const latency = new Distribution();
  latency.add(Float64Array.from(pairs));
  const reached = seconds * 1_000 / last;
  return { latency, mean: sum / count * 1_000, answered: count / last * 1_000, reached };
}

test("a search finds the capacity of a queue of even arrivals, by its p99", async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const dice = new Dice(seed);
    const serviceMs = 3 + 5 * dice.next();
    const workers = 1 + Math.floor(4 * dice.next());
    const capacity = workers / serviceMs * 1_000;
    const { rate = NaN } = await searchFor((rate) => {
      const { latency } = model({ rate, seed, arrivals: "even", seconds: 10, serviceMs, workers });
      return (latency.at(99) ?? Infinity) < 1_000 * (serviceMs + 5) ? PASSED : FAILED;
    }, { ...RANGE, least: 101, first: 200 });
    // If the queue grows by 5 ms in 10 s, the rate is less than a thousandth too high.
    const share = rate / capacity;
    assert(share > 0.978 && share < 1.002, `${rate} of ${capacity}`);
  }
});

test("a search among random arrivals finds less than the capacity, and never more", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const { rate = NaN } = await searchFor((rate) => {
      const run = { rate, seed: seed++, arrivals: "poisson", seconds: 10 } as const;
      const { latency } = model({ ...run, serviceMs: 2, workers: 1 });
      return (latency.at(90) ?? Infinity) < 8_000 ? PASSED : FAILED;
    }, { ...RANGE, first: 50 });
    // In theory 90 % of them wait for less than 6 ms up to a load of 0.75 or so.
    assert(rate > 300 && rate < 500, String(rate));
  }
});

test("the knee of a queue lies below its capacity, and above half of it", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const steps = Array.from({ length: 12 }, (_, index): SteppedLoad => {
      const rate = 50 * (index + 1);
      const run = { rate, seed, arrivals: "poisson", seconds: 10, workers: 1 } as const;
      return { rate, ...model({ ...run, serviceMs: 2 }), isLoadLimited: false };
    });
    const { rate, overloaded } = kneeOf(steps);
    // In theory 0.586 of the capacity of 500/s.
    assert(rate !== null && rate >= 200 && rate <= 400, `knee at ${rate}`);
    assert(overloaded !== null && overloaded >= 500 && overloaded <= 550, `from ${overloaded}`);
  }
});

test("without a bend there is no knee, and steps that the load limited do not count", () => {
  const step = (rate: number, more: Partial<SteppedLoad> = {}): SteppedLoad => ({
    rate,
    answered: rate,
    reached: 1,
    mean: 100,
    isLoadLimited: false,
    ...more,
  });
  assertEquals(kneeOf([step(1), step(2), step(4)]), { rate: null, overloaded: null });
  assertEquals(kneeOf([]), { rate: null, overloaded: null });
  assertEquals(kneeOf([step(1, { mean: null, answered: 0, reached: 0 })]).rate, null);
  const limited = step(4, { isLoadLimited: true, mean: 1e6, reached: 0.5 });
  assertEquals(kneeOf([step(1), step(2), limited]), { rate: null, overloaded: null });
  const over = step(4, { answered: 2.5, reached: 0.6, mean: 1_000 });
  assertEquals(kneeOf([step(1), step(2), over]), { rate: 2, overloaded: 4 });
});

test("the rates of a series are a list, a doubling, or so many steps", () => {
  assertEquals(parseSteps("1k..64k").map((rate) => rate / 1_000), [1, 2, 4, 8, 16, 32, 64]);
  assertEquals(parseSteps("1k..5k"), [1_000, 2_000, 4_000, 5_000]);
  assertEquals(parseSteps("100..500:5"), [100, 200, 300, 400, 500]);
  assertEquals(parseSteps("5k, 1k,1k/s,2k..4k:2"), [1_000, 2_000, 4_000, 5_000]);
  assertEquals(parseSteps("60/m..4/s"), [1, 2, 4]);
  assertEquals(parseSteps("7"), [7]);
  for (
    const text of [
      "",
      "0",
      "0..5",
      "x",
      "4k..1k",
      "1..2:1",
      "1..2:x",
      "1..",
      "1..200:201",
      "1..1G:9e9",
    ]
  ) {
    assertThrows(() => parseSteps(text), RangeError);
  }
});

test("what contradicts a search or a series is refused", () => {
  for (
    const [values, why] of [
      [{ find: ["p99<5ms"], rates: "1..2" }, /--find and --rates/],
      [{ find: ["p99<5ms"], requests: 5 }, /--requests and --find/],
      [{ find: ["p99"] }, /--find: expected/],
      [{ find: ["rate>5"] }, /the rate is what is searched for/],
      [{ rates: "1..2", rate: "5" }, /--rate and --rates/],
      [{ rates: "2..1" }, /--rates: expected 1k\.\.64k/],
    ] as const
  ) {
    assertMatch(assertThrows(() => readStudy(values), UsageError).message, why);
  }
  assertEquals(readStudy({ rate: "5" }), undefined);
});

test("what a series cannot do at its highest rate is said before its first step", async () => {
  const plan = async (rates: string, arrivals = "poisson") => {
    const study = readStudy({ rates });
    assert(study !== undefined);
    return await planStudy(study, { protocol: "echo", arrivals, duration: 100 });
  };
  assertEquals((await plan("1k..1M")).rate, 1_000);
  const { message } = await assertRejects(() => plan("1k..2M"), OptionError);
  assertMatch(message, /expected at most 1M\/s/);
  // A burst that is more than a whole run would be another rate.
  assertEquals((await plan("1k..4k", "burst:100")).rate, 1_000);
  await assertRejects(() => plan("900..4k", "burst:100"), OptionError);
  const range = { rate: 1, arrivals: "burst:300", durationMs: 1_000 } as const;
  assert(rangeOf([parseThreshold("mean<5ms", "find")], range).least >= 300);
});

test("a study that --abort-on has ended says so", async () => {
  const study = readStudy({ rates: "100,200,300" });
  assert(study !== undefined);
  const plan = await planStudy(study, { protocol: "echo", duration: 100 });
  const rates: (number | null)[] = [];
  const end = { interrupted: true, aborted: "errors>5% (9 %)" };
  const parts = {
    signal: new AbortController().signal,
    onNote: () => {},
    measure(plan: Plan) {
      rates.push(plan.rate);
      const own = rates.length % 2 === 0 ? end : {};
      const { rate } = plan;
      return Promise.resolve(sampleRun(new Dice(1), { load: { target_rate: rate }, ...own }));
    },
  };
  const { study: series } = await conduct(study, plan, parts);
  // What ended one step would end the higher ones too.
  assertEquals(rates, [100, 200]);
  assertEquals(series.steps[1]?.why, "it was ended by --abort-on errors>5% (9 %)");
  assertMatch(series.conclusion[0] ?? "", /^The series was ended by --abort-on errors>5% \(9 %\):/);
  const search = { targets: [parseThreshold("max<99s", "find")], rates: [] };
  const { study: searched } = await conduct(search, plan, parts);
  assertMatch(searched.conclusion[0] ?? "", /^The search was ended by --abort-on errors>5% /);
});

test("a series says nothing of a knee that it cannot have seen", () => {
  const say = (...verdicts: readonly RateStep["verdict"][]) => {
    const runs = verdicts.map((verdict, index) => {
      const load = { target_rate: 100 * (index + 1) };
      const run = sampleRun(new Dice(index), { load, load_limited: verdict === "load limited" });
      if (verdict !== "silent") return run;
      return { ...run, requests: 0, rate: 0, latency_us: new Distribution().summary() };
    });
    const steps = verdicts.map((verdict, run): RateStep => {
      const reached = verdict === "silent" ? 0 : 1;
      return { rate: 100 * (run + 1), run, phase: "step", verdict, why: "nothing", reached };
    });
    return concludeSeries(steps, runs, false).conclusion[0] ?? "";
  };
  assertMatch(say("silent", "silent"), /^Nothing was answered up to 200 \/s/);
  assertMatch(say("load limited", "passed"), /cannot be told from 200 \/s alone/);
  assertMatch(say("load limited", "load limited"), /^The load and not the server/);
  assertMatch(say("passed", "passed"), /^(No knee|The knee)/);
});

test("a step of a search has enough requests for its targets", () => {
  const of = (text: string, arrivals: "even" | "poisson", rate = 1) =>
    rangeOf([parseThreshold(text, "find")], { rate, arrivals, durationMs: 2_000 });
  assertEquals(of("p99<5ms", "even").least, 510);
  assertEquals(of("p99<5ms", "even").first, 510);
  assertEquals(of("p99<5ms", "even", 9_000).first, 9_000);
  assert(of("p99<5ms", "poisson").least > 580);
  assertEquals(of("errors<1%", "even").least, 0.51);
});

test("a step is judged by what the load, the rate and the targets say, in that order", () => {
  const dice = new Dice(5);
  const targets = [parseThreshold("p50<1s", "find"), parseThreshold("errors<1%", "find")];
  const run = sampleRun(dice, { load: { target_rate: 1_000 } });
  assertEquals(judgeStep(run, 1, targets), PASSED);
  assertEquals(judgeStep({ ...run, load_limited: true }, 1, targets).kind, "load limited");
  const nothing = { ...run, requests: 0, errors: { refused: 7 } };
  assertEquals(judgeStep(nothing, 0, targets), {
    kind: "silent",
    why: "nothing was answered (refused 7)",
  });
  const late = judgeStep(run, 0.97, targets);
  assertEquals([late.kind, late.why], ["failed", "97 % of what was due was answered in time"]);
  const failing = judgeStep({ ...run, errors: { reset: run.requests } }, 0.5, targets);
  assertMatch(failing.why ?? "", /^errors was 50 %, 50 % of what was due .* \(reset 5\.00 k\)$/);
});

test("what waited for a connection was not answered in time, and the load's own lag is no waiting", () => {
  const run = sampleRun(new Dice(6), { load: { target_rate: 1_000 }, duration_s: 2 });
  assertEquals(reachedIn({ ...run, requests: 2_000, due: 2_000 }, 2_000), 1);
  assertEquals(reachedIn({ ...run, requests: 1_000, due: 2_000 }, 2_000), 0.5);
  const late = { ...run, requests: 2_000, due: 2_000, duration_s: 4 };
  assert(Math.abs(reachedIn(late, 2_000) - 0.5) < 0.001);
  assertEquals(reachedIn({ ...late, lag_us: { ...run.lag_us, max: 2e6 } }, 2_000), 1);
});

const PLAIN = {
  isTerminal: false,
  hasColours: false,
  columns: () => Infinity,
  write: () => {},
};

/** A report of runs at these rates. */
function reportOf(rates: readonly number[], overloaded: number): { runs: Run[]; report: Report } {
  const dice = new Dice(3);
  const runs = rates.map((rate) =>
    sampleRun(dice, { load: { target_rate: rate }, about: overloaded, subject: null, name: "x" })
  );
  return { runs, report: sampleReport(runs) };
}

test("a series is in the text, the page, the table for programs and the file", () => {
  const { runs, report } = reportOf([1_000, 2_000, 4_000, 8_000], 4_500);
  const last = runs[3] as Run;
  runs[3] = { ...last, latency_us: { ...last.latency_us, mean: 9e5 } };
  const steps = runs.map(({ load, rate }, run) => {
    const reached = Math.min(1, rate / (load.target_rate as number));
    const verdict = reached < 0.98 ? "failed" as const : "passed" as const;
    const why = verdict === "passed" ? null : "56 % of what was due was answered in time";
    return { rate: load.target_rate as number, run, phase: "step" as const, verdict, why, reached };
  });
  const study = { steps, found: null, interrupted: false, ...concludeSeries(steps, runs, false) };
  const full = { ...report, rate_study: study, findings: study.conclusion };
  assertEquals(study.knee, { rate: 4_000, overloaded: 8_000 });
  const text = formatTerminal(full, PLAIN);
  assertMatch(text, /^rate due +answered +in time +response p50.*service p99/m);
  assertMatch(text, /^8\.00 k\/s .* 5\d %/m);
  assertMatch(text, /• The knee is at 4\.00 k\/s: /);
  assertMatch(text, /• The server is overloaded from 8\.00 k\/s on: 56 % of what/);
  assertEquals(parseJson(formatJson(full), "it").rate_study, study);
  assertMatch(formatMarkdown(full), /^\| 8\.00 k\/s \|/m);
  const [head = "", ...rows] = formatCsv(full).split("\r\n");
  const at = head.split(",").indexOf("step_verdict");
  const verdicts = rows.filter((row) => row.startsWith("run,")).map((row) => row.split(",")[at]);
  assertEquals(verdicts, ["passed", "passed", "passed", "failed"]);
  assertMatch(formatHtml(full), /"study":\{/);
  const cut = concludeSeries(steps.slice(0, 2), runs, true).conclusion.join("\n");
  assertMatch(cut, /^The series was interrupted.*\nNo knee up to 2\.00 k\/s/);
});

test("a search says what it has found and why the next step failed, and thresholds judge that", () => {
  const rates = [2_000, 4_000, 2_000, 2_000, 2_000];
  const { runs, report } = reportOf(rates, 3_000);
  const steps = rates.map((rate, run) => ({
    rate,
    run,
    phase: run < 2 ? "doubling" as const : "confirming" as const,
    verdict: rate > 2_000 ? "failed" as const : "passed" as const,
    why: rate > 2_000 ? "p99 was 9.00 ms" : null,
    reached: 1,
  }));
  const targets = [parseThreshold("p99<5ms", "find")];
  const next = { rate: 4_000, kind: "failed", why: "p99 was 9.00 ms" } as const;
  const of = (searched: Parameters<typeof concludeSearch>[1]) =>
    concludeSearch(targets, searched, steps, runs);
  const found = of({ end: "found", rate: 2_000, next });
  const study = { steps, knee: null, interrupted: false, ...found };
  assertEquals(found.found.spread, 0);
  assertEquals(found.conclusion.at(-1), `The search took ${steps.length} steps.`);
  assertMatch(
    found.conclusion[0] ?? "",
    /^2\.00 k\/s is the highest rate that meets p99<5ms: 3 confirming runs answered 2\.00 k\/s ± 0\.0 %, with p99 [\d.]+ ms to [\d.]+ ms\.$/,
  );
  assertEquals(found.conclusion[1], "The next step failed, 4.00 k/s: p99 was 9.00 ms.");
  assertEquals(judgedRuns(runs, study), runs.slice(2));
  assertEquals(judgedRuns(runs, null), runs);
  const full = { ...report, rate_study: study, findings: study.conclusion };
  // A baseline compares what was found, and not the steps on the way.
  const compared = (rate: number, above: number, more: Partial<FoundRate> = {}) => {
    const step = { ...found.found, rate, next: { rate: above, why: "" }, ...more };
    const [sentence = "", ...others] = compareWithBaseline(
      { ...full, rate_study: { ...study, found: step } },
      full,
    );
    assertEquals(others, []);
    return sentence;
  };
  const load = formatLoad({ ...(runs[0] as Run).load, target_rate: null, seed: null });
  assertEquals(
    compared(4_500, 4_590),
    `${runs[0]?.name}, ${load}: the highest rate that meets p99<5ms is 4.50 k/s ± 0.0 %, ` +
      "2.25 times the 2.00 k/s ± 0.0 % of the baseline: better, as far as one search each can tell.",
  );
  assertMatch(compared(1_000, 1_020), /0\.50 times .*: worse, as far/);
  assertMatch(compared(3_000, 5_000), /3\.00 k\/s .* cannot be told from the 2\.00 k\/s/);
  assertMatch(compared(1_900, 1_990, { spread: 0.02 }), /cannot be told from the 2\.00 k\/s/);
  assertMatch(
    compared(1_000, 1_020, { end: "never", rate: null }),
    /is none, against the 2\.00 k\/s .*: worse/,
  );
  assertMatch(compared(4_500, 4_590, { targets: ["p99<9ms"] }), /^Cannot compare .* p99<9ms/);
  assertMatch(compared(4_500, 4_590, { end: "interrupted" }), /^Cannot compare .* its end/);
  assertMatch(compareWithBaseline(report, full).join("\n"), /^Cannot .*: here was no search\.$/);
  assertEquals(parseJson(formatJson(full), "it").rate_study, study);
  assertMatch(formatTerminal(full, PLAIN), /^4\.00 k\/s .* doubling +failed$/m);
  const limited = of({ end: "found", rate: 2_000, next: { ...next, kind: "load limited" } });
  assertMatch(limited.conclusion.join("\n"), /^At least 2\.00 k\/s meets .*\n.*tells nothing/);
  assertMatch(
    of({ end: "every rate", rate: 2_000, next: undefined }).conclusion[0] ?? "",
    /^Every/,
  );
  assertMatch(of({ end: "never", rate: undefined, next }).conclusion[0] ?? "", /^No rate meets/);
  const cut = of({ end: "interrupted", rate: 2_000, next }).conclusion.join("\n");
  assertMatch(cut, /interrupted: until then 2\.00 k\/s had met p99<5ms, which was not confirmed/);
});

/** The engines that exist on this system. */
const ENGINES: readonly EngineKind[] = whyNoDescriptors() === undefined
  ? ["descriptors", "runtime"]
  : ["runtime"];

/** Conducts a study of a server that gives 79 right answers in each run. */
async function studyCounts(engine: EngineKind, values: Values): Promise<Studied> {
  let answered = 0;
  await using server = await LoadServer.start((bytes, socket) => {
    const isRight = answered++ < 79;
    socket.write(isRight ? bytes : bytes.map((byte) => byte ^ 1));
  });
  const study = readStudy(values);
  assert(study !== undefined);
  const options = { protocol: "echo", engine, duration: 100, connections: 20 };
  const rate = study.rates.length > 0 ? {} : { rate: 400 };
  return await conduct(study, await planStudy(study, { ...options, ...rate }), {
    signal: new AbortController().signal,
    onNote: () => {},
    async measure(plan, repeat) {
      answered = 0;
      const target = { ...server, name: "test", repeat };
      const run = await measure({ ...plan, rehearse: false }, target);
      // Only the counts are to decide, however late a busy machine is.
      return { ...run, load_limited: false, duration_s: 0.1, rate: run.requests * 10 };
    },
  });
}

test(
  "a search finds the rate of a real server that answers so many requests of each run",
  async () => {
    const { study, runs } = await studyCounts(ENGINES[0] as EngineKind, { find: ["errors<1"] });
    // Up to 790/s there are 79 requests in 100 ms. The next halving would be nearer than 2 %.
    const { steps, found } = study;
    assertEquals(found, {
      targets: ["errors<1"],
      end: "found",
      rate: 787.5,
      spread: 0,
      next: { rate: 800, why: "errors was 1" },
    });
    assertEquals(steps.map(({ rate }) => rate), [
      400,
      ...[800, 800],
      ...[600, 700, 750, 775, 787.5],
      ...[787.5, 787.5, 787.5],
    ]);
    assertEquals(runs.slice(-3).map(({ due, requests }) => [due, requests]), [
      [79, 79],
      [79, 79],
      [79, 79],
    ]);
    // Each run has payloads and arrivals of its own.
    assertEquals(runs.slice(-4).map(({ load: { seed }, repeat }) => [seed, repeat]), [
      [8, 1],
      [9, 2],
      [10, 3],
      [11, 4],
    ]);
  },
  { timeoutMs: 60_000 },
);

test("a run that waits for its last answers can be ended, on each engine", async () => {
  await Promise.all(ENGINES.map(async (engine) => {
    const ending = new AbortController();
    let asked = 0;
    // It answers nothing. When all has been asked, the last answers are waited for soon after.
    await using server = await LoadServer.start(() => {
      if (++asked === 5) setTimeout(() => ending.abort(), 200);
    });
    const options = { protocol: "echo", engine, duration: 50, connections: 5, timeout: 600_000 };
    const plan = await makePlan({ ...options, rate: 100 });
    const run = await measure({ ...plan, rehearse: false }, {
      address: server.address,
      name: "test",
      signal: ending.signal,
    });
    assertEquals([run.interrupted, run.requests, run.due], [true, 0, 5], engine);
  }));
});

test("a series measures each rate once, on each engine", async () => {
  await Promise.all(ENGINES.map(async (engine) => {
    const { study, runs } = await studyCounts(engine, { rates: "780,1k" });
    assertEquals(study.steps.map(({ rate, verdict }) => [rate, verdict]), [
      [780, "passed"],
      [1_000, "failed"],
    ]);
    assertEquals(runs.map(({ due, requests }) => [due, requests]), [[78, 78], [100, 79]]);
    assertEquals([study.found, study.knee?.overloaded], [null, 1_000]);
  }));
}, { timeoutMs: 60_000 });

test("users search, measure a series and interrupt a search", async () => {
  await using server = await LoadServer.start((bytes, socket) => {
    setTimeout(() => void socket.write(bytes), 60);
  });
  const bench = (...args: string[]) =>
    new Script("lab/bench.ts", [
      "--no-floor",
      `127.0.0.1:${server.address.port}`,
      "--protocol",
      "echo",
      ...args,
    ]);
  await using never = bench("--find", "p50<1us", "-d", "100ms", "--rate", "1", "--json");
  await using series = bench("--rates", "50,100", "-d", "200ms", "--arrivals", "poisson");
  await using cut = bench("--find", "p50<1s", "-d", "300ms", "--rate", "100");
  await until("a step of the search", () => server.arrivals > 100);
  process.kill(cut.pid, "SIGINT");
  const [nothing, steps, interrupted] = await Promise.all([
    never.end(30_000),
    series.end(30_000),
    cut.end(30_000),
  ]);
  assertEquals([nothing.code, steps.code, interrupted.code], [99, 0, 130]);
  const { found } = parseJson(nothing.stdout, "it").rate_study ?? {};
  assertMatch(found?.end ?? "", /^never$/);
  assertMatch(
    nothing.stderr,
    /the search begins with 204 \/s: fewer requests in 100 ms do not tell p50/,
  );
  assertMatch(
    nothing.stderr,
    /No rate meets p50<1us|Whether any rate meets p50<1us cannot be told/,
  );
  assertMatch(steps.stdout, /Poisson arrivals, seeds from 1$/m);
  assertMatch(steps.stdout, /^50 \/s .*\n100 \/s /m);
  assertMatch(interrupted.stdout, /The search was interrupted: until then/);
}, { timeoutMs: 60_000 });
