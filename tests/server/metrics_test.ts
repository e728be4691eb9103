/**
 * `--metrics`: what a server tells those who collect metrics, and when.
 *
 * @module
 */

import process from "node:process";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { parseFlags } from "../../engine/cli/flags.ts";
import {
  chooseFormat,
  formatMetrics,
  type Metric,
} from "../../engine/server/metrics/exposition.ts";
import { MetricsServer } from "../../engine/server/metrics/metrics_server.ts";
import { makeState, sayDraining } from "../../engine/server/core/statistics_share.ts";
import { findFreePort } from "../../lab/free_port.ts";
import { MODES } from "../../modes/catalogue.ts";
import type { Address } from "../../protocols/effects.ts";
import { exposeMetrics, FAILURE_KINDS, serveEvent, serveSequential } from "../../mod.ts";
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
import {
  checkMetrics,
  get,
  metricsOf,
  parseOpenMetrics,
  scrape,
  whyNoParsers,
} from "../kit/metrics.ts";
import { whyNoIPv6 } from "../kit/network.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, inTurn, testTogether } from "../kit/rows.ts";
import { Script, ServerProcess, totalsIn } from "../kit/server_process.ts";

const noKernel = whyNoKernel();
const whyNoTakeover = whyNoSockets() ?? runtime.whyNoReusePort() ??
  (runtime.os === "linux" ? undefined : "a listener can be passed on on Linux only");
