/**
 * Time that does not run as it should: a system's clock that jumps, and a process that is stopped.
 *
 * @module
 */

import { renameSync, writeFileSync } from "node:fs";
import {
  Deadline,
  extensionOf,
  PolledDeadlines,
  TimedDeadlines,
} from "../../engine/drivers/deadlines.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { fakeClock } from "../kit/fake_clock.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, delay, test, until } from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { forOne, type Row, ROWS } from "../kit/rows.ts";
import { ServerProcess, totalsIn, untilStopped, whyNoProgram } from "../kit/server_process.ts";
import { IS_LONG, isOurs } from "../kit/turns.ts";

const whyNotLinux = runtime.os === "linux" ? undefined : "this needs Linux";

/** The rows whose threads wait in different ways; the others too where there is time. */
const WAYS = ROWS.filter(({ name, skip }) =>
  skip === undefined && (IS_LONG ||
    /^threadpool by|^berkeley$|^nonblocking$|^completion$|^event$|^cluster$/.test(name))
).filter((_, index) => isOurs(index));

/** Resolves when no server is being started. */
let started: Promise<unknown> = Promise.resolve();

/** Starts servers one after another. Together they would take too long on a busy machine. */
function start(...how: Parameters<typeof ServerProcess.start>): Promise<ServerProcess> {
  const server = started.then(() => ServerProcess.start(...how));
  started = server.catch(() => {});
  return server;
}

/** Does something with all of them at the same time. An error names the row. */
async function inEveryWay(body: (row: Row) => Promise<void>): Promise<void> {
  await Promise.all(WAYS.map((row) =>
    body(row).catch((cause) => {
      throw new Error(`${row.name}: ${cause.message}`, { cause });
    })
  ));
}

/** Begins a handshake, so that the server is in the middle of it. */
async function halfway(server: ServerProcess): Promise<Peer> {
  const peer = await Peer.connect(server.address);
  await peer.send("HELLO 1\n");
  assertEquals(await peer.line(), "HELLO 2");
  return peer;
}

/** Stops a process for a time, and does something meanwhile. */
async function stopFor(server: ServerProcess, ms: number, meanwhile: () => Promise<unknown>) {
  server.signal("SIGSTOP");
  await untilStopped(server.pid);
  await delay(ms);
  await meanwhile();
  server.signal("SIGCONT");
}

test("no mode cuts anybody for the time in which it was stopped, and each goes on", async () => {
  await inEveryWay(async ({ mode, args, concurrent }) => {
    const limits = ["--read-timeout", "2s", "--session-timeout", "2s"];
    await using server = await start(mode, [
      ...args,
      "--protocol",
      "hello",
      ...limits,
    ]);
    await using peer = await halfway(server);
    // Longer than both limits, and so long that it is no mere delay.
    await stopFor(server, 3_300, () => peer.send("HELLO 3\n"));
    assertEquals(await peer.rest(), "");
    // The limits still hold.
    await using silent = await Peer.connect(server.address);
    if (concurrent) await handshake(server.address, 7);
    assertEquals(await silent.rest(), "");
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(ending.stderr, new RegExp(` done ${peer.name} `));
    assertMatch(ending.stderr, new RegExp(` failed ${silent.name} .* (read|handshake) timeout: `));
  });
}, { sanitize: false, skip: whyNotLinux, timeoutMs: 40_000 });

/** The hour in the last line of a log; not a number as long as there is none. */
function lastHour({ stderr }: ServerProcess): number {
  return Number(/^.*\n(\d\d):\d\d:.*\n$/s.exec(`\n${stderr}`)?.[1]);
}

test("a server that was stopped while its threads waited ends when it is asked to", async () => {
  // SIGCONT ends the calls that wait (signal(7)), although nobody has come.
  await Promise.all(["sequential", "berkeley"].map(async (mode) => {
    // A read timeout would end an accept(2) too.
    const flags = ["--protocol", "hello", "--read-timeout", "0", "--drain", "1h"];
    await using server = await start(mode, flags);
    await stopFor(server, 50, () => Promise.resolve());
    await handshake(server.address, 1);
    await stopFor(server, 50, () => Promise.resolve());
    // The calls are ended one after another.
    await delay(100);
    assertEquals((await server.stop()).code, 0);
  }));
}, { skip: whyNotLinux, sanitize: false });

