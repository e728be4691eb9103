/**
 * Clients that come through a proxy, in every mode and in the chat: real processes and real sockets.
 *
 * @module
 */

import process from "node:process";
import { runtime } from "../../engine/net/runtime.ts";
import { delay } from "../kit/harness.ts";
import { assert, assertEquals, assertMatch, assertNotMatch, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { binaryFor, binaryOf, lineFor, LOCAL, tlv } from "../kit/proxy_headers.ts";
import { computesInPlace, type Row, ROWS, testTogether } from "../kit/rows.ts";
import { ServerProcess, totalsIn } from "../kit/server_process.ts";

/** Why a test cannot connect from several addresses. */
const whyNoLoopback = runtime.os === "linux" ? undefined : "only Linux has all of 127.0.0.0/8";

/** The rows that differ in this; the others too where there is time. */
const TRIED = ROWS.filter((row) =>
  process.env.LONG_TESTS === "1" || !(computesInPlace(row) || row.args.includes("--poller"))
);

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

testTogether("clients are whom their proxy names", TRIED, knowsClients, 5);
