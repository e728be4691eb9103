/**
 * What a protocol does outside its conversation harms its own connection and nobody else's, in every
 * mode.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, test, until } from "../kit/harness.ts";
import { Peer } from "../kit/peer.ts";
import { DIFFERENT, forOne, inTurn, type Row, testTogether } from "../kit/rows.ts";
import { Script, ServerProcess, totalsIn } from "../kit/server_process.ts";

const STRAY = "./tests/kit/protocols/stray.ts";

/** Deeds whose culprit cannot be told. All of them are done before anything is waited for. */
const UNKNOWN = ["promise", "nothing", "timer", "microtask", "event"];

/** Deeds that fail the conversation itself. */
const FAILING = ["signal", "handler", "rejection", "thenable", "bytes", "getter", "late"];

/** Whether the threads of the row have an event loop, in which timers fire and promises are settled. */
function hasEventLoop({ mode, args, workers }: Row): boolean {
  return mode === "event" || mode === "cluster" || args.includes("message") || !workers;
}

/** Sends a word, and whatever the answer is, leaves. */
async function tell(server: ServerProcess, word: string): Promise<string> {
  await using peer = await Peer.connect(server.address);
  await peer.send(`${word}\n`);
  peer.finish();
  return await peer.rest();
}

testTogether(
  "a server goes on, whatever a protocol does beside its conversation",
  inTurn(DIFFERENT, 0),
  async (row) => {
    const args = [...row.args, "--protocol", STRAY, "--drain", "100ms"];
    await using server = await ServerProcess.start(row.mode, args);
    const bystander = row.concurrent ? await Peer.connect(server.address) : undefined;
    if (bystander !== undefined) {
      assertEquals(await (await bystander.send("here\n")).line(), "here");
    }

    for (const word of UNKNOWN) assertEquals(await tell(server, word), `${word}\n`);
    // On the main thread of the command line the protocol would end the program.
    const failing = row.workers ? [...FAILING, "exit"] : FAILING;
    for (const word of failing) await tell(server, word);
    const failed = () => server.stderr.match(/ failed \S+ after /g)?.length ?? 0;
    await until("the failures to be logged", () => failed() >= failing.length);
    if (hasEventLoop(row)) {
      await until("a stray to be logged", () => server.stderr.includes("outside every conv"));
      const told =
        / an error outside every conversation: [^\n]*(\\x07 \(stray\.ts:\d+:\d+\)|undefined)/;
      assertMatch(server.stderr, told);
    }

    if (bystander !== undefined) {
      assertEquals(await (await bystander.send("still\n")).line(), "still");
      bystander.finish();
      assertEquals(await bystander.rest(), "");
    }
    // Its protocol does not end by itself.
    await using clinging = await Peer.connect(server.address);
    assertEquals(await (await clinging.send("cling\n")).line(), "cling");
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    const totals = totalsIn(ending);
    const failures = new RegExp(
      ` · failed ${failing.length} \\(other ${failing.length}\\) · cut 1`,
    );
    assertMatch(totals, failures);
    const strays = Number(/errors outside conversations (\d+)/.exec(totals)?.[1] ?? 0);
    if (hasEventLoop(row)) assertEquals(strays, UNKNOWN.length, ending.stderr);
    else assert(strays <= UNKNOWN.length, ending.stderr);
    assert(!totals.includes("threads lost"), totals);
    await bystander?.[Symbol.asyncDispose]();
  },
);

// Where the thread is not a Worker, it is that of the whole program.
testTogether(
  "a thread that is lost is replaced and counted, and its connections end with FIN",
  inTurn(DIFFERENT, 1).filter(({ workers }) => workers),
  async (row) => {
    const args = [...forOne(row), "--protocol", STRAY, "--drain", "100ms"];
    await using server = await ServerProcess.start(row.mode, args);
    // It is served by the same thread, if that serves several.
    const bystander = row.loops ? await Peer.connect(server.address) : undefined;
    if (bystander !== undefined) {
      assertEquals(await (await bystander.send("here\n")).line(), "here");
    }
    await using losing = await Peer.connect(server.address);
    assertEquals(await (await losing.send("lose\n")).rest(), "lose\n");
    // In a loop nothing is done for a while, and so nothing fails.
    await until("the next client to be served", async () => {
      // If the server had only closed the connection, this would be answered with RST.
      await losing.send("more\n");
      try {
        await using next = await Peer.connect(server.address);
        return (await (await next.send("next\n")).line()) === "next";
      } catch {
        return false;
      }
    });
    if (bystander !== undefined) assertEquals(await bystander.rest(), "");
    // The runtime closes the connections of a lost Worker, and not as gently.
    for (let times = 0; times < 3; times++) await losing.send("and more\n");
    if (row.mode !== "cluster") assert(!losing.isBroken, "the connection was reset");
    losing.finish();
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(totalsIn(ending), / · threads lost 1$/);
    await bystander?.[Symbol.asyncDispose]();
  },
);

testTogether(
  "a protocol that fails to word a refusal harms nobody: the client is refused without words",
  inTurn(DIFFERENT, 0),
  async (row) => {
    const args = [...forOne(row), "--protocol", STRAY, "--drain", "100ms", "--deny", "127.0.0.0/8"];
    await using server = await ServerProcess.start(row.mode, args);
    for (let times = 0; times < 3; times++) {
      await using peer = await Peer.connect(server.address);
      assertEquals(await peer.rest(), "");
    }
    const ending = await server.stop();
    assertEquals(ending.code, 0, ending.stderr);
    assertMatch(ending.stderr, / an error outside every conversation: something that cannot be/);
    assertMatch(totalsIn(ending), /^accepted 0 .* · refused 3 · errors outside conversations 3$/);
  },
);

test("a program that uses the library hears of its own strays, and not of a signal's", async () => {
  await using host = new Script("tests/kit/host_program.ts", []);
  await host.printed("Listening on ");
  const port = Number(/:(\d+) /.exec(host.stdout)?.[1]);
  for (const word of ["signal", "handler"]) {
    await using peer = await Peer.connect({ hostname: "127.0.0.1", port });
    await peer.send(`${word}\n`);
    peer.finish();
    assertEquals(await peer.rest(), `${word}\n`);
  }
  const { code, stdout, stderr } = await host.end();
  assertEquals(code, 1, stderr);
  assertMatch(stdout, /^strays: 0$/m);
  assertMatch(stderr, /a mistake of the program/);
  assertNotMatch(stderr, /of a client/);
}, { sanitize: false });
