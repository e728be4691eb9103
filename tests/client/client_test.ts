/**
 * The client as people run it: a process that talks to servers, which are processes too.
 *
 * @module
 */

import { createSocket, type RemoteInfo } from "node:dgram";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtime } from "../../engine/net/runtime.ts";
import type { Address } from "../../protocol.ts";
import { assert, assertEquals, assertMatch, test, until } from "../kit/harness.ts";
import { Other, unusedAddress } from "../kit/other.ts";
import { type Ending, Script, type ScriptOptions, ServerProcess } from "../kit/server_process.ts";

/** A prime that takes long enough for others to be answered in the meantime. */
const LONG = "P9007199254740881";

/** Starts the client. */
function start(
  protocol: string,
  { hostname, port }: Address,
  args: readonly string[],
  options?: ScriptOptions,
): Script {
  return new Script("client.ts", [hostname, `${port}`, "--protocol", protocol, ...args], options);
}

/** Runs the client to its end. */
async function run(
  protocol: string,
  address: Address,
  args: readonly string[],
  options?: ScriptOptions,
): Promise<Ending> {
  await using client = start(protocol, address, args, options);
  return await client.end();
}

/** What was printed, without the times. Asserts that the times are there. */
function answers({ stdout }: { readonly stdout: string }): string[] {
  return stdout.split("\n").slice(0, -1).map((line) => {
    assertMatch(line, / {2}\d+\.\d ms$/);
    return line.replace(/ {2}\d+\.\d ms$/, "");
  });
}

