/**
 * What the bench says about servers whose behaviour is known: nothing that is wrong, and nothing
 * that was not measured.
 *
 * @module
 */

import process from "node:process";
import { Distribution } from "../../lab/load/distribution.ts";
import { loadLoadProtocol } from "../../lab/load/load_protocol.ts";
import { measure, type MeasureOptions } from "../../lab/load/measure.ts";
import { leastCount, percentileName, readPercentile } from "../../lab/load/percentiles.ts";
import {
  type EngineKind,
  makePlan,
  type PlanOptions,
  whyNoDescriptors,
} from "../../lab/load/plan.ts";
import { rehearse } from "../../lab/load/rehearsal.ts";
import type { Run, Second } from "../../lab/load/results.ts";
import { findingsOf } from "../../lab/report/findings.ts";
import { formatTerminal } from "../../lab/report/terminal.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Protocol } from "../../protocol.ts";
import { assert, assertEquals, assertMatch, assertNotMatch, test } from "../kit/harness.ts";
import { LoadServer, type Reaction } from "../kit/load_server.ts";
import { Dice, sampleReport } from "../kit/report_samples.ts";
import { ServerProcess } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

/** The engines that exist on this system. */
const ENGINES: readonly EngineKind[] = whyNoDescriptors() === undefined
  ? ["descriptors", "runtime"]
  : ["runtime"];

const PLAIN = {
  isTerminal: false,
  hasColours: false,
  columns: () => Infinity,
  write: () => {},
};

/** What people read of a run. */
function textOf(run: Run): string {
  return formatTerminal({ ...sampleReport([run]), findings: findingsOf([run]) }, PLAIN);
}

function errorsOf({ errors }: Run): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

async function load(
  { address }: { readonly address: LoadServer["address"] },
  options: PlanOptions,
  more: Partial<MeasureOptions> = {},
  rehearse = false,
): Promise<Run> {
  const plan = await makePlan({ protocol: "echo", connections: 4, ...options });
  return await measure({ ...plan, rehearse }, { address, name: "test", ...more });
}

/** Measures a server that reacts in this way. */
async function loadOn(
  react: Reaction | undefined,
  options: PlanOptions,
  more: Partial<MeasureOptions> = {},
): Promise<Run> {
  await using server = await LoadServer.start(react);
  return await load(server, options, more);
}

/**
 * Tries up to three times: where twenty programs share a processor, what is meant to be slow may be
 * the quicker one for once.
 */
async function mostly(attempt: () => Promise<boolean>): Promise<void> {
  for (let time = 0; time < 3; time++) if (await attempt()) return;
  throw new Error("Not even once in three times");
}

/** Answers after this time. */
const after = (ms: number): Reaction => (bytes, socket) => {
  const timer = setTimeout(() => {
    waiting.delete(timer);
    socket.write(bytes);
  }, ms);
  waiting.add(timer);
};

/** The answers that nobody may wait for any more. */
const waiting = new Set<ReturnType<typeof setTimeout>>();

/** Forgets them. */
function forget(): void {
  for (const timer of waiting) clearTimeout(timer);
  waiting.clear();
}

/** Answers so many times and then never again. */
const answers = (count: number): Reaction => (bytes, socket, index) => {
  if (index < count) socket.write(bytes);
};

/** Answers so many times, and then resets every connection. */
const diesAfter = (count: number): Reaction => (bytes, socket, index) => {
  if (index < count) socket.write(bytes);
  else socket.resetAndDestroy();
};

