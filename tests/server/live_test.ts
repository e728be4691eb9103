/**
 * `--live`: who is let in, what readers are told, and what the buttons do.
 *
 * @module
 */

import { readFileSync, writeFileSync } from "node:fs";
import { parseFlags } from "../../engine/cli/flags.ts";
import { Scene } from "../../engine/figures/scene.ts";
import { TICK_MS } from "../../engine/kernel/age.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { DestroyEvents } from "../../engine/kernel/sock_diag.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Event } from "../../engine/recording/events.ts";
import { Knowledge, type Known } from "../../engine/server/live/known.ts";
import { LiveState } from "../../engine/server/live/live_state.ts";
import { LiveView } from "../../engine/server/live/live_view.ts";
import { itemOf, type Present, Reader } from "../../engine/server/live/readers.ts";
import { chooseTold } from "../../engine/server/trace/live_feed.ts";
import { SocketLooks } from "../../engine/server/trace/socket_looks.ts";
import {
  createRing,
  LEVEL_OF,
  outcomeOf,
  RECORD,
  TimelineCommon,
  TrackReader,
  type TrackRecord,
  TrackWriter,
} from "../../engine/server/trace/timeline_track.ts";
import { pause } from "../../engine/values/pause.ts";
import { DOING } from "../../engine/server/trace/under_way.ts";
import { MODES } from "../../modes/catalogue.ts";
import { formatAddress } from "../../protocols/address.ts";
import { openLive, OptionError, serveEvent, serveThreadpool } from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { ChatPeer } from "../kit/chat_peer.ts";
import { Folder } from "../kit/folder.ts";
import { ask, liveIn, press, Watcher } from "../kit/live.ts";
import { Peer } from "../kit/peer.ts";
import { parseStrictly } from "../kit/recordings.ts";
import { DIFFERENT, forOne, testTogether } from "../kit/rows.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

const noPermissions = runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`;

test("a page has a token, a policy and a nonce, and answers nobody from elsewhere", async () => {
  await using server = await ServerProcess.start("threadpool", ["--live", "0"]);
  const { at, path } = liveIn(server.greeting);
  const host = `127.0.0.1:${at.port}`;
  assertStringIncludes(server.greeting, ` · live at http://${host}${path} · `);

  const page = await ask(at, `GET ${path}`);
  const again = await ask(at, `GET ${path}`, [`Host: localhost:${at.port}`]);
  const nonces = [page, again].map(({ status, head, content }) => {
    assertEquals(status, 200);
    const [, nonce = ""] = /script-src 'nonce-([0-9a-f]{32})'/.exec(head) ?? [];
    assertStringIncludes(
      head,
      `\r\nContent-Security-Policy: default-src 'none'; script-src 'nonce-${nonce}'; ` +
        `style-src 'nonce-${nonce}'; connect-src 'self'; base-uri 'none'; form-action 'none'; ` +
        "frame-ancestors 'none'\r\n",
    );
    assertStringIncludes(head, "\r\nReferrer-Policy: no-referrer\r\n");
    assertStringIncludes(head, "\r\nCache-Control: no-store\r\n");
    assertStringIncludes(head, "\r\nContent-Type: text/html; charset=utf-8\r\n");
    assertStringIncludes(content, `<script nonce="${nonce}">`);
    assert(!/\{\{nonce\}\}|unsafe-inline/.test(head + content));
    return nonce;
  });
  assert(nonces[0] !== nonces[1], "a nonce is used once");

  const wrong = path.replace(/[0-9a-f]/g, (digit) => digit === "0" ? "1" : "0");
  const cases: readonly (readonly [string, readonly string[] | undefined, number])[] = [
    ["GET /", undefined, 404],
    ["GET /events", undefined, 404],
    [`GET ${wrong}`, undefined, 404],
    [`GET ${wrong}events`, undefined, 404],
    [`GET ${path}else`, undefined, 404],
    [`GET ${path.slice(0, -1)}`, undefined, 303],
    // A page from elsewhere that has given its own name an address of this machine.
    [`GET ${path}events`, [`Host: evil.example:${at.port}`], 421],
    [`GET ${path}`, ["Host: evil.example"], 421],
    [`GET ${path}`, ["Host: 127.0.0.1:1"], 421],
    [`GET ${path}`, ["Host: 127.0.0.1"], 421],
    [`POST ${path}`, undefined, 405],
    [`GET ${path}do`, undefined, 405],
    // Only the page itself presses its buttons.
    [`POST ${path}do`, undefined, 403],
    [`POST ${path}do`, [`Host: ${host}`, "Origin: null"], 403],
    [`POST ${path}do`, [`Host: ${host}`, "Origin: http://evil.example"], 403],
    [`POST ${path}do`, [`Host: ${host}`, "Origin: http://127.0.0.1:1"], 403],
    [`POST ${path}do`, [`Host: localhost:${at.port}`, `Origin: http://${host}`], 403],
    [
      `POST ${path}do`,
      [`Host: ${host}`, `Origin: http://${host}`, "Sec-Fetch-Site: cross-site"],
      403,
    ],
    [`POST ${path}do`, [`Host: ${host}`, `Origin: http://${host}`], 400],
  ];
  await Promise.all(cases.map(async ([line, fields, status]) => {
    const content = line.startsWith("POST") && status !== 400 ? "action=fifty" : "";
    assertEquals((await ask(at, line, fields, content)).status, status, `${line} ${fields}`);
  }));

  const about = JSON.parse((await ask(at, `GET ${path}about`)).content);
  assertEquals([about.mode, about.protocol], ["threadpool", "hello"]);
  assertEquals(about.actions, [
    "three-clients",
    "slow-client",
    "vanish",
    "fifty",
    "burst",
    "kill-worker",
  ]);
  assertEquals((await server.stop()).code, 0);
});

