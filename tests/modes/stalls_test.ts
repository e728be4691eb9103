/**
 * Loops that stop turning: a protocol that computes in its conversation and never yields.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, delay, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, inTurn, type Row, testTogether } from "../kit/rows.ts";
import { catchesTerm, ServerProcess, totalsIn, whyNoFullPipe } from "../kit/server_process.ts";

const SPIN = "./tests/kit/protocols/spin.ts";
const FLAGS = ["--protocol", SPIN, "--drain", "100ms"];
const skip = runtime.os === "linux" ? undefined : "only proc(5) tells which signals are caught";

test("a loop that does not turn is logged once, and a signal ends its process", async () => {
  await using server = await ServerProcess.start("event", [...FLAGS, "--stall", "1200ms"]);
  assert(catchesTerm(server.pid));
  await using idle = await Peer.connect(server.address);
  assertEquals(await (await idle.send("here\n")).line(), "here");
  await using peer = await Peer.connect(server.address);
  await using late = await Peer.connect(server.address);
  assertEquals(await (await late.send("here\n")).line(), "here");
  await peer.send("spin\n");
  await server.printed(" has not turned for ", "stderr");
  const line = / WRN the event loop has not turned for [1-9]\d*\.\d s: it serves (.*)\n/;
  const end = "a signal ends the process, and cuts 3 connections";
  assertEquals(line.exec(server.stderr)?.[1], `${peer.name}; ${end}`, server.stderr);
  const ending = await server.stop("SIGINT");
  assertEquals(ending.signal, "SIGINT");
  assertEquals(ending.stderr.match(/ has not turned /g)?.length, 1);
  const whom = `, which serves ${peer.name}, and cuts 3 connections\n`;
  assert(ending.stderr.endsWith(` WRN the process ends without its event loop${whom}`));
}, { sanitize: false, skip });

/**
 * Has a peer hold up the loop until its stall is logged, and then lets it turn again.
 *
 * @param send what is sent to the server before that
 */
async function holdUp(
  server: ServerProcess,
  peer: Peer,
  send: () => void = () => {},
): Promise<void> {
  using folder = new Folder();
  const file = folder.path("enough");
  await peer.send(`until ${file}\n`);
  await server.printed(" has not turned for ", "stderr");
  send();
  writeFileSync(file, "");
  assertEquals(await peer.line(), `until ${file}`);
}

/** A server that was told to close does so in order, when its only client has gone. */
async function endInOrder(server: ServerProcess, peer: Peer): Promise<void> {
  peer.finish();
  const ending = await server.end();
  assertEquals([ending.code, ending.signal], [0, null], ending.stderr);
  assertMatch(totalsIn(ending), /^accepted 1 · completed 1 · failed 0 · cut 0/);
}

test("a signal that comes when the loop has just turned again cuts nobody", async () => {
  const flags = ["--protocol", SPIN, "--stall", "1200ms"];
  await using server = await ServerProcess.start("event", flags);
  await using peer = await Peer.connect(server.address);
  await holdUp(server, peer);
  server.signal("SIGTERM");
  assertEquals(await (await peer.send("here\n")).line(), "here");
  await endInOrder(server, peer);
}, { sanitize: false, skip });

test("a loop that is stuck may turn for as long as its drain after an early signal", async () => {
  const flags = ["--protocol", SPIN, "--drain", "1m", "--stall", "1200ms"];
  await using server = await ServerProcess.start("event", flags);
  await using peer = await Peer.connect(server.address);
  using folder = new Folder();
  const file = folder.path("enough");
  assertEquals(await (await peer.send(`now\nuntil ${file}\n`)).line(), "now");
  server.signal("SIGTERM");
  await server.printed(" has not turned for ", "stderr");
  writeFileSync(file, "");
  assertEquals(await peer.line(), `until ${file}`);
  await endInOrder(server, peer);
}, { sanitize: false, skip });

test(
  "a loop that stops turning while its server closes is waited for, but not for ever",
  async () => {
    await using server = await ServerProcess.start("event", FLAGS);
    await using peer = await Peer.connect(server.address);
    assertEquals(await (await peer.send("last\n")).line(), "last");
    const { signal, stderr } = await server.stop();
    assertEquals(signal, "SIGTERM");
    const whom = `, which serves ${peer.name}, and cuts 1 connection\n`;
    assert(stderr.endsWith(` WRN the process ends without its event loop${whom}`), stderr);
  },
  { sanitize: false, skip },
);

