/**
 * The load engine: what it sends, what it measures, and how it deals with servers that misbehave.
 *
 * No test depends on how long something took: the servers make their own delays, and the
 * measurement is compared with them.
 *
 * @module
 */

import { createServer } from "node:net";
import process from "node:process";
import fc from "fast-check";
import { Distribution } from "../../lab/load/distribution.ts";
import { DurationCounts } from "../../lab/load/duration_counts.ts";
import { measure, type MeasureOptions } from "../../lab/load/measure.ts";
import {
  type EngineKind,
  makePlan,
  type PlanOptions,
  whyNoDescriptors,
} from "../../lab/load/plan.ts";
import { Random } from "../../lab/load/random.ts";
import { Schedule } from "../../lab/load/schedule.ts";
import { Tally } from "../../lab/load/tally.ts";
import type { Run, Second } from "../../lab/load/results.ts";
import { findListener, ProcessStatus } from "../../engine/process/process_status.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { assert, assertEquals, assertRejects, assertStringIncludes, test } from "../kit/harness.ts";
import { LoadServer, type Reaction } from "../kit/load_server.ts";
import { ServerProcess } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

/** The engines that exist on this system. */
const ENGINES: readonly EngineKind[] = whyNoDescriptors() === undefined
  ? ["descriptors", "runtime"]
  : ["runtime"];

/** Measures a server that echoes in the way that the test says. */
async function load(
  server: LoadServer,
  options: PlanOptions,
  more: Partial<MeasureOptions> = {},
): Promise<Run> {
  const plan = await makePlan({ protocol: "echo", connections: 4, ...options });
  return await measure({ ...plan, rehearse: false }, {
    address: server.address,
    name: "test",
    ...more,
  });
}

function errorsOf({ errors }: Run): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

function assertAtLeast(actual: number, least: number): void {
  assert(actual >= least, `${actual} is less than ${least}`);
}

const RATES = fc.double({ min: 0.1, max: 1e6, noNaN: true });

test("a schedule makes each request due at its time, however many threads take turns", () => {
  fc.assert(fc.property(
    RATES,
    fc.integer({ min: 1, max: 7 }),
    fc.integer({ min: 0, max: 50 }),
    (rate, threads, count) => {
      const startsAt = 1234.5;
      const dues = Array.from({ length: threads }, (_, thread) => {
        const options = { rate, startsAt, endsAt: Infinity, requests: count, thread, threads };
        const schedule = new Schedule(options);
        const taken: number[] = [];
        for (let due = schedule.next; due < Infinity; due = schedule.next) {
          assertEquals(schedule.take(due - 1e-3), undefined);
          taken.push(schedule.take(due) as number);
        }
        assertEquals(taken.length, count);
        return taken;
      }).flat().sort((a, b) => a - b);
      dues.forEach((due, index) => {
        assert(Math.abs(due - (startsAt + index * 1000 / rate)) < 1e-6 * due);
      });
    },
  ));
});

test("all requests of a schedule are due before its end, and none is missing", () => {
  fc.assert(fc.property(
    RATES,
    fc.integer({ min: 1, max: 5 }),
    fc.double({ min: 0, max: 100, noNaN: true }),
    (rate, threads, lengthMs) => {
      let count = 0;
      for (let thread = 0; thread < threads; thread++) {
        const endsAt = 500 + lengthMs;
        const options = { rate, startsAt: 500, endsAt, requests: Infinity, thread, threads };
        const schedule = new Schedule(options);
        const waiting = schedule.waitingAt(endsAt);
        let taken = 0;
        while (schedule.take(Number.MAX_VALUE) !== undefined) taken++;
        assertEquals(taken, waiting);
        assertEquals(schedule.waitingAt(endsAt), 0);
        count += taken;
      }
      assert(Math.abs(count - Math.ceil(lengthMs * rate / 1000)) <= 1, String(count));
    },
  ));
});

test("payloads differ from one another, and the same seed gives the same payloads", () => {
  const all = (seed: number) => {
    const random = new Random(seed, 64);
    return Array.from({ length: 1000 }, () => random.bytes(random.between(16, 64)).join());
  };
  assertEquals(all(7), all(7));
  assertEquals(new Set(all(7)).size, 1000);
  const others = new Set(all(8));
  assert(all(7).every((payload) => !others.has(payload)));
  const letters = new Random(1, 1000).letters(1000);
  assert(letters.every((byte) => byte >= 0x61 && byte <= 0x7a));
});

