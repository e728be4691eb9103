/**
 * Peers that vanish without a word: how soon they are found, and what becomes of those who wait.
 *
 * @module
 */

import { serve as serveChat } from "../../chat/server.ts";
import { serve as serveEcho } from "../../chat/v2_echo.ts";
import { keepAliveTimes } from "../../engine/net/keepalive.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { SockDiag } from "../../engine/kernel/sock_diag.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { KEEPALIVE, OptionError } from "../../engine/server/core/options.ts";
import { whyNoRing } from "../../engine/uring/requirements.ts";
import {
  type Connection,
  serveEvent,
  type ServeOptions,
  type Server,
  serveThreadpool,
} from "../../mod.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
  test,
} from "../kit/harness.ts";
import { vanishPeers, whyNoNetwork } from "../kit/network.ts";
import { Peer } from "../kit/peer.ts";
import { ServerProcess } from "../kit/server_process.ts";
import { keepSilence } from "../proofs/silence.ts";

const needsSockets = { skip: whyNoSockets(), sanitize: false };
const needsLinux = {
  skip: runtime.os === "linux" ? whyNoSockets() : `${runtime.os} has options of its own`,
  sanitize: false,
};
const needsNetwork = {
  skip: whyNoSockets() ?? whyNoNetwork(),
  sanitize: false,
  timeoutMs: 90_000,
};

test(
  "servers whose peers have all vanished serve the next client, unless keepalive is off",
  async () => {
    const { served, waiting, counters } = await vanishPeers();
    assertEquals(waiting, [
      "threadpool without keepalive",
      "event without keepalive",
      "cluster without keepalive",
      "nonblocking without keepalive",
    ]);
    assertEquals(served.length, whyNoRing() === undefined ? 12 : 11);
    for (const name of served) {
      const gone = name === "sequential" ? 1 : 4;
      assertEquals([name, counters[name]?.failed], [name, { "peer gone": gone }]);
    }
  },
  needsNetwork,
);

test("the silence and the probes together take the time that was named", () => {
  const seconds = (withinMs: number, writeTimeoutMs = 10_000) => {
    const times = keepAliveTimes(withinMs, writeTimeoutMs);
    assert(times !== undefined);
    const { idleMs, intervalMs, probes, userTimeoutMs } = times;
    return [idleMs, intervalMs, probes, userTimeoutMs].map((value, at) =>
      at === 2 ? value : value / 1000
    );
  };
  assertEquals(keepAliveTimes(0, 10_000), undefined);
  assertEquals(seconds(1), [1, 1, 1, 10]);
  assertEquals(seconds(2_000), [1, 1, 1, 10]);
  assertEquals(seconds(3_000), [1, 1, 2, 10]);
  assertEquals(seconds(5_000), [2, 1, 3, 10]);
  assertEquals(seconds(15_000), [2, 1, 13, 15]);
  assertEquals(seconds(15_000, 60_000), [2, 1, 13, 60]);
  assertEquals(seconds(15_000, 0), [2, 1, 13, 0]);
  assertEquals(seconds(60_000), [40, 1, 20, 60]);
  assertEquals(seconds(300_000), [120, 9, 20, 300]);
  for (const total of [2, 3, 4, 7, 15, 30, 31, 60, 61, 3_600, 43_200]) {
    const [idle, interval, probes] = seconds(total * 1000) as [number, number, number];
    assertEquals(idle + interval * probes, total);
    assert(idle >= 1 && idle <= 32_767 && interval >= 1 && probes >= 1);
  }
});

test("many silent peers are asked more often than their probes can be lost, at a distance", () => {
  for (const total of [10, 15, 30]) {
    const times = keepAliveTimes(total * 1_000, 0);
    assert(times !== undefined);
    // The kernel rounds what is due later to a quarter or half of a second, or more.
    assert(times.idleMs <= 2_000 && times.intervalMs <= 2_000);
    assertEquals(times.probes, total - 2);
  }
  for (const total of [31, 60, 3_600, 43_200]) {
    assertEquals(keepAliveTimes(total * 1_000, 0)?.probes, 20);
  }
});

test("who says nothing for a while is still there, in small", async () => {
  for (const mode of ["nonblocking", "event"] as const) await keepSilence(mode, 50, 100);
}, needsSockets);

