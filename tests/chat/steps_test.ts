/**
 * The first two steps to the chat, without a network and with the clients that people have.
 *
 * @module
 */

import fc from "fast-check";
import { createServer } from "node:net";
import { once } from "../../chat/v1_once.ts";
import { echoLines } from "../../chat/v2_echo.ts";
import { serve as serveOperated } from "../../chat/v3_operator.ts";
import { serve as serveRooms } from "../../chat/server.ts";
import { runtime } from "../../engine/net/runtime.ts";
import type { Protocol } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  delay,
  test,
  within,
} from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";
import { Peer } from "../kit/peer.ts";
import { Program, Script, ServerProcess, totalsIn, whyNoProgram } from "../kit/server_process.ts";

const pure = { pure: true };
const live = { sanitize: false };

/** The lengths of the pieces into which the network cuts what is sent. */
const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 8 });

/** A line without bytes that could end it. */
const line = fc.uint8Array({ maxLength: 1024 })
  .map((bytes) => String.fromCharCode(...bytes).replaceAll(/[\0\r\n]/g, "."));

/** Everything that a step answers to these bytes and FIN. */
function answered(step: () => Protocol, text: string, lengths: readonly number[]): string {
  const talk = hold(step(), cut(bytesOf(text), lengths));
  assertEquals(talk.error, undefined);
  return talk.text;
}

// Step 1, by itself.

test("once sends back what came up to a line end, FIN or 1024 bytes, however it is cut", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 3000 }), cuts, (bytes, lengths) => {
    const text = String.fromCharCode(...bytes);
    const [first = ""] = /^[^\n]*\n?/.exec(text) ?? [];
    assertEquals(answered(once, text, lengths), first.slice(0, 1024));
  }));
}, pure);

test("once keeps a message as it is, including its line end", () => {
  for (const text of ["hi\n", "hi\r\n", "hi\r\0", "hi", "\n", "\0\xff\x1b"]) {
    assertEquals(answered(once, text, [9]), text);
  }
  assertEquals(answered(once, "x".repeat(1024) + "y", [2000]), "x".repeat(1024));
  assertEquals(hold(once(), []).events, []);
}, pure);

test("once waits for the first byte, and then a moment for the rest", () => {
  const talk = new Talk(once());
  assertEquals(talk.withinMs, undefined);
  talk.answer(bytesOf("he"));
  assertEquals(talk.withinMs, 20);
  talk.answer(bytesOf("llo"));
  assertEquals([talk.withinMs, talk.text], [20, ""]);
  talk.answer(undefined);
  assertEquals([talk.over, talk.error, talk.text], [true, undefined, "hello"]);
}, pure);

test("once is over with its message, and leaves what follows to its driver", () => {
  const talk = new Talk(once());
  talk.answer(bytesOf("hi\nthere"));
  assertEquals([talk.over, talk.error, talk.text], [true, undefined, "hi\n"]);
}, pure);

// Step 2, by itself.

test("echo sends back every line with its line end, however it is cut", () => {
  const end = fc.constantFrom("\n", "\r\n", "\r\0", "\0");
  const lines = fc.array(fc.tuple(line, end), { maxLength: 6 });
  fc.assert(fc.property(lines, line, cuts, (lines, last, lengths) => {
    fc.pre(![...lines.map(([line]) => line), last].includes("exit"));
    const sent = lines.map(([line, end]) => line + end).join("") + last;
    const echoed = [...lines.map(([line]) => line), ...(last === "" ? [] : [last])];
    assertEquals(answered(echoLines, sent, lengths), echoed.map((line) => `${line}\n`).join(""));
  }));
}, pure);

test("echo ends at exit, however its line ends, and answers nothing after it", () => {
  for (const end of ["\n", "\r\n", "\r\0", "\0", ""]) {
    for (const lengths of [[1], [3], [100]]) {
      assertEquals(answered(echoLines, `a\nexit${end}`, lengths), "a\n");
      if (end !== "") assertEquals(answered(echoLines, `a\nexit${end}b\n`, lengths), "a\n");
    }
  }
  assertEquals(answered(echoLines, "exits\n exit\nEXIT\n", [100]), "exits\n exit\nEXIT\n");
}, pure);

