/**
 * The statistics of a server: one set of figures in shared memory, and the thread that writes them.
 *
 * @module
 */

import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { encodeSockaddr } from "../../engine/net/address.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { parseFlags } from "../../engine/cli/flags.ts";
import { CounterBlock } from "../../engine/server/core/counters.ts";
import type { ServeOptions } from "../../engine/server/core/options.ts";
import type { Server } from "../../engine/server/core/server.ts";
import {
  createBeats,
  Heartbeat,
  LagReader,
  noteTurns,
  readDue,
  readTurn,
  stopBeat,
} from "../../engine/server/statistics/heartbeat.ts";
import { moment } from "../../engine/values/moment.ts";
import {
  countOverflows,
  ListenerFigures,
} from "../../engine/server/statistics/listener_figures.ts";
import {
  formatStatistics,
  nameStatistics,
} from "../../engine/server/statistics/statistics_line.ts";
import { serveEvent, serveSequential, serveThreadpool, StatisticsReader } from "../../mod.ts";
import { MODES } from "../../modes/catalogue.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, test, until } from "../kit/harness.ts";
import { whyNoIPv6 } from "../kit/network.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { DIFFERENT, inTurn, type Row, whyNot } from "../kit/rows.ts";
import {
  Script,
  ServerProcess,
  totalsIn,
  whyNoFullPipe,
  whyNoLimit,
} from "../kit/server_process.ts";
import { isOurs } from "../kit/turns.ts";