testTogether("its live view is its counters", DIFFERENT, async (row) => {
  const { serve, program } = await MODES[row.mode].load();
  const flags = parseFlags((await program()).command, ["0", ...forOne(row), "--protocol", "echo"]);
  await using live = await openLive();
  const where = liveIn(live.url);
  await using server = await serve({ ...flags, live });
  // They come before anybody looks.
  await using first = await Peer.connect(server.address);
  await first.send("a");
  await first.take(1);
  await using gone = row.loops ? await Peer.connect(server.address) : undefined;
  await gone?.send("b");
  await gone?.take(1);
  const known = gone === undefined ? 1 : 2;

  await using watcher = await Watcher.open(where);
  await until("them to be told", () => watcher.open.size === known);
  const { accepted, active } = server.counters;
  const counters = await watcher.find("the counters", "counters");
  assertEquals([counters.values.accepted, counters.values.live], [accepted, active]);
  const threads = new Map(watcher.all("thread").map(({ thread, name }) => [thread, name]));
  assert([...threads.values()].includes("main"), [...threads.values()].join());
  const begun = [...watcher.open.values()].find(({ peer }) => peer === first.name);
  assert(begun !== undefined, "the first is told by its address");
  const served = watcher.all("served").find(({ connection }) => connection === begun.connection);
  assert(served !== undefined && threads.has(served.thread), "its thread is told");

  // What was there before ends, and another one comes and goes.
  await gone?.[Symbol.asyncDispose]();
  first.finish();
  await first.rest();
  await watcher.find(
    "its end",
    "over",
    ({ connection, outcome }) => connection === begun.connection && outcome === "done",
  );
  await using next = await Peer.connect(server.address);
  await next.send("c");
  await next.take(1);
  next.finish();
  await next.rest();
  await until(
    "all to be over",
    () => watcher.open.size === 0 && watcher.all("over").length > known,
  );
  await until("the counters to be told", () => {
    const values = watcher.all("counters").at(-1)?.values;
    return values?.completed === server.counters.completed && values.live === 0;
  });
  const { rate, cpu, memory_bytes } = await watcher.find(
    "figures",
    "figures",
    (event) => event.cpu !== undefined || whyNoKernel() !== undefined,
  );
  assert((rate ?? 0) >= 0 && (cpu ?? 0) >= 0 && (memory_bytes ?? 1) > 0);
  if (whyNoKernel() === undefined) {
    const { waiting, limit } = await watcher.find("the accept queue", "listener");
    assert(waiting === 0 && (limit ?? 0) > 0);
    await watcher.find("a FIN", "connection", ({ remote }) => remote === next.name);
  }
  await server.close();
  // It ends with its server, and is a recording like any other.
  await watcher.peer.rest();
  assertEquals(watcher.lines.at(-1)?.type, "end");
  const { events } = parseStrictly(watcher.text, "the stream");
  assertEquals(events.filter(({ type }) => type === "begun").length, known + 1);
}, 6);

test("a stream is what observe replay shows", async () => {
  using folder = new Folder();
  await using server = await ServerProcess.start("event", [
    ...["--live", "0", "--protocol", "frame"],
  ]);
  const where = liveIn(server.greeting);
  await using watcher = await Watcher.open(where);
  // Whoever does not read yet is told of nobody's own connections.
  await until("the stream to begin", () => watcher.lines.length > 0);
  assertEquals((await press(where, "three-clients")).status, 202);
  await until("the three to be over", () => watcher.all("over").length === 3);
  await watcher.find(
    "that they were answered",
    "note",
    ({ text }) => text === "from the page: three clients: all were answered",
  );
  // They are told from the server's own clients, and counted apart.
  assertEquals(watcher.all("begun").map(({ by }) => by), ["page", "page", "page"]);
  await watcher.find("their number", "counters", ({ values }) => values.by_page === 3);
  // What takes longer than from one look to the next is told while it goes on, and when it is over.
  await using slow = await Peer.connect(server.address);
  await slow.send(`^P${2n ** 59n - 55n}$`);
  slow.finish();
  await slow.rest();
  const doing = await watcher.find(
    "the longer prime",
    "doing",
    ({ what, connection }) => what === "computing" && connection === 4,
  );
  await watcher.find(
    "its end",
    "doing",
    ({ thread, what }) => thread === doing.thread && what === undefined,
  );
  await watcher.find(
    "its span",
    "span",
    ({ name, connection, to, at }) =>
      name === "computing" && connection === doing.connection && to - at > 40_000,
  );
  await watcher.find("its use of processors", "figures", ({ cpu }) => cpu !== undefined);
  server.signal("SIGTERM");
  await watcher.peer.rest();
  parseStrictly(watcher.text, "the stream");
  const path = folder.path("live.jsonl");
  writeFileSync(path, watcher.text);
  await using replay = new Script("lab/observe.ts", ["replay", path, "--speed", "max"]);
  const { code, stdout, stderr } = await replay.end();
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /#4 on computing \d+: computing prime, still/);
  assertMatch(stdout, /figures: .* of a core/);
});