/** Opens a UDP peer that answers as the test says, and remembers what came. */
async function listenUdp(
  answer: (bytes: Uint8Array, reply: (bytes: Uint8Array) => void) => void,
): Promise<AsyncDisposable & { readonly address: Address; readonly received: string[] }> {
  const socket = createSocket("udp4");
  const received: string[] = [];
  // It does not matter to the test if the client has ended.
  socket.on("error", () => {});
  socket.on("message", (bytes: Uint8Array, { port, address }: RemoteInfo) => {
    received.push(new TextDecoder().decode(bytes));
    answer(bytes, (reply) => socket.send(reply, port, address));
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  return {
    address: { hostname: "127.0.0.1", port: socket.address().port },
    received,
    [Symbol.asyncDispose]: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}

/** Makes a file for the duration of a test. */
function makeFile(content: string | Uint8Array): Disposable & { readonly path: string } {
  const folder = mkdtempSync(join(tmpdir(), "handshake-"));
  const path = join(folder, "file");
  writeFileSync(path, content);
  return { path, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

// The command line.

const NOWHERE: Address = { hostname: "127.0.0.1", port: 1 };

const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["hello", [], /missing <initial_sequence>: usage: client <host> <port> <initial_sequence> /],
  ["hello", ["1", "2"], /unexpected argument "2": usage: client <host> <port> <initial_sequence>/],
  ["hello", ["x"], /wrong value for <initial_sequence>/],
  ["hello", ["1", "--udp"], /--udp is not for --protocol hello: only for echo and print/],
  ["frame", ["a", "--udp"], /--udp is not for --protocol frame: only for echo and print/],
  ["frame", ["a", "--count", "2"], /--count is not for --protocol frame: only for hello/],
  ["echo", ["a", "--concurrency", "2"], /--concurrency is not for --protocol echo/],
  ["print", ["a", "--blocking"], /--blocking is not for --protocol print/],
  ["echo", ["a", "--one-connection"], /--one-connection is not .*: only for frame/],
  ["frame", ["good", "a^b"], /cannot send "a\^b": \^ and \$ begin and end a frame/],
  ["frame", ["a$", "--one-connection"], /cannot send "a\$": /],
  ["print", ["a", "--file", "b"], /--file takes the place of messages/],
  ["print", ["--file", "no/such/file"], /cannot open no\/such\/file: /],
  ["echo", ["--udp", "x".repeat(65_508)], /cannot send "x+\.\.\.": more than the 65507 bytes /],
];

for (const [protocol, args, message] of REFUSED) {
  const shown = args.map((argument) => argument.slice(0, 20)).join(" ");
  test(`--protocol ${protocol} refuses "${shown}" in one line`, async () => {
    const { code, stdout, stderr } = await run(protocol, NOWHERE, args);
    assertEquals([code, stdout, stderr.split("\n").length], [2, "", 2]);
    assertMatch(stderr, message);
  });
}

test("every protocol says in one line that nobody listens", async () => {
  const address = await unusedAddress();
  for (
    const [protocol, args] of [["frame", ["a", "b"]], ["echo", ["a"]], ["print", ["a"]]] as const
  ) {
    const { code, stdout, stderr } = await run(protocol, address, args);
    assertEquals([code, stdout, stderr.split("\n").length], [3, "", 2], protocol);
    assertMatch(stderr, /^client: Cannot connect to 127\.0\.0\.1:\d+: connection refused/);
  }
});

// Frames.

test("frames are sent all at once, and the one that takes long is answered last", async () => {
  await using server = await ServerProcess.start("threadpool", ["--protocol", "frame"]);
  const ending = await run("frame", server.address, [LONG, "echo", "P7", "P8", "hello!"]);
  const { code, stderr } = ending;
  assertEquals([code, stderr], [0, ""]);
  const printed = answers(ending);
  assertEquals(printed.at(-1), `${LONG} → prime`);
  assertEquals(printed.slice(0, -1).sort(), [
    "P7 → prime",
    "P8 → composite",
    "echo → fdip",
    'hello! → ifmmp"',
  ]);
}, { timeoutMs: 40_000 });

test("frames over one connection are answered in order", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame"]);
  const ending = await run("frame", server.address, ["--one-connection", LONG, "", "echo", "P7"]);
  assertEquals([ending.code, ending.stderr], [0, ""]);
  assertEquals(answers(ending), [`${LONG} → prime`, " → ", "echo → fdip", "P7 → prime"]);
  const { stderr } = await server.stop();
  assertMatch(stderr, /totals: accepted 1 · completed 1/);
}, { timeoutMs: 40_000 });

test("a refused question makes only its own frame fail", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame"]);
  const ending = await run("frame", server.address, ["Px", "echo", "P7"]);
  assertEquals([ending.code, answers(ending).sort()], [1, ["P7 → prime", "echo → fdip"]]);
  assertEquals(ending.stderr, "client: Px: Peer gone while waiting for prime or composite\n");

  const inOrder = await run("frame", server.address, ["--one-connection", "echo", "Px", "P7"]);
  assertEquals([inOrder.code, answers(inOrder)], [1, ["echo → fdip"]]);
  assertMatch(inOrder.stderr, /^client: Px: Peer gone .*\n.*nothing is sent after this frame\n$/);
});

test("with --no-prime a frame that begins with P is data", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame", "--no-prime"]);
  const data = await run("frame", server.address, ["--no-prime", "P12"]);
  assertEquals([data.code, answers(data)], [0, ["P12 → Q23"]]);
  const question = await run("frame", server.address, ["P12"]);
  assertEquals([question.code, question.stdout], [1, ""]);
  assertMatch(question.stderr, /expected prime or composite, got "Q23"/);
});

for (const flags of [[], ["--one-connection"]]) {
  test(`lines of standard input are sent as they come ${flags.join(" ")}`, async () => {
    await using server = await ServerProcess.start("event", ["--protocol", "frame"]);
    await using client = start("frame", server.address, flags, { input: "open" });
    client.write("one\r\ntw");
    await until("the first answer", () => client.stdout.includes("one → pof"));
    client.write("o\nP7\n");
    await until("the others", () => /two → uxp/.test(client.stdout) && /P7 →/.test(client.stdout));
    client.write("wrong$\n");
    const { code, stderr } = await client.end();
    assertEquals(code, 2);
    assertEquals(
      stderr,
      "client: cannot send line 4 of standard input: ^ and $ begin and end a frame\n",
    );
  });
}

test("2000 lines are all answered, and the last one needs no line end", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame", "--quiet"]);
  const numbers = Array.from({ length: 2000 }, (_, index) => String(index));
  const ending = await run("frame", server.address, [], { input: numbers.join("\n") });
  assertEquals([ending.code, ending.stderr], [0, ""]);
  const asked = answers(ending).map((line) => Number(line.split(" ")[0]));
  assertEquals(asked.sort((a, b) => a - b), numbers.map(Number));
});

test("a line that never ends is refused when it is too long", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame"]);
  const { code, stderr } = await run("frame", server.address, [], { input: "x".repeat(1_100_000) });
  assertEquals(code, 2);
  assertMatch(stderr, /line 1 of standard input: more than 1048576 bytes/);
});

test("an answer is made safe for the terminal", async () => {
  await using other = await Other.listen((socket) => {
    socket.write("*");
    socket.once("data", () => socket.end("\x1b[2J"));
  });
  const ending = await run("frame", other.address, ["abcd"]);
  assertEquals([ending.code, answers(ending)], [0, ["abcd → \\x1b[2J"]]);
});