test("the counts have the right percentiles, to a thousandth", () => {
  fc.assert(fc.property(
    fc.array(fc.double({ min: 0, max: 60_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
    (durations) => {
      const counts = new DurationCounts();
      for (const ms of durations) counts.add(ms);
      const distribution = new Distribution();
      distribution.add(counts.take());
      assertEquals(counts.take().length, 0);
      const sorted = durations.map((ms) => ms * 1000).sort((a, b) => a - b);
      assertEquals(distribution.count, sorted.length);
      for (const percentile of [50, 90, 99, 99.9, 100]) {
        const rank = Math.max(1, Math.ceil(sorted.length * percentile / 100));
        const exact = sorted[rank - 1] as number;
        const found = distribution.seen(percentile);
        assert(Math.abs(found - exact) <= 1 + exact * 0.002, `${found} for ${exact}`);
      }
    },
  ));
});

test("any number of failures of one kind is counted in a single step", () => {
  const tally = new Tally();
  tally.fail("unanswered", "the first", 1e12);
  tally.fail("unanswered", "the last");
  tally.fail("refused", "none", 0);
  assertEquals(tally.take(1).errors, { unanswered: 1e12 + 1 });
  assertEquals(tally.words, { unanswered: "the first" });
});

for (const [index, engine] of ENGINES.entries()) {
  // The two take turns on each runtime.
  const once = takeTurns(index, test);
  once(`${engine}: known delays give the known percentiles`, async () => {
    const delays = [5, 10, 40];
    const took: number[] = [];
    await using server = await LoadServer.start((bytes, socket, index) => {
      const since = performance.now();
      setTimeout(() => {
        took.push((performance.now() - since) * 1000);
        socket.write(bytes);
      }, delays[index % 3] as number);
    });
    const { latency_us: latency, requests, errors, lag_us } = await load(server, {
      engine,
      connections: 1,
      requests: 102,
    });
    assertEquals([requests, errors], [102, {}]);
    took.sort((a, b) => a - b);
    const known = (percentile: number) => took[Math.ceil(102 * percentile / 100) - 1] as number;
    // The server's own work is part of the measured time, and little else is.
    const isNear = (measured: number | null, percentile: number) => {
      assert(measured !== null);
      assertAtLeast(measured * 1.002 + 1, known(percentile));
      assert(measured < known(percentile) + 500_000, `${measured} for ${known(percentile)}`);
    };
    isNear(latency.p50, 50);
    isNear(latency.p90, 90);
    isNear(latency.max, 100);
    assertEquals(latency.p99, null, "too few requests");
    assert((latency.p50 ?? 0) < (latency.p90 ?? 0));
    assertAtLeast(latency.mean ?? 0, took.reduce((sum, us) => sum + us) / 102 - 16);
    assert((lag_us.max ?? -1) >= 0);
  });

  once(`${engine}: -n is exact, with threads, a pipeline and sizes`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, {
      engine,
      requests: 1001,
      threads: 2,
      connections: 5,
      pipeline: 3,
      size: [1, 3000],
    });
    assertEquals([run.requests, run.errors], [1001, {}]);
    assertEquals(run.bytes_sent, run.bytes_received);
    assertEquals(server.accepted, 5);
    assert(run.bytes_sent > 1001 * 500 && run.bytes_sent < 1001 * 3000, String(run.bytes_sent));
    assertEquals(run.latency_us, run.service_us);
    assertEquals(run.connect_us, null);
  });

  once(`${engine}: a pipeline of 4 has 4 requests under way`, async () => {
    const size = 100;
    const waiting = new Map<unknown, Uint8Array[]>();
    // The server answers nothing until four requests have arrived.
    await using server = await LoadServer.start((bytes, socket) => {
      const pieces = waiting.get(socket) ?? [];
      waiting.set(socket, pieces);
      pieces.push(bytes);
      if (pieces.reduce((sum, piece) => sum + piece.length, 0) < 4 * size) return;
      for (const piece of pieces.splice(0)) socket.write(piece);
    });
    const run = await load(server, {
      engine,
      requests: 16,
      connections: 1,
      pipeline: 4,
      size: [size, size],
    });
    // The last requests wait for others that never come, but four were always enough.
    assertEquals([run.requests, run.errors], [16, {}]);
  });

  once(`${engine}: --connect makes a connection for each request`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, { engine, requests: 60, connect: true });
    assertEquals([run.requests, run.errors, server.accepted], [60, {}, 60]);
    const { connect_us: connect, latency_us: latency, service_us: service } = run;
    assert(connect !== null && connect.max !== null && connect.max > 0);
    assertAtLeast((latency.mean ?? 0) * 1.01, service.mean ?? Infinity);
  });

  once(`${engine}: wrong replies are counted, and their connections replaced`, async () => {
    let wrong = 0;
    await using server = await LoadServer.start((bytes, socket, index) => {
      const answer = Uint8Array.from(bytes);
      if (index % 10 === 3) {
        wrong++;
        answer[20] = (answer[20] as number) ^ 1;
      }
      socket.write(answer);
    });
    const notes: string[] = [];
    const run = await load(server, { engine, requests: 200 }, { onNote: (it) => notes.push(it) });
    assert(wrong > 0);
    assertEquals(run.errors, { "wrong reply": wrong });
    assertEquals(run.requests + wrong, 200);
    assertAtLeast(server.accepted, wrong);
    assertStringIncludes(notes.join(), 'The first "wrong reply" was: Cannot parse');
  });

  once(`${engine}: what comes beyond an answer counts as surplus`, async () => {
    await using server = await LoadServer.start((bytes, socket) => {
      socket.write(new Uint8Array([...bytes, 1]));
    });
    const run = await load(server, { engine, requests: 20 });
    assertEquals([run.requests, run.errors], [0, { surplus: 20 }]);
  });

  once(`${engine}: resets, ends and silence are counted by their kind`, async () => {
    const seen = { reset: 0, closed: 0, timeout: 0 };
    const react: Reaction = (bytes, socket, index) => {
      if (index % 9 === 2) {
        seen.reset++;
        socket.resetAndDestroy();
      } else if (index % 9 === 5) {
        seen.closed++;
        socket.end();
      } else if (index % 9 === 8) seen.timeout++;
      else socket.write(bytes);
    };
    await using server = await LoadServer.start(react);
    const run = await load(server, { engine, requests: 90, timeout: 300 });
    assertEquals(run.errors, seen);
    assertEquals(run.requests + errorsOf(run), 90);
  });

  once(`${engine}: a server that has gone refuses, and the run still ends`, async () => {
    const server = await LoadServer.start();
    await server[Symbol.asyncDispose]();
    const run = await load(server, { engine, requests: 12 });
    assertEquals([run.requests, run.errors], [0, { refused: 12 }]);
  });

  once(`${engine}: the rate of an open model is its schedule's, also with -n`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, { engine, rate: 20, requests: 4 });
    // The last request stands for a full interval too, although its answer comes at once.
    assertEquals([run.requests, run.due, run.rate], [4, 4, 20]);
    assertAtLeast(run.duration_s, 0.15);
  });

  once(`${engine}: a stall shows in the open model, and hardly in the closed one`, async () => {
    const stall = (): Promise<LoadServer> => {
      let stallsUntil = 0;
      const held: (() => void)[] = [];
      return LoadServer.start((bytes, socket, index) => {
        const answer = () => void socket.write(bytes);
        if (index === 40) {
          stallsUntil = performance.now() + 1_000;
          setTimeout(() => {
            stallsUntil = 0;
            for (const late of held.splice(0)) late();
          }, 1_000);
        }
        if (stallsUntil > 0) held.push(answer);
        else answer();
      });
    };
    await using first = await stall();
    const open = await load(first, { engine, rate: 200, duration: 2_000 });
    await using second = await stall();
    const closed = await load(second, { engine, think: 5, duration: 2_000 });
    // 200 of 400 requests were due during the stall, and half of them waited for half of it or
    // longer.
    assertEquals([open.requests, open.errors], [400, {}]);
    assertAtLeast(open.latency_us.max ?? 0, 900_000);
    assertAtLeast(open.latency_us.p90 ?? 0, 300_000);
    // In the closed model, each of 4 connections had one such request and sent no more meanwhile.
    assertAtLeast(closed.latency_us.max ?? 0, 900_000);
    const waited = open.latency_us.p90 ?? 0;
    assert((closed.latency_us.p90 ?? Infinity) < waited, JSON.stringify(closed.latency_us));
    // The service time of an open model hides just as much.
    assert((open.service_us.p90 ?? Infinity) < waited);
    // Whoever waits for a server that stalls is not slow itself.
    assertEquals([open.load_limited, closed.load_limited], [false, false]);
  });

  once(`${engine}: requests that are due and never answered are counted`, async () => {
    await using server = await LoadServer.start(() => {});
    const run = await load(server, {
      engine,
      connections: 2,
      rate: 100,
      duration: 400,
      timeout: 300,
    });
    // Some were sent and had no answer in time. The others found no free connection.
    assertEquals([run.requests, run.due, errorsOf(run)], [0, 40, 40]);
    assertEquals(Object.keys(run.errors).sort(), ["timeout", "unanswered"]);
    assertEquals(run.load_limited, false);
  });

  once(`${engine}: waiting for the last answers makes a server no slower`, async () => {
    await using server = await LoadServer.start((bytes, socket) => {
      setTimeout(() => socket.write(bytes), 300);
    });
    const run = await load(server, { engine, connections: 60, rate: 100, duration: 500 });
    assertEquals([run.requests, run.errors], [50, {}]);
    // The last answers came that much later, and they still belong to the run.
    const { at } = run.seconds.at(-1) as Second;
    assertAtLeast(at - run.duration_s, 0.25);
    // The rate has six digits, and so has the time, which is longer where requests are sent late.
    assertEquals(run.rate.toPrecision(4), (50 / run.duration_s).toPrecision(4));
  });

  once(`${engine}: a run that ends together with a second has no empty row after it`, async () => {
    await using server = await LoadServer.start(() => {});
    const load20 = { engine, connections: 1, rate: 20, duration: 1_000 };
    const run = await load(server, { ...load20, timeout: 1_000 });
    assertEquals([run.seconds.length, errorsOf(run)], [2, 20]);
  });

  once(`${engine}: a server that resets at once has not refused`, async () => {
    const server = createServer((socket) => void socket.on("error", () => {}).resetAndDestroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { readonly port: number };
    const plan = await makePlan({
      engine,
      protocol: "echo",
      connect: true,
      requests: 1_000,
    });
    const run = await measure({ ...plan, rehearse: false }, {
      address: { hostname: "127.0.0.1", port },
      name: "test",
    });
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    assertEquals([run.requests, run.errors], [0, { reset: 1_000 }]);
  });

  once(`${engine}: connections that are never answered are reported`, async () => {
    // The server acts like a pool with too few workers: it serves the first, and the others wait.
    const lucky = new Set<unknown>();
    await using server = await LoadServer.start((bytes, socket) => {
      if (lucky.size < 3) lucky.add(socket);
      if (lucky.has(socket)) socket.write(bytes);
    });
    const run = await load(server, { engine, connections: 8, duration: 500, think: 2 });
    assertEquals([run.errors, run.starved_connections], [{}, 5]);
    await using other = await LoadServer.start();
    const all = await load(other, { engine, connections: 8, requests: 200 });
    assertEquals([all.errors, all.starved_connections], [{}, 0]);
  });

  once(`${engine}: connections that are never greeted are reported`, async () => {
    let greeted = 0;
    const server = createServer((socket) => {
      socket.on("error", () => {}).resume();
      if (greeted++ < 3) socket.write("*");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { readonly port: number };
    const plan = await makePlan({
      engine,
      protocol: "frame",
      connections: 8,
      duration: 300,
    });
    const run = await measure({ ...plan, rehearse: false }, {
      address: { hostname: "127.0.0.1", port },
      name: "test",
    });
    await new Promise<void>((resolve) => void server.close(() => resolve()));
    // Three connections sent a request and had no answer. The others could not even send one.
    assertEquals([run.requests, run.errors, run.starved_connections], [0, {}, 8]);
  });

  once(`${engine}: connections of a ramp begin one after the other`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, { engine, ramp: 500, duration: 700, think: 2 });
    assertEquals([run.errors, server.accepted], [{}, 4]);
    const { story } = server;
    assert(story.lastIndexOf("accepted") > story.findIndex((it) => typeof it === "number"));
  });

  once(`${engine}: a connection thinks between an answer and its next request`, async () => {
    await using server = await LoadServer.start();
    const run = await load(server, { engine, connections: 1, requests: 6, think: 40 });
    assertEquals(run.requests, 6);
    assertAtLeast(run.duration_s, 0.199);
  });

  once(`${engine}: an abort ends a run with the results so far`, async () => {
    await using server = await LoadServer.start();
    const controller = new AbortController();
    const seconds: Second[] = [];
    const run = await load(server, { engine, duration: 600_000, think: 5 }, {
      signal: controller.signal,
      onSecond(second) {
        seconds.push(second);
        controller.abort();
      },
    });
    assert(run.requests > 0);
    assertEquals(run.errors, {});
    assertEquals([run.interrupted, run.seconds.length], [true, 1]);
    // What came after the first second, if anything did, is no second of its own.
    assert(seconds.length <= 2, String(seconds.length));
    assert(run.duration_s < 60);
    const sum = run.seconds.reduce((sum, { rate, at }, index) => {
      const from = index === 0 ? 0 : (run.seconds[index - 1] as Second).at;
      return sum + rate * (at - from);
    }, 0);
    assert(Math.abs(sum - run.requests) <= run.requests * 0.01 + 1, `${sum} of ${run.requests}`);
  });

  once(
    `${engine}: hello, frame and a protocol of your own work with a real server`,
    async () => {
      for (
        const [protocol, options] of [
          ["hello", { requests: 50 }],
          ["frame", { requests: 200, pipeline: 4, size: [1, 5000] }],
          ["frame", { requests: 20, connections: 2, size: [40_000, 60_000] }],
          // It is more than buffers hold: a client that only writes waits for a server that waits
          // for it.
          ["echo", { requests: 640, connections: 2, pipeline: 64, size: [16_384, 16_384] }],
          ["./tests/kit/protocols/shout.ts", { requests: 200, pipeline: 2, size: [1, 50] }],
          // With one connection, nothing else happens that the next request could wait for.
          ["./tests/kit/protocols/patient.ts", { requests: 10, connections: 1 }],
        ] as readonly (readonly [string, PlanOptions])[]
      ) {
        await using server = await ServerProcess.start("event", [
          "--protocol",
          protocol,
          "--quiet",
        ]);
        const plan = await makePlan({
          engine,
          protocol,
          connections: 4,
          ...options,
        });
        const run = await measure({ ...plan, rehearse: false }, {
          address: server.address,
          name: protocol,
        });
        assertEquals([run.requests, run.errors], [options.requests, {}], protocol);
        assertEquals(run.connect_us !== null, protocol === "hello");
      }
    },
    { timeoutMs: 60_000 },
  );
}