const noPermissions = runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`;

testTogether("its metrics are its counters", inTurn(DIFFERENT, 0), async (row) => {
  const { serve, program } = await MODES[row.mode].load();
  const flags = parseFlags((await program()).command, forOne(row));
  const server = await serve({ ...flags, port: 0, statsEvery: "50ms" });
  await using _server = server;
  await using metrics = await exposeMetrics(server);
  await handshake(server.address, 1);
  await until("the first to be counted", () => server.counters.completed === 1);
  await using wrong = await Peer.connect(server.address);
  await wrong.send("HELLO x\n");
  await wrong.gone();
  await until("the second to be counted", () => server.counters.failed.malformed === 1);
  await using peer = await Peer.connect(server.address);
  await peer.send("HELLO 1\n");
  await peer.line();

  const found = await scrape(metrics.address);
  const info = `version="0.1.0",mode="${row.mode}",protocol="hello",runtime="${runtime.name}"`;
  assertEquals(
    [...found.keys()].filter((name) => name.startsWith(`handshake_build_info{${info}`)).length,
    1,
  );
  assertEquals(found.get("handshake_connections_accepted_total"), 3);
  assertEquals(found.get("handshake_connections_active"), 1);
  assertEquals(found.get("handshake_conversations_completed_total"), 1);
  assertEquals(found.get('handshake_conversations_failed_total{kind="malformed"}'), 1);
  assertEquals(found.get('handshake_conversations_failed_total{kind="read timeout"}'), 0);
  assertEquals(found.get("handshake_draining"), 0);
  assertEquals(found.get("handshake_queued_connections"), row.queues ? 0 : undefined);
  const onLoop = row.loops || (row.name === "sequential" && whyNoSockets() !== undefined);
  assertEquals(found.get("handshake_workers_busy"), onLoop ? undefined : 1);
  assertEquals(
    found.has("handshake_loop_lag_seconds"),
    onLoop || row.args.includes("message"),
  );
  assert((found.get("process_resident_memory_bytes") ?? 0) > 1 << 20);
  if (noKernel === undefined) {
    assertEquals(found.get("handshake_accept_queue_connections"), 0);
    assert((found.get("handshake_accept_queue_limit") ?? 0) > 0);
    assert((found.get("process_cpu_seconds_total") ?? 0) > 0);
    assert((found.get("process_open_fds") ?? 0) > 5);
    const startedAt = found.get("process_start_time_seconds") ?? 0;
    assert(Math.abs(startedAt - Date.now() / 1_000) < 3_600, `${startedAt}`);
  }

  // While it drains, a load balancer is told.
  assertEquals(await get(metrics.address, "/healthz").then(({ content }) => content), "ok\n");
  const closing = server.close({ drain: "20s" });
  const health = await get(metrics.address, "/healthz");
  assertEquals([health.status, health.content], [503, "draining\n"]);
  assertEquals((await scrape(metrics.address)).get("handshake_draining"), 1);
  await using idle = await Peer.connect(metrics.address);
  await peer.send("HELLO 3\n");
  await closing;
  // It ends with its server, whoever is still connected.
  await idle.gone();
  await until("nobody to listen", () => Peer.connect(metrics.address).then(gone, () => true));
}, 6);

/** Leaves a server that should not have listened any more. */
async function gone(peer: Peer): Promise<false> {
  await peer[Symbol.asyncDispose]();
  return false;
}

test("metrics are what parsers take, in both forms, and their names are good", async () => {
  await using server = await ServerProcess.start("threadpool", ["--metrics", "0"]);
  await using chat = await ServerProcess.start("chat/server", ["--metrics", "0"]);
  for (const program of [server, chat]) {
    const at = metricsOf(program);
    const open = await get(at, "/metrics");
    assertMatch(
      open.head,
      /^Content-Type: application\/openmetrics-text; version=1\.0\.0; charset=utf-8\r$/m,
    );
    assertMatch(open.content, /\n# EOF\n$/);
    const families = await parseOpenMetrics(open.content);
    assertEquals(families.handshake_connections_accepted, ["counter", "", 1]);
    assertEquals(families.handshake_conversations_failed, ["counter", "", FAILURE_KINDS.length]);
    assertEquals(families.handshake_build, ["info", "", 1]);
    assertEquals(families.process_resident_memory_bytes, ["gauge", "bytes", 1]);
    const text = await get(at, "/metrics", "Accept: text/plain;version=0.0.4");
    assertMatch(text.head, /^Content-Type: text\/plain; version=0\.0\.4; charset=utf-8\r$/m);
    await checkMetrics(text.content);
  }
}, { skip: whyNoParsers });

test("a loop that never turns again is told, and health as long as it lasts", async () => {
  await using server = await ServerProcess.start("event", [
    ...["--protocol", "tests/kit/protocols/spin.ts", "--metrics", "0"],
  ]);
  const at = metricsOf(server);
  await using first = await Peer.connect(server.address);
  await using second = await Peer.connect(server.address);
  await first.send("hello\n");
  await first.line();
  await second.send("spin\n");
  await until("the lag to grow", async () => {
    const lag = (await scrape(at)).get("handshake_loop_lag_seconds") ?? 0;
    return lag > 0.3;
  });
  const found = await scrape(at);
  assertEquals(found.get("handshake_connections_accepted_total"), 2);
  assertEquals(found.get("handshake_connections_active"), 2);
  assertEquals((await get(at, "/healthz")).status, 200);
  if (whyNoSockets() !== undefined || !runtime.hearsSignalsInThreads) return;
  // The loop does not hear the signal, and its watch does.
  server.signal("SIGTERM");
  await until(
    "health to change, or the end",
    async () => server.isOver || (await get(at, "/healthz").catch(() => undefined))?.status === 503,
  );
});

test("metrics are told until the last connection has finished, and hold up no end", async () => {
  const modes = ["threadpool", "event"] as const;
  await Promise.all(modes.map(async (mode) => {
    await using server = await ServerProcess.start(mode, ["--metrics", "0", "--drain", "30s"]);
    const at = metricsOf(server);
    // These are no connections of the server.
    await using idle = await Peer.connect(at);
    await using begun = await Peer.connect(at);
    await begun.send("GET /metrics HTTP/1.1\r\n");
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO 1\n");
    await peer.line();
    server.signal("SIGTERM");
    await until("it to drain", async () => (await get(at, "/healthz")).status === 503);
    assertEquals((await scrape(at)).get("handshake_connections_active"), 1);
    await peer.send("HELLO 3\n");
    const ending = await server.end();
    assertEquals(ending.code, 0);
    assertEquals(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
    await idle.gone();
  }));
});

test(
  "while one server takes over from another, their port always tells that clients are taken",
  async () => {
    await using server = await serveEvent({ port: 0 });
    const about = { mode: "event" };
    // Whoever has any port shares the one that it got.
    const any = { hostname: "127.0.0.1", port: 0 };
    await using old = await MetricsServer.start({ address: any, shares: "later" });
    const { address } = old;
    const elsewhere = { ...address, port: address.port === 1 ? 2 : 1 };
    const besides = { ...address, hostname: "127.0.0.2" };
    old.tell(server.statistics, about);
    await using next = await MetricsServer.start({ address, shares: "now" });
    const ask = async (count: number) => {
      const answers = Array.from({ length: count }, () => get(address, "/healthz"));
      return new Set((await Promise.all(answers)).map(({ content }) => content));
    };
    // The next one starts, and gets no questions.
    assertEquals(await ask(24), new Set(["ok\n"]));
    // One at another address is none of its business.
    for (const other of [elsewhere, besides, undefined]) await old.yieldTo(other);
    assertEquals(await ask(8), new Set(["ok\n"]));
    // Who asks in between waits for the one or the other.
    await using late = await Peer.connect(address);
    await next.listen(address);
    const asked = ask(24);
    const leaving = old.yieldTo(address);
    sayDraining(server.statistics.state);
    await late.send("GET /healthz HTTP/1.0\r\n\r\n");
    assertMatch(await late.rest(), /^HTTP\/1\.1 200 /);
    next.tell({ ...server.statistics, state: makeState() }, about);
    assertEquals(await asked, new Set(["ok\n"]));
    await leaving;
    assertEquals(await ask(8), new Set(["ok\n"]));
    // Somebody else's port is nobody's to share.
    await using alone = await exposeMetrics(server);
    await assertRejects(
      () => MetricsServer.start({ address: alone.address, shares: "now" }),
      Error,
      "address already in use",
    );
    // Nor is one that is shared, by a server that is not taken over.
    for (const other of [elsewhere, besides, undefined]) {
      await using stranger = await MetricsServer.start({ address, shares: "now" });
      const why = `Cannot tell metrics: another server of yours listens on port ${address.port}`;
      await assertRejects(() => stranger.listen(other), Error, why);
    }
    assertEquals(await ask(8), new Set(["ok\n"]));
  },
  { skip: whyNoSockets() ?? runtime.whyNoReusePort() },
);

test(
  "of servers that start at once at the same address, one gets it, and its successor after it",
  async () => {
    await using server = await serveEvent({ port: 0 });
    for (let turn = 0; turn < 2; turn++) {
      const address = await findFreePort("127.0.0.1");
      // As servers without and with --takeover do.
      const all = await Promise.allSettled((["later", "now", "later", "now"] as const).map(
        async (shares) => {
          const metrics = await MetricsServer.start({ address, shares });
          return await metrics.listen().then(() => metrics, async (error) => {
            await metrics.close();
            throw error;
          });
        },
      ));
      const [first, ...others] = all.flatMap((one) =>
        one.status === "fulfilled" ? [one.value] : []
      );
      for (const other of others) await other.close();
      assertEquals([first?.address.port, others.length], [address.port, 0]);
      await using _first = first as MetricsServer;
      await using next = await MetricsServer.start({ address, shares: "now" });
      await next.listen(address);
      await (first as MetricsServer).yieldTo(address);
      next.tell(server.statistics, { mode: "event" });
      assertEquals((await get(address, "/healthz")).content, "ok\n");
    }
  },
  { skip: whyNoTakeover, sanitize: false },
);

test(
  "metrics stay where they are when their server is taken over, and no stranger gets their port",
  async () => {
    using folder = new Folder();
    const { port } = await findFreePort("127.0.0.1");
    const flags = ["--protocol", "echo", "--metrics", `${port}`];
    const start = () =>
      ServerProcess.start("nonblocking", [...flags, "--takeover", folder.path("socket")]);
    await using first = await start();
    const at = metricsOf(first);
    const accepted = async () => (await scrape(at)).get("handshake_connections_accepted_total");
    await using guest = await Peer.connect(first.address);
    guest.finish();
    await guest.rest();
    assertEquals(await accepted(), 1);

    const strangers = [
      [[], `Cannot listen on 127.0.0.1:${port}: address already in use`],
      [["--takeover", folder.path("other")], `another server of yours listens on port ${port}\n`],
    ] as const;
    for (const [more, why] of strangers) {
      await using stranger = new Script("modes/nonblocking.ts", ["0", ...flags, ...more]);
      const { code, stdout, stderr } = await stranger.end();
      assertEquals([code, stdout], [1, ""]);
      assertStringIncludes(stderr, `nonblocking: Cannot tell metrics: ${why}`);
    }
    assertEquals(await accepted(), 1);

    await using second = await start();
    assertEquals(metricsOf(second), at);
    assertEquals((await first.end()).code, 0);
    assertEquals(await accepted(), 0);
    // A restart is a takeover too.
    const pid = await second.restart();
    try {
      assertEquals((await get(at, "/healthz")).content, "ok\n");
    } finally {
      process.kill(pid, "SIGTERM");
    }
    const { code, stdout } = await second.end();
    assertEquals([code, stdout.split(` at http://127.0.0.1:${port}/metrics `).length], [0, 3]);
  },
  { skip: whyNoTakeover, sanitize: false, timeoutMs: 40_000 },
);

