/**
 * Reports of a measurement: what they say, and what they leave out.
 *
 * @module
 */

import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import form from "../../docs/bench.schema.json" with { type: "json" };
import stringWidth from "string-width";
import { compareWithBaseline } from "../../lab/report/baseline.ts";
import { contestsOf, formatLoad } from "../../lab/report/contests.ts";
import { formatCsv } from "../../lab/report/csv.ts";
import { distributionOf } from "../../lab/report/distribution.ts";
import { findingsOf } from "../../lab/report/findings.ts";
import { formatJson, parseJson, ReportFormatError } from "../../lab/report/json.ts";
import { LiveDisplay, type Progress } from "../../lab/report/live_display.ts";
import { formatMarkdown } from "../../lab/report/markdown.ts";
import { clip, type Screen, wrap } from "../../lab/report/screen.ts";
import { bothTails } from "../../lab/report/student.ts";
import { differ, formatRatio, median, ratioOf } from "../../lab/report/statistics.ts";
import { formatTerminal } from "../../lab/report/terminal.ts";
import { whyUnjudged } from "../../lab/report/rate_study.ts";
import { failedThresholds, parseThreshold } from "../../lab/report/thresholds.ts";
import {
  formatBytes,
  formatCount,
  formatRate,
  formatShare,
  formatTime,
  formatWhole,
} from "../../engine/values/units.ts";
import type { Report, Run } from "../../lab/load/results.ts";
import { UsageError } from "../../engine/cli/flags.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { Pace } from "../kit/paced_server.ts";
import {
  Dice,
  DRAWN,
  LOAD,
  type Sample,
  sampleComparison,
  sampleRepeats,
  sampleReport,
  sampleRun,
} from "../kit/report_samples.ts";
import { claimsIn } from "../proofs/comparisons.ts";

/** A name that would act on a terminal if it were not escaped. */
const HOSTILE = 'evil \x1b[2J\u202e <b>"x"</b> | `y` _z_ @you #1\r\nnext';

/** A screen that keeps what is written to it. */
class Paper implements Screen {
  readonly isTerminal: boolean;
  readonly hasColours: boolean;
  readonly #columns: number;
  text = "";

  constructor(columns = Infinity, hasColours = false) {
    this.isTerminal = columns !== Infinity;
    this.hasColours = hasColours;
    this.#columns = columns;
  }

  columns(): number {
    return this.#columns;
  }

  write(text: string): void {
    this.text += text;
  }
}

/** Two servers: one of them answers this many times as much as the other. */
function pairOf(times: number, repeats: number, sample = {}): Run[] {
  const dice = new Dice(7);
  return [
    ...sampleRepeats(dice, "event · deno", repeats, { about: 20_000, ...sample }),
    ...sampleRepeats(dice, "threadpool · deno", repeats, { about: 20_000 * times, ...sample }),
  ];
}

const FIGURES: readonly (readonly [string, string])[] = [
  [formatTime(0), "0 µs"],
  [formatTime(7), "7 µs"],
  [formatTime(7.25), "7.25 µs"],
  [formatTime(181.4), "181 µs"],
  [formatTime(999.6), "1.00 ms"],
  [formatTime(1_204), "1.20 ms"],
  [formatTime(99_960), "100 ms"],
  [formatTime(2_310_000), "2.31 s"],
  [formatTime(3_600_000_000), "3600 s"],
  [formatRate(0), "0 /s"],
  [formatRate(999), "999 /s"],
  [formatRate(41_234.5), "41.2 k/s"],
  [formatRate(999_960), "1.00 M/s"],
  [formatCount(412_345), "412 k"],
  [formatWhole(412_345), "412,345"],
  [formatBytes(1023), "1023 B"],
  [formatBytes(64 * 2 ** 20), "64.0 MiB"],
  [formatShare(0), "0 %"],
  [formatShare(1), "100 %"],
  [formatShare(0.99999), "99.99 %"],
  [formatShare(0.00001), "under 0.01 %"],
  [formatShare(0.0012), "0.12 %"],
  [formatShare(0.831), "83 %"],
];

test("figures have three digits and the unit that suits them", () => {
  for (const [actual, expected] of FIGURES) assertEquals(actual, expected);
});

test("a ratio carries the error of both its sides", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  // Computed as hyperfine does: 2 · √((1/10)² + (1/20)²).
  const { ratio, deviation } = ratioOf([19, 20, 21], [9, 10, 11]);
  assertEquals(ratio, 2);
  assert(Math.abs((deviation as number) - 2 * Math.hypot(1 / 20, 1 / 10)) < 1e-12);
  assertEquals(formatRatio({ ratio, deviation }), "2.00 ± 0.22");
  assertEquals(formatRatio(ratioOf([20], [10])), "2.00");
});

