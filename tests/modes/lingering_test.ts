/**
 * Closing without losing the last words, in every mode: real processes, real sockets.
 *
 * @module
 */

import { whyNoSockets } from "../../engine/net/libc.ts";
import {
  assert,
  assertEquals,
  assertNotMatch,
  assertStringIncludes,
  delay,
  test,
  type TestOptions,
  until,
} from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, numberOf, type Row, Shared } from "../kit/rows.ts";
import { ServerProcess, totalsIn, whyNoLimit } from "../kit/server_process.ts";
import { takeTurns } from "../kit/turns.ts";

const PROTOCOL = ["--protocol", "./tests/kit/protocols/parting.ts"];

/** The ways in which a conversation ends, and how it is counted. */
const WAYS = [
  ["ended", "done"],
  ["heard", "done"],
  ["failed", "failed"],
  ["refused", "failed"],
] as const;

/** More bytes than the kernel keeps for a peer that does not read, so the server still writes. */
const LONG = 6_000_000;

/** More than the peer's kernel keeps for it, and no more than both kernels keep. */
const MEGABYTES = 2_000_000;

const MEGABYTE = "m".repeat(1 << 20);

/** Lets a conversation end whose client goes on sending. */
async function part(server: ServerProcess, way: string): Promise<Peer> {
  const peer = await Peer.connect(server.address);
  await peer.send(`${way} 3\n`);
  if (way === "heard" || way === "refused") await peer.send("and more");
  assertEquals(await peer.rest(), "www");
  return peer;
}

/** Sends a little more from the peer. Fails if the server does not read it. */
async function trickle(peer: Peer): Promise<void> {
  for (let count = 0; count < 3; count++) {
    await peer.send("x");
    // A closed socket would answer with RST. This is long enough for it to arrive.
    await delay(20);
    assert(!peer.isBroken, "the server still reads");
  }
}

function contract(row: Row): void {
  const shared = new Shared(row, ...PROTOCOL, "--drain", "60s");
  const start = (...args: string[]) =>
    ServerProcess.start(row.mode, [...forOne(row), ...PROTOCOL, ...args]);
  const check = (what: string, body: () => Promise<void>, options: TestOptions = {}) =>
    test(`${row.name} ${what}`, body, { skip: row.skip, sanitize: false, ...options });
  // Each needs a server of its own.
  const once = takeTurns(numberOf(row), check);

  for (const [way, outcome] of WAYS) {
    check(
      `loses no last words of a conversation that is "${way}" while its peer sends`,
      async () => {
        const server = await shared.get();
        await using peer = await Peer.connect(server.address);
        peer.pause();
        await peer.send(`${way} ${LONG}\n`);
        // These bytes come before the last words are all sent. They are unread at the end.
        peer.post(MEGABYTE);
        peer.post(MEGABYTE);
        await delay(20);
        peer.resume();
        const words = await peer.rest();
        assert(words === "w".repeat(LONG), `${words.length} of ${LONG} bytes`);
        await trickle(peer);
        // The conversation counts as over although its peer still sends.
        const entry = new RegExp(` ${outcome} ${peer.name} `);
        await until(`the log to say that it is ${outcome}`, () => entry.test(server.stderr));
        peer.finish();
      },
      { timeoutMs: 30_000 },
    );
  }

  check("loses none of the words that its peer has yet to take, though it was silent", async () => {
    const server = await shared.get();
    await using peer = await Peer.connect(server.address);
    await peer.send(`heard ${MEGABYTES}\n`);
    await peer.take(1);
    peer.pause();
    await peer.send("x");
    const entry = `done ${peer.name} `;
    await until("the conversation to be over", () => server.stderr.includes(entry));
    // A closed socket answers with RST, and throws away what it has yet to send.
    await peer.send("y");
    peer.resume();
    assertEquals((await peer.rest()).length, MEGABYTES - 1);
    peer.finish();
  });

  // In the pools this is the number of workers.
  const count = row.concurrent ? 2 : 1;
  check(`serves another client beside ${count} that trickle after their last words`, async () => {
    const server = await shared.get();
    const trickling: Peer[] = [];
    for (let index = 0; index < count; index++) {
      trickling.push(await part(server, index % 2 === 0 ? "ended" : "failed"));
    }
    await Promise.all(trickling.map(trickle));
    const next = await part(server, "ended");
    // They have lingered the whole time.
    await Promise.all(trickling.map(trickle));
    for (const peer of [...trickling, next]) {
      peer.finish();
      await peer[Symbol.asyncDispose]();
    }
  });

  once("closes lingering connections when the time to finish is over, and exits 0", async () => {
    await using server = await start("--drain", "400ms");
    await using peer = await part(server, "ended");
    await trickle(peer);
    server.signal("SIGTERM");
    await trickle(peer);
    assertEquals(server.isOver, false, "it waits for what lingers");
    const over = server.end();
    // The peer never stops sending.
    while (!server.isOver && !peer.isBroken) {
      await peer.send("x");
      await delay(10);
    }
    const ending = await over;
    assertEquals(ending.code, 0, ending.stderr);
    assertStringIncludes(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
  });

  once("lets nothing linger with --drain 0", async () => {
    await using server = await start("--drain", "0");
    await using peer = await part(server, "ended");
    await trickle(peer);
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    await peer.gone();
  });

  check("closes as soon as no connection lingers, and ends well after all that", async () => {
    await using server = await shared.get();
    await using peer = await part(server, "failed");
    server.signal("SIGTERM");
    await trickle(peer);
    assertEquals(server.isOver, false, "it waits for what lingers");
    peer.finish();
    const ending = await server.end();
    assertEquals(ending.code, 0, ending.stderr);
  });
}

for (const row of DIFFERENT) contract(row);

// What lingers takes a quarter of the descriptors at most, however the mode gets its connections.
const WITH_FEW: readonly (readonly [mode: string, ...args: string[]])[] = [
  ["sequential"],
  ["threadpool", "--workers", "1", "--handoff", "message"],
  ["nonblocking"],
  ["event"],
  ["cluster", "--workers", "1"],
];

for (const [mode, ...args] of WITH_FEW) {
  test(
    `${
      [mode, ...args].join(" ")
    } with few descriptors serves although many linger: the oldest make room`,
    async () => {
      await using server = await ServerProcess.start(mode, [...args, ...PROTOCOL], {
        descriptors: 100,
      });
      const peers: Peer[] = [];
      for (let count = 0; count < 60; count++) peers.push(await part(server, "ended"));
      const [oldest, latest] = [peers[0] as Peer, peers.at(-1) as Peer];
      await oldest.send("x");
      await until("the oldest to be closed", async () => {
        await oldest.send("x");
        return oldest.isBroken;
      });
      await trickle(latest);
      for (const peer of peers) await peer[Symbol.asyncDispose]();
      const ending = await server.stop();
      assertEquals(ending.code, 0, ending.stderr);
      // In `sequential`, descriptors that are on their way to the main thread may be so many for a
      // moment that accepting pauses.
      if (mode !== "sequential") assertNotMatch(ending.stderr, /out of descriptors/);
    },
    { skip: whyNoSockets() ?? whyNoLimit, sanitize: false },
  );
}