test(
  "the address of metrics is left to the next server only if that has the same one",
  async () => {
    using folder = new Folder();
    const { port } = await findFreePort("0.0.0.0");
    const flags = (socket: string, metrics: string | number) => [
      ...["--protocol", "echo", "--takeover", folder.path(socket), "--metrics", `${metrics}`],
    ];
    const start = (...words: Parameters<typeof flags>) =>
      ServerProcess.start("nonblocking", flags(...words));
    const accepted = async (at: Address) =>
      (await scrape(at)).get("handshake_connections_accepted_total");
    const echoes = async ({ address }: ServerProcess) => {
      await using peer = await Peer.connect(address);
      peer.finish();
      await peer.rest();
    };
    await using neighbour = await start("other", `127.0.0.2:${port}`);
    await echoes(neighbour);
    await using first = await start("socket", `127.0.0.1:${port}`);
    // The same port of another host is that of another server, and so are all hosts together.
    for (const host of ["127.0.0.2", "0.0.0.0"]) {
      await using next = new Script("modes/nonblocking.ts", [
        ...["0", ...flags("socket", `${host}:${port}`)],
      ]);
      const { code, stderr } = await next.end();
      assertEquals(code, 1);
      assertStringIncludes(stderr, `another server of yours listens on port ${port}\n`);
    }
    const asked = Array.from({ length: 16 }, () => accepted(metricsOf(neighbour)));
    assertEquals(new Set(await Promise.all(asked)), new Set([1]));
    assertEquals((await neighbour.stop()).code, 0);
    // Without that other server the next one may be there for all.
    await using second = await start("socket", `0.0.0.0:${port}`);
    assertEquals((await first.end()).code, 0);
    await using third = await start("socket", `127.0.0.2:${port}`);
    assertEquals((await second.end()).code, 0);
    assertEquals(await accepted(metricsOf(third)), 0);
    // A port that the system has chosen is left as well as one that was asked for.
    await using fourth = await start("socket", 0);
    assertEquals((await third.end()).code, 0);
    const at = metricsOf(fourth);
    await using guest = await Peer.connect(fourth.address);
    await guest.send("hello\n");
    await guest.line();
    await using fifth = await start("socket", at.port);
    await until("the first of the two to leave", async () => await accepted(at) === 0);
    const health = Array.from({ length: 16 }, () => get(at, "/healthz"));
    assertEquals(
      new Set((await Promise.all(health)).map(({ content }) => content)),
      new Set(["ok\n"]),
    );
    guest.finish();
    await guest.rest();
    assertEquals([(await fourth.end()).code, (await fifth.stop()).code], [0, 0]);
  },
  { skip: whyNoTakeover, sanitize: false, timeoutMs: 40_000 },
);

