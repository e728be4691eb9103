/**
 * `--live` while one server takes another one over: who has the page, and what those are told who read.
 *
 * @module
 */

import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import type { EndEvent, Event } from "../../engine/recording/events.ts";
import { MainJournal } from "../../engine/server/journal/journal.ts";
import { Newcomer } from "../../engine/server/takeover/newcomer.ts";
import { ownUser } from "../../engine/server/takeover/private_path.ts";
import { findFreePort } from "../../lab/free_port.ts";
import { assert, assertEquals, assertMatch, test, until } from "../kit/harness.ts";
import { Folder } from "../kit/folder.ts";
import { ask, liveIn, press, Watcher } from "../kit/live.ts";
import { Peer } from "../kit/peer.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

const skip = whyNoSockets() ?? runtime.whyNoReusePort() ??
  (runtime.os === "linux" ? undefined : "a listener can be passed on on Linux only");

/** The address of a server's page. */
function pageOf({ greeting }: ServerProcess): string {
  const [, url] = / · live at (http:\/\/\S+)/.exec(greeting) ?? [];
  assert(url !== undefined, greeting);
  return url;
}

function isEnd(event: Event | { readonly type: "recording" }): event is EndEvent {
  return event.type === "end";
}

/** The last line of a stream that has ended. */
async function endOf(watcher: Watcher): Promise<EndEvent> {
  await watcher.peer.rest();
  const end = watcher.lines.at(-1);
  assert(end !== undefined && isEnd(end), JSON.stringify(end));
  return end;
}

test(
  "a page stays where it is when its server is taken over, and another port is told",
  async () => {
    using folder = new Folder();
    const start = (live: string, ...more: string[]) =>
      ServerProcess.start("nonblocking", [
        ...["--protocol", "echo", "--takeover", folder.path("socket")],
        ...(live === "" ? [] : ["--live", live]),
        ...more,
      ]);
    await using first = await start("0");
    const where = liveIn(first.greeting);
    await using early = await Watcher.open(where);
    await early.find("the counters", "counters");
    // Whoever is served there stays there, and is no business of the next one.
    await using guest = await Peer.connect(first.address);
    await until("the guest", () => early.open.size === 1);

    await using second = await start("0");
    assertEquals(pageOf(second), pageOf(first));
    const end = await endOf(early);
    assertEquals([end.successor, end.page], [second.pid, pageOf(second)]);
    await using next = await Watcher.open(where);
    await next.find("the counters", "counters");
    assertEquals(next.open.size, 0);
    await using newcomer = await Peer.connect(second.address);
    await until("the newcomer", () => next.open.size === 1);
    assertEquals([...next.open.values()].map(({ peer }) => peer), [newcomer.name]);
    assertEquals((await press(where, "fifty")).status, 202);
    await next.find("fifty clients", "counters", ({ values }) => values.by_page === 50);

    // Who says another port has another page.
    // No stranger gets it.
    const { port } = new URL(pageOf(second));
    await using stranger = new Script("modes/nonblocking.ts", [
      ...["0", "--protocol", "echo", "--takeover", folder.path("other"), "--live", port],
    ]);
    const { code, stderr } = await stranger.end();
    const why = `Cannot show the server live: another server of yours listens on port ${port}\n`;
    assertEquals([code, stderr.endsWith(why)], [1, true], stderr);

    const { port: wanted } = await findFreePort("127.0.0.1");
    await using other = await start(String(wanted));
    assertEquals(new URL(pageOf(other)).port, String(wanted));
    const moved = await endOf(next);
    assertEquals([moved.successor, moved.page], [other.pid, pageOf(other)]);
    await using last = await Watcher.open(liveIn(other.greeting));
    await last.find("the counters", "counters");

    // Another host is another place: whoever knows the secret must not look for the page for ever where
    // it was.
    await using elsewhere = await start("127.0.0.2:0");
    assertEquals(new URL(pageOf(elsewhere)).hostname, "127.0.0.2");
    assert(liveIn(elsewhere.greeting).path !== liveIn(other.greeting).path, "another secret");
    const left = await endOf(last);
    assertEquals([left.successor, left.page], [elsewhere.pid, pageOf(elsewhere)]);
    await using there = await Watcher.open(liveIn(elsewhere.greeting));
    await there.find("the counters", "counters");

    // And who has none says so too.
    await using plain = await start("");
    const gone = await endOf(there);
    assertEquals([gone.successor, gone.page], [plain.pid, undefined]);
    guest.finish();
    assertEquals((await first.end()).code, 0);
    assertEquals((await plain.stop()).code, 0);
  },
  { skip, sanitize: false, timeoutMs: 40_000 },
);

test("whoever takes over at once is told of the page, and the page of it", async () => {
  using folder = new Folder();
  const path = folder.path("socket");
  const start = () =>
    ServerProcess.start("nonblocking", [
      ...["--protocol", "echo", "--takeover", path, "--live", "0"],
    ]);
  await using first = await start();
  const where = liveIn(first.greeting);
  await using early = await Watcher.open(where);
  await early.find("the counters", "counters");
  await using second = await start();
  await endOf(early);
  await using next = await Watcher.open(where);
  await next.find("the counters", "counters");
  // Nobody is there as soon as this one.
  const net = sockets();
  const newcomer = await Newcomer.ask(net, path, ownUser(net));
  assert(newcomer !== undefined, "somebody offers the listener");
  for (const fd of newcomer.descriptors) net.close(fd);
  const { at: { hostname, port }, path: secret } = where;
  assertEquals(newcomer.given.page, { hostname, port, token: secret.slice(1, -1) });
  const page = "http://127.0.0.1:1/";
  await newcomer.serves(new MainJournal("nonblocking"), { page });
  const { successor, page: told } = await endOf(next);
  assertEquals([successor, told], [process.pid, page]);
  newcomer.close();
  assertEquals([(await first.end()).code, (await second.end()).code], [0, 0]);
}, { skip, sanitize: false, timeoutMs: 40_000 });

test("a page outlives a restart, with its port and its secret", async () => {
  using folder = new Folder();
  await using server = await ServerProcess.start("threadpool", [
    ...["--protocol", "echo", "--live", "0", "--workers", "1"],
  ], {
    environment: { ...process.env as Record<string, string>, XDG_RUNTIME_DIR: folder.path("") },
  });
  const where = liveIn(server.greeting);
  await using watcher = await Watcher.open(where);
  await watcher.find("the counters", "counters");
  const pid = await server.restart();
  try {
    const { successor, page } = await endOf(watcher);
    assertEquals([successor, page], [pid, pageOf(server)]);
    // Whoever comes at once finds the next one.
    const { status } = await ask(where.at, `GET ${where.path}about`);
    assertEquals(status, 200);
    await using again = await Watcher.open(where);
    await again.find("the counters", "counters");
  } finally {
    process.kill(pid, "SIGTERM");
  }
  const { code, stdout } = await server.end();
  assertEquals(code, 0);
  assertMatch(stdout, /^Listening .*\nListening .*\n$/);
}, { skip, sanitize: false, timeoutMs: 40_000 });
