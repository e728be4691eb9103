/**
 * What servers record: in every mode, and in every step of the chat.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseFlags } from "../../engine/cli/flags.ts";
import { TICK_MS } from "../../engine/kernel/age.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { Event } from "../../engine/recording/events.ts";
import { pause } from "../../engine/values/pause.ts";
import { readRecording, type Recording } from "../../engine/recording/read_recording.ts";
import { convertTrace } from "../../lab/observe/trace_conversion.ts";
import { MODES } from "../../modes/catalogue.ts";
import { type Address, formatAddress } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { eventsOf, readStrictly } from "../kit/recordings.ts";
import {
  computesInPlace,
  DAILY,
  DIFFERENT,
  forOne,
  inTurn,
  type Row,
  testTogether,
} from "../kit/rows.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

/** The server of a row, in this process. */
async function serveRow(row: Row, more: { trace?: string; record: string }) {
  const { serve, program } = await MODES[row.mode].load();
  const { command } = await program();
  const values = parseFlags(command, ["0", ...forOne(row), "--protocol", "frame"]);
  return await serve({ ...values, ...more });
}

/** Has a conversation in which something is computed. Returns the peer's address. */
async function converse(address: { hostname: string; port: number }): Promise<string> {
  await using peer = await Peer.connect(address);
  await peer.send("^ab$^P7$");
  await until("both answers", () => peer.heard === "*bcprime\n");
  peer.finish();
  await peer.rest();
  return peer.name;
}

/** Connects, and resets the connection. Returns its address. */
async function leave(address: Address): Promise<string> {
  const peer = await Peer.connect(address);
  peer.reset();
  return peer.name;
}

/** Does the same before a loop of this thread can accept the connection. */
function leaveAtOnce(address: Address): string {
  const net = sockets();
  const fd = net.socket(net.constants.AF_INET, net.constants.SOCK_STREAM);
  net.connect(fd, address);
  const name = formatAddress(net.localAddress(fd));
  net.closeWithReset(fd);
  return name;
}

/** The numbers and names of things as the files have them, without what only a recording has. */
function comparable(events: readonly Event[]): string[] {
  return events.filter((event) =>
    ["begun", "queued", "served", "over", "span"].includes(event.type) ||
    event.type === "thread" && event.gone !== true
  ).map((event) => JSON.stringify(event, Object.keys(event).sort())).sort();
}

for (const row of inTurn(DAILY, 1)) {
  const { name, skip } = row;
  test(`${name} records a conversation, and its trace converts into the same`, async () => {
    using folder = new Folder();
    const record = folder.path("it.jsonl");
    const trace = folder.path("it.json");
    const server = await serveRow(row, { record, trace });
    const peer = await converse(server.address);
    await until("it to be over", () => server.counters.completed === 1);
    await server.close();
    const recording = readStrictly(record);
    checkServer(recording, row, peer);
    const converted = convertTrace(readFileSync(trace, "utf8"), trace);
    assertEquals(converted.header, recording.header);
    assertEquals(comparable(converted.events), comparable(recording.events));
    assertEquals(converted.events.at(-1)?.type, "end");
  }, { skip, sanitize: false });
}

/** How long somebody waits to be accepted, and how much less of that the kernel may tell. */
const WAIT_MS = 60;
const LESS_MS = 2 * TICK_MS;

testTogether(
  "tells since when somebody has waited to be accepted",
  inTurn(DIFFERENT, 0).filter(knowsDescriptors),
  async (row) => {
    using folder = new Folder();
    const record = folder.path("it.jsonl");
    const trace = folder.path("it.json");
    const { serve, program } = await MODES[row.mode].load();
    const flags = ["0", ...forOne(row), "--protocol", "echo", "--max-connections", "1"];
    const server = await serve({ ...parseFlags((await program()).command, flags), record, trace });
    await using first = await Peer.connect(server.address);
    await first.send("a");
    await first.take(1);
    // There is no room for this one.
    await using second = await Peer.connect(server.address);
    await pause(WAIT_MS);
    first.finish();
    await first.rest();
    await second.send("b");
    await second.take(1);
    second.finish();
    await second.rest();
    await until("both to be over", () => server.counters.completed === 2);
    await server.close();
    const recording = readStrictly(record);
    const begun = eventsOf(recording, "begun").find(({ peer }) => peer === second.name);
    const { at = 0, connected = Infinity } = begun ?? {};
    assert(at - connected >= (WAIT_MS - LESS_MS) * 1_000, `${connected} to ${at}`);
    const converted = convertTrace(readFileSync(trace, "utf8"), trace);
    assertEquals(comparable(converted.events), comparable(recording.events));
  },
);

/** Whether the threads of a row know the descriptors of their connections. */
function knowsDescriptors({ mode, args }: Row): boolean {
  return !["event", "cluster"].includes(mode) && !args.includes("message") &&
    whyNoKernel() === undefined;
}

