/**
 * The Berkeley mode: TCP and UDP on one port, and its calls shown one by one. It runs real
 * processes.
 *
 * @module
 */

import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { serveBerkeley } from "../../mod.ts";
import type { Address } from "../../protocol.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
  test,
  until,
  within,
} from "../kit/harness.ts";
import { DatagramPeer } from "../kit/datagram_peer.ts";
import { handshake, Peer } from "../kit/peer.ts";
import { Script, type ScriptOptions, ServerProcess, totalsIn } from "../kit/server_process.ts";

const skip = whyNoSockets();
const here = { skip, sanitize: false };
const ANY: Address = { hostname: "127.0.0.1", port: 0 };

function start(args: readonly string[] = [], options: ScriptOptions = {}): Promise<ServerProcess> {
  return ServerProcess.start("berkeley", ["--workers", "2", ...args], options);
}

/** Waits until the log has a line. */
async function logged(server: ServerProcess, line: RegExp): Promise<void> {
  await until(`the log to say ${line}`, () => line.test(server.stderr));
}

/**
 * Datagrams are served in order: when this one has come back, all earlier ones have been served.
 */
async function allServed(server: ServerProcess): Promise<void> {
  using last = new DatagramPeer(server.address);
  // It is sent repeatedly, because datagrams are lost while the server's receive buffer is full.
  await until("the server to answer", () => {
    last.send("was that all?");
    return last.receive("the answer", 100).then(() => true, () => false);
  });
}

// TCP: any protocol.

test("berkeley by default prints what comes over TCP and UDP, each with its sender", async () => {
  await using server = await start();
  assertMatch(server.greeting, / · berkeley · print · 2 workers · descriptors · TCP and UDP · /);
  await using peer = await Peer.connect(server.address);
  await peer.send("over TCP\n");
  using sender = new DatagramPeer(server.address);
  sender.send("over UDP\nin two lines");
  await peer.send("and that was all !Disconnect");
  assertEquals(await peer.rest(), "");
  const udp = sender.name.replace("udp ", "");
  const lines = [
    `${peer.name}: over TCP`,
    `${peer.name}: and that was all !Disconnect`,
    `${udp}: over UDP`,
    `${udp}: in two lines`,
  ];
  await until("all of it to be printed", () => lines.every((line) => server.stdout.includes(line)));
  assertEquals(server.stdout.split("\n").slice(1, -1).sort(), lines.sort());
  assertEquals(sender.take(), undefined, "print answers nothing");
}, here);

test("berkeley speaks echo, frame and hello over TCP", async () => {
  await using echo = await start(["--protocol", "echo"]);
  await using talker = await Peer.connect(echo.address);
  const text = "\0\xff".repeat(100_000);
  talker.send(text);
  talker.finish();
  assertEquals(await talker.rest(), text);

  await using frame = await start(["--protocol", "frame"]);
  assertMatch(frame.greeting, / · frame · .* · TCP only · /);
  await using asker = await Peer.connect(frame.address);
  await asker.send("x^abc$^P7$");
  await until("the answers", () => asker.heard === "*bcdprime\n");

  await using hello = await start(["--protocol", "hello"]);
  assertMatch(hello.greeting, / · hello · .* · TCP only · /);
  await handshake(hello.address, 100);
  using stranger = new DatagramPeer(hello.address);
  stranger.send("HELLO 1\n");
  await handshake(hello.address, 200);
  assertMatch(totalsIn(await hello.stop()), /^accepted 2 · completed 2 · failed 0 · cut 0$/);
}, here);

// UDP.

test("berkeley echoes datagrams of 0 to 65,507 bytes, on its TCP port", async () => {
  await using server = await start(["--protocol", "echo"]);
  using peer = new DatagramPeer(server.address);
  for (const length of [3, 0, 1, 1472, 65_507]) {
    const bytes = Uint8Array.from({ length }, (_, index) => index * 7);
    assert(peer.send(bytes));
    assertEquals(await peer.receive(`${length} bytes`), bytes);
  }
  assertMatch(totalsIn(await server.stop()), /^accepted 1 · completed 1 · failed 0 · cut 0$/);
  assertMatch(server.stderr, new RegExp(` accepted ${peer.name}\n`));
  assertMatch(server.stderr, new RegExp(` done ${peer.name} in [0-9.]+ ms\n`));
}, here);

