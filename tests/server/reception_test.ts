/**
 * How a server waits for the headers of proxies: how many at a time, and what becomes of those who
 * wait when it closes.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { CounterBlock } from "../../engine/server/core/counters.ts";
import { Door, OPEN } from "../../engine/server/core/door.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import { type Arrival, openReception } from "../../engine/server/core/reception.ts";
import { Places } from "../../engine/server/core/header_places.ts";
import { MainJournal } from "../../engine/server/journal/journal.ts";
import { convertTrace } from "../../lab/observe/trace_conversion.ts";
import {
  serveBerkeley,
  serveEvent,
  serveNonblocking,
  serveSequential,
  serveThreadpool,
} from "../../mod.ts";
import { formatAddress } from "../../protocol.ts";
import { Folder } from "../kit/folder.ts";
import { assert, assertEquals, assertMatch, assertRejects, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { binaryFor, lineFor } from "../kit/proxy_headers.ts";
import { ServerProcess } from "../kit/server_process.ts";

const skip = whyNoSockets();
const host = (last: number) => ({ hostname: `203.0.113.${last}`, port: 4000 });

test(
  "so many headers are waited for, and others are not read until one of them has come",
  async () => {
    const listener = await runtime.listen({ hostname: "127.0.0.1", port: 0 });
    const counters = new CounterBlock();
    const journal = new MainJournal("reception");
    const rules = { ...OPEN, proxies: { from: ["127.0.0.1"], headerMs: 60_000 } };
    using deadlines = new TimedDeadlines();
    const reception = openReception({
      door: new Door({ rules, counters, journal, protocol: {} }),
      observer: new Observer(counters, journal),
      deadlines,
      most: 2,
    });
    assert(reception !== undefined);
    const story: string[] = [];
    const peers: Peer[] = [];
    try {
      for (const name of ["first", "second", "third", "fourth", "fifth"]) {
        const peer = await Peer.connect(listener.address);
        peers.push(peer);
        const { value: connection } = await listener.next();
        if (connection === undefined) throw new Error("No connection");
        reception.receive(connection, {
          onIn({ client: { remoteAddress }, rest }: Arrival) {
            story.push(`${name} ${formatAddress(remoteAddress)} ${new TextDecoder().decode(rest)}`);
            connection.close();
          },
          onRefused: () => story.push(`${name} refused`),
          onOver: () => story.push(`${name} over`),
        });
      }
      const [first, second, third, fourth] = peers as [Peer, Peer, Peer, Peer];
      await fourth.send(`${lineFor(host(4))}d`);
      await third.send(`${lineFor(host(3))}c`);
      await second.send("PROXY ");
      assertEquals([reception.size, counters.expected, story.length], [5, 5, 0]);
      await first.send(binaryFor(host(1)));
      // Whoever has come first is read first.
      await until("three to be in", () => story.length === 3);
      assertEquals(story, [
        "first 203.0.113.1:4000 ",
        "third 203.0.113.3:4000 c",
        "fourth 203.0.113.4:4000 d",
      ]);
      assertEquals([reception.size, counters.expected, counters.active], [2, 2, 0]);
      reception.cutAll();
      assertEquals(story.slice(3).sort(), ["fifth over", "second over"]);
      const { accepted, active, cut } = CounterBlock.sum([counters]);
      assertEquals([reception.size, counters.expected, accepted, active, cut], [0, 0, 2, 0, 2]);
    } finally {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      listener.close();
    }
  },
  { sanitize: false },
);

test("more threads than places wait for one another", () => {
  assertEquals(Places.create(1_024), undefined);
  const places = Places.create(3, 2) as Places;
  const others = new Places(places.memory);
  const mayWait = () => true;
  assertEquals([places.enter(mayWait), others.enter(mayWait)], [true, true]);
  let asked = 0;
  assertEquals(places.enter(() => ++asked < 2), false);
  // Another thread leaves in between.
  assertEquals(
    places.enter(() => {
      others.leave();
      return true;
    }),
    true,
  );
});

for (
  const [name, serve] of [
    ["event", serveEvent],
    ["nonblocking", serveNonblocking],
    ["sequential", serveSequential],
    ["threadpool", (options) => serveThreadpool({ ...options, workers: 2 })],
    ["threadpool by messages", (options) => serveThreadpool({ ...options, handoff: "message" })],
  ] satisfies [string, typeof serveEvent][]
) {
  test(`${name} cuts those who wait for their header when it closes`, async () => {
    const server = await serve({ port: 0, protocol: "echo", proxyProtocol: true });
    await using silent = await Peer.connect(server.address);
    await using begun = await Peer.connect(server.address);
    await begun.send("PROXY TCP4 ");
    await using talks = await Peer.connect(server.address);
    if (name !== "sequential" && name !== "threadpool") {
      assertEquals(await (await talks.send(`${lineFor(host(1))}x\n`)).line(), "x");
      talks.finish();
      await talks.rest();
      await until("it to be done", () => server.counters.completed === 1);
      assertEquals(server.counters.active, 0);
    }
    await server.close({ drain: 50 });
    await Promise.all([silent.gone(), begun.gone()]);
    const { accepted, active, completed, cut, failed } = server.counters;
    assertEquals([accepted, active, failed], [3, 0, {}]);
    assertEquals(completed + cut, 3);
  }, { sanitize: false, skip: name === "event" ? undefined : skip });
}

test("recordings and traces have the proxy as peer, and its client beside it", async () => {
  using folder = new Folder();
  const [record, trace] = [folder.path("it.jsonl"), folder.path("it.json")] as const;
  const server = await serveEvent({
    port: 0,
    protocol: "echo",
    proxyProtocol: true,
    record,
    trace,
  });
  const peer = await Peer.connect(server.address);
  await (await peer.send(`${binaryFor({ hostname: "2001:db8::7", port: 7 })}x\n`)).line();
  peer.finish();
  await peer.rest();
  const unnamed = await Peer.connect(server.address);
  await (await unnamed.send("PROXY UNKNOWN\r\nx\n")).line();
  unnamed.finish();
  await unnamed.rest();
  await server.close();
  const begun = [
    { connection: 1, peer: peer.name, client: "[2001:db8::7]:7" },
    { connection: 2, peer: unnamed.name },
  ];
  for (
    const { events } of [
      readRecording(readFileSync(record, "utf8"), record),
      convertTrace(readFileSync(trace, "utf8"), trace),
    ]
  ) {
    const found = events.flatMap((event) => {
      if (event.type !== "begun") return [];
      const { type: _, at: __, ...rest } = event;
      return [rest];
    });
    assertEquals(found, begun);
  }
}, { sanitize: false });

test("--log-syn tells of the proxy's SYN, and the next line says for whom", async () => {
  await using server = await ServerProcess.start("nonblocking", [
    ...["--protocol", "echo", "--proxy-protocol", "--log-syn"],
  ]);
  await using peer = await Peer.connect(server.address);
  await (await peer.send(`${lineFor(host(1))}x\n`)).line();
  const accepted = ` accepted 203.0.113.1:4000 through ${peer.name}\n`;
  await until("the log to have both", () => server.stderr.includes(accepted));
  assertMatch(server.stderr, new RegExp(` syn ${peer.name}: `));
}, { sanitize: false, skip: runtime.os === "linux" ? skip : "only Linux keeps the SYN" });

test("what does not go with proxies is refused in one sentence, and UDP is left out", async () => {
  await assertRejects(
    () => serveEvent({ port: 0, proxyFrom: ["10.0.0.0/8"] }),
    Error,
    "Cannot use proxyFrom: there are no proxies without proxyProtocol",
  );
  await assertRejects(
    () => serveEvent({ port: 0, proxyProtocol: true, proxyFrom: ["10.0.0.1/8"] }),
    Error,
    "Cannot use proxyFrom: expected no bits behind the prefix",
  );
  await assertRejects(
    () => serveSequential({ host: "unix:/tmp/s", proxyProtocol: true, proxyFrom: ["::1"] }),
    Error,
    "Cannot use proxyFrom: the file of a Unix domain socket says who may connect",
  );
  if (skip !== undefined) return;
  await using server = await serveBerkeley({ port: 0, proxyProtocol: true });
  assertEquals(server.details.at(-1), "TCP only: a datagram has no PROXY header");
}, { sanitize: false });