test("a loop that is stuck is shown, also to those who come later, and the page answers", async () => {
  await using server = await ServerProcess.start("event", [
    ...["--protocol", "tests/kit/protocols/spin.ts", "--live", "0"],
  ]);
  const where = liveIn(server.greeting);
  await using first = await Peer.connect(server.address);
  await first.send("hello\n");
  await first.line();
  await using second = await Peer.connect(server.address);
  await using early = await Watcher.open(where);
  await until("both to be told", () => early.open.size === 2);
  await second.send("spin\n");
  const told = await early.find("what goes on", "doing", ({ what }) => what === "turn");
  assertEquals(early.open.get(told.connection as number)?.peer, second.name);
  await early.find("the loop's lag", "figures", ({ loop_still_ms: ms = 0 }) => ms > 300);
  // Somebody wonders why nothing happens, and looks.
  await using late = await Watcher.open(where);
  const seen = await late.find("what goes on", "doing", ({ what }) => what === "turn");
  assertEquals(seen.connection, told.connection);
  assertEquals(
    [...late.open.values()].map(({ peer }) => peer).sort(),
    [
      first.name,
      second.name,
    ].sort(),
  );
  assertEquals((await ask(where.at, `GET ${where.path}`)).status, 200);
  assertEquals(late.all("counters").at(-1)?.values.live, 2);
  // Who connects now waits in the kernel's accept queue, and is seen there.
  if (whyNoKernel() !== undefined) return;
  await using waiting = await Peer.connect(server.address);
  await late.find(
    "who waits",
    "socket",
    ({ remote, waiting: waits }) => waits === true && remote === waiting.name,
  );
  await late.find("the queue", "listener", ({ waiting: count }) => count === 1);
});

/** How long somebody waits to be accepted before anybody looks, in milliseconds. */
const WAIT_MS = 1_000;

test("a stuck loop and who waits for it are shown since before anybody looks", async () => {
  await using server = await ServerProcess.start("event", [
    ...["--protocol", "tests/kit/protocols/spin.ts", "--live", "0", "--stall", "300ms"],
  ]);
  await using stuck = await Peer.connect(server.address);
  await stuck.send("spin\n");
  await until("the loop to be stuck", () => server.stderr.includes(" has not turned for "));
  await using waiting = await Peer.connect(server.address);
  await pause(WAIT_MS);
  await using watcher = await Watcher.open(liveIn(server.greeting));
  const { at, connected = Infinity } = await watcher.find(
    "who waits",
    "socket",
    (event) => event.waiting === true && event.remote === waiting.name,
  );
  assert(at - connected >= (WAIT_MS - 2 * TICK_MS) * 1_000, `${connected} to ${at}`);
  // The first lines say how things were when somebody came.
  const came = await watcher.find("the counters", "counters");
  const doing = await watcher.find("what goes on", "doing", ({ what }) => what === "turn");
  assert(doing.at < came.at, `${doing.at} before ${came.at}`);
}, { skip: whyNoKernel() });

/** How many clients come until one of them meets the loop that is stuck. */
const MOST_CLIENTS = 200;

test("of a cluster's loops, it is shown in whose accept queue somebody waits", async () => {
  using folder = new Folder();
  await using server = await ServerProcess.start("cluster", [
    ...["--protocol", "tests/kit/protocols/spin.ts", "--live", "0", "--stall", "0"],
    ...["--workers", "2", "--offload", "0"],
  ]);
  await using watcher = await Watcher.open(liveIn(server.greeting));
  await using busy = await Peer.connect(server.address);
  const over = folder.path("over");
  await busy.send(`until ${over}\n`);
  const { connection, thread } = await watcher.find("what goes on", "doing", ({ what }) => {
    return what === "turn";
  });
  const shown = ({ name }: Peer) => {
    const scene = new Scene();
    scene.add(watcher.lines);
    const { dots, acceptQueue } = scene.at(scene.toUs);
    const dot = dots.find(({ peer }) => peer === name);
    return { dot, queues: acceptQueue.ofThreads ?? [] };
  };
  const begun = ({ name }: Peer) => watcher.all("begun").find(({ peer }) => peer === name);
  // The kernel chooses a loop for each client, until one has come to the loop that is busy.
  await using clients = new AsyncDisposableStack();
  let last = busy;
  for (let count = 0; count < MOST_CLIENTS && begun(last) !== undefined; count++) {
    const client = last = clients.use(await Peer.connect(server.address));
    await until("its place to be told", () => {
      return begun(client) !== undefined || shown(client).dot?.queueOf === thread;
    });
  }
  const { dot, queues } = shown(last);
  assertEquals([dot?.place, dot?.queueOf, dot?.waitsFor], ["accept queue", thread, connection]);
  assertEquals(queues.map(({ thread: of, waiting }) => [of === thread, waiting]).sort(), [
    [false, 0],
    [true, 1],
  ]);
  // Who serves it shows that this was true.
  writeFileSync(over, "");
  await last.send("hello\n");
  assertEquals(await last.take(6), "hello\n");
  await until("it to be told", () => begun(last) !== undefined);
  const served = await watcher.find("who serves it", "served", (event) => {
    return event.connection === begun(last)?.connection;
  });
  assertEquals(served.thread, thread);
}, { skip: whyNoKernel() });