test("berkeley serves TCP and UDP over IPv6", async () => {
  await using server = await start(["--protocol", "echo", "--host", "::1"]);
  assertMatch(server.greeting, /^Listening on \[::1\]:\d+ /);
  using sender = new DatagramPeer(server.address);
  assertEquals(await sender.ask("six"), "six");
  await using peer = await Peer.connect(server.address);
  await peer.send("six");
  peer.finish();
  assertEquals(await peer.rest(), "six");
  await logged(server, new RegExp(` accepted ${sender.name.replace(/[[\]]/g, "\\$&")}\n`));
}, { ...here, skip: skip ?? whyNotBound({ hostname: "::1", port: 0 }) });

test("berkeley prints datagrams as they were sent, in order, escaped", async () => {
  await using server = await start();
  using peer = new DatagramPeer(server.address);
  const long = "x".repeat(3000);
  const COUNT = 200;
  for (let index = 0; index < COUNT; index++) peer.send(`number ${index}`);
  for (const text of ["", "\x1b[2J", long]) peer.send(text);
  const from = peer.name.replace("udp ", "");
  await until("all to be printed", () => server.stdout.split(from).length === COUNT + 6);
  const printed = server.stdout.split("\n").slice(1, -1).map((line) => line.replace(from, ""));
  const numbers = Array.from({ length: COUNT }, (_, index) => `: number ${index}`);
  const chunks = [1024, 1024, 952].map((length) => `: ${"x".repeat(length)}`);
  assertEquals(printed, [...numbers, ": ", ": \\x1b[2J", ...chunks]);
}, here);

test("berkeley ends a sender's conversation at !Disconnect, but never the socket", async () => {
  await using server = await start();
  using one = new DatagramPeer(server.address);
  using other = new DatagramPeer(server.address);
  other.send("still here");
  one.send("bye !Disconnect now");
  await logged(server, new RegExp(` done ${one.name} in [0-9.]+ ms\n`));
  one.send("me again");
  other.send("and me");
  await until("both to be printed", () => /again\n[^]*and me\n/.test(server.stdout));
  const begun = new RegExp(` accepted ${one.name}\n`, "g");
  await until("a second conversation", () => server.stderr.match(begun)?.length === 2);
  assertNotMatch(server.stderr, new RegExp(` done ${other.name} `));
  assertMatch(totalsIn(await server.stop()), /^accepted 3 · completed 3 · failed 0 · cut 0$/);
}, here);

test("berkeley goes on when its answers go to closed ports", async () => {
  await using server = await start(["--protocol", "echo"]);
  for (let round = 0; round < 50; round++) {
    using peer = new DatagramPeer(server.address);
    peer.send("nobody will hear the answer");
  }
  await allServed(server);
}, here);

test("berkeley answers neither its own port number nor system ports", async () => {
  await using server = await start(["--protocol", "echo"]);
  const { port } = server.address;
  using twin = new DatagramPeer(server.address, { hostname: "127.0.0.2", port });
  twin.send("do we know each other?");
  using service = new DatagramPeer(server.address, { hostname: "127.0.0.2", port: 1023 });
  service.send("chargen");
  using free = new DatagramPeer(server.address, { hostname: "127.0.0.2", port: 1024 });
  assertEquals(await free.ask("and I?"), "and I?");
  await allServed(server);
  assertEquals([twin.take(), service.take()], [undefined, undefined]);
  await logged(server, new RegExp(` accepted ${twin.name}\n`));
}, {
  ...here,
  skip: skip ?? whyNotBound({ hostname: "127.0.0.2", port: 1023 }) ??
    whyNotBound({ hostname: "127.0.0.2", port: 1024 }),
});

