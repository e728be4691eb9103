/**
 * Clients that come through a proxy, in every mode and in the chat: real processes and real sockets.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { serve } from "../../modes/nonblocking.ts";
import { Folder } from "../kit/folder.ts";
import { Haproxy, whyNoHaproxy } from "../kit/haproxy.ts";
import {
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  delay,
  test,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { binaryFor, binaryOf, lineFor, LOCAL, tlv } from "../kit/proxy_headers.ts";
import { DIFFERENT, forOne, inTurn, type Row, ROWS, testTogether } from "../kit/rows.ts";
import { countsIn, ServerProcess, totalsIn } from "../kit/server_process.ts";

/** Why a test cannot connect from several addresses. */
const whyNoLoopback = runtime.os === "linux" ? undefined : "only Linux has all of 127.0.0.0/8";

const WHOSE = ["--protocol", "tests/kit/protocols/whose.ts"];

const host = (last: number, port = 4000) => ({ hostname: `203.0.113.${last}`, port });

/** Waits until the log has a line. */
function logged(server: ServerProcess, pattern: RegExp): Promise<void> {
  return until(`the log to have ${pattern}`, () => pattern.test(server.stderr));
}

/** Sends everything at once and FIN, and returns what comes back. */
async function ask(server: ServerProcess, sent: string, from?: string): Promise<string> {
  await using peer = await Peer.connect(server.address, from);
  peer.post(sent);
  peer.finish();
  // What a server closes unread is reset.
  return await peer.rest().catch(() => "");
}