/** So long it would take until the next look, while nothing happens. */
const HOUR_MS = 3_600_000;

/** A listener whose sockets are looked at, and what is seen. */
function lookedAt(times: { readonly pauseMs: number; readonly glanceMs?: number }) {
  const net = sockets();
  const listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, {});
  const address = net.localAddress(listener);
  const seen: Event[] = [];
  const looks = new SocketLooks({
    address,
    beganUs: 0,
    ownPort: new Int32Array(new SharedArrayBuffer(4)),
    calmMs: HOUR_MS,
    ...times,
    tellsRemainders: false,
    onSeen: (events) => void seen.push(...events),
  }, new DestroyEvents());
  return { net, listener, address, seen, looks };
}

test("who comes and ends while nobody else does is seen by glances", async () => {
  const { net, listener, address, seen, looks } = lookedAt({ pauseMs: HOUR_MS, glanceMs: 5 });
  using _looks = looks;
  const client = net.openConnection(address);
  const remote = formatAddress(net.localAddress(client));
  const waits = (event: Event) =>
    event.type === "socket" && event.remote === remote && event.waiting === true;
  await until("it to be seen in the accept queue", () => seen.some(waits));
  const accepted = net.accept(listener);
  const isLeft = (event: Event) => event.type === "listener" && event.waiting === 0;
  await until("it to be seen that nobody waits", () => seen.findLastIndex(isLeft) > 0);
  const counts = seen.flatMap((event) => event.type === "listener" ? [event.waiting] : []);
  assertEquals(counts, [0, 1, 0]);
  // The end is told without a look.
  for (const fd of [client, accepted, listener]) net.close(fd);
  const ends = (event: Event) => event.type === "connection" && event.remote === remote;
  await until("its end to be told", () => seen.some(ends));
}, { skip: whyNoKernel() });

test("a worker that is stuck in a protocol is found, and who waits for it", async () => {
  using folder = new Folder();
  const modes = [["threadpool", "worker"], ["prefork", "process"]] as const;
  await Promise.all(modes.map(async ([mode, name]) => {
    const over = folder.path(mode);
    await using server = await ServerProcess.start(mode, [
      ...["--protocol", "tests/kit/protocols/spin.ts", "--live", "0", "--workers", "1"],
      ...["--drain", "0"],
    ]);
    const where = liveIn(server.greeting);
    await using peer = await Peer.connect(server.address);
    await peer.send(`until ${over}\n`);
    await using watcher = await Watcher.open(where);
    const { thread, connection } = await watcher.find(
      "the stuck worker",
      "doing",
      ({ what }) => what === "computing",
    );
    const stuck = watcher.all("thread").find((event) => event.thread === thread);
    assertMatch(stuck?.name ?? "", new RegExp(`^${name} \\d$`));
    assertEquals(watcher.open.get(connection as number)?.peer, peer.name);
    // In the pool the next one waits in the server's own queue. Nobody has given it a number yet.
    if (mode === "threadpool") {
      await using next = await Peer.connect(server.address);
      await watcher.find(
        "who waits",
        "doing",
        (event) => event.what === "queued" && event.peer === next.name,
      );
      writeFileSync(over, "");
      await peer.line();
      peer.finish();
      await watcher.find("it to be served", "begun", (event) => event.peer === next.name);
      await watcher.find(
        "that it waits no more",
        "doing",
        (event) => event.what === undefined && event.peer === next.name,
      );
    } else {
      writeFileSync(over, "");
      await peer.line();
    }
    await watcher.find(
      "that it goes on",
      "doing",
      (event) => event.thread === thread && event.what === undefined,
    );
  }));
}, { skip: whyNoSockets() });

test("what is written into a file too is told to readers all the same", async () => {
  using folder = new Folder();
  const record = folder.path("record.jsonl");
  await using live = await openLive();
  await using server = await serveThreadpool({
    port: 0,
    workers: 1,
    protocol: "echo",
    live,
    record,
  });
  await using watcher = await Watcher.open(liveIn(live.url));
  await watcher.find("the counters", "counters");
  const names: string[] = [];
  for (let count = 0; count < 3; count++) {
    await using peer = await Peer.connect(server.address);
    names.push(peer.name);
    await peer.send("a");
    await peer.take(1);
    peer.finish();
    await peer.rest();
  }
  await until("all to be over", () => watcher.all("over").length === names.length);
  await server.close();
  const { events } = parseStrictly(readFileSync(record, "utf8"), "the recording");
  const recorded = events.flatMap((event) => event.type === "begun" ? [event.peer] : []);
  // Records of several threads may come in another order. Their times tell the right one.
  const told = watcher.all("begun").sort((a, b) => a.at - b.at).map(({ peer }) => peer);
  assertEquals([recorded, told], [names, names]);
  assertEquals(watcher.all("over").map(({ outcome }) => outcome), names.map(() => "done"));
});