test("a server that answers wrongly, too little, or not at all fails only its own frame", async () => {
  await using other = await Other.listen((socket, index) => {
    if (index === 0) socket.end("HELLO");
    else if (index === 1) socket.resume();
    else if (index === 2) socket.end("*");
    else {
      socket.write("*");
      socket.once("data", () => socket.end("b"));
    }
  });
  const expected: readonly (readonly [number, RegExp])[] = [
    [1, /^client: ab: Cannot parse the message: expected \*, got "H"\n$/],
    [4, /^client: ab: Timed out: nothing was received for 300 ms\n$/],
    [1, /^client: ab: Peer gone while .*\n$/],
    [1, /^client: ab: Peer gone while .*\n$/],
  ];
  for (const [status, message] of expected) {
    const { code, stdout, stderr } = await run("frame", other.address, [
      "--timeout",
      "300ms",
      "ab",
    ]);
    assertEquals([code, stdout], [status, ""]);
    assertMatch(stderr, message);
  }
});

test("a reader who hangs up after the first answer ends the client quietly", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "frame"]);
  await using client = start("frame", server.address, [], { input: "open" });
  client.write("one\n");
  await until("the first answer", () => client.stdout.includes("pof"));
  client.hangUp();
  // Standard input stays open, because the client must not wait for its end. It is asked again and
  // again, because the runtime of the tests does not tell when the pipe is really closed.
  await until("it to have noticed", () => {
    client.write("two\n");
    return client.isOver;
  });
  const { code, stderr } = await client.end();
  assertEquals([code, stderr], [0, ""]);
});

for (const protocol of ["frame", "echo", "print"]) {
  test(`SIGINT ends the client of ${protocol} at once, whatever it waits for`, async () => {
    let connected = 0;
    await using other = await Other.listen((socket) => {
      connected++;
      socket.resume();
    });
    for (const args of [["x"], []]) {
      connected = 0;
      await using client = start(protocol, other.address, args, { input: "open" });
      client.write("x\n");
      await until("the connection", () => connected === 1);
      client.signal("SIGINT");
      const { code, signal, stderr } = await client.end(5_000);
      // A shell reports the status 130 for a process that SIGINT ended.
      assert(code === 130 || signal === "SIGINT", `${code} ${signal}`);
      assertEquals(stderr, "");
    }
  });
}

// Echo.

test("echo sends its arguments and prints what comes back", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo"]);
  const large = "x".repeat(100_000);
  const args = ["hello", "żółw", "", "P7^$", large];
  const { code, stdout, stderr } = await run("echo", server.address, args);
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout, args.map((argument) => `${argument}\n`).join(""));
});

test("echo says when something else comes back", async () => {
  await using other = await Other.listen((socket) => {
    socket.on("data", (bytes) => socket.write(String(bytes).toUpperCase()));
  });
  const { code, stdout, stderr } = await run("echo", other.address, ["hello"]);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^client: .*expected "hello" from byte 1, got "HELLO"\n$/);
});

test("echo streams 10 MB of standard input there and back, to the last byte", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo"]);
  const bytes = new Uint8Array(10_000_000).map((_, at) => (at * 7) ^ (at >> 8));
  const { code, stdout, stderr } = await run("echo", server.address, [], {
    input: bytes,
    binary: true,
  });
  assertEquals([code, stderr, stdout.length], [0, "", bytes.length]);
  assert(bytes.every((byte, at) => stdout.charCodeAt(at) === byte), "the bytes are the same");
}, { timeoutMs: 40_000 });

test("echo prints what came back before standard input ends", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "echo"]);
  await using client = start("echo", server.address, [], { input: "open" });
  client.write("half");
  await until("the first half", () => client.stdout === "half");
  client.write(" and half\n");
  await until("the other half", () => client.stdout === "half and half\n");
});

test("echo says when a server reads nothing, sends nothing back, or closes early", async () => {
  await using other = await Other.listen((socket, index) => {
    if (index === 0) socket.pause();
    else if (index === 1) socket.resume();
    else if (index === 2) socket.once("data", (bytes) => socket.end(bytes.subarray(1))).resume();
    else socket.destroy();
  });
  const input = new Uint8Array(20_000_000);
  for (
    const [size, status, message] of [
      [input.length, 4, /Timed out: nothing was received for 500 ms/],
      [10, 4, /Timed out: nothing was received for 500 ms/],
      // The server may leave before the client has sent its FIN, or after.
      [10, 1, /Peer gone while (waiting for the last 1 of 10 bytes|sending)/],
      [input.length, 1, /Peer gone|connection reset/],
    ] as const
  ) {
    const args = ["--timeout", "500ms"];
    const ending = await run("echo", other.address, args, { input: input.subarray(0, size) });
    assertMatch(ending.stderr, message);
    assert(ending.code === status || (size > 10 && ending.code === 3), `${ending.code}`);
  }
}, { timeoutMs: 40_000 });

// Print.

