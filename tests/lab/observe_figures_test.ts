/**
 * What attempts are made into, without a network: figures, the race between addresses, the names of
 * failures, exit statuses, pictures.
 *
 * @module
 */

import fc from "fast-check";
import { isIPv6 } from "../../engine/net/address.ts";
import { synSchedule } from "../../engine/kernel/proc_net.ts";
import {
  describeFailure,
  evidenceOf,
  exitStatus,
  type Failure,
  FAILURE_KINDS,
  type FailureKind,
  failureOf,
  mostTelling,
} from "../../lab/observe/connect/failure.ts";
import { alternate, Race, STAGGER_MS } from "../../lab/observe/connect/race.ts";
import { drawSparkline, Report } from "../../lab/observe/connect/report.ts";
import { ConnectStatistics, type Figures } from "../../lab/observe/connect/statistics.ts";
import { encodeJson } from "../../lab/report/json_line.ts";
import { escapeText } from "../../protocols/text.ts";
import { assert, assertEquals, assertStringIncludes, test } from "../kit/harness.ts";
import { anyText } from "../kit/texts.ts";

/** An attempt: how long after the last one it begins, how long it takes, and how it ends. */
interface Step {
  readonly pauseMs: number;
  readonly tookMs: number;
  readonly result: { readonly connectUs: number } | { readonly failure: FailureKind };
}

const STEP: fc.Arbitrary<Step> = fc.record({
  pauseMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  tookMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  result: fc.oneof(
    fc.record({ connectUs: fc.double({ min: 0, max: 1e10, noNaN: true }) }),
    fc.record({ failure: fc.constantFrom(...FAILURE_KINDS) }),
  ),
});

/** Counts attempts, and leaves the last one under way if it is to be. */
function count(steps: readonly Step[], isOpen = false): Figures {
  const statistics = new ConnectStatistics();
  let at = 1000;
  steps.forEach(({ pauseMs, tookMs, result }, index) => {
    at += pauseMs;
    statistics.begin(at);
    at += tookMs;
    if (!isOpen || index < steps.length - 1) statistics.end(at, result);
  });
  return statistics.figures;
}

/** All numbers in a value, however deep. */
function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  if (value instanceof Map) return [...value.values()].flatMap(numbersIn);
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

const close = (a: number, b: number) => Math.abs(a - b) <= 1e-6 * Math.max(1, a, b);

test("figures are sound whatever happens", () => {
  fc.assert(fc.property(fc.array(STEP, { maxLength: 40 }), fc.boolean(), (steps, isOpen) => {
    const figures = count(steps, isOpen);
    assert(numbersIn(figures).every(Number.isFinite), JSON.stringify(figures));
    const done = isOpen ? steps.slice(0, -1) : steps;
    const times = done.flatMap(({ result }) =>
      "connectUs" in result ? [Math.round(result.connectUs)] : []
    );
    const failed = [...figures.failures.values()].reduce((sum, many) => sum + many, 0);
    assertEquals(figures.sent, steps.length);
    assertEquals([figures.ok, failed], [times.length, done.length - times.length]);
    assertEquals(figures.connectUs === undefined, times.length === 0);
    if (figures.connectUs !== undefined) {
      const { min, mean, p50, p99, max, jitter } = figures.connectUs;
      assertEquals([min, max], [Math.min(...times), Math.max(...times)]);
      assert(min <= mean && mean <= max && min <= p50 && p50 <= p99 && p99 <= max);
      assertEquals(jitter === undefined, times.length === 1);
      assert(jitter === undefined || (jitter >= 0 && jitter <= max - min + 0.05));
    }
  }));
});

test("time up and time down are the duration, and the outages are the time down", () => {
  fc.assert(fc.property(fc.array(STEP, { minLength: 1, maxLength: 40 }), (steps) => {
    const { upMs, downMs, durationMs, outages, outageCount } = count(steps);
    const [first] = steps as [Step];
    const lasted = steps.reduce((sum, { pauseMs, tookMs }) => sum + pauseMs + tookMs, 0);
    assert(close(durationMs, lasted - first.pauseMs), "the duration");
    assert(close(upMs + downMs, durationMs), "up and down");
    assertEquals(outages.length, outageCount);
    assert(close(outages.reduce((sum, outage) => sum + outage.durationMs, 0), downMs), "outages");
    assert(upMs >= 0 && downMs >= 0);
  }));
});

test("an attempt that fails within half a second is no outage of a second", () => {
  // pouriyajamshidi/tcping #162: -i 0.1 -t 0.5.
  const ok: Step = { pauseMs: 99, tookMs: 1, result: { connectUs: 1000 } };
  const late: Step = { pauseMs: 99, tookMs: 500, result: { failure: "timeout" } };
  const { outages, downMs } = count([ok, late, { ...ok, pauseMs: 0 }, ok]);
  assertEquals(outages.map(({ durationMs, attempts }) => [durationMs, attempts]), [[500, 1]]);
  assertEquals(downMs, 500);
});

