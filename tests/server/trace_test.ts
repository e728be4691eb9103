/**
 * The life of connections and computations, as `--trace` records it.
 *
 * @module
 */

import { readFileSync, statSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { serveEvent } from "../../mod.ts";
import { Timeline } from "../../engine/server/trace/timeline.ts";
import {
  createRing,
  DONE,
  LEVEL_OF,
  TimelineCommon,
  TrackWriter,
} from "../../engine/server/trace/timeline_track.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  delay,
  test,
  until,
} from "../kit/harness.ts";
import { handshake, Peer } from "../kit/peer.ts";
import {
  computesInPlace,
  DAILY,
  DIFFERENT,
  forOne,
  inTurn,
  type Row,
  testTogether,
  whyNot,
} from "../kit/rows.ts";
import { Script, ServerProcess, totalsIn } from "../kit/server_process.ts";
import { Trace } from "../kit/trace_events.ts";
import { takeTurns } from "../kit/turns.ts";

const FAULTY = "./tests/kit/protocols/faulty.ts";

/** Some tenths of a second of work. No test waits for its end. */
const LONG = "P9007199254740881";
const ENDLESS = "P18446744073709551557";

/** A folder for a trace. */
class TraceFolder extends Folder {
  readonly file: string = this.path("trace.json");

  constructor() {
    super("handshake trace ");
  }
}

/** Connects to a `frame` server and takes its greeting. */
async function greeted(server: ServerProcess): Promise<Peer> {
  const peer = await Peer.connect(server.address);
  await until("the greeting", () => peer.heard === "*");
  return peer;
}

/** Ends a server and reads its trace, which must agree with the server's counters. */
async function traceOf(server: ServerProcess, file: string): Promise<Trace> {
  const ending = await server.stop("SIGINT");
  assertEquals(ending.code, 0, ending.stderr);
  const trace = Trace.read(file);
  const totals = totalsIn(ending);
  const count = (name: string) => Number(new RegExp(`${name} (\\d+)`).exec(totals)?.[1] ?? 0);
  const { done = 0, cut = 0, ...failed } = trace.outcomes;
  assertEquals(
    [trace.connections.length, done, cut],
    [count("accepted"), count("completed"), count("cut")],
  );
  for (const [kind, many] of Object.entries(failed)) assertEquals(count(kind), many, totals);
  assertEquals(trace.leftOut, { connections: 0, spans: 0 });
  return trace;
}

/** Whether the serving thread computes in this row. */
function computesThere(row: Row): boolean {
  return !row.loops || computesInPlace(row);
}

for (const row of inTurn(DAILY, 0)) {
  const { name, mode, skip } = row;
  const options = { skip, sanitize: false };
  const start = (file: string, ...more: string[]) =>
    ServerProcess.start(mode, [...forOne(row), "--protocol", "frame", "--trace", file, ...more]);

  test(
    `${name} records who served each connection, who computed, and what waited for the peer`,
    async () => {
      using folder = new TraceFolder();
      await using server = await start(folder.file);
      const ask = async (text: string, answer: string) => {
        await using peer = await greeted(server);
        await peer.send(text);
        peer.finish();
        assertEquals(await peer.rest(), answer);
        return peer.name;
      };
      const peers = [];
      for (let turn = 0; turn < 3; turn++) peers.push(await ask("^ab$", "*bc"));
      peers.push(await ask(`^${LONG}$`, "*prime\n"));
      const silent = await greeted(server);
      silent.reset();
      await until(
        "the end before the first byte",
        () => server.stderr.includes(`empty ${silent.name}`),
      );
      const gone = await greeted(server);
      await gone.send("^a");
      assertEquals(await gone.take(2), "*b");
      gone.reset();
      const isTold = (peer: Peer) =>
        until("the reset to be told", () => {
          return new RegExp(` failed ${peer.name} .*: peer gone: `).test(server.stderr);
        });
      await isTold(gone);
      await using stuck = await greeted(server);
      stuck.pause();
      // The answer is more than all buffers between the two can hold.
      stuck.post("^");
      for (let sent = 0; sent < 48; sent++) stuck.post("a".repeat(1024 * 1024));
      let last = -1;
      let still = 0;
      await until("the server to take no more", () => {
        still = stuck.unsent === last ? still + 1 : 0;
        last = stuck.unsent;
        return still > 30;
      });
      stuck.reset();
      await isTold(stuck);
      const trace = await traceOf(server, folder.file);

      assertEquals(trace.process, `${mode} · ${runtime.name} ${runtimeVersion()}`);
      assertEquals(trace.outcomes, { done: 4, empty: 1, "peer gone": 2 });
      assertEquals(trace.connections.map(({ args }) => args.peer), [
        ...peers,
        silent.name,
        gone.name,
        stuck.name,
      ]);
      for (const { spans } of trace.connections) {
        const [first, second] = spans.map(({ name }) => name);
        assertEquals(first === "queued" || second === "queued", row.queues);
        assertMatch(spans.at(-1)?.name ?? "", /^served by (main|(accepting )?[a-z]+ \d+)$/);
      }
      const [computed] = trace.slices("computing");
      const connection = trace.connections[3];
      assert(computed !== undefined && connection !== undefined);
      assertEquals(computed.args, { connection: connection.args.connection, task: "prime" });
      const served = `served by ${computed.thread}`;
      assertEquals(connection.spans.at(-1)?.name === served, computesThere(row));
      const waiting = computesThere(row) ? "computing" : "waiting for computing";
      const waited = connection.spans.find((span) => span.name === waiting);
      assert(waited !== undefined && waited.from <= computed.from && waited.to >= computed.to);
      if (row.loops) {
        assert(trace.slices("turn").length > 0);
        assertEquals(trace.slices("served"), []);
      } else assertEquals(trace.slices("served").length, 7);
      if (!computesThere(row)) assertMatch(computed.thread, /^computing \d+$/);
      // A write has waited for the peer until it was gone.
      const { spans = [] } = trace.connections.at(-1) ?? {};
      assert(spans.some(({ name }) => name === "writing"), JSON.stringify(spans));
    },
    options,
  );
}