const noKernel = whyNoKernel();
const noSockets = whyNoSockets();
const noPermissions = runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`;

/** Deno says in between when it waits for another process that starts. */
const LOG_ALONE = { permissions: ["--quiet", "-A"] };

/** A computation that no test waits for. */
const ENDLESS = "P18446744073709551557";

/** A line of statistics in JSON. */
interface Entry {
  readonly type: "statistics";
  readonly accepted: number;
  readonly live: number;
  readonly [name: string]: unknown;
}

/** The whole lines that a server has printed to standard error so far; each must be JSON. */
function entriesIn({ stderr }: { readonly stderr: string }): Record<string, unknown>[] {
  return stderr.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

function statisticsIn(server: { readonly stderr: string }): Entry[] {
  return entriesIn(server).filter((entry): entry is Entry => entry.type === "statistics");
}

async function serve({ mode, args }: Row, options: ServeOptions): Promise<Server> {
  const { serve, program } = await MODES[mode].load();
  return await serve({ ...parseFlags((await program()).command, args), ...options });
}

for (const row of inTurn(DIFFERENT, 0)) {
  const { name, args, skip } = row;
  test(`${name} keeps one set of figures, which anybody can read`, async () => {
    await using server = await serve(row, { port: 0, statsEvery: "20ms" });
    using reader = new StatisticsReader(structuredClone(server.statistics));
    await handshake(server.address, 1);
    await until("the first to be counted", () => server.counters.completed === 1);
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO 1\n");
    assertEquals(await peer.line(), "HELLO 2");

    const { counters, queued, workers, acceptQueue, loopLagMs, ...rest } = reader.read();
    assertEquals(counters, server.counters);
    assertEquals([counters.accepted, counters.active, counters.completed], [2, 1, 1]);
    assertEquals(queued, row.queues ? 0 : undefined);
    const onLoop = row.loops || (name === "sequential" && noSockets !== undefined);
    assertEquals(workers?.busy, onLoop ? undefined : 1);
    // The threads begin one after another. `threaded` has as many as it needs.
    const running = { sequential: 1, threaded: workers?.running }[row.mode as string] ?? 2;
    if (workers !== undefined) {
      await until("all to run", () => reader.read().workers?.running === running);
    }
    // Where the main thread copies the bytes, its loop serves too.
    assertEquals(loopLagMs !== undefined, onLoop || args.includes("message"));
    if (noKernel === undefined) {
      assertEquals(acceptQueue?.waiting, 0);
      assert((acceptQueue?.limit ?? 0) > 0);
      assertEquals(typeof rest.listenOverflows, "number");
    }
    assert((rest.memoryBytes ?? 0) > 1024 * 1024, `${rest.memoryBytes}`);
  }, { skip });
}

test("where nobody asks for statistics, no loop has a heartbeat", async () => {
  for (const row of DIFFERENT.filter(({ loops, skip }) => loops && skip === undefined)) {
    await using server = await serve(row, { port: 0 });
    assertEquals(server.statistics.beats, undefined, row.name);
  }
});

test("a loop that has ended is not taken for stuck: it has no beat that is due", async () => {
  const serving = [
    () => serveEvent({ port: 0, statsEvery: "1s" }),
    () => serveThreadpool({ port: 0, workers: 1, handoff: "message", statsEvery: "1s" }),
  ];
  for (const serve of serving) {
    const server = await serve();
    const beats = server.statistics.beats as SharedArrayBuffer;
    assert(readDue(beats)[0]! > 0);
    await server.close();
    assertEquals(readDue(beats), [0]);
  }
});

test("connections that a busy pool has not accepted are in the accept queue", async () => {
  await using server = await serveThreadpool({ port: 0, workers: 1, queue: 2, handoff: "fd" });
  using reader = new StatisticsReader(server.statistics);
  await using peers = new AsyncDisposableStack();
  // One is served, two wait in the server's queue, and the acceptor accepts no more.
  for (let count = 0; count < 6; count++) peers.use(await Peer.connect(server.address));
  const figures = () => {
    const { counters, queued, workers, acceptQueue } = reader.read();
    return [counters.active, queued, workers?.busy, workers?.running, acceptQueue?.waiting];
  };
  const expected = [1, 2, 1, 1, 3];
  await until(
    "the queues to fill",
    () => JSON.stringify(figures()) === JSON.stringify(expected),
  ).catch(() => assertEquals(figures(), expected));
  await server.close({ drain: 0 });
}, { skip: noKernel });

test("sequential leaves all but one in the accept queue", async () => {
  await using server = await serveSequential({ port: 0 });
  using reader = new StatisticsReader(server.statistics);
  await using peers = new AsyncDisposableStack();
  for (let count = 0; count < 4; count++) peers.use(await Peer.connect(server.address));
  // The kernel has one less in the queue before accept(2) has returned it to the thread.
  await until("one to be served and three to wait", () => {
    const { acceptQueue, workers } = reader.read();
    return acceptQueue?.waiting === 3 && workers?.busy === 1 && workers.running === 1;
  });
  await server.close({ drain: 0 });
}, { skip: noKernel });

test("a full accept queue is seen, and each connection that finds it full", async () => {
  const net = sockets();
  const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK } = net.constants;
  const limit = 2;
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, { backlog: limit });
  const clients: number[] = [];
  try {
    const address = net.localAddress(listener);
    using figures = new ListenerFigures(address);
    const before = figures.overflows as number;
    const countedBefore = countOverflows();
    // Linux takes one more than the limit. The next one gets no answer.
    for (let count = 0; count <= limit + 1; count++) {
      const fd = net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      clients.push(fd);
      net.connectNonBlocking(fd, encodeSockaddr(address, net.constants));
    }
    await until("the queue to be full", () => figures.acceptQueue?.waiting === limit + 1);
    assertEquals(figures.acceptQueue, { waiting: limit + 1, limit });
    await until("the overflow to be counted", () => figures.overflows as number > before);
    // A reader that begins late tells of what it has missed.
    using late = new ListenerFigures(address, countedBefore);
    assert(late.overflows as number > 0);
  } finally {
    for (const fd of [listener, ...clients]) net.close(fd);
  }
}, { skip: noKernel });

test("every mode writes its statistics, in lines that are whole", async () => {
  const rows = DIFFERENT.filter(({ skip }) => skip === undefined);
  // The rows of one mode differ in what the test before has looked at.
  const modes = new Map(rows.map((row) => [row.mode, row]));
  const check = async ({ mode, args }: Row): Promise<void> => {
    const flags = [...args, "--protocol", "hello", "--log-format", "json", "--stats-every", "20ms"];
    await using server = await ServerProcess.start(mode, flags, LOG_ALONE);
    for (let x = 0; x < 8; x++) await handshake(server.address, x);
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO 1\n");
    await until(
      `${mode} to say so`,
      () => statisticsIn(server).some(({ accepted, live }) => accepted === 9 && live === 1),
    );
    await peer[Symbol.asyncDispose]();
    const ended = await server.stop();
    assertEquals(ended.code, 0);
    const entries = entriesIn(ended);
    assertEquals(entries.at(-1)?.logger, `handshake-totals.${mode}`, "nothing follows the totals");
    const last = statisticsIn(ended).at(-1) as Entry;
    assertEquals(last.logger, `handshake-statistics.${mode}`);
    assertMatch(String(last["@timestamp"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assertMatch(String(last.message), /^statistics: accepted 9 · live [01] · /);
  };
  await Promise.all([...modes.values()].filter((_, index) => isOurs(index)).map(check));
}, { sanitize: false });

test("the chat writes its statistics too, for people, also when it is quiet", async () => {
  await using server = await ServerProcess.start("chat/server", [
    "--quiet",
    "--drain",
    "0",
    "--stats-every",
    "20ms",
  ]);
  await using _peer = await Peer.connect(server.address);
  const line =
    /^\d\d:\d\d:\d\d\.\d{3} INF statistics: accepted 1 · live 1 · accept queue (0 of \d+|– of –|–) · overflows (\d+|–) · memory \d+\.\d MiB · loop lag \d+\.\d ms$/m;
  await until("a line", () => line.test(server.stderr));
  assertEquals((await server.stop()).code, 0);
}, { sanitize: false });

for (const mode of ["event", "nonblocking", "completion", "cluster"] as const) {
  test(`${mode} writes its statistics while its loop is stuck in a computation`, async () => {
    const workers = mode === "cluster" ? ["--workers", "1"] : [];
    await using server = await ServerProcess.start(mode, [
      ...["--protocol", "frame", "--offload", "0", ...workers],
      ...["--log-format", "json", "--stats-every", "20ms"],
    ], LOG_ALONE);
    await using idle = await Peer.connect(server.address);
    await until("the greeting", () => idle.heard === "*");
    await using busy = await Peer.connect(server.address);
    await until("the greeting", () => busy.heard === "*");
    await busy.send(`^${ENDLESS}$`);
    // Stuck, a loop is later each time, by the whole time between the lines.
    const growing = () => {
      const lags = statisticsIn(server).map(({ loop_lag_ms: lag }) => lag as number);
      let run = 0;
      lags.forEach((lag, index) => run = lag >= (lags[index - 1] ?? lag) + 10 ? run + 1 : 0);
      return run;
    };
    await until("its lag to grow from line to line", () => growing() >= 5);
    const { live, accepted } = statisticsIn(server).at(-1) as Entry;
    assertEquals([accepted, live, busy.heard], [2, 2, "*"]);
  }, { sanitize: false, skip: whyNot(mode) });
}

test("a server without free descriptors still has all its statistics", async () => {
  const args = ["--log-format", "json", "--stats-every", "20ms", "--drain", "0"];
  const options = { ...LOG_ALONE, descriptors: 80 };
  await using server = await ServerProcess.start("event", args, options);
  await using peers = new AsyncDisposableStack();
  for (let count = 0; count < 90; count++) peers.use(await Peer.connect(server.address));
  const last = () => statisticsIn(server).at(-1);
  // A runtime that accepts by itself refuses those for whom there is no descriptor.
  const rest = runtime.name === "bun" ? "refused" : "accept_queue";
  await until("the rest to wait, or to be refused", () => last()?.[rest] as number >= 10);
  const before = statisticsIn(server).length;
  await until("another line", () => statisticsIn(server).length > before);
  for (const name of ["accept_queue_limit", "listen_overflows", "memory_bytes", "loop_lag_ms"]) {
    assertEquals(typeof last()?.[name], "number", name);
  }
  assert(last()?.live as number < 80);
  assertEquals((await server.stop()).code, 0);
}, { skip: noKernel ?? whyNoLimit, sanitize: false });

test(
  "a reader of standard error who is stuck holds up neither the server nor its end",
  async () => {
    using folder = new Folder();
    const options = { fullPipe: folder.path("pipe") };
    await using server = await ServerProcess.start("event", ["--stats-every", "10ms"], options);
    for (let x = 1; x <= 3; x++) await handshake(server.address, x);
    const { code, signal, stdout } = await server.stop();
    assertEquals([code, signal], [0, null]);
    assertEquals(stdout.split("\n").filter((line) => line.startsWith("HELLO")).length, 6);
  },
  { skip: whyNoFullPipe, sanitize: false },
);

test("where a figure cannot be known, it is absent, and a line says why", async () => {
  const permissions = ["--quiet", "--allow-net=127.0.0.1", "--allow-read=."];
  const args = ["--log-format", "json", "--stats-every", "20ms"];
  await using server = await ServerProcess.start("event", args, { permissions });
  await until("a line", () => statisticsIn(server).length > 0);
  const [entry] = statisticsIn(server) as [Entry];
  for (const name of ["accept_queue", "accept_queue_limit", "listen_overflows", "workers"]) {
    assert(!(name in entry), name);
  }
  assertMatch(String(entry.message), / · accept queue – · overflows – · /);
  const why = entriesIn(server).map(({ message }) => String(message));
  assertEquals(why[0], `statistics: the accept queue is not known: ${whyNotThere}`);
  assertEquals((await server.stop()).code, 0);
}, { skip: noPermissions, sanitize: false });

const whyNotThere = runtime.os === "linux"
  ? "no permission for foreign functions (--allow-ffi)"
  : `${runtime.os} has no netlink`;

test("what is wrong with the statistics is said in one line, before anything listens", async () => {
  const refused = [
    {
      args: ["--stats-every", "1ms"],
      options: LOG_ALONE,
      why: /^event: Cannot use statsEvery: expected at least 10 ms or 0, current value is "1ms"\n$/,
      code: 2,
    },
    ...(noPermissions === undefined
      ? [{
        args: ["--stats-every", "1s"],
        options: { permissions: ["--quiet", "--allow-net=127.0.0.1"] },
        why: /^event: Cannot start threads: no permission to read [^\n]+\n$/,
        code: 1,
      }]
      : []),
    ...(whyNoLimit === undefined
      ? [{
        args: ["--stats-every", "1s"],
        options: { ...LOG_ALONE, descriptors: 26 },
        why:
          /^event: Cannot write statistics: the limit of open files \(ulimit -n\) is 26, and at least \d+ are needed\n$/,
        code: 1,
      }]
      : []),
  ];
  await Promise.all(refused.map(async ({ args, options, why, code }) => {
    await using script = new Script("modes/event.ts", ["0", ...args], options);
    const ended = await script.end();
    assertMatch(ended.stderr, why);
    assertEquals([ended.code, ended.stdout], [code, ""]);
  }));
});

test("without the flag, nothing is written", async () => {
  await using server = await ServerProcess.start("event");
  await handshake(server.address, 1);
  const { stderr } = await server.stop();
  assert(!stderr.includes("statistics"));
  assertMatch(totalsIn({ stderr }), /^accepted 1 · completed 1 /);
});

const COUNTERS = {
  accepted: 8,
  active: 4,
  completed: 3,
  failed: { malformed: 1 },
  cut: 0,
  empty: 0,
  refused: 0,
  lost: 0,
  strays: 0,
  threadsLost: 0,
};

test("a line has the figures that there are, and a dash for what cannot be known", () => {
  const memoryBytes = 61.25 * 1024 * 1024;
  const all = {
    at: 0,
    isDraining: false,
    counters: COUNTERS,
    queued: 2,
    workers: { busy: 4, running: 4 },
    acceptQueue: { waiting: 3, limit: 2 },
    listenOverflows: 5,
    memoryBytes,
    loopLagMs: 1.25,
  };
  assertEquals(
    formatStatistics(all),
    "accepted 8 · live 4 · queued 2 · workers 4 of 4 · accept queue 3 of 2 · overflows 5 · memory 61.3 MiB · loop lag 1.3 ms",
  );
  assertEquals(nameStatistics(all), {
    type: "statistics",
    accepted: 8,
    live: 4,
    completed: 3,
    failed: 1,
    cut: 0,
    empty: 0,
    refused: 0,
    lost: 0,
    strays: 0,
    threads_lost: 0,
    queued: 2,
    workers_busy: 4,
    workers: 4,
    accept_queue: 3,
    accept_queue_limit: 2,
    listen_overflows: 5,
    memory_bytes: memoryBytes,
    loop_lag_ms: 1.25,
  });
  const few = {
    at: 0,
    isDraining: false,
    counters: COUNTERS,
    acceptQueue: { waiting: 3 },
    memoryBytes,
  };
  assertEquals(
    formatStatistics(few),
    "accepted 8 · live 4 · accept queue 3 of – · overflows – · memory 61.3 MiB",
  );
  assert(!("accept_queue_limit" in nameStatistics(few)));
  const { acceptQueue: _, ...fewer } = few;
  assertMatch(formatStatistics(fewer), / · accept queue – · overflows – · /);
}, { pure: true });

test("the lag of a loop is known while it lasts and after it is over, to every reader", async () => {
  const stuckMs = 100;
  const beats = createBeats(2, 20) as SharedArrayBuffer;
  const readers = [new LagReader(beats), new LagReader(beats)];
  assertEquals(readers.map((reader) => reader.read()), [undefined, undefined], "none beats yet");
  using deadlines = new TimedDeadlines();
  new Heartbeat(beats, 1, deadlines);
  const endsAt = performance.now() + stuckMs;
  while (performance.now() < endsAt);
  // A beat is 10 ms long, and nobody has come to it yet.
  const during = readers.map((reader) => reader.read() as number);
  assert(during.every((lag) => lag >= stuckMs - 10), `${during}`);
  const due = new Float64Array(beats);
  const before = due.join();
  await until("a beat", () => due.join() !== before);
  const after = readers.map((reader) => reader.read() as number);
  assert(after.every((lag, index) => lag >= during[index]!), `${after} after ${during}`);
  stopBeat(beats, 1);
  assertEquals(readers.map((reader) => reader.read()), [undefined, undefined], "it is gone");
});

test(
  "whose turn it is on a loop is known of its last 4,096 connections, and of no older one",
  () => {
    const memory = createBeats(2, 0, true) as SharedArrayBuffer;
    const turns = noteTurns(memory, 1) as NonNullable<ReturnType<typeof noteTurns>>;
    const first = turns.add("192.0.2.1:1");
    turns.pass(first);
    assertEquals([readTurn(memory, 0), readTurn(memory, 1)], [undefined, "192.0.2.1:1"]);
    for (let count = 1; count < 4_096; count++) turns.add(`192.0.2.2:${count}`);
    assertEquals(readTurn(memory, 1), "192.0.2.1:1");
    turns.add("192.0.2.3:3");
    assertEquals(readTurn(memory, 1), undefined);
  },
  { pure: true },
);

test("a reader whose clock differs from the loop's still tells the lag", () => {
  for (const skewMs of [-3_600_000, 3_600_000]) {
    // A thread writes what a heartbeat writes. Its clock is wrong by an hour.
    const beats = createBeats(1, 20) as SharedArrayBuffer;
    const loop = new Float64Array(beats, 64);
    const beat = () => loop[0] = moment() + skewMs + 10;
    beat();
    const reader = new LagReader(beats);
    for (const before = loop[0]; loop[0] === before;) beat();
    const first = reader.read() as number;
    assert(first >= 0 && first < 1_000, `${first}`);
    const waitsUntil = performance.now() + 50;
    while (performance.now() < waitsUntil);
    const second = reader.read() as number;
    assert(second >= first + 49 && second < 10_000, `${second} after ${first}`);
  }
});

test("no more connections are over than were accepted, whoever counts meanwhile", () => {
  const [one, two] = [new CounterBlock(), new CounterBlock()];
  const blocks: CounterBlock[] = [one];
  Object.defineProperty(blocks, 1, {
    enumerable: true,
    get() {
      // While the blocks are added up, one thread accepts a connection and another one serves it.
      one.accepted();
      two.completed();
      return two;
    },
  });
  for (let time = 0; time < 3; time++) assert(CounterBlock.sum(blocks).active >= 0);
  assertEquals(CounterBlock.sum([one, two]).active, 0);
}, { pure: true });

test("a host that is written at length is known to the kernel", async () => {
  await using server = await serveEvent({ host: "0:0:0:0:0:0:0:1", port: 0 });
  assertEquals(server.address.hostname, "::1");
  using reader = new StatisticsReader(server.statistics);
  assert(reader.read().acceptQueue !== undefined);
}, { skip: noKernel ?? whyNoIPv6() });

test("a memory of counters is read block by block", () => {
  const one = new CounterBlock();
  const memory = new SharedArrayBuffer(one.memory.byteLength * 3);
  const blocks = CounterBlock.allIn(memory);
  assertEquals(blocks.length, 3);
  for (const block of blocks) block.accepted();
  blocks[2]?.failed("other");
  assertEquals(CounterBlock.sum(CounterBlock.allIn(memory)).accepted, 3);
  assertEquals(CounterBlock.sum(blocks).failed, { other: 1 });
}, { pure: true });
