/**
 * The chat with the clients that people have: netcat, ncat and telnet talk to each other. Also the
 * third step of the chat, in which people cannot hear each other yet.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { assert, assertEquals, assertMatch, assertStringIncludes, test } from "../kit/harness.ts";
import { encode, GOODBYE, WELCOME } from "../kit/chat_peer.ts";
import { Peer } from "../kit/peer.ts";
import { Program, ServerProcess, totalsIn, whyNoProgram } from "../kit/server_process.ts";

const live = { sanitize: false };

/** The arguments that name a server. */
function target({ address }: ServerProcess): [string, string] {
  return [address.hostname, String(address.port)];
}

/** Runs a client that people have, and keeps its input open. */
function run(server: ServerProcess, ...command: readonly string[]): Program {
  return new Program([...command, ...target(server)], { input: "open" });
}

/** Runs telnet at a terminal, because it wants one. */
function runTelnet(server: ServerProcess): Program {
  const command = ["telnet", ...target(server)].join(" ");
  return new Program(["script", "-qec", command, "/dev/null"], { input: "open" });
}

const noNetcat = whyNoProgram("nc");
const noNcat = whyNoProgram("ncat");
const noTelnet = whyNoProgram("telnet") ?? whyNoProgram("script");

test("nc, ncat and telnet talk to each other", async () => {
  await using server = await ServerProcess.start("chat/server", ["--drain", "0"]);
  await using ann = run(server, "nc");
  await ann.printed(`${WELCOME}\n* you are guest-1 in lobby\n`);
  ann.write("/nick ann\nis anybody here?\n");
  await ann.printed("* you are now ann\n[ann] is anybody here?\n");
  await using bob = run(server, "ncat");
  await bob.printed("[ann] is anybody here?\n* also here: ann\n");
  bob.write("/nick bob\n");
  await bob.printed("* you are now bob\n");
  await using carl = runTelnet(server);
  await carl.printed("* also here: ann, bob");
  carl.write("/nick carl\r");
  await carl.printed("* you are now carl");
  await bob.printed("* guest-3 is now carl\n");
  carl.write("grüße aus telnet\r");
  await ann.printed("[carl] grüße aus telnet\n");
  bob.write("/msg ann psst\n");
  await ann.printed("[bob to you] psst\n");
  ann.write("/me waves\n");
  await bob.printed("[ann] * waves\n");
  await carl.printed("[ann] * waves");
  carl.write("/quit\r");
  await carl.printed(GOODBYE);
  await carl.printed("Connection closed by foreign host.");
  assertEquals((await carl.end()).stdout.includes("\x1b"), false);
  bob.write("exit\n");
  await bob.printed(GOODBYE);
  // A netcat ends when both sides have sent FIN.
  bob.finish();
  const { code, stdout } = await bob.end();
  assertEquals([code, stdout.endsWith(`${GOODBYE}\n`)], [0, true]);
  await ann.printed("* bob left\n");
  const ending = await server.stop();
  ann.finish();
  assertMatch((await ann.end()).stdout, /\* server is shutting down in 0 s\n\* goodbye\n$/);
  assertMatch(totalsIn(ending), /^accepted 3 · completed 3 · failed 0 · cut 0 /);
}, { ...live, skip: noNetcat ?? noNcat ?? noTelnet });

for (const [name, ...flags] of [["nc", "-N"], ["ncat"]] as const) {
  const command = [name, ...flags].join(" ");
  test(`chat answers what is piped into ${command}, up to its end`, async () => {
    await using server = await ServerProcess.start("chat/server", ["--drain", "0"]);
    for (const input of ["hi\n", "hi\r\n", "hi"]) {
      await using client = new Program([name, ...flags, ...target(server)], { input });
      const { code, stdout } = await client.end();
      const [, guest] = /^\* you are (guest-\d) in lobby$/m.exec(stdout) ?? [];
      assertEquals(code, 0);
      assert(stdout.endsWith(`[${guest}] hi\n${GOODBYE}\n`), stdout);
    }
    await using left = run(server, name, ...flags);
    await left.printed("in lobby\n");
    left.signal("SIGKILL");
    await left.end();
    assertEquals((await server.stop()).code, 0);
  }, { ...live, skip: whyNoProgram(name) });
}