test("a difference counts only if the repeats support it", () => {
  assertEquals(differ([100, 101, 99], [120, 121, 119]), true);
  assertEquals(differ([100, 130, 80], [120, 150, 95]), false);
  assertEquals(differ([100, 101], [200, 201]), false, "two repeats are too few");
  assertEquals(differ([100, 100, 100], [101, 101, 101]), false, "1 % is not worth a sentence");
  assertEquals(differ([100, 100, 100], [110, 110, 110]), true);
  assertEquals(differ([0, 0, 0], [110, 110, 110]), false, "nothing is a multiple of nothing");
  assertEquals(differ([NaN, 1, 1], [2, 2, 2]), false);
});

test("of two hundred comparisons of equals, about one finds a difference", () => {
  const dice = new Dice(1);
  const repeats = () => Array.from({ length: 3 }, () => 1000 * Math.exp(0.05 * dice.normal()));
  let found = 0;
  for (let time = 0; time < 5_000; time++) if (differ(repeats(), repeats())) found++;
  assert(found <= 35, `${found} of 5000`);
});

test("the more is compared at once, the more must support a difference", () => {
  const [values, others] = [[100, 102, 98, 101, 99], [106, 108, 104, 107, 105]];
  assertEquals(differ(values, others), true);
  assertEquals(differ(values, others, 100), false);
});

test("the tails of Student's distribution are those of the tables", () => {
  // One hundredth lies beyond these, for 1 degree of freedom and more.
  const assertNear = (actual: number, expected: number, within: number) =>
    assert(Math.abs(actual - expected) < within, `${actual}, not ${expected}`);
  const table = [63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169];
  table.forEach((t, index) => assertNear(bothTails(t, index + 1), 0.01, 1e-5));
  assertNear(bothTails(-2.750, 30), 0.01, 1e-5);
  assertNear(bothTails(5.041, 8), 0.001, 1e-6);
  // Between whole degrees it lies between them, and without limit it is the normal distribution.
  assert(bothTails(3, 7) > bothTails(3, 7.5) && bothTails(3, 7.5) > bothTails(3, 8));
  assertNear(bothTails(1.959964, 1e6), 0.05, 1e-5);
  assertEquals(bothTails(0, 3), 1);
  assertEquals(bothTails(Infinity, 3), 0);
});

test("equal modes are hardly ever ranked", () => {
  const dice = new Dice(3);
  const run = sampleRun(dice);
  let ranked = 0;
  for (let time = 0; time < 200; time++) {
    const runs = Array.from({ length: 21 }, (_, index) => ({
      ...run,
      server: null,
      name: `mode ${index % 7}`,
      rate: 40_000 * Math.exp(0.03 * dice.normal()),
    }));
    if (findingsOf(runs).some((text) => / answers most: /.test(text))) ranked++;
  }
  assert(ranked <= 4, `${ranked} of 200`);
});

test("the findings name the fastest server, its lead, and its price in CPU time", () => {
  const findings = findingsOf(pairOf(2, 3));
  assertMatch(
    findings[0] as string,
    /^threadpool · deno \(\d\d\.\d k\/s\) answers most: (1\.9|2\.0)\d ± 0\.\d\d times as much as event · deno /,
  );
  assert(findings.some((text) => text.includes("has the lowest p99")));
  assert(findings.some((text) => text.includes("answers most for each second of CPU time")));
});

test("a pause in one repeat hides no difference between the medians", () => {
  // 2 ms more in every repeat, and in one of them the machine stood still for a moment.
  const rest = { p999: null, max: 30_000, percentiles: [] };
  const times = (p50: number, p99: number) => ({ p50, p90: p50 + 500, p99, mean: p50, ...rest });
  const tails = [12_500, 12_600, 12_400, 25_000, 12_500];
  const dice = new Dice(11);
  const runs = tails.flatMap((tail, repeat) => {
    const [quick, slow] = [times(11_000 + repeat, tail), times(13_000 + repeat, 14_600)];
    return [
      sampleRun(dice, { name: "quick", repeat, latency_us: quick }),
      sampleRun(dice, { name: "slow", repeat, latency_us: slow }),
    ];
  });
  const findings = findingsOf(runs).join("\n");
  assertMatch(
    findings,
    /^quick \(11\.0 ms\) has the lowest p50: slow \(13\.0 ms\) has 1\.18 ± 0\.00 /m,
  );
  assertMatch(findings, /^none differs from the best in p99/m);
});