test("readers are told of all beginnings and ends, and of so many spans", () => {
  const record = (kind: number, id: number): TrackRecord => {
    return { thread: 1, kind, id, from: id, to: id, value: 1, text: "", isUnplaced: false };
  };
  const { begin, end, client, connected, turns, task } = RECORD;
  const records = Array.from(
    { length: 100 },
    (_, id) => [connected, client, begin, turns, task, end].map((kind) => record(kind, id)),
  ).flat();
  const { told, leftOut } = chooseTold(records, 10);
  const count = (kind: number) => told.filter((record) => record.kind === kind).length;
  assertEquals([connected, client, begin, turns, task, end].map(count), [
    100,
    100,
    100,
    20,
    20,
    100,
  ]);
  assertEquals([told.length + leftOut, leftOut], [records.length, 160]);
}, { pure: true });

test(
  "sockets are looked at seldom while nothing happens, and soon when something does",
  async () => {
    const { net, listener, address, seen, looks } = lookedAt({ pauseMs: 5 });
    using _looks = looks;
    assertEquals(seen.map(({ type }) => type), ["listener"]);
    const client = net.openConnection(address);
    const remote = formatAddress(net.localAddress(client));
    const seenAs = (type: string) =>
      until(
        `a ${type}`,
        () =>
          seen.some((event) => event.type === type && "remote" in event && event.remote === remote),
      );
    looks.attend();
    await seenAs("socket");
    // As long as something is under way it looks on by itself: that one waits to be accepted.
    const accepted = net.accept(listener);
    for (const fd of [client, accepted, listener]) net.close(fd);
    await seenAs("connection");
  },
  { skip: whyNoKernel() },
);

/** Connections that are there, and what readers are told of them. */
class Connections implements Present {
  readonly open = new Set<number>();

  now(): number {
    return 0;
  }

  begin(connection: number): Event {
    this.open.add(connection);
    return { type: "begun", at: connection, connection, peer: "127.0.0.1:1" };
  }

  end(connection: number): Event {
    this.open.delete(connection);
    return { type: "over", at: connection, connection, outcome: "done" };
  }

  *lines({ connections }: Known): Iterable<Event> {
    for (const id of connections) {
      if (!this.open.has(id)) {
        yield { type: "over", at: 0, connection: id, outcome: "unknown" };
      }
    }
    for (const id of this.open) if (!connections.has(id)) yield this.begin(id);
  }
}

/** Takes what there is for a reader, and adds it to what it knows. */
function takeInto(known: Knowledge, reader: Reader): Event[] {
  const lines = (reader.take() ?? []).map((text) => JSON.parse(text) as Event);
  for (const line of lines) {
    if (line.type === "begun") {
      assert(!known.connections.has(line.connection), "nobody begins twice");
    } else if (line.type === "over") {
      assert(known.connections.has(line.connection), "nobody ends twice");
    }
    known.learn(line);
  }
  return lines;
}

/** How many connections were left out, as some lines say. */
function leftOutIn(lines: readonly Event[]): number {
  return lines.reduce(
    (sum, line) => line.type === "left_out" && line.what === "connections" ? sum + line.count : sum,
    0,
  );
}

test("a reader who is slow is told counts, and how much was left out; then how things are", () => {
  const present = new Connections();
  const reader = new Reader(present, []);
  const known = new Knowledge();
  const most = 20_000;
  for (let id = 1; id <= most; id++) {
    reader.add(itemOf(present.begin(id)));
    if (id === 10) takeInto(known, reader);
    if (id % 2 === 0) reader.add(itemOf(present.end(id)));
    if (id % 100 > 0) continue;
    reader.add(itemOf({ type: "counters", at: id, values: { accepted: id } }));
    reader.wake();
  }
  assert(reader.isBehind);
  assertEquals(known.connections.size, 6);
  const counts = takeInto(known, reader);
  // What it had not taken is left out, and it is told the latest counts.
  assertEquals(counts.flatMap((line) => line.type === "counters" ? [line.values.accepted] : []), [
    most,
  ]);
  assertEquals(leftOutIn(counts), most - 10);
  // Whether it keeps up now is seen when it comes again. Nothing else need happen for that.
  assert(reader.isBehind && reader.isReady);
  takeInto(known, reader);
  assert(!reader.isBehind && !reader.isReady);
  assertEquals([...known.connections].sort((a, b) => a - b), [...present.open]);

  // The end is told to whoever is slow too, and how things were.
  for (let id = 1; id <= most; id += 2) reader.add(itemOf(present.end(id)));
  for (let calls = 0; calls < 20; calls++) reader.wake();
  assert(reader.isBehind);
  reader.end(itemOf({ type: "end", at: 0 }));
  assertEquals(takeInto(known, reader).at(-1)?.type, "end");
  assertEquals([known.connections.size, reader.take()], [0, undefined]);
}, { pure: true });

test("who waits to write is told, although nobody looked at the clock when it began", async () => {
  const live = await openLive();
  const protocol = new URL("../kit/protocols/measured.ts", import.meta.url).href;
  await using server = await serveEvent({ port: 0, protocol, live, drain: 0 });
  await using peer = await Peer.connect(server.address);
  // More than the kernel keeps for a peer that takes nothing. The first byte has come: it is written.
  await peer.send(`${12 << 20}\n`);
  await peer.take(1);
  peer.pause();
  await using watcher = await Watcher.open(liveIn(live.url));
  const { connection, at } = await watcher.find(
    "the write",
    "doing",
    ({ what }) => what === "writing",
  );
  const begun = watcher.open.get(connection as number);
  assertEquals(begun?.peer, peer.name);
  assert(at > (begun?.at ?? Infinity), "it is told when it was seen, which is no time of its own");
  peer.resume();
  await watcher.find(
    "its end",
    "doing",
    (event) => event.connection === connection && event.what === undefined,
  );
});