test("without any answer there are no figures, and an attempt under way is counted as sent", () => {
  // pouriyajamshidi/tcping #81: Ctrl-C before the first answer prints NaN.
  const nothing = new ConnectStatistics().figures;
  assertEquals([nothing.sent, nothing.ok, nothing.connectUs, nothing.durationMs], [
    0,
    0,
    undefined,
    0,
  ]);
  const open = count([{ pauseMs: 0, tookMs: 5, result: { connectUs: 1 } }], true);
  assertEquals([open.sent, open.ok, open.connectUs, open.durationMs], [1, 0, undefined, 0]);
});

test("of very many outages the first thousand are told one by one", () => {
  const steps = Array.from({ length: 2_400 }, (_, index): Step => ({
    pauseMs: 1,
    tookMs: 1,
    result: index % 2 === 0 ? { failure: "refused" } : { connectUs: 5 },
  }));
  const { outages, outageCount, recent } = count(steps);
  assertEquals([outages.length, outageCount], [1_000, 1_200]);
  assert(recent.length <= 500);
});

test("families alternate, beginning with the first of the system, and no address is lost", () => {
  assertEquals(alternate(["::1", "::2", "::3", "1.1.1.1"]), ["::1", "1.1.1.1", "::2", "::3"]);
  assertEquals(alternate(["1.1.1.1", "2.2.2.2", "::1"]), ["1.1.1.1", "::1", "2.2.2.2"]);
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  fc.assert(fc.property(fc.uniqueArray(address), (addresses) => {
    const ordered = alternate(addresses);
    assertEquals([...ordered].sort(), [...addresses].sort());
    for (const isSix of [true, false]) {
      const those = (list: readonly string[]) => list.filter((one) => isIPv6(one) === isSix);
      assertEquals(those(ordered), those(addresses));
    }
  }));
});

test("an address has a quarter of a second's head start, and a failure ends it", () => {
  const race = new Race(3, 10_000);
  assertEquals([race.next(0), race.next(0), race.waitMs(100)], [0, undefined, STAGGER_MS - 100]);
  assertEquals([race.next(STAGGER_MS), race.next(STAGGER_MS)], [1, undefined]);
  race.failed();
  assertEquals([race.next(260), race.next(260), race.isLost], [2, undefined, false]);
  race.failed();
  race.failed();
  assert(race.isLost);
});

test("a race tries each address once and ends in time, whatever its attempts do", () => {
  const events = fc.array(fc.tuple(fc.double({ min: 0, max: 500, noNaN: true }), fc.boolean()));
  fc.assert(fc.property(fc.integer({ min: 1, max: 6 }), events, (addresses, steps) => {
    const race = new Race(addresses, 1_000);
    const tried: number[] = [];
    let now = 0;
    let open = 0;
    for (const [ms, fails] of steps) {
      for (let next = race.next(now); next !== undefined; next = race.next(now)) {
        race.called(now);
        tried.push(next);
        open++;
      }
      assert(race.waitMs(now) >= 0 && race.waitMs(now) <= 1_000);
      now += ms;
      if (fails && open-- > 0) race.failed();
      else open = Math.max(0, open);
    }
    assertEquals(tried, [...tried.keys()]);
    assert(tried.length <= addresses);
    assertEquals(race.isLate(now), tried.length > 0 && now >= 1_000);
  }));
});

test("the exit status is 0 if one succeeded, else that of the most frequent failure", () => {
  const status = (ok: number, ...failures: [FailureKind, number][]) =>
    exitStatus(ok, new Map(failures));
  assertEquals(status(1, ["refused", 99]), 0);
  // cloverstd/tcping #34: all attempts fail and the status is 0.
  assertEquals(status(0, ["refused", 2], ["timeout", 1]), 3);
  assertEquals(status(0, ["refused", 1], ["timeout", 2]), 4);
  assertEquals(status(0, ["timeout", 2], ["refused", 2]), 4);
  assertEquals(
    ["name_not_found", "no_ports", "self", "filtered"].map((kind) =>
      status(0, [kind as FailureKind, 1])
    ),
    [3, 3, 3, 3],
  );
  assertEquals([status(0, ["silent", 1]), status(0, ["reset", 1]), status(0)], [4, 1, 1]);
});