/** The runtime's version, as a server prints it. */
function runtimeVersion(): string {
  return navigator.userAgent.split("/")[1] as string;
}

const skip = whyNoSockets();

for (const handoff of ["fd", "message"]) {
  test(
    `threadpool --handoff ${handoff} shows a full pool, and a connection that was never served`,
    async () => {
      using folder = new TraceFolder();
      const flags = ["--workers", "1", "--handoff", handoff, "--protocol", "frame"];
      const more = ["--drain", "100ms", "--trace", folder.file];
      await using server = await ServerProcess.start("threadpool", [...flags, ...more]);
      await using first = await greeted(server);
      await using second = await Peer.connect(server.address);
      await second.send("^a$");
      await first.send("^a$");
      await until("an answer", () => first.heard === "*b");
      first.finish();
      await until("the other's", () => second.heard === "*b");
      await using third = await Peer.connect(server.address);
      await third.send("^a$");
      const trace = await traceOf(server, folder.file);
      await third.gone();
      const [one, two, three] = trace.connections.map(({ spans }) => spans);
      const served = one?.find(({ name }) => name === "served by worker 0");
      const queued = two?.find(({ name }) => name === "queued");
      assert(served !== undefined && queued !== undefined);
      assert(queued.from < served.to && queued.to >= served.to);
      assertEquals(three?.map(({ name }) => name), ["queued"]);
      assertEquals(trace.connections[2]?.args.outcome, "cut");
    },
    { sanitize: false, skip: handoff === "fd" ? skip : undefined },
  );
}

