/**
 * What the log tells of connections that have waited to be served after they were accepted.
 *
 * @module
 */

import { COUNTER_BYTES, CounterBlock } from "../../engine/server/core/counters.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import type { Journal, LogEvent } from "../../engine/server/journal/journal.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { msSince, stamp } from "../../engine/values/moment.ts";
import { pause } from "../../engine/values/pause.ts";
import { assert, assertEquals, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
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