async function knowsClients(row: Row): Promise<void> {
  await using server = await ServerProcess.start(row.mode, [
    ...row.args,
    ...WHOSE,
    ...["--proxy-protocol", "--proxy-from", "127.0.0.1", "--proxy-from", "127.0.0.8/30"],
    ...["--allow", "203.0.113.0/24", "--allow", "2001:db8::/32"],
    ...["--deny", "203.0.113.66", "--deny", "127.0.0.9", "--max-per-host", "1"],
    ...["--read-timeout", "1s", "--idle-timeout", "0", "--drain", "1h"],
  ]);
  const says = async (header: string, answer: string) =>
    assertEquals(await ask(server, `${header}x\n`), answer);
  let refused = 4;
  if (whyNoLoopback === undefined) {
    // The log has a line a second for all who are refused: this is the first.
    assertEquals(await ask(server, `${lineFor(host(7))}x\n`, "127.0.0.2"), "");
    await logged(server, /refused 127\.0\.0\.2:\d+: it is in no network of --proxy-from/);
    assertEquals(await ask(server, `${lineFor(host(7))}x\n`, "127.0.0.10"), "203.0.113.7:4000 x\n");
    await ask(server, `${lineFor(host(7))}x\n`, "127.0.0.9");
    refused += 2;
  }
  await says(lineFor(host(7)), "203.0.113.7:4000 x\n");
  await says(binaryFor(host(8), tlv(4, "pad")), "203.0.113.8:4000 x\n");
  await says(lineFor({ hostname: "2001:db8::7", port: 1 }), "[2001:db8::7]:1 x\n");
  await says(binaryFor({ hostname: "2001:db8::7", port: 1 }), "[2001:db8::7]:1 x\n");
  // Both addresses may be denied, and the one in the header allowed.
  await says(lineFor(host(66)), "NO your address is not allowed\n");
  await says(binaryFor({ hostname: "198.51.100.1", port: 1 }), "NO your address is not allowed\n");
  // Whom a header does not name is the proxy, which is not among the allowed.
  await says("PROXY UNKNOWN\r\n", "NO your address is not allowed\n");
  await says(
    binaryOf({ family: 0x31, body: "\0".repeat(216) }),
    "NO your address is not allowed\n",
  );

  // Nobody has said anything, or only their proxies.
  assertNotMatch(server.stderr, / failed /);
  assertEquals(await ask(server, ""), "");
  assertEquals(await ask(server, LOCAL), "");
  assertEquals(await ask(server, lineFor(host(9))), "");
  await logged(
    server,
    /empty 127\.0\.0\.1:\d+ after [\d.]+ ms: its proxy speaks for itself \(LOCAL\)/,
  );
  await logged(server, /empty 203\.0\.113\.9:4000 /);
  await logged(server, /accepted 203\.0\.113\.7:4000 through 127\.0\.0\.1:\d+/);
  assertNotMatch(server.stderr, / failed /);

  // What is no header, or not all of it.
  for (
    const wrong of ["GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", "x\n"]
  ) {
    assertEquals(await ask(server, wrong), "");
  }
  assertEquals(await ask(server, lineFor(host(7)).replace("TCP4", "TCP6")), "");
  assertEquals(await ask(server, binaryOf({ command: 0x11 })), "");
  assertEquals(await ask(server, binaryOf({ length: 521 })), "");
  assertEquals(await ask(server, lineFor(host(7)).slice(0, 20)), "");

  const trickles = async (header: string, client: string) => {
    await using peer = await Peer.connect(server.address);
    for (const byte of `${header}ab`) await peer.send(byte);
    await peer.send("c\n");
    assertEquals(await peer.line(), `${client} abc`);
    peer.finish();
    assertEquals(await peer.rest(), "");
  };
  const isSlow = async () => {
    await using peer = await Peer.connect(server.address);
    // Each byte is in time for one read, but the header is not whole in time.
    peer.post("PROXY UNKNOWN ");
    while (!peer.isBroken) {
      peer.post("x");
      await delay(50);
    }
  };
  const never = async (sent: string) => {
    await using peer = await Peer.connect(server.address);
    await peer.send(sent);
    await peer.gone();
  };
  const one = trickles(lineFor(host(11)), "203.0.113.11:4000");
  if (!row.concurrent) await one;
  const two = trickles(binaryFor(host(12), tlv(1, "h2")), "203.0.113.12:4000");
  if (!row.concurrent) await two;
  const slow = [isSlow()];
  if (row.concurrent) slow.push(never("PROXY TCP4 1."), never(lineFor(host(13)).slice(0, -1)));
  await Promise.all([one, two]);

  // A host may have one connection, whoever its proxy is.
  if (row.concurrent) {
    await using first = await Peer.connect(server.address);
    assertEquals(await (await first.send(`${lineFor(host(20))}x\n`)).line(), "203.0.113.20:4000 x");
    const second = `${binaryFor(host(20, 5))}x\n`;
    assertEquals(await ask(server, second), "NO too many connections from your address\n");
    await says(binaryFor(host(21, 5)), "203.0.113.21:5 x\n");
    first.finish();
    await first.rest();
    await logged(server, /done 203\.0\.113\.20:4000 /);
    await says(binaryFor(host(20, 6)), "203.0.113.20:6 x\n");
    refused++;
  }
  await Promise.all(slow);
  const completed = (row.concurrent ? 9 : 6) + (whyNoLoopback === undefined ? 1 : 0);
  const late = slow.length;
  const all = completed + 7 + late + 3;
  const over = () => server.stderr.match(/ (done|failed|empty) [\d[]/g)?.length ?? 0;
  await until("all to be over", () => over() >= all);
  const { stderr } = await server.stop();
  const timedOut = "failed 127\\.0\\.0\\.1:\\d+ after \\d{4}.* ms: read timeout: .*";
  assertMatch(stderr, new RegExp(`${timedOut}no whole PROXY header came within 1000 ms`));
  assertEquals(
    totalsIn({ stderr }),
    `accepted ${all} · completed ${completed} · failed ${7 + late} (malformed 5, too long 1, ` +
      `peer gone 1, read timeout ${late}) · cut 0 · empty 3 · refused ${refused}`,
  );
}

testTogether("clients are whom their proxy names", inTurn(DIFFERENT, 0), knowsClients, 6);

/** Those whose threads serve, in the three ways that they learn whom, and those that compute. */
const MORTAL: readonly (readonly [string, string])[] = [
  ["threadpool by descriptors", "lose"],
  ["threadpool by messages", "lose"],
  ["nonblocking", "lose"],
  ["event", "perish"],
];

testTogether(
  "a client that ends threads is refused, and not its proxy",
  ROWS.filter(({ name }) => MORTAL.some(([mortal]) => mortal === name)),
  async (row) => {
    const [, word] = MORTAL.find(([name]) => name === row.name) as readonly [string, string];
    const protocol = `./tests/kit/protocols/${word === "lose" ? "stray" : "faulty"}.ts`;
    const args = [...forOne(row), "--protocol", protocol, "--proxy-protocol"];
    if (row.loops) args.push("--offload", "1");
    await using server = await ServerProcess.start(row.mode, args);
    const say = async (last: number, word: string) => {
      await using peer = await Peer.connect(server.address);
      await peer.send(`${lineFor(host(last))}${word}\n`);
      return await peer.line().catch(() => "");
    };
    const died = () => server.stderr.match(/ ERR A (computing )?thread died: /g)?.length ?? 0;
    for (let count = 1; count <= 3; count++) {
      await until(`the death of thread ${count}`, async () => {
        if (died() < count) await say(13, word);
        // In a loop it takes another client to show that the thread is lost.
        for (let times = 0; times < 10 && died() < count; times++) await say(7, "next");
        return died() >= count;
      });
    }
    await until("the culprit to be refused", async () => {
      await say(13, "here");
      return server.stderr.includes(" refused 203.0.113.13:4000: ");
    });
    const served = async () => await say(7, "here") === "here";
    await until("another client of the same proxy to be served", served);
    const { stderr } = await server.stop();
    assertMatch(stderr, / refusing 203\.0\.113\.13 for 30 s: its connections have ended 3 /);
    assertNotMatch(stderr, / refus(ed|ing) (127\.0\.0\.1|203\.0\.113\.7)/);
  },
  4,
);

/** How HAProxy introduces its clients, by version; its checks do it too. */
const WAYS = {
  v1: "send-proxy",
  v2: "send-proxy-v2",
  // With TLVs behind the addresses.
  more: "send-proxy-v2 proxy-v2-options crc32c,unique-id",
};
const CHECKED = "check check-send-proxy inter 200ms";

test("HAProxy's clients are known in every kind of mode, and its checks are quiet", async () => {
  using folder = new Folder();
  const rows = ["event", "nonblocking", "threadpool by descriptors"].map((name) =>
    ROWS.find((row) => row.name === name) as Row
  );
  const servers = await Promise.all(
    rows.map(({ mode, args }) =>
      ServerProcess.start(mode, [...args, ...WHOSE, "--proxy-protocol", "--read-timeout", "20s"])
    ),
  );
  const path = folder.path("server");
  await using local = await serve({
    host: `unix:${path}`,
    protocol: new URL("../kit/protocols/whose.ts", import.meta.url),
    proxyProtocol: true,
  });
  try {
    const passages = servers.flatMap(({ address: { port } }, index) =>
      Object.entries(WAYS).map(([way, how]) => ({
        name: `${way}-${index}`,
        // Of a client over a Unix domain socket HAProxy says UNKNOWN in version 1, but LOCAL in
        // version 2, as if it spoke for itself.
        binds: [`unix@${folder.path(`${way}-${index}`)}`],
        server: `127.0.0.1:${port} ${how} ${CHECKED}`,
      }))
    );
    const toFile = { name: "file", server: `unix@${path} send-proxy-v2 ${CHECKED}` };
    await using haproxy = await Haproxy.start([...passages, toFile]);
    await Promise.all([...passages, toFile].map(async ({ name }) => {
      const port = haproxy.ports.get(name) as number;
      await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
      assertEquals(await (await peer.send("one\n")).line(), `${peer.name} one`);
      peer.finish();
      assertEquals(await peer.rest(), "");
    }));
    await Promise.all(passages.map(async ({ name }) => {
      await using peer = await Peer.connect({ hostname: `unix:${folder.path(name)}`, port: 0 });
      peer.post("two\n");
      peer.finish();
      assertMatch(await peer.rest(), name.startsWith("v1") ? /^127\.0\.0\.1:\d+ two\n$/ : /^$/);
    }));
    // It resets its checks at once. Those that Deno's listener does not get are counted as lost.
    for (const server of servers.slice(1)) {
      await logged(server, /empty 127\.0\.0\.1:\d+ .*: its proxy speaks for itself \(LOCAL\)/);
      // The checks of version 1 name HAProxy itself.
      await logged(server, /empty 127\.0\.0\.1:\d+ .*: it has sent nothing/);
    }
    assertNotMatch(haproxy.printed, / is DOWN/);
  } finally {
    for (const server of servers) {
      const ending = await server.stop();
      const { completed, failed } = countsIn(ending);
      assertEquals([completed, failed], [4, 0], ending.stderr);
      assertNotMatch(ending.stderr, / (WRN|ERR) /);
    }
  }
  const { counters } = local;
  assertEquals([counters.completed, counters.failed], [1, {}]);
}, { skip: whyNoHaproxy, sanitize: false, timeoutMs: 30_000 });

test("the chat knows its users by the addresses that their proxy names", async () => {
  await using server = await ServerProcess.start("chat/server", [
    ...["--proxy-protocol", "--max-per-host", "1", "--deny", "203.0.113.66", "--drain", "0"],
  ]);
  const enter = async (header: string, line = "") => {
    const peer = await Peer.connect(server.address);
    await peer.send(header + line);
    return peer;
  };
  // What is said at once, and a header byte for byte.
  await using ann = await enter(lineFor(host(1)), "/nick ann\nhello\n");
  await using bob = await enter("");
  for (const byte of `${binaryFor(host(2))}/nick bob\n`) await bob.send(byte);
  await until("ann to see bob", () => ann.heard.includes("bob"));
  await until(
    "the log to have both",
    () =>
      [1, 2].every((last) => server.stderr.includes(`accepted 203.0.113.${last}:4000 through `)),
  );
  const refused = async (header: string, words: RegExp) => {
    await using peer = await enter(header);
    assertMatch(await peer.rest(), words);
  };
  await refused(lineFor(host(1, 2)), /too many connections from your address: limit is 1/);
  await refused(binaryFor(host(66)), /your address is not allowed/);
  await refused(LOCAL, /^$/);
  await refused("GET / HTTP/1.1\r\n", /^$/);
  const { stderr } = await server.stop();
  assertStringIncludes(totalsIn({ stderr }), "refused 2 (full 0, per host 1, denied 1)");
  assertMatch(stderr, /failed 127\.0\.0\.1:\d+ after [\d.]+ ms: malformed: /);
}, { sanitize: false });