for (const [index, mode] of ["event", "nonblocking", "completion", "cluster"].entries()) {
  const once = takeTurns(index, test);
  const serveFrames = (...flags: string[]) =>
    ServerProcess.start(mode, ["--protocol", "frame", ...flags]);
  const options = { sanitize: false, skip: whyNot(mode) };

  once(`${mode} shows a loop that is blocked by a computation, and one that is not`, async () => {
    for (const offload of ["0", "1"]) {
      using folder = new TraceFolder();
      const loops = mode === "cluster" ? ["--workers", "1"] : [];
      const flags = ["--offload", offload, "--drain", "100ms", ...loops];
      await using server = await serveFrames("--trace", folder.file, ...flags);
      await using asking = await greeted(server);
      await using other = await greeted(server);
      await asking.send(`^${LONG}$`);
      await other.send("^a$");
      await until("both answers", () => asking.heard === "*prime\n" && other.heard === "*b");
      const trace = await traceOf(server, folder.file);
      const [computing] = trace.slices("computing");
      assert(computing !== undefined);
      const { from, to } = computing;
      const turns = [...trace.slices("turn"), ...trace.slices("turns")];
      // The turn that computed is as long as the computation. No other connection has a turn
      // meanwhile.
      const meanwhile = turns.filter((turn) => turn.from < to && turn.to > from);
      const around = meanwhile.filter((turn) => turn.from <= from && turn.to >= to);
      assertEquals(around.length, offload === "0" ? 1 : 0);
      if (offload === "0") assertEquals(meanwhile, around);
      if (offload === "0") assertEquals(around[0]?.thread, computing.thread);
      assertEquals(computing.thread === "computing 0", offload === "1");
    }
  }, options);

  once(`${mode} ends the computation of a client that has reset, also in the trace`, async () => {
    using folder = new TraceFolder();
    await using server = await serveFrames(
      "--offload",
      "1",
      "--drain",
      "100ms",
      "--trace",
      folder.file,
    );
    const gone = await greeted(server);
    await gone.send(`^${ENDLESS}$`);
    await until("it to be computed", async () => {
      await using other = await greeted(server);
      return other.heard === "*";
    });
    gone.reset();
    await until("the reset to be told", () => server.stderr.includes(": peer gone: "));
    await using last = await greeted(server);
    await last.send("^P7$");
    await until("an answer", () => last.heard === "*prime\n");
    const trace = await traceOf(server, folder.file);
    const lost = trace.connections.find(({ args }) => args.failure === "peer gone");
    assert(lost?.spans.some(({ name }) => name === "waiting for computing"));
    assertEquals(trace.slices("computing").length, 2);
  }, options);
}

test("cluster ends in the trace what a loop was serving when it died", async () => {
  using folder = new TraceFolder();
  const flags = ["--workers", "1", "--protocol", FAULTY, "--trace", folder.file];
  await using server = await ServerProcess.start("cluster", flags);
  await using peer = await Peer.connect(server.address);
  await peer.send("die\n");
  await peer.gone();
  await until("the death to be said", () => server.stderr.includes("a thread is replaced"));
  const trace = await traceOf(server, folder.file);
  assertEquals(trace.outcomes, { other: 1 });
  assertEquals(trace.connections[0]?.spans.at(-1)?.name, "served by loop 0");
}, { sanitize: false });

test("the trace of a server that was killed lacks only its end", async () => {
  using folder = new TraceFolder();
  await using server = await ServerProcess.start("event", ["--trace", folder.file]);
  await handshake(server.address, 1);
  await until("it to be written", () => readFileSync(folder.file, "utf8").includes('"done"'));
  server.signal("SIGKILL");
  await server.end();
  const text = readFileSync(folder.file, "utf8");
  assert(!text.endsWith("]\n"));
  assertEquals(new Trace(`${text}]`).outcomes, { done: 1 });
}, { sanitize: false });

test("a trace has a bound, says what it leaves out, and ends what it has begun", async () => {
  using folder = new TraceFolder();
  const limitBytes = 64 * 1024;
  const options = { mode: "event", isLoop: true, limitBytes };
  const timeline = await Timeline.open({ trace: folder.file }, options) as Timeline;
  const { main } = timeline;
  const ids = Array.from({ length: 40_000 }, (_, port) => main.begin(`[::1]:${port}`));
  for (const id of ids) main.end(id, DONE);
  timeline[Symbol.dispose]();
  timeline[Symbol.dispose]();
  assert(statSync(folder.file).size <= limitBytes);
  assert(statSync(folder.file).size > limitBytes / 2);
  const trace = Trace.read(folder.file);
  const { connections } = trace.leftOut;
  assertEquals(Number(connections) + trace.connections.length, ids.length);
});

test("a ring that nobody empties loses spans, but neither ends nor order", async () => {
  using folder = new TraceFolder();
  const timeline = await Timeline.open({ trace: folder.file }, {
    mode: "threadpool",
    threads: 4096,
  }) as Timeline;
  const { main } = timeline;
  // The thread acts like one that the main thread never gets to.
  const id = main.begin("127.0.0.1:1");
  for (let turn = 0; turn < 1_000; turn++) main.waited(performance.now());
  main.end(id, DONE);
  timeline[Symbol.dispose]();
  assertEquals(Trace.read(folder.file).outcomes, { done: 1 });
});

test("the many threads of a server have room for what happens while nobody empties it", async () => {
  using folder = new TraceFolder();
  const timeline = await Timeline.open({ trace: folder.file }, {
    mode: "threaded",
    threads: 320,
  }) as Timeline;
  const thread = new TrackWriter(timeline.track("worker 1"));
  const count = 300;
  for (let port = 0; port < count; port++) thread.end(thread.begin(`127.0.0.1:${port}`), DONE);
  timeline[Symbol.dispose]();
  assertEquals(Trace.read(folder.file).outcomes, { done: count });
});