test("connections that found no room in a server's queue are reported", async () => {
  const net = sockets();
  const listener = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  try {
    net.bind(listener, { hostname: "127.0.0.1", port: 0 });
    net.listen(listener, 1);
    const plan = await makePlan({ protocol: "echo", connections: 10, duration: 300 });
    const run = await measure({ ...plan, rehearse: false }, {
      address: net.localAddress(listener),
      name: "deaf",
    });
    assertEquals([run.requests, run.errors, run.starved_connections], [0, {}, 10]);
  } finally {
    net.close(listener);
  }
}, { skip: runtime.os === "linux" ? whyNoSockets() : "other systems refuse them" });

test("a load that makes no sense is refused with an explanation", async () => {
  const wrong: readonly (readonly [PlanOptions, string])[] = [
    [{ protocol: "print" }, "its server answers nothing"],
    [{ protocol: "./examples/kv.ts" }, 'expected "export function* load(context)"'],
    [{ protocol: "hello", pipeline: 2 }, "a connection of its own"],
    [{ protocol: "echo", pipeline: 2, connect: true }, "a connection of its own"],
    [{ protocol: "echo", pipeline: 2, size: [1, 100_000] }, "at most 16384 bytes"],
    [{ protocol: "echo", rate: 5, think: 5 }, "think with rate"],
    [{ protocol: "echo", duration: 0 }, "duration"],
  ];
  for (const [options, words] of wrong) {
    const { message } = await assertRejects(() => makePlan(options), OptionError);
    assertStringIncludes(message, words);
  }
});

test("the bench finds a server's process by its port or by its process ID", async () => {
  await using server = await LoadServer.start();
  assertEquals(findListener(server.address), process.pid);
  assertEquals(new ProcessStatus(0x7fff_fffe).isAlive, false);
  const { server: figures } = await load(server, { requests: 500 }, { pid: process.pid });
  assert(figures !== null);
  assert(figures.cpu_s >= 0 && figures.threads >= 2, JSON.stringify(figures));
  assertAtLeast(figures.peak_memory_bytes, figures.memory_bytes ?? Infinity);
  assertAtLeast(figures.memory_bytes ?? 0, 1_000_000);
  assertEquals((await load(server, { requests: 5 })).server, null);
}, { skip: runtime.os === "linux" ? undefined : "only Linux has proc(5)" });