test("echo refuses a line of more than 1024 bytes, as soon as it is longer", () => {
  const longest = "x".repeat(1024);
  for (const end of ["\n", "\r\n", "\r\0", ""]) {
    assertEquals(answered(echoLines, longest + end, [500]), `${longest}\n`);
  }
  for (const text of [`${longest}x\n`, `${longest}x`, `${longest}\rx`]) {
    const talk = new Talk(echoLines());
    for (const piece of cut(bytesOf(`a\n${text}`), [700])) if (!talk.over) talk.answer(piece);
    assertEquals(talk.text, "a\nline too long: limit is 1024 bytes\n");
    assertEquals(talk.transcript.error, "MessageTooLongError");
  }
}, pure);

// Both, as processes.

for (const step of ["v1_once", "v2_echo"]) {
  const start = (...args: string[]) => ServerProcess.start(`chat/${step}`, args);

  test(`${step} says where it listens, and at SIGINT what it has done`, async () => {
    await using server = await start();
    const name = step === "v1_once" ? "once" : "lines";
    assertMatch(
      server.greeting,
      new RegExp(
        `^Listening on 127\\.0\\.0\\.1:\\d+ · ${step} · ${name} · 1 at a time · ${runtime.name} \\d`,
      ),
    );
    await using peer = await Peer.connect(server.address);
    await peer.send("héllo\n");
    peer.finish();
    assertEquals(await peer.rest(), "héllo\n");
    const ending = await server.stop("SIGINT");
    assertEquals([ending.code, ending.signal], [0, null]);
    assertEquals(totalsIn(ending), "accepted 1 · completed 1 · failed 0 · cut 0");
    assertStringIncludes(ending.stderr, `done ${peer.name} in `);
  }, live);

  test(`${step} serves the second client when the first has left`, async () => {
    await using server = await start();
    await using first = await Peer.connect(server.address);
    await first.send("first");
    if (step === "v2_echo") {
      await first.send("\n");
      assertEquals(await first.line(), "first");
    }
    await using second = await Peer.connect(server.address);
    if (step === "v2_echo") {
      await second.send("second\n");
      second.finish();
      // A server that would serve it has enough time to do so.
      await delay(50);
      assertEquals(second.heard, "");
      first.finish();
      assertEquals(await second.rest(), "second\n");
    } else {
      await second.send("second\n");
      assertEquals(await first.rest(), "first");
      assertEquals(await second.rest(), "second\n");
    }
  }, live);

  test(`${step} outlives clients that leave and reset, and with --quiet logs nothing`, async () => {
    await using server = await start("--quiet");
    for (let turn = 0; turn < 5; turn++) {
      await using left = await Peer.connect(server.address);
      left.finish();
      assertEquals(await left.rest(), "");
      await using reset = await Peer.connect(server.address);
      await reset.send("half a li");
      reset.reset();
    }
    await using peer = await Peer.connect(server.address);
    await peer.send("still here\n");
    assertEquals(await peer.line(), "still here");
    peer.finish();
    await peer.rest();
    const ending = await server.stop();
    assertEquals([ending.code, ending.stdout], [0, `${server.greeting}\n`]);
    assertEquals(ending.stderr.trim().split("\n").length, 1);
    // A connection that is overtaken by its reset is never accepted, on the runtimes that say so.
    const totals = totalsIn(ending);
    const [accepted, lost] = [/^accepted (\d+)/, /lost before accept (\d+)/]
      .map((pattern) => Number(pattern.exec(totals)?.[1] ?? 0));
    assertEquals((accepted ?? 0) + (lost ?? 0), 11, totals);
  }, live);

  test(
    `${step} cuts a silent client after --drain, and ends with 130 at a second signal`,
    async () => {
      for (const [drain, code] of [["50ms", 0], ["1m", 130]] as const) {
        await using server = await start("--drain", drain);
        await using silent = await Peer.connect(server.address);
        await server.printed(`accepted ${silent.name}`, "stderr");
        server.signal("SIGTERM");
        if (code === 130) {
          await delay(100);
          server.signal("SIGINT");
        }
        const ending = await server.end();
        assertEquals([ending.code, ending.signal], [code, null]);
        if (code === 0) assertMatch(totalsIn(ending), /accepted 1 .* cut 1$/);
        await silent.gone();
      }
    },
    live,
  );

  test(
    `${step} ends with 1 if the port is in use, and with 2 if it does not know an argument`,
    async () => {
      const other = createServer();
      await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { port } = other.address() as { port: number };
      const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
        [[String(port)], 1, /address.*in use/i],
        [["--frob"], 2, /--frob.*--host/],
        [["--protocol", "hello"], 2, /--protocol/],
        [["70000"], 2, /<port>.*0 to 65535/],
        [["0", "--drain", "soon"], 2, /--drain.*500ms/],
      ];
      for (const [args, status, message] of wrong) {
        await using script = new Script(`chat/${step}.ts`, args);
        const { code, stdout, stderr } = await script.end();
        assertEquals([code, stdout], [status, ""], stderr);
        assertMatch(stderr, message);
        assertMatch(stderr, new RegExp(`^${step}: .*\n$`));
      }
      await new Promise((resolve) => other.close(resolve));
      await using help = new Script(`chat/${step}.ts`, ["--help"]);
      const { code, stdout } = await help.end();
      assertEquals(code, 0);
      for (const text of ["7878", "127.0.0.1", "--quiet"]) assertStringIncludes(stdout, text);
    },
    live,
  );

  test(`${step} answers all that it has taken of a flood, and closes in order`, async () => {
    await using server = await start();
    await using peer = await Peer.connect(server.address);
    await peer.send("x".repeat(20_000));
    const answer = step === "v1_once" ? "x".repeat(1024) : "line too long: limit is 1024 bytes\n";
    assertEquals(await peer.rest(), answer);
  }, live);
}