test("berkeley serves no datagrams of hosts that may not connect", async () => {
  await using server = await start(["--protocol", "echo", "--deny", "127.0.0.2"]);
  using denied = new DatagramPeer(server.address, { hostname: "127.0.0.2", port: 0 });
  denied.send("let me in");
  using peer = new DatagramPeer(server.address);
  assertEquals(await peer.ask("and I?"), "and I?");
  assertEquals(denied.take(), undefined);
  const { stderr } = await server.stop();
  assertMatch(stderr, /totals: accepted 1 · .* · refused 1$/m);
}, { ...here, skip: skip ?? whyNotBound({ hostname: "127.0.0.2", port: 1024 }) });

test("berkeley limits how many answers one source gets in a second", async () => {
  const RATE = 20;
  await using server = await start(["--protocol", "echo", "--udp-rate", String(RATE)]);
  using greedy = new DatagramPeer(server.address);
  using modest = new DatagramPeer(server.address);
  const startedAt = performance.now();
  for (let index = 0; index < 150; index++) greedy.send("more");
  assertEquals(await modest.ask("me too"), "me too");
  const seconds = (performance.now() - startedAt) / 1000;
  let answers = 0;
  while (greedy.take() !== undefined) answers++;
  assert(answers >= RATE && answers <= RATE * Math.ceil(seconds), `${answers} in ${seconds} s`);
}, here);

test("berkeley eventually drops a datagram that is sent back for ever", async () => {
  await using server = await start(["--protocol", "echo", "--udp-rate", "0"]);
  using mirror = new DatagramPeer(server.address);
  mirror.send("ping");
  let answers = 0;
  for (;;) {
    const answer = mirror.take();
    if (answer !== undefined) {
      mirror.send(answer);
      answers++;
      assert(answers < 1000, "it goes on and on");
      continue;
    }
    // Nothing is on its way here: the datagram is in the server, or gone.
    await allServed(server);
    const late = mirror.take();
    if (late === undefined) break;
    mirror.send(late);
    answers++;
  }
  assertEquals(answers, 999);
  assertEquals(await mirror.ask("and now?"), "and now?", "only the one was dropped");
}, here);

// Both at once.

test("berkeley takes datagrams and connections alike while it has workers", async () => {
  await using server = await start(["--protocol", "echo", "--workers", "1"]);
  await using silent = await Peer.connect(server.address);
  await logged(server, / accepted 127\.0\.0\.1/);
  using sender = new DatagramPeer(server.address);
  sender.send("patience");
  await using next = await Peer.connect(server.address);
  await next.send("and mine");
  next.finish();
  assertEquals(sender.take(), undefined, "its only worker is busy");
  silent.finish();
  assertEquals(await silent.rest(), "");
  assertEquals(new TextDecoder().decode(await sender.receive()), "patience");
  assertEquals(await next.rest(), "and mine");
}, here);

test("berkeley counts only connections against the limit of connections", async () => {
  await using server = await start(["--protocol", "echo", "--max-connections", "1"]);
  await using first = await Peer.connect(server.address);
  await first.send("1");
  await until("the first to be served", () => first.heard === "1");
  await using second = await Peer.connect(server.address);
  await second.send("2");
  using sender = new DatagramPeer(server.address);
  for (const text of ["a", "b", "c"]) assertEquals(await sender.ask(text), text);
  assertEquals(second.heard, "");
  first.finish();
  await until("the second to be served", () => second.heard === "2");
}, here);