test("the chat tells what it counts", async () => {
  await using server = await ServerProcess.start("chat/server", [
    ...["--metrics", "0", "--max-connections", "2"],
  ]);
  const at = metricsOf(server);
  await using ann = await ChatPeer.enter(server, "ann");
  await using bob = await ChatPeer.enter(server, "bob");
  await ann.say("hello");
  await bob.find("[ann] hello");
  await using late = await Peer.connect(server.address);
  await late.gone();
  const found = await scrape(at);
  assertEquals(found.get("handshake_chat_lines_said_total"), 1);
  assertEquals(found.get("handshake_chat_lines_delivered_total"), 1);
  assertEquals(found.get("handshake_chat_users_kicked_total"), 0);
  assertEquals(found.get('handshake_connections_refused_total{reason="full"}'), 1);
  assertEquals(found.get('handshake_connections_refused_total{reason="per host"}'), 0);
  assert(found.has("handshake_loop_lag_seconds"));
  server.signal("SIGTERM");
  await until("it to drain", async () => (await get(at, "/healthz")).status === 503);
});

test("every step of the chat tells metrics, at any address", async () => {
  const host = whyNoIPv6() === undefined ? "[::1]" : "0.0.0.0";
  await Promise.all([["v1_once", host], ["v3_operator", "0.0.0.0"]].map(async ([step, host]) => {
    await using server = await ServerProcess.start(`chat/${step}`, ["--metrics", `${host}:0`]);
    const { hostname, port } = metricsOf(server);
    assertEquals(hostname, host?.replace(/[[\]]/g, ""));
    const at = { hostname: hostname === "::1" ? hostname : "127.0.0.1", port };
    assertEquals((await scrape(at)).get("handshake_connections_accepted_total"), 0);
    assertEquals((await get(at, "/")).content, "/metrics\n/healthz\n");
    assertEquals((await server.stop()).code, 0);
  }));
});