test("an interrupted telnet leaves the chat", async () => {
  await using server = await ServerProcess.start("chat/server", ["--drain", "0"]);
  await using client = run(server, "telnet");
  await client.printed("in lobby\n");
  // The bytes that telnet sends for Ctrl-C, where it does so: IAC IP, IAC DO TIMING-MARK.
  await using raw = await Peer.connect(server.address);
  raw.post("\xff\xf4\xff\xfd\x06");
  assertEquals((await raw.rest()).split("\n").slice(-2), [GOODBYE, ""]);
  client.write("/quit\n");
  assertStringIncludes((await client.end()).stderr, "Connection closed");
  assertMatch(totalsIn(await server.stop()), /^accepted 2 · completed 2 · /);
}, { ...live, skip: whyNoProgram("telnet") });

// Step 3.

const startStep = (...args: string[]) =>
  ServerProcess.start("chat/v3_operator", ["--drain", "300ms", ...args], { input: "open" });

test("v3_operator echoes to each client alone, and its operator talks to all", async () => {
  await using server = await startStep();
  assertMatch(
    server.greeting,
    new RegExp(
      `^Listening on 127\\.0\\.0\\.1:\\d+ · v3_operator · lines · side by side · .*${runtime.name} `,
    ),
  );
  const peers = await Promise.all([0, 1, 2].map(() => Peer.connect(server.address)));
  const [first, second, third] = peers as [Peer, Peer, Peer];
  // The client that came last gets an answer while the others say nothing.
  for (const [index, peer] of [third, first, second].entries()) {
    await peer.send(encode(`grüße ${index}\r\n`));
    assertEquals(await peer.line(), encode(`grüße ${index}`));
  }
  server.write("tea is\x1b[5m ready\n\n");
  for (const peer of peers) assertEquals(await peer.line(), "[server] tea is ready");
  await first.send(`${"x".repeat(1024)}\n${"y".repeat(1025)}\nstill here\n`);
  assertEquals(await first.line(), "x".repeat(1024));
  assertEquals(await first.line(), "* line too long: limit is 1024 bytes");
  assertEquals(await first.line(), "still here");
  await second.send("exit\n");
  assertEquals(await second.rest(), "");
  third.finish();
  assertEquals(await third.rest(), "");
  server.signal("SIGTERM");
  assertEquals(await first.line(), "* server is shutting down in 0.3 s");
  await first.send("one more\n");
  assertEquals(await first.line(), "one more");
  assertEquals(await first.rest(), "");
  const ending = await server.end();
  assertEquals([ending.code, ending.signal], [0, null]);
  assertEquals(totalsIn(ending), "accepted 3 · completed 3 · failed 0 · cut 0");
  for (const peer of peers) await peer[Symbol.asyncDispose]();
}, live);

test(
  "v3_operator echoes a whole book to a client that pastes it and reads, and survives resets",
  async () => {
    await using server = await startStep();
    for (let turn = 0; turn < 3; turn++) {
      await using reset = await Peer.connect(server.address);
      await reset.send("half a li");
      reset.reset();
    }
    await using peer = await Peer.connect(server.address);
    const lines = Array.from({ length: 30_000 }, (_, index) => `${index}\n`).join("");
    peer.post(`${lines}exit\n`);
    assertEquals(await peer.rest(), lines);
    assertEquals((await server.stop()).code, 0);
  },
  live,
);

test(
  "v3_operator runs with --quiet and without an operator, and ends at a second signal",
  async () => {
    await using server = await ServerProcess.start("chat/v3_operator", [
      "--quiet",
      "--drain",
      "1h",
    ]);
    await using peer = await Peer.connect(server.address);
    await peer.send("hello\n");
    assertEquals(await peer.line(), "hello");
    server.signal("SIGINT");
    assertEquals(await peer.line(), "* server is shutting down in 3600 s");
    server.signal("SIGTERM");
    const { code, signal, stdout, stderr } = await server.end();
    assertEquals([code, signal, stdout, stderr], [130, null, `${server.greeting}\n`, ""]);
    await peer.gone();
  },
  live,
);