test("errors are told apart by their evidence", () => {
  const kindOf = (
    code: string,
    icmp?: readonly [number, number],
    origin: "icmp" | "icmp6" = "icmp",
  ) =>
    failureOf({
      code,
      afterMs: 5,
      icmp: icmp && { origin, type: icmp[0], code: icmp[1], by: "10.0.0.1", own: false },
    }).kind;
  assertEquals(kindOf("ECONNREFUSED"), "refused");
  assertEquals(kindOf("ECONNREFUSED", [3, 3]), "refused");
  assertEquals(kindOf("EHOSTUNREACH"), "unreachable");
  assertEquals(kindOf("EHOSTUNREACH", [3, 1]), "unreachable");
  assertEquals(kindOf("EHOSTUNREACH", [3, 13]), "filtered");
  assertEquals(kindOf("EACCES", [1, 1], "icmp6"), "filtered");
  assertEquals(kindOf("EPERM"), "filtered");
  assertEquals(kindOf("ETIMEDOUT"), "timeout");
  assertEquals(kindOf("EADDRNOTAVAIL"), "no_ports");
  assertEquals(kindOf("EMFILE"), "no_descriptors");
  assertEquals(kindOf("EINVAL"), "failed");
});

test("of several addresses the most telling failure counts", () => {
  const failures: Failure[] = [
    { kind: "unreachable", code: "ENETUNREACH" },
    { kind: "timeout", afterMs: 1, byKernel: false },
    { kind: "refused" },
  ];
  assertEquals(mostTelling(failures), 2);
  assertEquals(mostTelling(failures.slice(0, 2)), 1);
});

test("a timeout says how many SYNs were sent and when the next would have gone", () => {
  const schedule = synSchedule(6, 4);
  const failure: Failure = {
    kind: "timeout",
    afterMs: 6_500,
    byKernel: false,
    syns: 6,
    schedule,
    queue: { waiting: 3, limit: 2, overflows: 6 },
  };
  const text = describeFailure(failure);
  assertStringIncludes(text, "6 SYNs sent");
  assertStringIncludes(text, "at 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 s and ends at 131 s");
  assertStringIncludes(text, "the next would go at 7 s");
  assertStringIncludes(
    text,
    "the accept queue is full (3 of 2), ListenOverflows of this machine +6",
  );
  assertEquals(evidenceOf(failure), {
    by: "limit",
    after_us: 6_500_000,
    syns: 6,
    syn_schedule_s: schedule.sentAtS,
    syn_schedule_ends_s: 131,
    next_syn_s: 7,
    accept_queue: { waiting: 3, limit: 2, listen_overflows: 6 },
  });
});

test("whatever a server answers, the sentence about it is safe for a terminal", () => {
  fc.assert(fc.property(anyText(), (detail) => {
    for (
      const failure of [{ kind: "wrong_answer", detail }, { kind: "failed", code: "X", detail }]
    ) {
      const shown = describeFailure(failure as Failure);
      // deno-lint-ignore no-control-regex -- it is about control characters
      assert(!/[\u0000-\u001f\u007f-\u009f]/.test(shown), JSON.stringify(shown));
    }
  }));
});

test("encodeJson leaves no character that moves the cursor, and loses nothing", () => {
  assertEquals(
    encodeJson({ "a\u009b": "\u202e\x1b\x7fż" }),
    '{"a\\u009b":"\\u202e\\u001b\\u007fż"}',
  );
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = encodeJson(value);
    assertEquals(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    assertEquals(escapeText(text), text);
  }));
});

test("--json is safe for a terminal, whatever the server is called", () => {
  const subject = { server: { hostname: "a\u009b31mb", port: 1 }, means: "", tier: "T0" };
  const report = new Report(subject, { format: "json", stamps: false, columns: () => 0 });
  const [line = ""] = report.end(new ConnectStatistics().figures, 0);
  assertEquals([JSON.parse(line).server, /[\u007f-\u009f]/.test(line)], ["a\u009b31mb:1", false]);
});

test("the picture has a bar for each attempt, as many as fit, and a cross for a failure", () => {
  assertEquals(drawSparkline([10, null, 20, 15], 80), "▁×█▅");
  assertEquals(drawSparkline([10, null, 20, 15], 2), "█▁");
  assertEquals([drawSparkline([7], 80), drawSparkline([null], 80), drawSparkline([], 80)], [
    "▁",
    "×",
    "",
  ]);
  assertEquals(drawSparkline([1, 2], 0), "");
  // A terminal may become narrower in the meantime.
  let columns = 3;
  const subject = { server: { hostname: "a", port: 1 }, means: "", tier: "T0" };
  const report = new Report(subject, { format: "text", stamps: false, columns: () => columns });
  const statistics = new ConnectStatistics();
  for (const us of [1, 2, 3]) {
    statistics.begin(us);
    statistics.end(us, { connectUs: us });
  }
  assertEquals(report.statistics(statistics.figures).at(-1), "▁▅█");
  columns = 2;
  assertEquals(report.statistics(statistics.figures).at(-1), "▁█");
});