/** Checks what a recording says about a server that had this one peer. */
function checkServer(recording: Recording, row: Row, peer: string): void {
  const { header, isFinished } = recording;
  assertEquals([header.by, isFinished], [row.mode, true]);
  assertEquals(header.runtime, `${runtime.name} ${runtime.version}`);
  const all = eventsOf(recording, "thread");
  const threads = new Map(all.map(({ thread, name }) => [thread, name]));
  // A loop is what serves many in turns: whoever serves one after another is called otherwise.
  for (const { name, loop = false, gone } of all) {
    if (name.startsWith("loop ") && gone !== true) assert(loop, `${row.mode}: ${name}`);
  }
  const begun = eventsOf(recording, "begun");
  assertEquals(begun.map(({ connection, peer }) => [connection, peer]), [[1, peer]]);
  const queued = eventsOf(recording, "queued");
  assertEquals(queued.length, row.queues ? 1 : 0);
  const served = eventsOf(recording, "served");
  assertEquals(served.length, 1);
  assertMatch(threads.get(served[0]!.thread) ?? "", /^(main|(accepting )?[a-z]+ \d+)$/);
  const over = eventsOf(recording, "over");
  assertEquals(over.map(({ connection, outcome }) => [connection, outcome]), [[1, "done"]]);
  const computing = eventsOf(recording, "span").filter(({ name }) => name === "computing");
  assertEquals(computing.map(({ connection, task }) => [connection, task]), [[1, "prime"]]);
  const computesThere = !row.loops || computesInPlace(row);
  assertEquals(computing[0]?.thread === served[0]?.thread, computesThere);
  // One time base: each thing lies within what it belongs to.
  const [first, last] = [begun[0]!.at, over[0]!.at];
  for (const { at } of [...queued, ...served, ...computing]) assert(first <= at && at <= last);
  const counters = eventsOf(recording, "counters").at(-1);
  assertEquals([counters?.values.accepted, counters?.values.completed], [1, 1]);
  const closing = eventsOf(recording, "closing");
  assertEquals(closing.map(({ at }) => at >= last), [true]);
}

test(
  "a recording has the server's sockets by cookie, and joins them to its connections",
  async () => {
    using folder = new Folder();
    const record = folder.path("sockets.jsonl");
    const flags = ["--protocol", "frame", "--record", record];
    await using server = await ServerProcess.start("sequential", flags);
    const look = () => readRecording(readFileSync(record, "utf8"), record);
    const states = (peer: Peer) =>
      eventsOf(look(), "socket").filter(({ remote }) => remote === peer.name);
    await using peer = await Peer.connect(server.address);
    await until("its socket to be seen", () => states(peer).at(-1)?.state === "ESTABLISHED");
    // One is served at a time, so another client waits to be accepted.
    await using other = await Peer.connect(server.address);
    await until("the other to wait", () => states(other).at(-1)?.waiting === true);
    await peer.send("^ab$");
    peer.finish();
    assertEquals(await peer.rest(), "*bc");
    await until("the other to be served", () => other.heard === "*");
    other.reset();
    await until(
      "both to be gone",
      () => [peer, other].every((one) => states(one).at(-1)?.state === "CLOSE"),
    );
    await until(
      "the queue to be seen empty",
      () => eventsOf(look(), "listener").at(-1)?.waiting === 0,
    );
    const { code, stderr } = await server.stop();
    assertEquals(code, 0, stderr);

    const recording = readStrictly(record);
    const sockets = eventsOf(recording, "socket");
    const local = `127.0.0.1:${server.address.port}`;
    assert(sockets.every((socket) => socket.local === local && socket.end === "server"));
    const listeners = eventsOf(recording, "listener");
    assert(listeners.every((one) => one.local === local && (one.limit ?? 0) > 0));
    assertEquals(listeners.at(-1)?.waiting, 0);
    assert(listeners.some(({ waiting }) => waiting === 1), "its queue was seen");
    for (const { peer } of eventsOf(recording, "begun")) {
      const its = sockets.filter(({ remote }) => remote === peer);
      assertEquals(new Set(its.map(({ cookie }) => cookie)).size, 1, "one socket, one cookie");
    }
    assertEquals(new Set(sockets.map(({ cookie }) => cookie)).size, 2);
    const ended = (one: Peer) => {
      const found = eventsOf(recording, "connection").filter(({ remote }) => remote === one.name);
      assertEquals(found.length, 1);
      const { cookie, opened_by, closed_first, ended_with, bytes_sent, bytes_received } = found[0]!;
      assertEquals(cookie, sockets.find(({ remote }) => remote === one.name)?.cookie);
      return [opened_by, closed_first, ended_with, bytes_sent, bytes_received];
    };
    assertEquals(ended(peer), ["remote", "remote", "fin", 3, 4]);
    assertEquals(ended(other), ["remote", "remote", "reset", 1, 0]);
  },
  { sanitize: false, skip: whyNoKernel() },
);