test("a reader who is slow is told the latest count of each listener", () => {
  const reader = new Reader(new Connections(), []);
  reader.fallBehind();
  const count = (cookie: string, waiting: number) => {
    const local = "127.0.0.1:8080";
    reader.add(itemOf({ type: "listener", at: 1, local, cookie, waiting }));
  };
  for (let waiting = 1; waiting <= 3; waiting++) count("1", waiting);
  // Who accepts from it is no count, and is not told in place of one.
  reader.add(itemOf({ type: "listener", at: 2, local: "127.0.0.1:8080", cookie: "1", thread: 2 }));
  count("2", 0);
  const counts = takeInto(new Knowledge(), reader).flatMap((line) =>
    line.type === "listener" ? [[line.cookie, line.waiting]] : []
  );
  assertEquals(counts, [["1", 3], ["2", 0]]);
}, { pure: true });

test("a reader who waits for more is told of a thousand connections at once, one by one", () => {
  const present = new Connections();
  const reader = new Reader(present, []);
  const known = new Knowledge();
  let calls = 0;
  reader.wait(() => calls++);
  for (let id = 1; id <= 5_000; id++) reader.add(itemOf(present.begin(id)));
  assert(!reader.isBehind);
  reader.wake();
  reader.wake();
  assertEquals([calls, leftOutIn(takeInto(known, reader))], [1, 0]);
  assertEquals(known.connections.size, 5_000);
  // Of what was told to nobody, it is told what is left.
  present.end(1);
  present.begin(5_001);
  reader.fallBehind();
  takeInto(known, reader);
  assertEquals([...known.connections], [...present.open]);
}, { pure: true });

test(
  "who was served by a thread that has died is over, also if their beginning is told only then",
  () => {
    const common = TimelineCommon.create(0);
    const size = { records: 64, places: 1 };
    const share = { ...size, number: 2, isLoop: false, ring: createRing(size), origin: 0 };
    const thread = { number: 2, name: "worker 0", isLoop: false };
    using view = new LiveView({
      ...{ beganUs: 0, by: "threadpool", ownPort: new Int32Array(1) },
      want: () => {},
      collect: () => {},
    });
    view.addThread(thread, 0, { ...share, common: common.memory }, true);
    const reader = view.open();
    const known = new Knowledge();
    const track = new TrackWriter({ ...share, common: common.memory });
    const told = () =>
      takeInto(known, reader).flatMap((line) => line.type === "over" ? [line] : []);
    // The page is about to connect. Until it knows its address, nobody's beginning is told.
    view.dials(1);
    const done = track.begin("127.0.0.1:1");
    track.end(done, 0);
    const died = track.begin("127.0.0.1:2");
    const at = track.now();
    view.removeThread(thread.number, at, outcomeOf(new Error("It has died")));
    view.addThread(thread, at, { ...share, ring: createRing(size), common: common.memory }, true);
    assertEquals(told(), []);
    view.dials(-1);
    assertEquals(told().map(({ connection }) => connection), [done, died]);
    assertEquals([known.connections.size, known.threads.size], [0, 1]);
  },
  { pure: true },
);

test("what nobody has measured while nobody read is told since it was seen", () => {
  const common = TimelineCommon.create(0);
  common.level = LEVEL_OF.nothing;
  const size = { records: 1_024, places: 4 };
  const ring = createRing(size);
  const share = { ...size, number: 1, isLoop: true, ring, origin: 0, common: common.memory };
  const track = new TrackWriter(share);
  const told: Event[] = [];
  let now = 1_000;
  const state: LiveState = new LiveState({
    tell: (event) => told.push(event),
    leaveOut: () => {},
    lived: () => {},
    now: () => now,
    lookAround: () => state.lookAround(),
    collect: () => {},
  });
  const worker = { number: 2, name: "worker 0", isLoop: false, seat: 0 };
  const pulse = new Int32Array(new SharedArrayBuffer(4));
  state.serves({ memory: pulse.buffer as SharedArrayBuffer, first: 0, stride: 16 });
  state.addThread({ number: 1, name: "main", isLoop: true }, 0, share);
  state.addThread(worker, 0, { ...share, number: 2, ring: createRing(size) });
  const slow = track.begin("127.0.0.1:1");
  const stuck = track.begin("127.0.0.1:2");
  const waits = () => track.waits(track.placeOf(slow), slow, DOING.writing, track.beginsToWait());
  const doings = () =>
    told.flatMap((event) =>
      event.type === "doing" && event.what !== undefined
        ? [[event.thread ?? 0, event.connection ?? 0, event.at]]
        : []
    );

  waits();
  track.enter(stuck);
  pulse[0] = 1;
  state.remember(true);
  // The same goes on.
  now = 5_000;
  state.remember(true);
  now = 9_000;
  state.lookAround();
  state.lookAtThreads();
  state.lookAtConnections();
  const since = 1_000_000;
  assertEquals(doings(), [[1, stuck, since], [2, 0, since], [0, slow, since]]);
  // Whoever comes after these have left hears the same.
  state.forget();
  told.length = 0;
  state.lookAround();
  state.lookAtThreads();
  state.lookAtConnections();
  assertEquals(doings(), [[1, stuck, since], [2, 0, since], [0, slow, since]]);
  // Something else has begun: that it looks the same does not make it older.
  state.forget();
  told.length = 0;
  track.leave();
  track.enter(stuck);
  pulse[0] = 2;
  waits();
  now = 20_000;
  state.remember(true);
  now = 21_000;
  state.lookAround();
  state.lookAtThreads();
  state.lookAtConnections();
  const later = 20_000_000;
  assertEquals(doings(), [[1, stuck, later], [2, 0, later], [0, slow, later]]);
}, { pure: true });