test("with fewer than three repeats no difference is reported, and the findings say so", () => {
  for (const repeats of [1, 2]) {
    const findings = findingsOf(pairOf(10, repeats));
    assertEquals(findings.filter((text) => /most|lowest|least memory/.test(text)), []);
    assertMatch(findings.join("\n"), /fewer than 3 times/);
  }
  assertEquals(findingsOf([sampleRun(new Dice(1))]), [], "one run is compared with nothing");
});

test("servers that cannot be told apart are not ranked", () => {
  const findings = findingsOf(pairOf(1.01, 3, { spread: 0.05 }));
  assertMatch(findings[0] as string, /^none differs from the best in rate/);
  const more = /^With more repeats \(--repeat\) more could be told apart/m;
  assert(!more.test(findings.join("\n")), "they are equal, as far as can be seen");
  // Far apart, but each of them varies as much.
  const unsure = findingsOf(pairOf(2, 3, { spread: 0.5 })).join("\n");
  assertMatch(unsure, /^none differs from the best in rate/);
  assertMatch(unsure, more);
});

test("the findings report errors, a load that was too slow, and a target that was missed", () => {
  const dice = new Dice(5);
  const load = { target_rate: 60_000 };
  const runs = [
    sampleRun(dice, { name: "a", load, errors: { timeout: 10, reset: 2 }, load_limited: true }),
    sampleRun(dice, { name: "b", load, about: 30_000, errors: { reset: 0 } }),
  ];
  const text = findingsOf(runs).join("\n");
  assertMatch(text, /^a: 12 of \d+ k requests failed, under 0\.01 % \(timeout 10, reset 2\)\.$/m);
  assertMatch(
    text,
    /^a: the load and not the server set the limit .* part of the times is its own\.$/m,
  );
  const [closed = ""] = findingsOf([sampleRun(dice, { name: "c", load_limited: true })]);
  assertMatch(closed, /^c: the load and not the server .* may do more than \d\d\.\d k\/s\.$/);
  assertMatch(text, /^b: (49|50|51) % of the 60\.0 k\/s that were due .*; also a \(\d\d %\)\.$/m);
  assertMatch(text, /requests waited before they could be sent, p99 [\d.]+ ms from when they were/);
});

test("a server that answers nothing is not the quickest", () => {
  const none = {
    p50: null,
    p90: null,
    p99: null,
    p999: null,
    max: null,
    mean: null,
    percentiles: [],
  };
  const silent = { requests: 0, rate: 0, latency_us: none, service_us: none, duration_s: 5 };
  for (const target_rate of [null, 10_000]) {
    const load = { ...LOAD, target_rate };
    const dumb = [1, 2, 3].map((repeat) =>
      sampleRun(new Dice(repeat), { ...silent, name: "dumb", repeat, load })
    );
    const runs = [...dumb, ...pairOf(2, 3, { load })];
    assertMatch(findingsOf(runs).join("\n"), /^threadpool · deno \(.*\) has the lowest p99: /m);
    const [first = "", ...rows] = formatTerminal(sampleReport(runs), new Paper()).split("\n").slice(
      2,
    );
    assertMatch(first, /^threadpool · deno .* 1\.00 /);
    const [last = ""] = rows.filter((row) => row.startsWith("dumb ")).slice(-1);
    assertMatch(last, /^dumb +0 \/s .* – +– +–/);
    assert(rows.indexOf(last) === 1, rows.join("\n"));
  }
});

test("a load whose runs never end although bytes go both ways is told what a run is", () => {
  const dice = new Dice(13);
  const silent = { name: "a", requests: 0, bytes_sent: 640, bytes_received: 640 };
  const own = { ...silent, load: { protocol: "twice" } };
  const said = (sample: Sample) => findingsOf([sampleRun(dice, sample)]).join("\n");
  const expected =
    /^a: no request over in [\d.]+ [mµ]?s, although bytes went both ways: one run of "load" in twice is one request and its answer, and must end after it\.$/m;
  assertMatch(said(own), expected);
  assertMatch(said({ ...own, errors: { timeout: 3, unanswered: 50 } }), expected);
  for (
    const other of [
      silent,
      { ...own, bytes_received: 0 },
      { ...own, requests: 1 },
      { ...own, errors: { closed: 1 } },
    ]
  ) {
    assertNotMatch(said(other), /one run of/);
  }
}, { pure: true });