test("the turns of a loop leave out the time in which it slept", async () => {
  using folder = new TraceFolder();
  const timeline = await Timeline.open({ trace: folder.file }, { mode: "event" }) as Timeline;
  const loop = new TrackWriter(timeline.track("loop", true));
  const ids = [1, 2, 3].map((port) => loop.begin(`127.0.0.1:${port}`));
  const slept: (readonly [number, number])[] = [];
  for (let round = 0; round < 3; round++) {
    // What is ready together takes its turns one after the other.
    await Promise.all(ids.map((id) =>
      Promise.resolve().then(() => {
        loop.enter(id);
        loop.leave();
      })
    ));
    const from = loop.now();
    await delay(2);
    slept.push([from, loop.now()]);
  }
  loop.flush();
  for (const id of ids) loop.end(id, DONE);
  timeline[Symbol.dispose]();
  const trace = Trace.read(folder.file);
  const turns = [...trace.slices("turn"), ...trace.slices("turns")];
  assert(turns.length >= slept.length, `${turns.length} spans`);
  for (const { from, to } of turns) {
    // A span has its times in microseconds.
    const over = slept.filter(([start, end]) => from < start * 1000 && to > end * 1000);
    assertEquals(over, [], `a turn from ${from} to ${to} µs`);
  }
});

test("a turn has a time, whenever somebody began to read between a loop's waking and it", () => {
  const common = TimelineCommon.create(0);
  const size = { records: 64, places: 0 };
  const share = { ...size, number: 1, isLoop: true, ring: createRing(size), origin: 0 };
  const track = new TrackWriter({ ...share, common: common.memory });
  // Such a loop waits within one call, and no microtask runs meanwhile.
  const times = [1, 2, 3].map((id) => {
    common.level = LEVEL_OF.nothing;
    track.woke();
    common.level = LEVEL_OF.all;
    const time = track.enter(id);
    track.leave();
    return time;
  });
  assert(times.every((time) => time > 0), times.join(", "));
}, { pure: true });

test("a server in a library writes its trace to a URL", async () => {
  using folder = new TraceFolder();
  const trace = pathToFileURL(folder.file);
  await using server = await serveEvent({ port: 0, trace });
  await handshake(server.address, 1);
  await server.close();
  assertEquals(Trace.read(folder.file).outcomes, { done: 1 });
});

const UNWRITABLE: readonly (readonly [string, string])[] = [
  ["/nowhere/trace.json", "no such file or directory (ENOENT)"],
  [".", "is a directory (EISDIR)"],
];
const UNTRACED = inTurn(DIFFERENT, 1);
testTogether("one line says that the trace cannot be written", UNTRACED, async (row) => {
  const { mode } = row;
  // What the system says is the same in every mode, so one mode is told the second reason too.
  await Promise.all(
    UNWRITABLE.slice(0, mode === "event" ? 2 : 1).map(async ([path, why]) => {
      await using script = new Script(`modes/${mode}.ts`, ["0", ...forOne(row), "--trace", path]);
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [1, ""]);
      assertEquals(stderr, `${mode}: Cannot write the trace ${path}: ${why}\n`);
    }),
  );
}, 4);

test("a server goes on serving when its trace can no longer be written", async () => {
  await using server = await ServerProcess.start("event", ["--trace", "/dev/full"]);
  await handshake(server.address, 1);
  await until("that to be said", () => server.stderr.includes("the trace ends here"));
  await handshake(server.address, 2);
  const ending = await server.stop();
  assertEquals(ending.code, 0, ending.stderr);
  assertStringIncludes(totalsIn(ending), "completed 2");
}, {
  sanitize: false,
  skip: runtime.os === "linux" ? undefined : `${runtime.os} has no /dev/full`,
});

test("without permission to write the trace, one line says so and nobody is asked", async () => {
  using folder = new TraceFolder();
  const permissions = ["--allow-net=127.0.0.1"];
  const args = ["0", "--trace", folder.file];
  await using script = new Script("modes/event.ts", args, { permissions });
  const { code, stdout, stderr } = await script.end();
  assertEquals([code, stdout], [1, ""]);
  const why = "no permission to write it (--allow-write)";
  assertEquals(stderr, `event: Cannot write the trace ${folder.file}: ${why}\n`);
}, {
  sanitize: false,
  skip: runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`,
});
