/**
 * `--log-syn`: what the SYN of each connection said, compared with what the client's kernel knows.
 *
 * @module
 */

import { IP_TTL, SOL_IP, whyNoKernel } from "../../engine/kernel/linux.ts";
import type { TcpSegment } from "../../engine/kernel/packet.ts";
import { readTcpInfo } from "../../engine/kernel/tcp_info.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { formatSyn } from "../../engine/server/core/syn_log.ts";
import { OptionError } from "../../engine/server/core/options.ts";
import { serveEvent } from "../../mod.ts";
import type { Address } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  test,
  until,
} from "../kit/harness.ts";
import { whyNoIPv6 } from "../kit/network.ts";
import { handshake } from "../kit/peer.ts";
import { ROWS } from "../kit/rows.ts";
import { Script, ServerProcess } from "../kit/server_process.ts";

const noKernel = whyNoKernel();

/** The rows whose threads or loops have the descriptors of their connections. */
const WITH_DESCRIPTORS = ROWS.filter(({ mode, args }) =>
  mode !== "event" && mode !== "cluster" && !args.includes("message")
);

/** Deno says in between when it waits for another process that starts. */
const LOG_ALONE = { permissions: ["--quiet", "-A"] };

/** What the kernel of a client knows of its own SYN. */
interface Known {
  readonly peer: string;
  readonly ttl: number;
  readonly mss: number;
  readonly window_scale: number | undefined;
  readonly sack: boolean;
  readonly timestamps: boolean;
}