for (
  const [script, line] of [
    ["chat/v1_once", "x"],
    ["chat/v2_echo", "exit"],
    ["chat/v3_operator", "exit"],
    ["chat/server", "/quit"],
  ] as const
) {
  test(`${script} records a conversation`, async () => {
    using folder = new Folder();
    const record = folder.path("chat.jsonl");
    await using server = await ServerProcess.start(script, ["--record", record]);
    await using peer = await Peer.connect(server.address);
    await peer.send(`${line}\n`);
    await peer.rest();
    peer.finish();
    const { code, stderr } = await server.stop();
    assertEquals(code, 0, stderr);
    const recording = readStrictly(record);
    assertEquals(eventsOf(recording, "begun").map(({ peer }) => peer), [peer.name]);
    assertEquals(eventsOf(recording, "over").map(({ outcome }) => outcome), ["done"]);
    assert(
      eventsOf(recording, "span").some(({ name, connection }) =>
        name === "turn" && connection === 1
      ),
    );
    assert(recording.isFinished);
  }, { sanitize: false });
}

for (const [when, connect] of Object.entries({ accepts: leave, listens: leaveAtOnce })) {
  test(`a connection that is over as soon as the server ${when} is in the recording`, async () => {
    for (const mode of ["event", "sequential"] as const) {
      using folder = new Folder();
      const record = folder.path("short.jsonl");
      const server = await (await MODES[mode].load()).serve({ port: 0, record });
      const name = await connect(server.address);
      await until("it to be over", () => {
        const { accepted, lost, active } = server.counters;
        // A runtime that finds it reset when it accepts it does not give it to the server.
        return accepted + lost >= 1 && active === 0;
      });
      await server.close();
      // Whoever tried the port for itself, as other tests do, is in the recording too.
      const ended = eventsOf(readStrictly(record), "connection")
        .filter(({ remote }) => remote === name);
      assertEquals(ended.map(({ ended_with }) => ended_with), ["reset"], mode);
    }
  }, { sanitize: false, skip: whyNoKernel() });
}

test("connections that the server ends as it closes are in the recording", async () => {
  using folder = new Folder();
  const record = folder.path("closing.jsonl");
  await using server = await ServerProcess.start("event", ["--record", record, "--drain", "0"]);
  await using peers = new AsyncDisposableStack();
  const names: string[] = [];
  const closing: Promise<unknown>[] = [];
  for (let count = 0; count < 3; count++) {
    const peer = peers.use(await Peer.connect(server.address));
    names.push(peer.name);
    await peer.send("HELLO 1\n");
    assertEquals(await peer.line(), "HELLO 2");
    // Like most clients, it closes when it sees the end.
    closing.push(peer.rest().then(() => peer.finish()));
  }
  const { code, stderr } = await server.stop();
  assertEquals(code, 0, stderr);
  await Promise.all(closing);
  const ended = eventsOf(readStrictly(record), "connection");
  assertEquals(ended.map(({ remote }) => remote).sort(), names.sort());
  assert(ended.every(({ closed_first }) => closed_first === "local"));
}, { sanitize: false, skip: whyNoKernel() });

test("the recording of a server that was killed lacks only its end", async () => {
  using folder = new Folder();
  const record = folder.path("killed.jsonl");
  await using server = await ServerProcess.start("event", [
    "--protocol",
    "frame",
    "--record",
    record,
  ]);
  await converse(server.address);
  await until("it to be written", () => readFileSync(record, "utf8").includes('"done"'));
  server.signal("SIGKILL");
  await server.end();
  const recording = readRecording(readFileSync(record, "utf8"), record);
  assertEquals(recording.isFinished, false);
  assertEquals(eventsOf(recording, "over").length, 1);
}, { sanitize: false });

test("a server goes on serving when its recording can no longer be written", async () => {
  await using server = await ServerProcess.start("threadpool", [
    "--protocol",
    "frame",
    "--record",
    "/dev/full",
  ]);
  await converse(server.address);
  await until("that to be said", () => server.stderr.includes("the recording ends here"));
  await converse(server.address);
  const { code, stderr } = await server.stop();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "no space left (ENOSPC)");
}, {
  sanitize: false,
  skip: runtime.os === "linux" ? undefined : `${runtime.os} has no /dev/full`,
});

test("a server writes no two files into one, and names a file safely", async () => {
  using folder = new Folder();
  const both = ["0", "--record", folder.path("x"), "--trace", `${folder.path("")}/./x`];
  const unsafe = ["0", "--record", "/nowhere/\x1b[31m"];
  const [same, escaped] = await Promise.all([both, unsafe].map(async (args) => {
    await using script = new Script("modes/event.ts", args, { permissions: ["--quiet", "-A"] });
    return await script.end();
  }));
  assertEquals(
    [same?.code, same?.stderr],
    [2, "event: Cannot use record: the trace is written into the same file\n"],
  );
  assertEquals(escaped?.code, 1);
  assertStringIncludes(escaped?.stderr ?? "", String.raw`/nowhere/\x1b[31m: `);
}, { sanitize: false });

test("a recording that cannot be written is refused in one line", async () => {
  const path = fileURLToPath(new URL("../../tests/", import.meta.url));
  await using script = new Script("modes/event.ts", ["0", "--record", path]);
  const { code, stdout, stderr } = await script.end();
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^event: Cannot write the recording .+: is a directory \(EISDIR\)\n$/);
}, { sanitize: false });