test("nothing is said about a slowest thousandth that is not known", () => {
  const said = (p999: number | null) => {
    const latency_us = { p50: 20, p90: 30, p99: 40, p999, max: 9_000, mean: 40, percentiles: [] };
    return findingsOf([sampleRun(new Dice(5), { latency_us })]).join("\n");
  };
  assertStringIncludes(said(9_000), "one request in a thousand takes 9.00 ms or more, 450 times");
  assertEquals(said(null), "");
});

test("a server that answers nothing is reported, but not another one that fails", () => {
  const dice = new Dice(11);
  const [silent = "", ...others] = findingsOf([
    sampleRun(dice, { name: "a", requests: 0 }),
    sampleRun(dice, { name: "b", requests: 0, errors: { timeout: 50 } }),
  ]);
  assertMatch(silent, /^a: nothing in [\d.]+ [mµ]?s was answered: it may not speak frame\.$/);
  assertMatch(others[0] ?? "", /^b: .* requests failed/);
  assertEquals(others.filter((text) => text.includes("answered")), []);
});

test("connections that were never answered are reported: the figures omit them", () => {
  const dice = new Dice(13);
  const load = { connections: 50 };
  const [starved = ""] = findingsOf([
    sampleRun(dice, { name: "a", load, starved_connections: 44 }),
    sampleRun(dice, { name: "a", load, repeat: 2, starved_connections: 46 }),
    sampleRun(dice, { name: "b", load }),
  ]);
  assertEquals(
    starved,
    "a: 46 of 50 connections had no answer at all, the figures are those of the others.",
  );
  const nothing = findingsOf([sampleRun(dice, { load, requests: 0, starved_connections: 50 })]);
  assertEquals(nothing.length, 1, nothing.join("\n"));
});

test("runs under different loads are not compared", () => {
  const dice = new Dice(9);
  const runs = [
    ...sampleRepeats(dice, "a", 3),
    ...sampleRepeats(dice, "b", 3, { about: 1_000, load: { connections: 500 } }),
    ...sampleRepeats(dice, "a", 3, { about: 500, load: { connections: 500 } }),
  ];
  assertEquals(contestsOf(runs).map(({ entries }) => entries.map(({ name }) => name)), [
    ["a"],
    ["b", "a"],
  ]);
  const findings = findingsOf(runs);
  assert(findings.length > 0);
  for (const text of findings) assertMatch(text, /^500 connections: /);
  assertEquals(formatLoad(LOAD), "frame · 50 connections · 64 B");
});

test("a baseline is compared where the load is the same, and differences are reported", () => {
  const before = sampleReport(pairOf(2, 5));
  const now = sampleReport(pairOf(3, 5));
  const text = compareWithBaseline(now, before).join("\n");
  assertMatch(
    text,
    /^threadpool · deno, frame .*: rate (?:59|6\d)\.\d k\/s, 1\.5\d? ± .* times the .* of the baseline: better\.$/m,
  );
  assertMatch(text, /p99 .* of the baseline: better\.$/m);
  assert(!/^event · deno.* rate/m.test(text), text);
  assertMatch(compareWithBaseline(before, now).join("\n"), /baseline: worse\.$/m);
  assertEquals(compareWithBaseline(before, before), [
    "Nothing differs from the baseline by more than the repeats differ.",
  ]);
  const other = sampleReport(pairOf(2, 3, { load: { connections: 7 } }));
  assertMatch(compareWithBaseline(now, other).join("\n"), /^Nothing of the baseline was measured/);
  const once = sampleReport(pairOf(2, 1));
  assertMatch(compareWithBaseline(once, before).join("\n"), /fewer than 3 times/);
  const elsewhere = { ...before, machine: { ...before.machine, cores: 64 } };
  assertMatch(compareWithBaseline(now, elsewhere)[0] as string, /elsewhere \(cores 64\)/);
});

/** A run with round figures. */
const ROUND: Run = {
  ...sampleRun(new Dice(11), { errors: { timeout: 100 } }),
  requests: 99_900,
  rate: 20_000,
  duration_s: 5,
  latency_us: {
    p50: 100,
    p90: 200,
    p99: 5_000,
    p999: 9_000,
    max: 1_000_000,
    mean: 150,
    percentiles: [],
  },
  service_us: { p50: 90, p90: 190, p99: 400, p999: 800, max: 2_000, mean: 110, percentiles: [] },
  server: {
    cpu_s: 6,
    requests_per_cpu_s: 16_650,
    memory_bytes: 60 * 2 ** 20,
    peak_memory_bytes: 64 * 2 ** 20,
    threads: 9,
    voluntary_switches: 1,
    involuntary_switches: 2,
    ended: false,
  },
};