for (const [index, engine] of ENGINES.entries()) {
  // The two take turns on each runtime.
  const once = takeTurns(index, test);
  once(`${engine}: an open model waits for its answers as long as its timeout allows`, async () => {
    const options = { engine, connections: 20, rate: 50, duration: 200 };
    const [late, tooLate] = await Promise.all([
      // More than a second passes between the end and the answers.
      loadOn(after(1_400), { ...options, timeout: 10_000 }),
      loadOn(after(1_400), { ...options, timeout: 300 }),
    ]);
    forget();
    assertEquals([late.requests, late.due, late.errors], [10, 10, {}]);
    assertEquals([tooLate.requests, tooLate.due, errorsOf(tooLate)], [0, 10, 10]);
  });

  once(
    `${engine}: a server that does not answer is not blamed on the load`,
    () =>
      mostly(async () => {
        const closed = { engine, duration: 1_000, timeout: 200 };
        const open = { ...closed, duration: 600, rate: 400 };
        const runs = await Promise.all([
          loadOn(answers(0), closed),
          loadOn(answers(0), open),
          loadOn(answers(60), closed),
          loadOn(answers(60), open),
          loadOn(diesAfter(0), closed),
          loadOn(diesAfter(60), open),
          loadOn(after(150), open),
        ]);
        forget();
        const blamed = runs.filter(({ load_limited }) => load_limited);
        for (const run of runs) {
          if (!blamed.includes(run)) assertNotMatch(textOf(run), /the load and not the server/);
        }
        return blamed.length === 0;
      }),
  );

  once(`${engine}: a load that is slower than its server says so`, () =>
    mostly(async () => {
      const protocol = "./tests/kit/protocols/slow_load.ts";
      const notes: string[] = [];
      await using server = await LoadServer.start();
      const options = { engine, protocol, connections: 6, duration: 500 };
      const onNote = (note: string) => notes.push(note);
      const [open, closed] = await Promise.all([
        load(server, { ...options, rate: 1_000, timeout: 400 }, { onNote }),
        load(server, options),
      ]);
      if (!open.load_limited || !closed.load_limited) return false;
      assertMatch(notes.join("\n"), /The load was the limit, not the server/);
      assertMatch(textOf(open), /the load and not the server set the limit/);
      return true;
    }));

  once(`${engine}: a last fraction of a second is not scaled up to a whole one`, async () => {
    // Nor for those who watch.
    const onSecond = ({ rate }: Second) => assert(rate < 330, String(rate));
    const runs = await Promise.all([
      loadOn(undefined, { engine, rate: 300, duration: 1_020 }, { onSecond }),
      // The last answers come a moment after the end.
      loadOn(after(40), { engine, connections: 50, rate: 300, duration: 1_000 }),
    ]);
    for (const { seconds, requests } of runs) {
      for (const { rate } of seconds) assert(rate < 330, JSON.stringify(seconds));
      const counted = seconds.reduce(
        (sum, { rate, at }, index) => sum + rate * (at - (seconds[index - 1]?.at ?? 0)),
        0,
      );
      assert(Math.abs(counted - requests) < 3, `${counted} of ${requests}`);
    }
  });

  once(`${engine}: the time of a run is the time that it took`, async () => {
    const notes: string[] = [];
    const onNote = (text: string) => notes.push(text);
    const [rare, slow] = await Promise.all([
      loadOn(undefined, { engine, rate: 1 / 3600, requests: 1 }, { onNote }),
      loadOn(undefined, { engine, rate: 0.1, duration: 150 }),
    ]);
    assert(rare.duration_s < 60);
    assertEquals([rare.requests, rare.due, rare.rate.toPrecision(3)], [1, 1, "0.000278"]);
    assertEquals(rare.seconds.map(({ rate }) => rate.toPrecision(3)), ["0.000278"]);
    // However busy its thread was in this millisecond, the load has done all that was asked of it.
    assertNotMatch(notes.join("\n"), /was busy for/);
    assertMatch(textOf(rare), /^rate +1 \/h, 100 % of the 1 \/h that were due$/m);
    assertMatch(textOf(rare), /^answered +1 of 1 due in [\d.]+ [mµ]?s$/m);
    assertEquals([slow.requests, slow.due, slow.rate], [1, 1, 0.1]);
    assertMatch(textOf(slow), /^rate +6 \/min, 100 % of the 6 \/min that were due$/m);
  });

  once(`${engine}: the load is open and warm before the first request`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, { engine, connections: 9, requests: 30 }, {}, true);
    // The server has seen neither more requests nor more connections than were asked for.
    assertEquals([run.requests, server.accepted, server.arrivals], [30, 9, 30]);
    assertEquals(server.story.slice(0, 9), Array.from({ length: 9 }, () => "accepted"));
  });

  once(`${engine}: the rehearsal makes the code of the load run`, async () => {
    for (const rate of [0, 100]) {
      const plan = await makePlan({ engine, protocol: "echo", connections: 2, rate });
      let count = 0;
      const { exchange, ...rest } = await loadLoadProtocol("echo");
      const counted = {
        ...rest,
        *exchange(context: Parameters<typeof exchange>[0]): Protocol<unknown> {
          count++;
          return yield* exchange(context);
        },
      };
      const share = {
        plan,
        address: { hostname: "127.0.0.1", port: 1 },
        thread: 0,
        connections: 2,
        requests: Infinity,
      };
      await rehearse(share, counted, () => false);
      // How often depends on the machine: the rehearsal must not last.
      assert(count > 0);
    }
  });

  once(`${engine}: what was not measured is not 0`, async () => {
    const [some, none, first] = await Promise.all([
      loadOn(undefined, { engine, requests: 25 }),
      loadOn(answers(0), { engine, duration: 100 }),
      // One answer takes long. A histogram is exact to three digits only.
      loadOn(after(30), { engine, connections: 1, requests: 1 }),
    ]);
    const { p50, p90, p99, p999, max, mean } = some.latency_us;
    assert(p50 !== null && max !== null && mean !== null);
    assertEquals([p90, p99, p999], [null, null, null]);
    const { percentiles, ...figures } = none.latency_us;
    assertEquals(Object.values(figures), [null, null, null, null, null, null]);
    assertEquals(percentiles.map(({ us }) => us), [null, null, null, null]);
    assertEquals(none.seconds.map(({ p50_us, p99_us }) => [p50_us, p99_us]), [[null, null]]);
    assertMatch(textOf(none), /^latency +– +– +– +– +– +–$/m);
    assert((first.latency_us.mean ?? Infinity) <= (first.latency_us.max ?? 0));
  });
}