/** Connects by descriptor, and asks the kernel about the connection. */
function connectAndAsk(address: Address): Known {
  const net = sockets();
  const fd = net.openConnection(address);
  try {
    const { hostname, port } = net.localAddress(fd);
    const info = readTcpInfo(net, fd);
    return {
      peer: hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`,
      ttl: net.getOption(fd, SOL_IP, IP_TTL),
      // Of what was offered, the option of timestamps takes 12 bytes of each segment.
      mss: (info.advmss ?? NaN) + (info.options.timestamps ? 12 : 0),
      window_scale: info.options.windowScale?.own,
      sack: info.options.sack,
      timestamps: info.options.timestamps,
    };
  } finally {
    net.close(fd);
  }
}

function entriesIn({ stderr }: { readonly stderr: string }): Record<string, unknown>[] {
  return stderr.split("\n").slice(0, -1).map((line) => JSON.parse(line));
}

test("every mode with descriptors logs what the SYN of each connection said", async () => {
  await Promise.all(WITH_DESCRIPTORS.map(async ({ name, mode, args }) => {
    const flags = [...args, "--protocol", "hello", "--log-syn", "--log-format", "json"];
    await using server = await ServerProcess.start(mode, flags, LOG_ALONE);
    const known = [connectAndAsk(server.address), connectAndAsk(server.address)];
    const isOver = ({ message }: Record<string, unknown>) =>
      /^(done|failed|empty) /.test(`${message}`);
    await until(`${name} to log both`, () => entriesIn(server).filter(isOver).length === 2);
    const entries = entriesIn(server);
    const isns = known.map(({ peer, ...parts }) => {
      const [syn, accepted, over] = entries.filter((entry) => entry.peer === peer);
      assertMatch(`${syn?.message}`, /^syn .*ttl \d+, mss \d+, window \d+, .*isn \d+/, name);
      assertMatch(`${accepted?.message}`, /^accepted /, name);
      assert(isOver(over ?? {}), name);
      const { ttl, mss, window_scale, sack, timestamps, isn, window } = syn as Record<
        string,
        unknown
      >;
      assertEquals({ ttl, mss, window_scale, sack, timestamps }, parts, name);
      assert(window as number > 0, name);
      return isn as number;
    });
    assert(isns.every((isn) => Number.isInteger(isn) && isn > 0 && isn < 2 ** 32), `${isns}`);
    assert(isns[0] !== isns[1], "each connection begins with a number of its own");
  }));
}, { skip: noKernel, sanitize: false });

test("for people the SYN is one line, above that of the connection", async () => {
  const args = ["--protocol", "hello", "--log-syn", "--trace-calls"];
  await using server = await ServerProcess.start("berkeley", args);
  const { peer, ttl, mss } = connectAndAsk(server.address);
  await until("the connection to be over", () => / (failed|done|empty) /.test(server.stderr));
  const [first = "", second = ""] = server.stderr.split("\n").filter((line) => / INF /.test(line));
  const escaped = peer.replaceAll(".", "\\.");
  const line = `INF syn ${escaped}: ttl ${ttl}, mss ${mss}, window \\d+, [a-z0-9 ,]*isn \\d+$`;
  assertMatch(first, new RegExp(line));
  assertMatch(second, new RegExp(`INF accepted ${escaped}(, waited |$)`));
  assertMatch(server.stderr, /TRC setsockopt\(\d+, IPPROTO_TCP, TCP_SAVE_SYN, 1\) = 0$/m);
  assertMatch(server.stderr, / getsockopt\(\d+, IPPROTO_TCP, TCP_SAVED_SYN\) = 0 \{\d+ bytes\}$/m);
}, { skip: noKernel, sanitize: false });

test(
  "with IPv6 too, and nothing is logged by a server that is quiet or was not asked",
  async () => {
    const start = (...args: string[]) => ServerProcess.start("nonblocking", args);
    await using six = await start("--host", "::1", "--log-syn");
    await using quiet = await start("--quiet", "--log-syn");
    await using unasked = await start();
    await Promise.all([six, quiet, unasked].map(({ address }) => handshake(address, 1)));
    await until("the line", () => / syn \[::1\]:\d+: ttl \d+, mss \d+, /.test(six.stderr));
    for (const { stderr } of await Promise.all([quiet.stop(), unasked.stop()])) {
      assertNotMatch(stderr, / syn /);
    }
  },
  { skip: noKernel ?? whyNoIPv6(), sanitize: false },
);

test("a mode without descriptors refuses in one sentence", async () => {
  const cases: readonly (readonly [mode: string, args: readonly string[], where: string])[] = [
    ["event", [], "event"],
    ["cluster", [], "cluster"],
    ["threadpool", ["--handoff", "message"], "threadpool with messages"],
    ["threaded", ["--handoff", "message"], "threaded with messages"],
  ];
  await Promise.all(cases.map(async ([mode, args, where]) => {
    await using script = new Script(`modes/${mode}.ts`, ["0", ...args, "--log-syn"], LOG_ALONE);
    const { code, stdout, stderr } = await script.end();
    const why = runtime.os === "linux"
      ? `${where} has no descriptors of its connections`
      : "only Linux keeps the SYN of a connection";
    assertEquals([code, stdout, stderr], [2, "", `${mode}: Cannot use logSyn: ${why}\n`]);
  }));
  await assertRejects(() => serveEvent({ port: 0, logSyn: true }), OptionError, "logSyn");
});

/** A SYN on the loopback interface of Linux. */
const SYN: TcpSegment = {
  from: { hostname: "127.0.0.1", port: 48134 },
  to: { hostname: "127.0.0.1", port: 55301 },
  ttl: 64,
  flags: "S",
  seq: 2514014081,
  ack: 0,
  window: 65495,
  length: 0,
  options: {
    mss: 65495,
    sackPermitted: true,
    timestamps: { value: 1, echo: 0 },
    windowScale: 10,
  },
  data: new Uint8Array(0),
};

test("a SYN is written with what it offers, and without what it does not", () => {
  assertEquals(
    formatSyn(SYN),
    "ttl 64, mss 65495, window 65495, scale 10, sack, timestamps, isn 2514014081",
  );
  assertEquals(formatSyn({ ...SYN, options: {} }), "ttl 64, window 65495, isn 2514014081");
  assertEquals(
    formatSyn({ ...SYN, flags: "SEC", options: { mss: 1460, fastOpen: true } }),
    "ttl 64, mss 1460, window 65495, ecn, fast open, isn 2514014081",
  );
}, { pure: true });