const KEPT = [
  "p50<=100us",
  "p50 < 0.2ms",
  "p90<201µs",
  "p99<=5ms",
  "p999<9001us",
  "p99.9>=9ms",
  "max<=1s",
  "mean<0.2ms",
  "service.p99<0.5ms",
  "service.p99.9<1ms",
  "lag.p99<1s",
  "errors<=0.1%",
  "errors<101",
  "rate>19999",
  "rate>=20k",
  "rate>=20000/s",
  "cpu<=120%",
  "memory<65MiB",
];
const FAILED = [
  "p99<5ms",
  "p99.9<9ms",
  "service.p50<90us",
  "errors<0.1%",
  "errors<=99",
  "rate>20000",
  "cpu<119%",
  "memory<64m",
  "connect.p99<1s",
];

test("thresholds are met or missed, also exactly at their limit", () => {
  for (const text of KEPT) {
    assertEquals(failedThresholds([parseThreshold(text)], [ROUND]), [], text);
  }
  for (const text of FAILED) {
    const [line = ""] = failedThresholds([parseThreshold(text)], [ROUND]);
    assertStringIncludes(line, `threshold ${text} failed: `);
    assertStringIncludes(line, "(threadpool · deno, frame · 50 connections · 64 B, run 1)");
  }
});

test("a figure that was not measured fails its threshold", () => {
  const latency_us = {
    p50: null,
    p90: null,
    p99: null,
    p999: null,
    max: null,
    mean: null,
    percentiles: [],
  };
  const nothing = { ...ROUND, requests: 0, rate: 0, errors: {}, server: null, latency_us };
  for (const text of ["p99<5ms", "max<1s", "errors<1%", "cpu<100%", "memory<1g", "rate>0"]) {
    assertEquals(failedThresholds([parseThreshold(text)], [nothing]).length, 1, text);
  }
});

test("a threshold fails of what should have been measured and was not", () => {
  const run = sampleRun(new Dice(1));
  const kept = [parseThreshold("max<3600s")];
  const study = { steps: [], knee: null, found: null, interrupted: false, conclusion: [] };
  const found = { targets: ["p99<5ms"], rate: null, spread: null, next: null };
  const cases = [
    [null, undefined],
    [study, undefined],
    [{ ...study, interrupted: true }, "the series was interrupted"],
    [{ ...study, found: { ...found, end: "found", rate: 5 } }, undefined],
    [{ ...study, found: { ...found, end: "never" } }, "no rate was confirmed"],
    [{ ...study, found: { ...found, end: "interrupted", rate: 5 } }, "no rate was confirmed"],
  ] as const;
  for (const [one, why] of cases) {
    assertEquals(whyUnjudged(one), why);
    assertEquals(
      failedThresholds(kept, [run], [], whyUnjudged(one)),
      why === undefined ? [] : [`threshold max<3600s failed: not measured, ${why}`],
    );
  }
});

test("a text that is not a threshold is refused on one line", () => {
  const wrong = [
    "",
    "p99",
    "p99<",
    "<5ms",
    "p99=5ms",
    "p99<5",
    "p99<5m",
    "p99<-1ms",
    "p0<5ms",
    "p100<5ms",
    "p9.x<5ms",
    "toString<5ms",
    "constructor>1",
    "service.<5ms",
    "nothing.p99<5ms",
    "errors<x%",
    "rate>20x",
    "rate>1e5",
    "cpu<1.5",
    "memory<big",
    `rate>${"9".repeat(400)}`,
    "p99<5ms\np50<1ms",
  ];
  for (const text of wrong) {
    const { message } = assertThrows(() => parseThreshold(text), UsageError);
    assertStringIncludes(message, "wrong value for --threshold: expected ");
  }
  fc.assert(fc.property(fc.string(), (text) => {
    try {
      parseThreshold(text);
    } catch (error) {
      assert(error instanceof UsageError);
    }
  }));
});

test("a measurement is unchanged after it was written and read", () => {
  const report = sampleReport([ROUND, sampleRun(new Dice(1), { subject: null, server: null })]);
  assertEquals(parseJson(formatJson(report), "base.json"), report);
});