test("keepalive takes durations of up to 12 hours", () => {
  assertEquals([KEEPALIVE.read(undefined), KEEPALIVE.read(0), KEEPALIVE.read("12h")], [
    15_000,
    0,
    43_200_000,
  ]);
  // As a number too, which is what the command line makes of it.
  for (const long of ["13h", 46_800_000]) {
    const { message } = assertThrows(() => KEEPALIVE.read(long), OptionError);
    assertEquals(message, 'Cannot use keepalive: expected 12h at most, current value is "13h"');
  }
});

/** What the listener of a server of this process passes on to its connections. */
function inherited({ address }: Pick<Server, "address">): readonly number[] {
  const net = sockets();
  const { SOL_SOCKET, SO_KEEPALIVE, IPPROTO_TCP } = net.constants;
  const { TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT } = net.constants;
  let fd = 0;
  while (net.isListening(fd) !== true || net.localAddress(fd).port !== address.port) fd++;
  const times = [TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT];
  return [
    net.getOption(fd, SOL_SOCKET, SO_KEEPALIVE),
    ...times.map((option) => net.getOption(fd, IPPROTO_TCP, option)),
  ];
}

/** A mode on the runtime's listener, and one on a socket of its own. */
const EITHER = [
  serveEvent,
  (options: ServeOptions) => serveThreadpool({ ...options, workers: 1 }),
];

test(
  "keepalive is set on the listener, and TCP_USER_TIMEOUT not below the write timeout",
  async () => {
    for (const serve of EITHER) {
      await using server = await serve({ port: 0 });
      assertEquals(inherited(server), [1, 2, 1, 13, 15_000]);
      await using patient = await serve({ port: 0, writeTimeout: "1m", keepalive: "30s" });
      assertEquals(inherited(patient), [1, 2, 1, 28, 60_000]);
    }
  },
  needsLinux,
);

test("the chat does the same, and leaves slow readers alone where it is told to", async () => {
  await using chat = await serveChat({ port: 0 });
  assertEquals(inherited(chat), [1, 2, 1, 13, 15_000]);
  await using lenient = await serveChat({ port: 0, slow: "drop" });
  assertEquals(inherited(lenient), [1, 2, 1, 13, 0]);
  await using echo = await serveEcho({ port: 0 });
  assertEquals(inherited(echo), [1, 2, 1, 13, 15_000]);
}, needsLinux);

test("without keepalive nothing is set", async () => {
  for (const serve of EITHER) {
    await using server = await serve({ port: 0, keepalive: 0 });
    const [isOn, , , , userTimeoutMs] = inherited(server);
    assertEquals([isOn, userTimeoutMs], [0, 0]);
  }
}, needsSockets);

test("where options cannot be set on the listener, the runtime turns keepalive on", async () => {
  await using listener = await runtime.listen({ hostname: "127.0.0.1", port: 0 });
  listener.keepAlive = keepAliveTimes(15_000, 0);
  const arrives = listener.next();
  await using client = await runtime.connect(listener.address);
  await using accepted = (await arrives).value as Connection;
  using diag = new SockDiag();
  const timerOf = (end: Connection) => diag.find(end.localAddress, end.remoteAddress)?.timer;
  assertEquals([timerOf(accepted), timerOf(client)], ["keepalive", undefined]);
}, { skip: whyNoKernel() });

test("the first line says what is missing without foreign calls, and why", async () => {
  const permissions = ["--quiet", "--allow-net", "--allow-read", "--unstable-net"];
  const missing =
    "without keepalive's times, a drain that resets nobody, figures of the accept queue";
  const modes = ["event", "threadpool"];
  await Promise.all(modes.map(async (mode) => {
    await using server = await ServerProcess.start(mode, ["--quiet"], { permissions });
    assertStringIncludes(server.greeting, missing);
    // Once is enough.
    assertMatch(server.greeting, /^(?:(?!--allow-ffi).)* \(--allow-ffi\)(?:(?!--allow-ffi).)*$/);
    if (whyNoKernel() !== undefined) return;
    // What the runtime can do is done: the kernel probes, with its own times.
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO 1\n");
    assertEquals(await peer.line(), "HELLO 2");
    using diag = new SockDiag();
    const [row] = diag.sockets({ port: server.address.port, states: ["ESTABLISHED"] });
    assertEquals([row?.timer, (row?.expiresMs ?? 0) > 60_000], ["keepalive", true]);
  }));
  await using able = await serveEvent({ port: 0 });
  assertEquals(able.details, ["1 thread", "deno's listener"]);
}, {
  skip: runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`,
  sanitize: false,
});