test("berkeley survives floods of garbage, and a signal in the middle of them", async () => {
  await using server = await start(["--protocol", "echo", "--drain", "2s", "--quiet"]);
  const garbage = Uint8Array.from({ length: 1400 }, (_, index) => index * index);
  await using talker = await Peer.connect(server.address);
  // There are more senders than the server remembers. None is lost, since a round fits the receive
  // buffer.
  for (let round = 0; round < 50; round++) {
    for (let index = 0; index < 100; index++) {
      using sender = new DatagramPeer(server.address);
      sender.send(garbage.subarray(0, index * 5));
    }
    await talker.send(`${round}\n`);
    assertEquals(await talker.line(), String(round));
    await allServed(server);
  }
  using flood = new DatagramPeer(server.address);
  const stop = server.stop("SIGINT");
  talker.finish();
  while (!server.isOver) {
    for (let index = 0; index < 100; index++) flood.send(garbage);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  const ending = await stop;
  assertEquals(ending.code, 0);
  const [, accepted, completed] = /^accepted (\d+) · completed (\d+) · failed 0 · cut 0$/
    .exec(totalsIn(ending)) ?? [];
  assert(Number(accepted) > 4096, totalsIn(ending));
  assertEquals(completed, accepted);
}, { ...here, timeoutMs: 40_000 });

test("berkeley ends at once also right after it has handed a connection over", async () => {
  const net = sockets();
  const { AF_INET, SOCK_STREAM } = net.constants;
  const buffer = new Uint8Array(1);
  // For a millisecond its acceptor sleeps, until it sees that a worker has woken up. One turn may
  // miss that moment.
  for (let turn = 0; turn < 10; turn++) {
    const server = await serveBerkeley({ port: 0, protocol: "echo", workers: 2, drain: "1h" });
    const client = net.socket(AF_INET, SOCK_STREAM);
    net.connect(client, server.address);
    net.send(client, buffer, 0);
    // This blocks, so that nothing lies between the answer and the end.
    assertEquals(net.recv(client, buffer, 0), 1);
    const closed = server.close();
    net.close(client);
    await within(10_000, "the server to close", closed);
  }
}, here);

// The calls.

test("berkeley shows each call with its arguments and result, even with --quiet", async () => {
  await using server = await start(["--protocol", "echo", "--trace-calls", "--quiet"]);
  using sender = new DatagramPeer(server.address);
  assertEquals(await sender.ask("abc"), "abc");
  // A server that closes does not check whether more has arrived.
  await logged(server, /recvfrom\(\d+, 65535, MSG_DONTWAIT\) = -1 EAGAIN/);
  await using peer = await Peer.connect(server.address);
  await peer.send('say "hello"\n');
  peer.finish();
  assertEquals(await peer.rest(), 'say "hello"\n');
  const { code, stderr } = await server.stop();
  assertEquals(code, 0);

  let rest = stderr;
  /** Finds a call after the last one that was found; returns what its last group matched. */
  const then = (call: string): string => {
    const match = new RegExp(` ${call}\n`).exec(rest);
    assert(match !== null, `${call} is not in\n${rest}\nof\n${stderr}`);
    rest = rest.slice(match.index);
    return match.at(-1) as string;
  };
  const exec = runtime.os === "linux" ? "\\|SOCK_CLOEXEC" : "";
  const flags = "MSG_DONTWAIT\\|MSG_NOSIGNAL";
  const from = sender.name.replace("udp ", "");
  const said = String.raw`"say \\"hello\\"\\n"`;
  // Those who share a listener ask first whether somebody waits, and one of them comes too late.
  const wait = exec === "" ? "" : "\\|SOCK_NONBLOCK";
  const tcp = then(`socket\\(AF_INET, SOCK_STREAM${exec}${wait}\\) = (\\d+)`);
  then(`setsockopt\\(${tcp}, SOL_SOCKET, SO_REUSEADDR, 1\\) = 0`);
  then(`bind\\(${tcp}, 127.0.0.1:0\\) = 0`);
  then(`listen\\(${tcp}, \\d+\\) = 0`);
  const port = then(`getsockname\\(${tcp}\\) = 0 127.0.0.1:(\\d+)`);
  assertEquals(Number(port), server.address.port);
  const udp = then(`socket\\(AF_INET, SOCK_DGRAM${exec}\\) = (\\d+)`);
  then(`bind\\(${udp}, 127.0.0.1:${port}\\) = 0`);
  // The thread that answers a datagram and the one that accepts may report in any order.
  const bound = rest;
  then(`recvfrom\\(${udp}, 65535, MSG_DONTWAIT\\) = 3 ${from} "abc"`);
  then(`sendto\\(${udp}, "abc", 3, ${flags}, ${from}\\) = 3`);
  then(`recvfrom\\(${udp}, 65535, MSG_DONTWAIT\\) = -1 EAGAIN`);
  rest = bound;
  const fd = then(
    `${exec === "" ? "accept" : "accept4"}\\(${tcp}${
      exec.replace("\\|", ", ")
    }\\) = (\\d+) ${peer.name}`,
  );
  then(`recv\\(${fd}, 65536\\) = 12 ${said}`);
  then(`send\\(${fd}, ${said}, 12, ${flags}\\) = 12`);
  then(`recv\\(${fd}, 65536\\) = 0 ""`);
  then(`shutdown\\(${fd}, SHUT_WR\\) = 0`);
  then(`close\\(${fd}\\) = 0`);
  // When it closes, the main thread does not wait for a worker that is just closing, either.
  rest = bound;
  then(`close\\(${tcp}\\) = 0`);
  then(`close\\(${udp}\\) = 0`);
  assertNotMatch(stderr, / INF (?!totals)/);
}, here);

test("berkeley sends FIN once, whether or not the connection lingers", async () => {
  await using server = await start(["--protocol", "hello", "--trace-calls"]);
  await handshake(server.address, 1);
  // After a mistake the peer may be in the middle of saying something, so the connection lingers.
  {
    await using peer = await Peer.connect(server.address);
    await peer.send("HELLO x\n");
    assertMatch(await peer.rest(), /^ERROR /);
  }
  const { stderr } = await server.stop();
  assertEquals(stderr.match(/ shutdown\(\d+, SHUT_WR\) = 0\n/g)?.length, 2, stderr);
}, here);

// How it starts and how it ends.

test("berkeley says which UDP port is busy, and exits with 1", async () => {
  const net = sockets();
  const { AF_INET, SOCK_DGRAM } = net.constants;
  // A port that nobody else uses: only its UDP side is to be busy.
  const listener = net.openListener(ANY);
  const { port } = net.localAddress(listener);
  const fd = net.socket(AF_INET, SOCK_DGRAM);
  net.bind(fd, { ...ANY, port });
  net.close(listener);
  await using script = new Script("modes/berkeley.ts", [String(port)]);
  const { code, stdout, stderr } = await script.end();
  net.close(fd);
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr,
    `berkeley: Cannot use UDP: Cannot bind 127.0.0.1:${port}: address already in use (EADDRINUSE)\n`,
  );
}, here);