test("conversations that compute one after another are no stuck loop", async () => {
  const flags = ["--protocol", SPIN, "--drain", "1m"];
  await using server = await ServerProcess.start("event", flags);
  const peers = await Promise.all([0, 1, 2, 3, 4].map(() => Peer.connect(server.address)));
  // While the first one computes, the others come. They have their turns before the loop has one.
  assertEquals(await (await peers[0]!.send("now\nspin 700\n")).line(), "now");
  for (const peer of peers.slice(1)) await peer.send("spin 700\n");
  await delay(2_400);
  server.signal("SIGTERM");
  for (const peer of peers) {
    assertEquals(await peer.line(), "spin 700");
    peer.finish();
  }
  const ending = await server.end();
  assertEquals([ending.code, ending.signal], [0, null], ending.stderr);
}, { sanitize: false, skip });

test(
  "a terminal that closes says so twice, and both are the same end of a stuck loop",
  async () => {
    await using server = await ServerProcess.start("event", [...FLAGS, "--stall", "1200ms"]);
    await using peer = await Peer.connect(server.address);
    await peer.send("spin\n");
    await server.printed(" has not turned for ", "stderr");
    server.signal("SIGHUP");
    server.signal("SIGHUP");
    const { signal, stderr } = await server.end();
    assert(stderr.includes(" WRN the process ends without its event loop, which serves "), stderr);
    assert(signal === "SIGHUP" || signal === "SIGTERM", String(signal));
  },
  { sanitize: false, skip },
);

test("a terminal that closes while a loop is stuck for a while cuts nobody", async () => {
  const flags = ["--protocol", SPIN, "--drain", "1m", "--stall", "300ms"];
  await using server = await ServerProcess.start("event", flags);
  await using peer = await Peer.connect(server.address);
  await holdUp(server, peer, () => {
    server.signal("SIGHUP");
    server.signal("SIGHUP");
  });
  await endInOrder(server, peer);
}, { sanitize: false, skip });

test("a hang-up is heard by a loop that turns once and is stuck again", async () => {
  const flags = [...FLAGS, "--stall", "300ms"];
  await using server = await ServerProcess.start("event", flags);
  await using peer = await Peer.connect(server.address);
  await using other = await Peer.connect(server.address);
  assertEquals(await (await other.send("here\n")).line(), "here");
  using folder = new Folder();
  const file = folder.path("enough");
  await peer.send(`until ${file}\n`);
  await server.printed(" has not turned for ", "stderr");
  server.signal("SIGHUP");
  await other.send("spin\n");
  writeFileSync(file, "");
  const { signal, stderr } = await server.end();
  assert(stderr.includes(" WRN the process ends without its event loop"), stderr);
  assert(signal === "SIGHUP" || signal === "SIGTERM", String(signal));
}, { sanitize: false, skip });

test(
  "a second signal ends a server that closes and is stuck, and a second hang-up does not",
  async () => {
    const flags = ["--protocol", SPIN, "--drain", "1m"];
    const start = async (first: "SIGTERM" | "SIGHUP") => {
      const server = await ServerProcess.start("event", flags);
      const peer = await Peer.connect(server.address);
      assertEquals(await (await peer.send("here\n")).line(), "here");
      server.signal(first);
      // The watch has to see that the server closes: it looks four times a second.
      await delay(1_500);
      return { server, peer };
    };
    const [one, other] = await Promise.all([start("SIGTERM"), start("SIGHUP")]);
    await using _one = one.server;
    await using _other = other.server;
    using folder = new Folder();
    const file = folder.path("enough");
    await one.peer.send("now\nspin\n");
    await other.peer.send(`now\nuntil ${file}\n`);
    for (const { peer } of [one, other]) assertEquals(await peer.line(), "now");
    await until("it to end", async () => {
      other.server.signal("SIGHUP");
      // On Bun a signal is not heard before the loop is late.
      one.server.signal("SIGTERM");
      await delay(500);
      return one.server.isOver;
    });
    assertEquals((await one.server.end()).signal, "SIGTERM");
    writeFileSync(file, "");
    assertEquals(await other.peer.line(), `until ${file}`);
    other.peer.finish();
    assertEquals((await other.server.end()).code, 0);
  },
  { sanitize: false, skip },
);