test("the schema describes every field, and real reports conform to it", () => {
  // The same schema, but no further properties are allowed.
  const strict = JSON.parse(
    JSON.stringify(form),
    (_, value) =>
      value?.type === "object" && value.additionalProperties === undefined
        ? { ...value, additionalProperties: false }
        : value,
  );
  const validate = new Ajv2020({ allowUnionTypes: true, allErrors: true }).compile(strict);
  for (const report of [sampleComparison(2, 1), sampleReport([])]) {
    assertEquals([validate(JSON.parse(formatJson(report))), validate.errors], [true, null]);
  }
});

test("a report of an older version, which knew less, can still be read", () => {
  const now = sampleReport([ROUND]);
  const report = JSON.parse(formatJson(now));
  delete report.missing;
  delete report.rate_study;
  const [run] = report.runs;
  for (const field of ["starved_connections", "interrupted", "due", "recoveries"]) {
    delete run[field];
  }
  for (const field of ["rate_parts", "arrivals"]) delete run.load[field];
  for (const clock of ["latency_us", "service_us", "lag_us"]) delete run[clock].percentiles;
  delete run.histogram.connect;
  delete run.histogram.lag;
  delete run.server.ended;
  assertEquals(parseJson(JSON.stringify(report), "old.json"), now);
});

test("a file that is not a measurement, or is damaged, is refused on one line", () => {
  const good = formatJson(sampleReport([ROUND]));
  const change = (of: (report: { runs: Record<string, unknown>[] }) => void) => {
    const report = JSON.parse(good);
    of(report);
    return JSON.stringify(report);
  };
  const WRONG: readonly (readonly [string, string])[] = [
    ["", "it is not JSON, or not all of it is there"],
    [good.slice(0, good.length / 2), "it is not JSON, or not all of it is there"],
    ["null", 'it is not a measurement of this bench: it has no "schema": "handshake-bench/1"'],
    ["[1]", "it is not a measurement of this bench"],
    ['{"schema":7}', "it is not a measurement of this bench"],
    ['{"schema":"handshake-bench/2"}', 'its schema is "handshake-bench/2", this bench reads'],
    ['{"schema":"handshake-bench/1"}', "it must have required property 'machine'"],
    [change(({ runs }) => delete runs[0]?.rate), "runs[0] must have required property 'rate'"],
    [change(({ runs }) => runs[0] = { ...runs[0], rate: "fast" }), "runs[0].rate must be number"],
    [change(({ runs }) => runs[0] = { ...runs[0], rate: -1 }), "runs[0].rate must be >= 0"],
    [
      change(({ runs }) => runs[0] = { ...runs[0], errors: { "a\n\x1b[2Jb": -1 } }),
      "runs[0].errors.a\\n\\u001b[2Jb must be >= 0",
    ],
  ];
  for (const [text, expected] of WRONG) {
    const { message } = assertThrows(() => parseJson(text, "base.json"), ReportFormatError);
    assertStringIncludes(message, `Cannot read base.json: ${expected}`);
    assertEquals(message.split("\n").length, 1);
  }
});