test("a percentile needs ten requests beyond it, and has its interval", () => {
  assertEquals([50, 90, 99, 99.9, 99.99, 75].map(leastCount), [20, 100, 1000, 10_000, 100_000, 40]);
  const dice = new Dice(5);
  let held = 0;
  for (let time = 0; time < 200; time++) {
    const distribution = new Distribution();
    for (let one = 0; one < 400; one++) {
      distribution.add(Float64Array.of(Math.round(1_000 + 9_000 * dice.next()), 1));
    }
    const { us, low_us, high_us } = distribution.percentile(90);
    assert(us !== null && low_us !== null && high_us !== null);
    assert(low_us <= us && us <= high_us);
    // Nine tenths of all such numbers are below 9100.
    if (low_us <= 9_110 && high_us >= 9_090) held++;
  }
  assert(held >= 180 && held < 200, `${held} of 200`);
  const few = new Distribution();
  few.add(Float64Array.of(5_000, 999));
  assertEquals([few.at(99), few.at(98)], [null, 5_000]);
});

test("the mean never exceeds the longest time", () => {
  for (const us of [16_385, 999_999, 3_000_001]) {
    const distribution = new Distribution();
    distribution.add(Float64Array.of(us, 3));
    const { max, mean } = distribution.summary();
    assertEquals([max, mean], [us, us]);
    const again = Distribution.decode(distribution.encode()).summary();
    assert((again.mean ?? Infinity) <= (again.max ?? 0), JSON.stringify(again));
  }
});

test("percentiles are read by their names", () => {
  const names = ["p50", "p75", "p99.9", "p999", "p99.99", "p9999", "p5"];
  assertEquals(names.map(readPercentile), [50, 75, 99.9, 99.9, 99.99, 99.99, 5]);
  for (const name of ["p0", "p100", "p", "50", "p50.", "p-5", "max"]) {
    assertEquals(readPercentile(name), undefined, name);
  }
  assertEquals(percentileName(99.99), "p99.99");
});

const onlyLinux = runtime.os === "linux" ? undefined : "only Linux has proc(5)";

test("threads that have ended still count", async () => {
  await using server = await ServerProcess.start("threaded", ["--protocol", "echo", "--quiet"]);
  const { pid } = server;
  // Each connection has a thread that ends with it.
  const run = await load(server, { connections: 5, requests: 500 }, { pid });
  assert(run.server !== null && run.requests > 0);
  assert(run.server.threads >= 5, String(run.server.threads));
  assert(run.server.voluntary_switches >= 5, JSON.stringify(run.server));
}, { skip: onlyLinux });

test("a server that dies is reported as one that has ended", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo", "--quiet"]);
  const { pid } = server;
  let isKilled = false;
  const kill = () => {
    if (!isKilled) process.kill(pid, "SIGKILL");
    isKilled = true;
  };
  const options = { rate: 200, duration: 1_300, timeout: 300 };
  const run = await load(server, options, { pid, onSecond: kill });
  assert(run.server !== null);
  assertEquals([run.server.ended, run.server.memory_bytes, run.load_limited], [true, null, false]);
  assert(run.server.peak_memory_bytes > 1_000_000);
  const text = textOf(run);
  assertMatch(text, /^memory +it has ended, [\d.]+ MiB at most$/m);
  assertMatch(text, /the server's process ended during the run/);
  assertNotMatch(text, /\b0 B\b/);
}, { skip: onlyLinux });