test("a reader of the log who is stuck does not keep a stuck loop from being ended", async () => {
  using folder = new Folder();
  const options = { fullPipe: folder.path("pipe") };
  await using server = await ServerProcess.start("event", FLAGS, options);
  await using peer = await Peer.connect(server.address);
  assertEquals(await (await peer.send("last\n")).line(), "last");
  assertEquals((await server.stop()).signal, "SIGTERM");
}, { sanitize: false, skip: skip ?? whyNoFullPipe });

test("a reader of the log who is stuck does not hold up the watch of the loops", async () => {
  using folder = new Folder();
  const options = { fullPipe: folder.path("pipe") };
  const flags = [...FLAGS, "--stall", "300ms"];
  await using server = await ServerProcess.start("event", flags, options);
  await using peer = await Peer.connect(server.address);
  // The stall is told meanwhile.
  assertEquals(await (await peer.send("spin 1500\n")).line(), "spin 1500");
  assertEquals(await (await peer.send("now\nspin\n")).line(), "now");
  await until("it to end", async () => {
    // Bun does not hear of a signal before the loop is late.
    server.signal("SIGTERM");
    await delay(500);
    return server.isOver;
  });
  assertEquals((await server.end()).signal, "SIGTERM");
}, { sanitize: false, skip: skip ?? whyNoFullPipe });

test("a signal that comes as soon as the loop is stuck ends its process", async () => {
  await using server = await ServerProcess.start("event", [...FLAGS, "--stall", "100ms"]);
  await using peer = await Peer.connect(server.address);
  assertEquals(await (await peer.send("spin 700\n")).line(), "spin 700");
  await until("the thread to watch", () => server.stderr.includes(" has not turned for "));
  assertEquals(await (await peer.send("now\nspin\n")).line(), "now");
  assertEquals((await server.stop()).signal, "SIGTERM");
}, {
  sanitize: false,
  skip: skip ?? (runtime.hearsSignalsInThreads ? undefined : "a Worker of Bun hears no signals"),
});

test("nobody watches with --stall 0", async () => {
  await using server = await ServerProcess.start("event", [...FLAGS, "--stall", "0"]);
  await using peer = await Peer.connect(server.address);
  assertEquals(await (await peer.send("spin 1500\n")).line(), "spin 1500");
  assert(!server.stderr.includes("not turned"), server.stderr);
  assertEquals((await server.stop()).code, 0);
}, { sanitize: false });

/** How a thread or a process that is stuck is logged. */
const STUCK =
  / WRN ([a-z ]+) \d+(?: \(\d+\))? has not left its protocol's code for \d+\.\d s: it serves (.+)\n/;

/** What those who serve are called, without their numbers. */
function servingIn({ mode, args }: Row): string {
  if (mode === "prefork") return "process";
  return mode === "threadpool" && args.includes("0") ? "accepting worker" : "worker";
}

// In `event` the loop is that of the main thread.
testTogether(
  "a conversation that never yields does not keep the server from ending",
  inTurn(DIFFERENT, 0).filter(({ mode, workers }) => mode !== "event" && workers),
  async (row) => {
    const flags = [...FLAGS, "--stall", "300ms"];
    await using server = await ServerProcess.start(row.mode, [...forOne(row), ...flags]);
    await using peer = await Peer.connect(server.address);
    assertEquals(await (await peer.send("here\n")).line(), "here");
    await peer.send("spin\n");
    if (row.loops) {
      const line = / has not turned for \d+\.\d s: it serves ([^;\n]+)/;
      await until("the stall to be logged", () => line.test(server.stderr));
      assertEquals(line.exec(server.stderr)?.[1], peer.name);
    } else {
      await until("it to be logged", () => server.stderr.includes(" its protocol's code for "));
      const [, name, whom] = STUCK.exec(server.stderr) ?? [];
      assertEquals([name, whom], [servingIn(row), peer.name], server.stderr);
    }
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(totalsIn(ending), /^accepted 1 · completed 0 · failed 0 · cut 1/);
  },
);