test("print sends arguments, a file or standard input, and the server prints each line", async () => {
  await using server = await ServerProcess.start("event", ["--protocol", "print"]);
  using file = makeFile("of a\nfile");
  for (
    const [args, options] of [
      [["one", "two"], {}],
      [["--file", file.path], {}],
      [[], { input: "three\nfour" }],
    ] as const
  ) {
    const { code, stdout, stderr } = await run("print", server.address, args, options);
    assertEquals([code, stdout, stderr], [0, "", ""]);
  }
  const printed = () => server.stdout.split("\n").slice(1, -1).map((line) => line.split(": ")[1]);
  const lines = ["one", "two", "!Disconnect", "of a", "file", "!Disconnect"];
  lines.push("three", "four", "!Disconnect");
  await until("the last line", () => printed().length >= lines.length);
  assertEquals(printed(), lines);
  const { stderr } = await server.stop();
  assertMatch(stderr, /totals: accepted 3 · completed 3 · failed 0/);
});

test("print says when a server does not close, or does not read a large file", async () => {
  await using other = await Other.listen((socket, index) => {
    if (index === 0) socket.resume();
    else socket.pause();
  });
  using file = makeFile(new Uint8Array(20_000_000));
  for (const what of [["x"], ["--file", file.path]]) {
    const args = ["--timeout", "500ms", ...what];
    const { code, stdout, stderr } = await run("print", other.address, args);
    assertEquals([code, stdout], [4, ""]);
    assertMatch(stderr, /^client: Timed out: .* 500 ms\n$/);
  }
});

test("print cannot send what is not a file", async () => {
  await using other = await Other.listen((socket) => socket.resume());
  const { code, stderr } = await run("print", other.address, ["--file", "tests"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^client: cannot read tests: .*\n$/);
});

// Datagrams.

test("echo --udp sends a datagram for each message and waits for its answer", async () => {
  await using peer = await listenUdp((bytes, reply) => reply(bytes));
  const args = ["--udp", "hello", "", "żółw"];
  const { code, stdout, stderr } = await run("echo", peer.address, args);
  assertEquals([code, stdout, stderr], [0, "hello\n\nżółw\n", ""]);
  assertEquals(peer.received, ["hello", "", "żółw"]);
  const lines = await run("echo", peer.address, ["--udp"], { input: "one\ntwo" });
  assertEquals([lines.code, lines.stdout], [0, "one\ntwo\n"]);
  const largest = "x".repeat(65_507);
  const large = await run("echo", peer.address, ["--udp", largest]);
  assertEquals([large.code, large.stdout.length], [0, largest.length + 1]);
});

test("echo --udp reports a missing answer and goes on; a late one is not a wrong one", async () => {
  const silent = new TextEncoder().encode("silent");
  await using peer = await listenUdp((bytes, reply) => {
    const text = new TextDecoder().decode(bytes);
    if (text === "next") reply(silent);
    if (text === "wrong") reply(Uint8Array.of(0x1b));
    else if (text !== "silent") reply(bytes);
  });
  const args = ["--udp", "--timeout", "300ms", "silent", "next"];
  const late = await run("echo", peer.address, args);
  assertEquals([late.code, late.stdout], [4, "next\n"]);
  assertEquals(late.stderr, "client: silent: no answer within 300 ms\n");
  const wrong = await run("echo", peer.address, ["--udp", "wrong"]);
  assertEquals([wrong.code, wrong.stdout], [1, ""]);
  assertMatch(wrong.stderr, /expected "wrong" from byte 1, got "\\x1b"/);
});

test("print --udp sends messages, or a file in datagrams of 1024 bytes, then !Disconnect", async () => {
  await using peer = await listenUdp(() => {});
  const { code, stdout, stderr } = await run("print", peer.address, ["--udp", "one", "two"]);
  assertEquals([code, stdout, stderr], [0, "", ""]);
  await until("three datagrams", () => peer.received.length === 3);
  assertEquals(peer.received.splice(0), ["one", "two", "!Disconnect"]);
  using file = makeFile("x".repeat(2500));
  assertEquals((await run("print", peer.address, ["--udp", "--file", file.path])).code, 0);
  await until("four datagrams", () => peer.received.length === 4);
  assertEquals(peer.received.map(({ length }) => length), [1024, 1024, 452, 11]);
});

test("--udp says in words that the port is closed", async () => {
  const address = await unusedAddress();
  for (const protocol of ["echo", "print"]) {
    const { code, stderr } = await run(protocol, address, ["--udp", "x"]);
    assertEquals(code, 3);
    assertMatch(stderr, /^client: Cannot connect to 127\.0\.0\.1:\d+: connection refused \(E.*\n$/);
  }
}, { skip: runtime.name === "deno" ? "Deno does not tell of ICMP errors" : undefined });