test(
  "no mode cuts anybody or stands still when the system's clock jumps by two hours",
  async () => {
    await inEveryWay(async (row) => {
      using folder = new Folder();
      const file = folder.path("clock");
      const setClock = (shift: string) => {
        // The process may read the file at any moment, so it is never half written.
        writeFileSync(folder.path("next"), `${shift}\n`);
        renameSync(folder.path("next"), file);
      };
      setClock("+0");
      const limits = ["--read-timeout", "60s", "--session-timeout", "60s"];
      const flags = [...forOne(row), "--protocol", "hello", "--stats-every", "100ms", ...limits];
      await using server = await start(row.mode, flags, { environment: fakeClock(file) });
      await using peer = await halfway(server);
      await until("a line of the log", () => lastHour(server) >= 0);
      const hour = lastHour(server);
      for (const [shift, hours] of [["+2h", 2], ["-2h", -2]] as const) {
        setClock(shift);
        // An hour may end meanwhile. A line of statistics shows the new time.
        const isShifted = () =>
          [hours, hours + 1].includes((lastHour(server) - hour + 36) % 24 - 12);
        await until(`the log to go on at ${shift} after ${hour}: ${server.stderr}`, isShifted);
      }
      await peer.send("HELLO 3\n");
      assertEquals(await peer.rest(), "");
      await handshake(server.address, 7);
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      assertMatch(totalsIn(ending), /completed 2 · failed 0 · cut 0/);
    });
  },
  { sanitize: false, skip: whyNotLinux ?? whyNoProgram("faketime"), timeoutMs: 40_000 },
);

test("a wait of a thread does not depend on the system's clock", () => {
  const words = new Int32Array(new SharedArrayBuffer(4));
  const startedAt = performance.now();
  runtime.waitWhile(words, 0, 0, 20);
  assert(performance.now() - startedAt >= 19);
  // It returns at once if the word has another value.
  runtime.waitWhile(words, 0, 1, 1_000_000);
});

test("limits that are found late are extended, but not for ever, and not if they are exact", () => {
  const reached: string[] = [];
  const longAgo = performance.now() - 10_000;
  const limits = (extendsLate: boolean) => {
    const deadlines = new PolledDeadlines({ extendsLate });
    const name = extendsLate ? "extended" : "strict";
    deadlines.set(new Deadline(() => reached.push(name)), 5, longAgo);
    deadlines.set(new Deadline(() => reached.push(`${name}, exact`), true), 5, longAgo);
    deadlines.expire();
    return deadlines;
  };
  limits(false);
  const deadlines = limits(true);
  assertEquals(reached, ["strict", "strict, exact", "extended, exact"]);
  while (deadlines.msToNext > 0);
  deadlines.expire();
  assertEquals(reached.at(-1), "extended");
  assertEquals(extensionOf(1_000, 6_000, 0), 0, "it is hardly late");
  assertEquals(extensionOf(1_500.5, 6_000, 0), 1_501, "by as long as nobody could look");
  assertEquals(extensionOf(3_600_000, 6_000, 2), 6_000, "by no more than its own length");
  assertEquals(extensionOf(3_600_000, 6_000, 3), 0, "not for ever");
});

test("a loop that reads the clock once a turn does not take a long turn from the limits", () => {
  const deadlines = new PolledDeadlines({ asksBeforeItWaits: true });
  const reached: string[] = [];
  const limit = (name: string) => deadlines.set(new Deadline(() => reached.push(name)), 10);
  const spend = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until;);
  };
  limit("set before a long computation");
  spend(15);
  limit("set after it");
  deadlines.expire();
  assertEquals(reached, []);
  limit("set after the turn");
  // The loop asks, and waits.
  assert(deadlines.nextAt < Infinity);
  spend(15);
  limit("set in the next turn");
  deadlines.expire();
  assertEquals(reached, [
    "set before a long computation",
    "set after it",
    "set after the turn",
  ]);
  while (deadlines.msToNext > 0);
  deadlines.expire();
  assertEquals(reached.at(-1), "set in the next turn");
});

test("a limit that is set while another one is reached does not hold up those between", async () => {
  using deadlines = new TimedDeadlines();
  const order: string[] = [];
  const over = Promise.withResolvers<void>();
  const limit = (name: string, onReached = () => {}) =>
    new Deadline(() => {
      order.push(name);
      onReached();
    });
  const now = performance.now();
  deadlines.set(
    limit("first", () => {
      deadlines.set(limit("new"), 100);
      setTimeout(() => order.push("half of the time of the new one"), 50);
      setTimeout(over.resolve, 60);
    }),
    100,
    now,
  );
  deadlines.set(limit("second"), 100, now + 5);
  await over.promise;
  assertEquals(order, ["first", "second", "half of the time of the new one"]);
});