test("what goes on is told to those who come later, and its end to those who missed it", () => {
  const common = TimelineCommon.create(0);
  const size = { records: 1_024, places: 4 };
  const share = { ...size, number: 1, isLoop: true, ring: createRing(size), origin: 0 };
  const track = new TrackWriter({ ...share, common: common.memory });
  let [aheadMs, asked, leftOut] = [0, 0, 0];
  const told: Event[] = [];
  const state: LiveState = new LiveState({
    tell: (event) => told.push(event),
    leaveOut: (count) => leftOut += count,
    lived: () => {},
    now: () => track.now() + aheadMs,
    lookAround: () => state.lookAround(),
    collect: () => asked++,
  });
  state.addThread({ number: 1, name: "main", isLoop: true }, 0, {
    ...share,
    common: common.memory,
  });
  // The thread that would collect that it has begun is busy with it.
  const id = track.begin("127.0.0.1:1");
  track.computes(id, "prime");
  state.lookAtThreads();
  assertEquals(told.map(({ type }) => type), ["thread"]);
  aheadMs = 100;
  state.lookAtThreads();
  assertEquals(told.map(({ type }) => type), ["thread", "begun", "served", "doing"]);
  const goesOn = told.at(-1);
  assertEquals([goesOn?.type, goesOn?.type === "doing" && goesOn.what], ["doing", "computing"]);
  const late = new Knowledge();
  for (const line of state.lines(late)) late.learn(line);
  assertEquals([...late.doings.values()], [goesOn]);
  // Somebody has come in the middle of it. All the others must hear of its end all the same.
  track.hasComputed();
  state.lookAtThreads();
  assertEquals([told.at(-1)?.type, told.at(-1)], ["doing", {
    type: "doing",
    at: told.at(-1)?.at as number,
    thread: 1,
  }]);
  // Whatever is not there any more is over, but how is told by a record that may be on its way.
  track.end(id, 0);
  state.lookAround();
  aheadMs = 1_000;
  state.lookAtThreads();
  assertEquals([asked, told.at(-1)?.type], [1, "doing"]);
  const ring = new TrackReader({ ...share, common: common.memory });
  const drain = () => {
    const records: TrackRecord[] = [];
    ring.drain(records);
    return records;
  };
  state.take(drain());
  assertEquals(told.flatMap((event) => event.type === "over" ? [event.outcome] : []), ["done"]);
  state.hasCollected();
  // One that has ended while nobody read has left no record.
  const other = track.begin("127.0.0.1:2");
  state.lookAround();
  common.level = LEVEL_OF.nothing;
  track.end(other, 0);
  state.lookAround();
  aheadMs = 2_000;
  state.lookAtThreads();
  state.hasCollected();
  assertEquals(told.flatMap((event) => event.type === "over" ? [event.outcome] : []), [
    "done",
    "unknown",
  ]);
  // A thread has so many places. Whoever has none is counted, whether it came before or after somebody
  // began to read, and is neither told nor thought to be over.
  assertEquals(drain().length, 1);
  const begin = () => track.begin("127.0.0.1:3");
  const [placed, before] = [[begin(), begin(), begin(), begin()], begin()];
  common.level = LEVEL_OF.all;
  const after = begin();
  state.take(drain());
  state.lookAround();
  aheadMs = 3_000;
  state.lookAtThreads();
  state.hasCollected();
  assertEquals([state.size, state.unplaced, leftOut, asked], [4, 2, 1, 2]);
  track.tell(RECORD.waiting, after, 0, 1);
  const toldOf = told.length;
  for (const id of [before, after]) track.end(id, 0);
  state.take(drain());
  assertEquals([state.unplaced, told.length], [0, toldOf]);
  // A place that has become free is the next one's.
  track.end(placed[0] as number, 0);
  begin();
  state.take(drain());
  assertEquals([state.size, state.unplaced, leftOut], [4, 0, 1]);
  state.removeThread(1, track.now() + aheadMs, 0);
  for (const line of [...state.lines(late)]) late.learn(line);
  assertEquals([late.doings.size, late.threads.size, late.connections.size], [0, 0, 0]);
});

/** More than there is room for on the way to a browser that does not read, in characters. */
const TOO_MANY = 800_000;