// With the clients that people have.

/** The arguments that name a server. */
function target({ address }: ServerProcess): [string, string] {
  return [address.hostname, String(address.port)];
}

for (const [name, ...flags] of [["nc"], ["nc", "-N"], ["ncat"]] as const) {
  const command = [name, ...flags];
  // Without -N, OpenBSD's netcat sends no FIN. It ends when the server closes.
  const sendsFin = command.join(" ") !== "nc";

  test(`v1_once answers ${command.join(" ")}, with a line end and without`, async () => {
    await using server = await ServerProcess.start("chat/v1_once");
    for (const text of ["hi\n", "hi\r\n", "no line end"]) {
      await using client = new Program([...command, ...target(server)], { input: text });
      const { code, stdout } = await client.end();
      assertEquals([code, stdout], [0, text]);
    }
  }, { ...live, skip: whyNoProgram(name) });

  test(`v2_echo answers ${command.join(" ")} until exit${sendsFin ? " or FIN" : ""}`, async () => {
    await using server = await ServerProcess.start("chat/v2_echo");
    for (const text of ["a\nb\nexit\n", ...(sendsFin ? ["a\nb", "a\nb\n"] : [])]) {
      await using client = new Program([...command, ...target(server)], { input: text });
      const { code, stdout } = await client.end();
      assertEquals([code, stdout], [0, "a\nb\n"]);
    }
  }, { ...live, skip: whyNoProgram(name) });
}

test("telnet is answered by v1_once and v2_echo", async () => {
  for (const step of ["v1_once", "v2_echo"]) {
    await using server = await ServerProcess.start(`chat/${step}`);
    await using client = new Program(["telnet", ...target(server)], { input: "open" });
    await client.printed("Escape character");
    client.write("good morning\n");
    await client.printed("good morning");
    if (step === "v2_echo") client.write("exit\n");
    const { stderr } = await client.end();
    assertStringIncludes(stderr, "Connection closed");
  }
}, { ...live, skip: whyNoProgram("telnet") });

test("v2_echo tells an nc that sends too long a line what is wrong", async () => {
  await using server = await ServerProcess.start("chat/v2_echo");
  const input = `short\n${"x".repeat(5000)}\n`;
  await using client = new Program(["nc", ...target(server)], { input });
  assertEquals((await client.end()).stdout, "short\nline too long: limit is 1024 bytes\n");
  const ending = await server.stop();
  assert(totalsIn(ending).includes("failed 1 (too long 1)"), ending.stderr);
}, { ...live, skip: whyNoProgram("nc") });

for (const [name, serve] of [["v3_operator", serveOperated], ["chat", serveRooms]] as const) {
  test(`${name} releases those who wait to announce something when it closes`, async () => {
    await using server = await serve({ port: 0 });
    // This is far more than fits into a turn.
    const announced = Promise.all(
      Array.from({ length: 2000 }, () => server.announce("x".repeat(1000))),
    );
    await server.close();
    await within(5_000, "those who waited", announced);
    await within(5_000, "one who comes too late", server.announce("is anybody there?"));
  }, live);
}