test("berkeley says which option it cannot use, and exits with 2", async () => {
  for (
    const [args, expected] of [
      [["0", "--workers", "0"], "a whole number from 1 to 4096"],
      [["0", "--udp-rate", "-1"], "a whole number from 0 to 1000000"],
      [["0", "--trace-calls=yes"], "expected none"],
    ] as const
  ) {
    await using script = new Script("modes/berkeley.ts", args);
    const { code, stderr } = await script.end();
    assertEquals(code, 2);
    assertMatch(stderr, /^berkeley: .*\n$/);
    assertStringIncludes(stderr, expected);
  }
}, { sanitize: false });

test("berkeley listens on 8080 and prints, as its help says", async () => {
  await using script = new Script("modes/berkeley.ts", ["--help"]);
  const { code, stdout } = await script.end();
  assertEquals(code, 0);
  assertMatch(stdout, /--protocol.*\(default: print\)/);
  assertMatch(stdout, / port .*\(default: 8080\)/);
  assertMatch(stdout, /--udp-rate N .*\(default: 1000\)/);
}, { sanitize: false });

test("berkeley ends with one line if foreign functions cannot be called", async () => {
  await using script = new Script("modes/berkeley.ts", ["0"], {
    permissions: ["--allow-net", "--allow-read"],
  });
  const { code, stdout, stderr } = await script.end();
  assertEquals([code, stdout], [1, ""]);
  assertEquals(
    stderr,
    "berkeley: Cannot use Berkeley sockets: no permission for foreign functions (--allow-ffi)\n",
  );
}, {
  sanitize: false,
  skip: runtime.name === "deno" ? undefined : `${runtime.name} has no permissions`,
});

/** Why a client cannot send from an address; `undefined` if it can. */
function whyNotBound(address: Address): string | undefined {
  if (skip !== undefined) return skip;
  try {
    new DatagramPeer(address, address)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof SocketError) return `${runtime.os}: ${error.message}`;
    throw error;
  }
}