test("a port in use, and an address that is none, are told before the server begins", async () => {
  await using server = await serveSequential({ port: 0 });
  const { hostname, port } = server.address;
  const cases = [
    [
      `${hostname}:${port}`,
      1,
      /^event: Cannot tell metrics: Cannot listen on 127\.0\.0\.1:\d+: address already in use/,
    ],
    ["::1:80", 2, /^event: Cannot use metrics: expected \[HOST:\]PORT, /],
  ] as const;
  await Promise.all(cases.map(async ([metrics, status, message]) => {
    await using script = new Script("modes/event.ts", ["0", "--metrics", metrics]);
    const { code, stdout, stderr } = await script.end();
    assertEquals([code, stdout], [status, ""]);
    assertMatch(stderr, message);
    assertEquals(stderr.split("\n").length, 2);
  }));
});

test("without foreign functions the rest is told", async () => {
  const permissions = ["--allow-net=127.0.0.1", "--allow-read=."];
  await using server = await ServerProcess.start("event", ["--metrics", "0"], { permissions });
  await handshake(server.address, 1);
  const found = await scrape(metricsOf(server));
  assertEquals(found.get("handshake_connections_accepted_total"), 1);
  assert(!found.has("process_open_fds"));
  assertEquals((await server.stop()).code, 0);
}, { skip: noPermissions });

test("a program's own server tells metrics, and they end with it", async () => {
  await using server = await serveEvent({ port: 0 });
  const { port } = await findFreePort("127.0.0.1");
  await using metrics = await exposeMetrics(server, { metrics: `localhost:${port}` });
  assertEquals(metrics.url, `http://127.0.0.1:${port}`);
  assertEquals((await scrape(metrics.address)).get("handshake_connections_active"), 0);
  await Promise.all([metrics.close(), metrics.close()]);
  await until("nobody to listen", () => Peer.connect(metrics.address).then(gone, () => true));
  await assertRejects(() => exposeMetrics(server, { metrics: "x" }), RangeError);
  await using again = await exposeMetrics(server, { metrics: port });
  assertEquals(again.address, metrics.address);
}, { sanitize: false });

test("a value is written as the form wants it", () => {
  const metrics: Metric[] = [
    { name: "a", type: "counter", help: 'back\\slash "quoted"\nline', samples: [{ value: 1.5 }] },
    {
      name: "b_bytes",
      type: "gauge",
      unit: "bytes",
      help: "B.",
      samples: [{ labels: { x: 'a"\\\n' }, value: 0 }],
    },
    { name: "c", type: "info", help: "C.", samples: [{ labels: { x: "y" }, value: 1 }] },
    { name: "d", type: "gauge", help: "D.", samples: [] },
  ];
  assertEquals(formatMetrics(metrics, "openmetrics").split("\n"), [
    "# TYPE a counter",
    '# HELP a back\\\\slash \\"quoted\\"\\nline',
    "a_total 1.5",
    "# TYPE b_bytes gauge",
    "# UNIT b_bytes bytes",
    "# HELP b_bytes B.",
    'b_bytes{x="a\\"\\\\\\n"} 0',
    "# TYPE c info",
    "# HELP c C.",
    'c_info{x="y"} 1',
    "# EOF",
    "",
  ]);
  const text = formatMetrics(metrics, "prometheus");
  assertStringIncludes(text, "# TYPE a_total counter\n");
  assertStringIncludes(text, "# TYPE c_info gauge\n");
  assertStringIncludes(text, 'back\\\\slash "quoted"\\nline');
  assert(!text.includes("EOF") && !text.includes("UNIT"));
}, { pure: true });

test("a client gets the form that it wants most", () => {
  const open = "application/openmetrics-text";
  const prometheus =
    `${open};version=1.0.0,${open};version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1`;
  for (
    const accept of [
      undefined,
      "*/*",
      prometheus,
      open,
      "image/png",
      "application/*",
      "",
      ";;,",
      "x;q=9",
    ]
  ) {
    assertEquals([accept, chooseFormat(accept)], [accept, "openmetrics"]);
  }
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  for (
    const accept of [
      "text/plain",
      "text/*",
      "text/plain;q=0.5, */*;q=0.1",
      browser,
      `${open};q=0, */*`,
    ]
  ) {
    assertEquals([accept, chooseFormat(accept)], [accept, "prometheus"]);
  }
}, { pure: true });