/** Parses CSV strictly by RFC 4180. */
function parseCsv(text: string): string[][] {
  const field = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/y;
  const rows: string[][] = [];
  for (let row: string[] = []; field.lastIndex < text.length;) {
    const at = field.lastIndex;
    const [, quoted, plain, end] = field.exec(text) ?? [];
    assert(end !== undefined, `no field at ${at}: ${text.slice(at, at + 40)}`);
    row.push(quoted?.replaceAll('""', '"') ?? plain ?? "");
    if (end !== "\r\n") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

test("CSV has a row for each second and each run, and any name survives the round trip", () => {
  const report = sampleReport([{ ...ROUND, name: HOSTILE }, sampleRun(new Dice(1))]);
  const [head = [], ...rows] = parseCsv(formatCsv(report));
  for (const row of rows) assertEquals(row.length, head.length);
  assertEquals(new Set(head).size, head.length);
  const cell = (row: string[] | undefined, name: string) => row?.[head.indexOf(name)];
  assertEquals(rows.map((row) => cell(row, "row")), [
    ...ROUND.seconds.map(() => "second"),
    "run",
    ...ROUND.seconds.map(() => "second"),
    "run",
  ]);
  assertEquals(cell(rows[0], "name"), HOSTILE);
  assertEquals(cell(rows[0], "at_s"), "1");
  assertEquals(cell(rows[0], "p90_us"), "");
  const run = rows[ROUND.seconds.length];
  assertEquals(cell(run, "p999_us"), "9000");
  assertEquals(cell(run, "service_p99_us"), "400");
  assertEquals(cell(run, "cpu_s"), "6");
  assertEquals(cell(run, "errors"), "100");
  assertEquals(cell(run, "target_rate"), "");
});

test("Markdown has a table for each load, the machine and the command, and no active text", () => {
  const text = formatMarkdown({
    ...sampleReport([...pairOf(2, 3), { ...ROUND, name: HOSTILE }]),
    command: "bench --against 'x=```'",
  });
  const table = text.split("\n").filter((line) => line.startsWith("| "));
  assertEquals(table.length, 5, text);
  const cells = (line: string) => line.split(/(?<!\\)\|/).length;
  for (const line of table) assertEquals(cells(line), cells(table[0] as string), line);
  assertMatch(text, /\| threadpool · deno \| 4\d\.\d k\/s \| \d\.\d % \| 1\.00 \|/);
  assertMatch(text, /\| event · deno \| .* \| (1\.9|2\.0)\d ± 0\.\d\d \|/);
  assertStringIncludes(
    text,
    "Xeon(R) Processor @ 2.80GHz · 2 cores · 8.00 GiB · load from deno 2.9.6",
  );
  assertStringIncludes(text, "````sh\nbench --against 'x=```'\n````");
  assertStringIncludes(text, '&lt;b>"x"&lt;/b> \\| \\`y\\` \\_z\\_ &#64;you &#35;1 next');
});

test("the table fits terminals of any width, and has no colours where they are not allowed", () => {
  const hostile = { ...ROUND, name: HOSTILE.repeat(3) };
  const wide = { ...ROUND, name: "一二三四五六七八九十".repeat(4) };
  const reports: Report[] = [
    sampleReport([...sampleComparison(1, 3).runs, hostile, wide]),
    sampleReport([{ ...ROUND, load: { ...ROUND.load, target_rate: 30_000 } }]),
    sampleReport([hostile]),
    sampleReport([]),
  ];
  for (const report of reports) {
    for (const columns of [200, 80, 60, 40]) {
      const text = formatTerminal(report, new Paper(columns));
      for (const line of text.split("\n")) {
        assert(stringWidth(line) <= columns, `${columns}: ${stringWidth(line)} ${line}`);
      }
      // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
      assert(!/[\x00-\x09\x0b-\x1f\u202e]/.test(text), "nothing but text");
    }
    // deno-lint-ignore no-control-regex -- colours begin with the control character ESC
    const plain = formatTerminal(report, new Paper(100, true)).replaceAll(/\x1b\[\d+m/g, "");
    assertEquals(plain, formatTerminal(report, new Paper(100)));
  }
});

test("the table says how many times slower than the best each server is, best first", () => {
  const text = formatTerminal(sampleReport(pairOf(2, 3)), new Paper(80));
  const lines = text.split("\n");
  assertMatch(lines[1] as string, /^server +rate +times slower +p50 +p99 +errors$/);
  assertMatch(lines[2] as string, /^threadpool · deno +4\d\.\d k\/s +1\.00 /);
  assertMatch(lines[3] as string, /^event · deno +\d\d\.\d k\/s +(1\.9|2\.0)\d ± 0\.\d\d /);
  assertMatch(text, /^no room for: /m);
  assertMatch(text, /^• threadpool · deno/m);
});

test("with a target the service time stands beside the response time", () => {
  const load = { target_rate: 30_000 };
  const one = formatTerminal(sampleReport([sampleRun(new Dice(1), { load })]), new Paper(80));
  assertMatch(one, /^rate +30\.0 k\/s, 100 % of the 30\.0 k\/s that were due$/m);
  assertMatch(one, /^ +p50 +p90 +p99 +p99\.9 +max +mean$/m);
  assertMatch(one, /^response +\d/m);
  assertMatch(one, /^service +\d/m);
  const several = formatTerminal(sampleReport(pairOf(2, 3, { load })), new Paper(100));
  assertMatch(several, /rate +of target +times the p99 .*response p99 +service p99/);
});

test("a name is shortened in its middle, and a line ends between words", () => {
  assertEquals(clip("nonblocking · deno", 12), "nonblo… deno");
  assertEquals(clip("abc", 3), "abc");
  assertEquals(clip("abc", 1), "…");
  assertEquals(clip("abc", 0), "");
  assertEquals(wrap("it takes 5.20 ms of 3 s", 13, 2), ["it takes", "  5.20 ms of", "  3 s"]);
  fc.assert(fc.property(fc.string(), fc.integer({ min: 4, max: 30 }), (text, columns) => {
    for (const line of wrap(text, columns, 2)) assert(stringWidth(line) <= columns);
    assert(stringWidth(clip(text, columns)) <= columns);
  }));
});

const PROGRESS: Progress = {
  title: "threadpool · deno, 2 of 3",
  share: 0.52,
  left_s: 125,
  rate: 41_234,
  p50_us: 181,
  p99_us: 1_204,
  errors: 0,
};

test("the live line is redrawn in place, and removed at the end", () => {
  for (const columns of [120, 80, 60, 40, 20]) {
    const paper = new Paper(columns);
    {
      using display = new LiveDisplay(paper);
      display.show(PROGRESS);
      display.show({ ...PROGRESS, errors: 7 });
      display.say("bench: a sentence that is longer than some of these lines have room for");
      display.show(PROGRESS);
    }
    assert(paper.text.endsWith("\r\x1b[J"));
    // deno-lint-ignore no-control-regex -- as above
    const lines = paper.text.replaceAll(/\x1b\[\??\d*[A-Za-z]/g, "").split(/[\r\n]+/);
    for (const line of lines) assert(stringWidth(line) < columns, `${columns}: ${line}`);
    assertEquals(lines.filter((line) => line.includes("41.2 k/s")).length, 3, `${columns}`);
  }
  const wide = new Paper(120);
  new LiveDisplay(wide).show(PROGRESS);
  assertStringIncludes(
    wide.text,
    "threadpool · deno, 2 of 3  [##########..........]   52 %  2:05 min left  " +
      "41.2 k/s  p50  181 µs  p99 1.20 ms  errors 0\x1b[J",
  );
  const narrow = new Paper(80);
  const display = new LiveDisplay(narrow);
  const lines =
    "threadpool · deno, 2 of 3  [##########..........]   52 %  2:05 min left\x1b[K\r\n" +
    "41.2 k/s  p50  181 µs  p99 1.20 ms  errors 0\x1b[J";
  for (const home of ["\r", "\x1b[A\r"]) {
    narrow.text = "";
    display.show(PROGRESS);
    assertEquals(narrow.text, `${home}\x1b[?7l${lines}\x1b[?7h`);
  }
});

test("a pipe gets a line every five seconds, without escape sequences", () => {
  const paper = new Paper();
  let now = 0;
  using display = new LiveDisplay(paper, () => now);
  for (now = 0; now <= 11_000; now += 100) display.show(PROGRESS);
  const sentence = "a sentence, ".repeat(50).trimEnd();
  display.say(sentence);
  const lines = paper.text.trimEnd().split("\n");
  assertEquals(lines.splice(3), [sentence]);
  assertMatch(
    lines[0] as string,
    /^threadpool · deno, 2 of 3 +52 % +2:05 min left +41\.2 k\/s +p50 +181 µs +p99 1\.20 ms +errors 0$/,
  );
});

test("a terminal that closes does not stop the display's caller", () => {
  let written = 0;
  using display = new LiveDisplay({
    isTerminal: true,
    hasColours: false,
    columns: () => 80,
    write() {
      written++;
      throw new Error("EPIPE");
    },
  });
  display.show(PROGRESS);
  display.show(PROGRESS);
  assertEquals(written, 1);
});

test("the distribution of several repeats is that of all their requests", () => {
  const [run] = [ROUND];
  const points = distributionOf([run.histogram.latency, run.histogram.latency]);
  assertEquals(points[0]?.one_in, 1);
  for (const [index, { one_in, us }] of points.entries()) {
    assert(one_in <= DRAWN / 5 && us >= (points[index - 1]?.us ?? 0), "it rises");
  }
  assert((points.at(-1)?.one_in ?? 0) > DRAWN * 0.17, "to where ten requests are left");
  const { message } = assertThrows(() => distributionOf(["HISTFAAA"]), Error);
  assertStringIncludes(message, "damaged");
});

test("the proof of comparisons reads what a report claims, and its server keeps its pace", () => {
  const claims = (factor: number) => claimsIn(findingsOf(pairOf(factor, 3)));
  assertEquals(claims(1), []);
  assert(
    claims(2).some((sentence) => / answers most: 2\.0\d? ± .* times as much as /.test(sentence)),
  );
  const pace = new Pace(100);
  const dues = [0, 0, 0, 15, 100, 100].map((now) => pace.next(now));
  // What is late delays nothing, and what was idle is no credit.
  assertEquals(dues, [10, 20, 30, 40, 110, 120]);
}, { pure: true });
