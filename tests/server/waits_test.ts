/**
 * What the log tells of connections that have waited to be served after they were accepted.
 *
 * @module
 */

import { rmSync, writeFileSync } from "node:fs";
import { COUNTER_BYTES, CounterBlock } from "../../engine/server/core/counters.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import type { Journal, LogEvent } from "../../engine/server/journal/journal.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { msSince, stamp } from "../../engine/values/moment.ts";
import { pause } from "../../engine/values/pause.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { lineFor } from "../kit/proxy_headers.ts";
import { ServerProcess } from "../kit/server_process.ts";

/** Servers that have one worker and a queue of their own, and why one cannot be tried. */
const SERVERS = [
  { command: ["threadpool", "--workers", "1", "--handoff", "fd"], skip: whyNoSockets() },
  { command: ["threadpool", "--workers", "1", "--handoff", "message"], skip: undefined },
  { command: ["berkeley", "--workers", "1"], skip: whyNoSockets() },
] as const;

/** How long somebody waits at least, in milliseconds. */
const WAIT_MS = 30;

for (const { command: [mode, ...args], skip } of SERVERS) {
  test(`the log of ${mode} ${args.join(" ")} tells how long a connection has waited`, async () => {
    const flags = [...args, "--protocol", "echo", "--stats-every", "100ms"];
    await using server = await ServerProcess.start(mode, flags);
    await using first = await Peer.connect(server.address);
    await server.printed(`accepted ${first.name}`, "stderr");
    await using second = await Peer.connect(server.address);
    await until("the second one to wait", () => / queued 1 /.test(server.stderr));
    await pause(WAIT_MS);
    first.finish();
    await server.printed(`accepted ${second.name}`, "stderr");
    await server.printed("to be served", "stderr");
    const line = new RegExp(
      ` INF accepted ${second.name.replaceAll(".", "\\.")}, waited (\\d+) ms`,
    );
    const [, waitedMs] = line.exec(server.stderr) ?? [];
    // Each of the two looks at the system's clock sees whole milliseconds.
    assert(Number(waitedMs) >= WAIT_MS - 1, server.stderr);
  }, { sanitize: false, skip });
}

/** What the log says of a peer: its wait, and after how long it has ended, in milliseconds. */
function timesOf(server: ServerProcess, peer: string): { waitedMs: number; endedMs: number } {
  const name = peer.replaceAll(".", "\\.");
  const waited = new RegExp(` INF accepted ${name}(?: through \\S+)?, waited (\\d+) ms`);
  const ended = new RegExp(` \\w+ ${name} (?:in|after) ([\\d.]+) ms`);
  const [, waitedMs] = waited.exec(server.stderr) ?? [];
  const [, endedMs] = ended.exec(server.stderr) ?? [];
  assert(waitedMs !== undefined && endedMs !== undefined, server.stderr);
  return { waitedMs: Number(waitedMs), endedMs: Number(endedMs) };
}

/** How long somebody waits whose wait must not count twice, in milliseconds. */
const LONG_MS = 400;

for (const { command: [mode, ...args], skip } of SERVERS) {
  test(
    `behind a proxy the end of a client of ${mode} ${args.join(" ")} counts without its wait`,
    async () => {
      const flags = [...args, "--protocol", "echo", "--proxy-protocol", "--stats-every", "100ms"];
      await using server = await ServerProcess.start(mode, flags);
      await using first = await Peer.connect(server.address);
      await first.send(lineFor({ hostname: "192.0.2.1", port: 1 }));
      await server.printed("accepted 192.0.2.1:1", "stderr");
      const from = performance.now();
      await using second = await Peer.connect(server.address);
      second.post(lineFor({ hostname: "192.0.2.2", port: 2 }));
      await until("the second one to wait", () => / queued 1 /.test(server.stderr));
      await pause(LONG_MS);
      first.finish();
      second.finish();
      await server.printed(" 192.0.2.2:2 after ", "stderr");
      const { waitedMs, endedMs } = timesOf(server, "192.0.2.2:2");
      assert(waitedMs >= LONG_MS - 1, server.stderr);
      // A stamp sees whole milliseconds.
      assert(waitedMs + endedMs <= performance.now() - from + 2, server.stderr);
    },
    { sanitize: false, skip },
  );

  // There the header is read before the wait.
  if (args.some((arg) => arg === "message")) continue;
  test(`${mode} ${args.join(" ")} tells the wait of a client without a header`, async () => {
    const flags = [...args, "--protocol", "echo", "--proxy-protocol", "--stats-every", "100ms"];
    await using server = await ServerProcess.start(mode, flags);
    await using first = await Peer.connect(server.address);
    await first.send(lineFor({ hostname: "192.0.2.1", port: 1 }));
    await server.printed("accepted 192.0.2.1:1", "stderr");
    await using second = await Peer.connect(server.address);
    await until("the second one to wait", () => / queued 1 /.test(server.stderr));
    await pause(WAIT_MS);
    second.finish();
    first.finish();
    await server.printed(` ${second.name} after `, "stderr");
    assert(timesOf(server, second.name).waitedMs >= WAIT_MS - 1, server.stderr);
  }, { sanitize: false, skip });
}