test("a browser that does not read holds up nobody, and catches up", async () => {
  await using server = await ServerProcess.start("nonblocking", [
    ...["--live", "0", "--protocol", "echo"],
  ]);
  const where = liveIn(server.greeting);
  await using quick = await Watcher.open(where);
  await quick.find("the snapshot", "counters");
  await using slow = Watcher.deaf(where);
  let clients = 1_000;
  assertEquals((await press(where, "burst")).status, 202);
  // One thing at a time.
  assertEquals((await press(where, "fifty")).status, 409);
  await quick.find(
    "the end of the burst",
    "note",
    ({ text }) => /^from the page: 1000 clients: all were answered$/.test(text),
  );
  do {
    assertEquals((await press(where, "fifty")).status, 202);
    clients += 50;
    await until("the end of the fifty", () => {
      const ends = quick.all("note").filter(({ text }) =>
        text === "from the page: fifty clients: all were answered"
      );
      return ends.length === (clients - 1_000) / 50;
    });
  } while (quick.peer.heard.length < TOO_MANY && clients < 3_000);
  await until("all to be over", () => quick.open.size === 0);
  await quick.find("their number", "counters", ({ values }) => values.by_page === clients);
  slow.peer.resume();
  await until(
    "it to know the counts",
    () => slow.all("counters").at(-1)?.values.by_page === clients,
  );
  await until("it to know that all are over", () => slow.open.size === 0);
  await slow.find("what was left out", "left_out");
  parseStrictly(slow.text, "what the slow one was told");
}, { skip: whyNoSockets() });

test("a worker that is ended from the page is replaced, in every kind of mode", async () => {
  const cases = [
    ["threadpool", ["--workers", "2"]],
    ["event", ["--offload", "1", "--protocol", "frame"]],
    ["cluster", ["--workers", "2"]],
    ["prefork", ["--workers", "2"]],
  ] as const;
  await Promise.all(cases.map(async ([mode, args]) => {
    await using server = await ServerProcess.start(mode, ["--live", "0", ...args]);
    const where = liveIn(server.greeting);
    await using watcher = await Watcher.open(where);
    assertEquals((await press(where, "kill-worker")).status, 202);
    await watcher.find(
      `a lost thread of ${mode}`,
      "counters",
      ({ values }) => values.threadsLost === 1,
    );
    const { thread } = await watcher.find("its end", "thread", ({ gone }) => gone === true);
    await until("another one", () => {
      const lines = watcher.all("thread").filter((event) => event.thread === thread);
      return lines.at(-1)?.gone !== true && lines.some(({ gone }) => gone === true);
    });
    assertEquals((await server.stop()).code, 0);
  }));
}, { skip: whyNoSockets() });

test("with --live-view-only there are no buttons, and a page ends nobody's server", async () => {
  await using server = await ServerProcess.start("chat/server", [
    ...["--live", "localhost:0", "--live-view-only"],
  ]);
  const where = liveIn(server.greeting);
  const about = JSON.parse((await ask(where.at, `GET ${where.path}about`)).content);
  assertEquals([about.mode, about.protocol, about.actions], ["chat", "rooms", []]);
  assertEquals((await press(where, "fifty")).status, 403);
  await using ann = await ChatPeer.enter(server, "ann");
  await using watcher = await Watcher.open(where);
  await until("ann to be told", () => watcher.open.size === 1);
  await ann.say("hello");
  // What a user does is seen although they came before anybody looked.
  await watcher.find("a turn", "span", ({ name }) => name.startsWith("turn"));
  await watcher.find("the line", "counters", ({ values }) => values.said === 1);
  assertEquals((await server.stop()).code, 0);
});

test("where a page must not be is told before the server begins", async () => {
  await using server = await serveEvent({ port: 0 });
  const taken = `127.0.0.1:${server.address.port}`;
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [["--live", "0.0.0.0:0"], 2, /^event: Cannot use live: expected a host of this machine only/],
    [["--live", "127.0.0.1.example:0"], 2, /^event: Cannot use live: expected a host of this/],
    [["--live", "x"], 2, /^event: Cannot use live: expected \[HOST:\]PORT/],
    [["--live-view-only"], 2, /^event: Cannot use liveViewOnly: there is no page without live/],
    [["--live", taken], 1, /^event: Cannot show the server live: Cannot listen on 127\.0\.0\.1/],
  ];
  await Promise.all(cases.map(async ([args, status, message]) => {
    await using script = new Script("modes/event.ts", ["0", ...args]);
    const { code, stdout, stderr } = await script.end();
    assertEquals([code, stdout], [status, ""], stderr);
    assertMatch(stderr, message);
  }));
  await assertRejects(() => openLive({ live: "192.0.2.1:80" }), OptionError);
}, { sanitize: false });

test("without foreign functions the rest is shown", async () => {
  const permissions = ["--allow-net=127.0.0.1", "--allow-read=."];
  await using server = await ServerProcess.start("event", ["--live", "0"], { permissions });
  const where = liveIn(server.greeting);
  await using watcher = await Watcher.open(where);
  assertEquals((await press(where, "fifty")).status, 202);
  await watcher.find("fifty", "counters", ({ values }) => values.completed === 50);
  await watcher.find(
    "why not more",
    "note",
    ({ text }) => text.startsWith("sockets are not shown"),
  );
  assertEquals((await server.stop()).code, 0);
}, { skip: noPermissions });

test("a program's own server is shown, and its page ends with it", async () => {
  await using live = await openLive({ liveViewOnly: true });
  const where = liveIn(live.url);
  await using server = await serveThreadpool({ port: 0, workers: 1, protocol: "echo", live });
  await using watcher = await Watcher.open(where);
  await watcher.find("the counters", "counters");
  await Promise.all([server.close(), live.close(), live.close()]);
  await until("nobody to listen", () => Peer.connect(where.at).then(() => false, () => true));
}, { sanitize: false });