test("the wait of a client that is cut before a thread is free is told", async () => {
  const flags = ["--workers", "1", "--handoff", "message", "--protocol", "echo"];
  const more = ["--stats-every", "100ms", "--drain", "100ms"];
  await using server = await ServerProcess.start("threadpool", [...flags, ...more]);
  await using first = await Peer.connect(server.address);
  await server.printed(`accepted ${first.name}`, "stderr");
  await using second = await Peer.connect(server.address);
  await until("the second one to wait", () => / queued 1 /.test(server.stderr));
  await server.stop();
  assert(server.stderr.includes(` cut ${second.name} after `), server.stderr);
  // It has waited while the server drained.
  assert(timesOf(server, second.name).waitedMs >= 99, server.stderr);
}, { sanitize: false });

test(
  "prefork tells for how long a client has waited that is gone before there is a process for it",
  async () => {
    using folder = new Folder();
    const gate = folder.path("gate");
    writeFileSync(gate, "");
    const protocol = folder.path("gated.js");
    // A process is not ready before its module is.
    writeFileSync(
      protocol,
      `import { existsSync } from "node:fs";
      while (!existsSync(${JSON.stringify(gate)})) await new Promise((go) => setTimeout(go, 10));
      export default function* () { yield { kind: "read" }; }`,
    );
    const flags = ["--per-connection", "--spare", "0", "--protocol", protocol];
    await using server = await ServerProcess.start("prefork", [...flags, "--stats-every", "100ms"]);
    rmSync(gate);
    const from = performance.now();
    await using peer = await Peer.connect(server.address);
    await peer.send("here\n");
    await until("it to wait", () => / queued 1 /.test(server.stderr));
    await pause(LONG_MS);
    peer.reset();
    await server.printed(` ${peer.name} after `, "stderr");
    const { waitedMs, endedMs } = timesOf(server, peer.name);
    assert(waitedMs >= LONG_MS - 1, server.stderr);
    assert(waitedMs + endedMs <= performance.now() - from + 2, server.stderr);
    writeFileSync(gate, "");
  },
  { sanitize: false, skip: runtime.os === "windows" ? "there are no processes" : undefined },
);

test(
  "the log of prefork tells how long a connection has waited for a process to start",
  async () => {
    const flags = ["--per-connection", "--spare", "0", "--protocol", "echo"];
    await using server = await ServerProcess.start("prefork", flags);
    await using peer = await Peer.connect(server.address);
    assertEquals(await (await peer.send("here\n")).line(), "here");
    // No runtime starts, and loads its modules, within ten milliseconds.
    await server.printed(" ms to be served", "stderr");
    assert(server.stderr.includes(` INF accepted ${peer.name}, waited `), server.stderr);
  },
  { sanitize: false, skip: runtime.os === "windows" ? "there are no processes" : undefined },
);

/** What an observer logs at the beginning of a conversation. */
function logged(more: Parameters<Observer["begin"]>[2]): LogEvent {
  const events: LogEvent[] = [];
  const journal: Journal = {
    wantsLog: true,
    wantsReports: false,
    log: (event) => void events.push(event),
    report() {},
  };
  const counters = new CounterBlock(new SharedArrayBuffer(COUNTER_BYTES), 0);
  new Observer(counters, journal).begin({ peer: { hostname: "192.0.2.1", port: 7 } }, "", more);
  assertEquals(events.length, 1);
  return events[0] as LogEvent;
}

test("a wait of ten milliseconds is not told, a longer one has a field of its own", () => {
  const short = logged({ waitedMs: 10 });
  assertEquals([short.text, short.properties], ["accepted {peer}", { peer: "192.0.2.1:7" }]);
  const long = logged({ waitedMs: 84.6, through: { hostname: "192.0.2.9", port: 1 } });
  assertEquals(long.properties, { peer: "192.0.2.1:7", proxy: "192.0.2.9:1", waited_ms: 85 });
  assertEquals(long.text, "accepted {peer} through {proxy}, waited {waited_ms} ms to be served");
});

test("a stamp is older later, no stamp has no age, and a clock that was set back gives none", () => {
  const now = stamp();
  assert(now !== 0 && now === (now | 0));
  assert(msSince((now - 5) | 0) >= 5);
  assertEquals([msSince(0), msSince((now + 60_000) | 0)], [0, 0]);
});
