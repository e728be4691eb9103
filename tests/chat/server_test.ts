/**
 * The chat server as people run it: a process, real connections, signals, an operator.
 *
 * @module
 */

import { createServer } from "node:net";
import process from "node:process";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { runtime } from "../../engine/net/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertRejects,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { ChatPeer, encode, GOODBYE, WELCOME } from "../kit/chat_peer.ts";
import { Peer } from "../kit/peer.ts";
import {
  Program,
  Script,
  type ScriptOptions,
  ServerProcess,
  totalsIn,
  whyNoLimit,
  whyNoProgram,
} from "../kit/server_process.ts";

const live = { sanitize: false };

/** Starts a server that ends at once when it is asked to, unless the arguments say otherwise. */
function start(...args: string[]): Promise<ServerProcess> {
  return operate({}, ...args);
}

/** Starts such a server with an operator. */
function operated(...args: string[]): Promise<ServerProcess> {
  return operate({ input: "open" }, ...args);
}

function operate(options: ScriptOptions, ...args: string[]): Promise<ServerProcess> {
  const drain = args.includes("--drain") ? [] : ["--drain", "0"];
  return ServerProcess.start("chat/server", [...drain, ...args], options);
}

/** Turns off the limit on how fast a user may talk. */
const UNLIMITED = ["--rate", "0"];

// Talk.

test("chat welcomes a guest, answers each command, and says goodbye", async () => {
  await using server = await start();
  assertMatch(
    server.greeting,
    new RegExp(`^Listening on 127\\.0\\.0\\.1:\\d+ · chat · rooms · ${runtime.name} \\d`),
  );
  await using ann = await ChatPeer.enter(server, "ann");
  await using guest = await ChatPeer.enter(server);
  await guest.reads("* also here: ann");
  const answers: readonly (readonly [string, ...string[]])[] = [
    ["/who", "* in lobby: ann, guest-2"],
    ["/names", "* in lobby: ann, guest-2"],
    ["/rooms", "* rooms: lobby (2)"],
    ["/NICK Bob", "* you are now Bob"],
    ["/nick ANN", "* the name ANN is taken"],
    ["/nick Server", "* the name Server is reserved"],
    ["/nick guest-7", "* the name guest-7 is reserved"],
    ["/nick bob", "* you are now bob"],
    ["/nick", "* usage: /nick NAME"],
    ["/msg ann psst", "[you to ann] psst"],
    ["/msg nobody hi", "* no such user: nobody"],
    ["/msg ann", "* usage: /msg NAME TEXT"],
    ["/me", "* usage: /me ACTION"],
    ["/frob", "* unknown command /frob: try /help"],
    ["/join games", "* you are in games"],
    ["alone", "[bob] alone"],
    ["/me waves", "[bob] * waves"],
    ["//me", "[bob] /me"],
    ["/rooms", "* rooms: games (1), lobby (1)"],
    ["/join", "* you are in lobby", "* also here: ann"],
    [" "],
    ["/join LOBBY", "* you are in lobby"],
  ];
  for (const [said, ...answer] of answers) {
    await guest.say(said);
    await guest.reads(...answer);
  }
  for (const name of ["a b", "ä", "a.b", "x".repeat(33), "a*", "<a>"]) {
    await guest.say(`/nick ${name}`);
    await guest.reads("* cannot use the name: a name is 1 to 32 ASCII letters, digits, _ or -");
  }
  await guest.say(`/nick ${"x".repeat(32)}`);
  await guest.reads(`* you are now ${"x".repeat(32)}`);
  await guest.say("/help");
  await guest.find(/^\* \/nick NAME/);
  await guest.find(/^\* \/quit/);
  await guest.say("/quit");
  assertEquals(await guest.rest(), [GOODBYE]);
  await ann.reads(
    "* guest-2 joined lobby",
    "* guest-2 is now Bob",
    "* Bob is now bob",
    "[bob to you] psst",
    "* bob left lobby",
    "* bob joined lobby",
    `* bob is now ${"x".repeat(32)}`,
    `* ${"x".repeat(32)} left`,
  );
  await ann.say("exit");
  assertEquals(await ann.rest(), [GOODBYE]);
  const ending = await server.stop();
  assertEquals([ending.code, ending.signal], [0, null]);
  assertMatch(totalsIn(ending), /^accepted 2 · completed 2 · failed 0 · cut 0 · said 4 /);
}, live);

test("chat sends lines back to users who are alone, and with --echo to everybody", async () => {
  for (const flags of [[], ["--echo"]]) {
    await using server = await start(...flags);
    await using ann = await ChatPeer.enter(server, "ann");
    await ann.say("is anybody here?");
    await ann.reads("[ann] is anybody here?");
    await using bob = await ChatPeer.enter(server, "bob");
    await ann.find("* guest-2 is now bob");
    await ann.say("hi bob");
    if (flags.length > 0) await ann.reads("[ann] hi bob");
    await bob.reads("[ann] hi bob");
    await bob.say("hi ann");
    await ann.reads("[bob] hi ann");
  }
}, live);

test("chat grants a name to one of many who want it, and again once it is free", async () => {
  await using server = await start();
  const users = await Promise.all(Array.from({ length: 12 }, () => ChatPeer.enter(server)));
  for (const user of users) user.post("/nick Bob");
  const answers = await Promise.all(
    users.map((user) => user.find(/^\* (you are now|the name) Bob/)),
  );
  const winners = users.filter((_, index) => answers[index]?.[1] === "you are now");
  assertEquals(winners.length, 1);
  const [winner] = winners as [ChatPeer];
  const [other] = users.filter((user) => user !== winner) as [ChatPeer];
  await winner.say("/quit");
  await other.find("* Bob left");
  await other.say("/nick bob");
  await other.find("* you are now bob");
  for (const user of users) await user[Symbol.asyncDispose]();
}, live);

test("chat shows the last lines of a room to those who join it, bounded in bytes", async () => {
  await using server = await start("--history", "3");
  await using ann = await ChatPeer.enter(server, "ann");
  ann.post("one", "two", "/me waves", "four");
  await ann.find("[ann] four");
  await using peer = await Peer.connect(server.address);
  const expected = ["[ann] two", "[ann] * waves", "[ann] four", "* also here: ann"];
  for (const line of [WELCOME, "* you are guest-2 in lobby", ...expected]) {
    assertEquals(await peer.line(), line);
  }
  ann.post("/join attic", "kept", "/join", "/join attic");
  await ann.find("[ann] kept");
  await ann.find("* you are in attic");
  await ann.reads("[ann] kept");

  await using small = await start("--history", "100", "--outbox", "16k", ...UNLIMITED);
  await using bob = await ChatPeer.enter(small, "bob");
  bob.post(...Array.from({ length: 9 }, (_, index) => String(index).repeat(1000)), "end");
  await bob.find("[bob] end");
  await using carl = await ChatPeer.enter(small);
  for (const digit of ["5", "6", "7", "8"]) await carl.reads(`[bob] ${digit.repeat(1000)}`);
  await carl.reads("[bob] end", "* also here: bob");

  // What short lines cost depends mostly on their number. There must not be more of them than may
  // wait.
  await using long = await start("--history", "10000", "--outbox", "16k", ...UNLIMITED);
  await using eve = await ChatPeer.enter(long, "eve");
  eve.post(...Array.from({ length: 300 }, (_, index) => `${index}`));
  await eve.find("[eve] 299");
  await using finn = await ChatPeer.enter(long);
  for (let index = 172; index < 300; index++) await finn.reads(`[eve] ${index}`);
  await finn.reads("* also here: eve");

  await using none = await start("--history", "0");
  await using dora = await ChatPeer.enter(none, "dora");
  await dora.say("forgotten");
  await dora.reads("[dora] forgotten");
  await using eric = await ChatPeer.enter(none);
  await eric.reads("* also here: dora");
}, live);

test("chat shows what was said in each of many rooms to a user who pastes a walk", async () => {
  await using server = await start("--burst", "1000");
  for (const room of ["attic", "cellar"]) {
    await using ann = await ChatPeer.enter(server, "ann");
    ann.post(`/join ${room}`, ...Array.from({ length: 20 }, () => "x".repeat(1000)), "/quit");
    await ann.rest();
  }
  await using bob = await ChatPeer.enter(server, "bob");
  bob.post(...Array.from({ length: 40 }, () => "/join attic\n/join cellar"), "/quit");
  const lines = await bob.rest();
  assertEquals(lines.filter((line) => line.startsWith("[ann] x")).length, 80 * 20);
  assertEquals(lines.at(-1), GOODBYE);
}, live);

// What clients send, byte by byte.

test("chat takes lines as telnet and other clients send them, cut anywhere", async () => {
  await using server = await start(...UNLIMITED, "--echo");
  await using ann = await ChatPeer.enter(server, "ann");
  const sent = [
    ["one\r\ntwo\r\0three\n", "one", "two", "three"],
    [
      "\xff\xfd\x03no\xff\xfb\x18 options\xff\xfa\x18\0xterm\xff\xf0\xff\xf1 here\n",
      "no options here",
    ],
    [encode("grüße 世界 🦊\n"), "grüße 世界 🦊"],
    ["\xc3(\xf0\x9f\x92 \xed\xa0\x80\n", "\ufffd(\ufffd \ufffd\ufffd\ufffd"],
    ["\x1b[31mred\x1b[0m \x1b]0;title\x07bell\x07\b\b\x7f\n", "red bell"],
    [encode("c1 \u009b31mred\u0085 \u202eright\u2028[server] no\n"), "c1 red right[server] no"],
    ["a\tb\rc\n", "a bc"],
    ["* ann left\n", "* ann left"],
  ] as const;
  for (const [bytes, ...lines] of sent) {
    for (const byte of bytes) await ann.peer.send(byte);
    await ann.reads(...lines.map((line) => `[ann] ${line}`));
  }
  // Ctrl-C in telnet.
  await ann.peer.send("\xff\xf4\xff\xfd\x06");
  assertEquals(await ann.rest(), [GOODBYE]);
}, live);

test("chat refuses a line of more than 1024 bytes and skips it, however long it is", async () => {
  await using server = await start(...UNLIMITED);
  await using ann = await ChatPeer.enter(server, "ann");
  const refused = "* line too long: limit is 1024 bytes";
  await ann.say("é".repeat(512));
  await ann.reads(`[ann] ${"é".repeat(512)}`);
  await ann.say(`${"é".repeat(512)}x`);
  await ann.reads(refused);
  await ann.peer.send("y".repeat(1025));
  // The answer comes at once, not at the end of the line, because the line may never end.
  await ann.reads(refused);
  await ann.peer.send("z".repeat(10_000_000));
  await ann.say("");
  await ann.say("still here");
  await ann.reads("[ann] still here");
  const ending = await server.stop();
  assertStringIncludes(totalsIn(ending), " · too long 2 · ");
}, live);

test("chat answers what came before FIN, and tells the others of lost connections", async () => {
  await using server = await start();
  await using ann = await ChatPeer.enter(server, "ann");
  await using half = await Peer.connect(server.address);
  half.post("hi\nand this too");
  half.finish();
  const answer = (await half.rest()).split("\n");
  assertEquals(answer.slice(0, 3), [WELCOME, "* you are guest-2 in lobby", "* also here: ann"]);
  assertEquals(answer.slice(3), [GOODBYE, ""]);
  await ann.reads(
    "* guest-2 joined lobby",
    "[guest-2] hi",
    "[guest-2] and this too",
    "* guest-2 left",
  );
  await using alone = await ChatPeer.enter(server);
  await alone.say("/join nowhere");
  alone.peer.post("hi\n");
  alone.peer.finish();
  assertEquals((await alone.rest()).slice(-2), [`[${alone.name}] hi`, GOODBYE]);
  for (let turn = 0; turn < 3; turn++) {
    await using reset = await ChatPeer.enter(server);
    await reset.peer.send("half a li");
    reset.peer.reset();
    await ann.find(`* ${reset.name} left: connection lost`);
  }
  await ann.say("still here");
  await ann.reads("[ann] still here");
}, live);

// The operator.

test("the operator of the chat talks, looks around and kicks, from a pipe", async () => {
  for (const flags of [[], ["--quiet"]]) {
    await using server = await operated(...flags);
    await using ann = await ChatPeer.enter(server, "ann");
    await using bob = await ChatPeer.enter(server, "bob");
    await bob.say("/join games");
    await bob.find("* you are in games");
    await bob.say("sécret");
    await bob.reads("[bob] sécret");
    server.write("tea is\x1b[5m ready\r\n\n   \n");
    await ann.find("[server] tea is ready");
    await bob.reads("[server] tea is ready");
    server.write("/who\n/rooms\n/stats\n/frob\n/kick\n/kick nobody\n/shutdown soon\n/help\n");
    for (
      const line of [
        `ann in lobby, ${ann.peer.name}`,
        `bob in games, ${bob.peer.name}`,
        "users: 2 here, 0 on other servers",
        "games (1)\nlobby (1)\nrooms: 2",
        "users 2 · rooms 2",
        "accepted 2 · completed 0 · failed 0 · cut 0 · said 1 · delivered 3 · disconnected as slow 0 " +
        "· lines dropped 0 · flood pauses 0 · too long 0 · idle 0 · kicked 0 · refused 0 " +
        "(full 0, per host 0)",
        "unknown command /frob: try /help",
        "usage: /kick NAME REASON",
        "no such user: nobody",
        "usage: /shutdown [SECONDS]",
        "/help: ",
      ]
    ) await server.printed(line);
    server.write(`${"x".repeat(1025)}\n`);
    await server.printed("line too long: limit is 1024 bytes");
    await bob.say("/join");
    await ann.find("* bob joined lobby");
    // The last line needs no line end.
    server.write("/kick BOB too loud");
    server.finish();
    assertEquals((await bob.rest()).slice(-2), ["* you were kicked: too loud", GOODBYE]);
    await ann.reads("* bob left: kicked: too loud");
    await ann.say("still here");
    await ann.reads("[ann] still here");
    const ending = await server.stop();
    assertEquals(ending.code, 0);
    assertStringIncludes(totalsIn(ending), " · kicked 1 · ");
    // What is said is printed, except with --quiet.
    const isQuiet = flags.length > 0;
    assertEquals(ending.stdout.includes("games [bob] sécret\n"), !isQuiet);
    assertEquals(ending.stderr.includes("kicked bob: too loud"), !isQuiet);
    if (isQuiet) assertEquals(ending.stderr.trim().split("\n").length, 1);
  }
}, live);

test("the operator's input may be a whole book, and those who read hear all of it", async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `line ${index}\n`);
  const heard = lines.map((line) => `[server] ${line}`).join("");
  for (const script of ["chat/server", "chat/v3_operator"]) {
    await using server = await ServerProcess.start(script, [], { input: "open" });
    await using reader = await Peer.connect(server.address);
    await reader.send("hello\n");
    while (!(await reader.line()).endsWith("hello"));
    server.write(lines.join(""));
    assertEquals(await reader.take(heard.length), heard);
  }
}, live);

test("chat with few descriptors serves although many linger: the oldest make room", async () => {
  await using server = await operate({ descriptors: 100 }, "--max-per-host", "1000");
  const guests: ChatPeer[] = [];
  for (let count = 0; count < 60; count++) {
    const guest = await ChatPeer.enter(server);
    await guest.say("/quit");
    await guest.rest();
    guests.push(guest);
  }
  const { peer: oldest } = guests[0] as ChatPeer;
  await until("the oldest to be closed", async () => {
    await oldest.send("x");
    return oldest.isBroken;
  });
  for (const guest of guests) await guest[Symbol.asyncDispose]();
  assertEquals((await server.stop()).code, 0);
}, { ...live, skip: whyNoSockets() ?? whyNoLimit });

test("the chat runs without an operator, with standard input closed", async () => {
  const script = [process.execPath, ...(runtime.name === "deno" ? ["run", "-A"] : [])];
  const command = [...script, "chat/server.ts", "0"];
  await using closed = new Program(["sh", "-c", 'exec "$@" <&-', "sh", ...command]);
  await closed.printed("\n");
  const port = Number(/:(\d+) /.exec(closed.stdout)?.[1]);
  await using ann = await ChatPeer.enter({ address: { hostname: "127.0.0.1", port } }, "ann");
  await ann.say("hello");
  await ann.reads("[ann] hello");
  await ann.say("/quit");
  await ann.rest();
  closed.signal("SIGTERM");
  const ending = await closed.end();
  assertEquals([ending.code, ending.signal], [0, null]);
  assertMatch(totalsIn(ending), /^accepted 1 · completed 1 /);
}, live);

test("the operator of the chat may sit at a terminal", async () => {
  const script = [process.execPath, ...(runtime.name === "deno" ? ["run", "-A"] : [])];
  const command = `${script.join(" ")} chat/server.ts 0`;
  await using terminal = new Program(["script", "-qec", command, "/dev/null"], { input: "open" });
  await terminal.printed("Listening on ");
  await terminal.printed(" · chat · ");
  const port = Number(/:(\d+) /.exec(terminal.stdout)?.[1]);
  await using ann = await ChatPeer.enter({ address: { hostname: "127.0.0.1", port } }, "ann");
  terminal.write("good evening\n");
  await ann.reads("[server] good evening");
  terminal.write("/shutdown 0\n");
  assertEquals(await ann.rest(), ["* server is shutting down in 0 s", GOODBYE]);
  const { code, stdout } = await terminal.end();
  assertEquals(code, 0);
  assertMatch(stdout, /totals: accepted 1 · completed 1 /);
}, { ...live, skip: whyNoProgram("script") });

// The end.

test("the chat ends: everybody is told, talks on, and is closed in order", async () => {
  await Promise.all((["SIGINT", "SIGTERM", "/shutdown"] as const).map(endsInOrder));
}, live);

/** The ways to ask a chat to end. */
type Way = "SIGINT" | "SIGTERM" | "/shutdown";

function ask(server: ServerProcess, way: Way): void {
  if (way === "/shutdown") server.write("/shutdown\n");
  else server.signal(way);
}

async function endsInOrder(way: Way): Promise<void> {
  // All of them say what they have to say before the time is brought forward, however long that takes.
  await using server = await operated("--drain", "10m", ...UNLIMITED);
  await using ann = await ChatPeer.enter(server, "ann");
  await using bob = await ChatPeer.enter(server, "bob");
  await ann.find("* guest-2 is now bob");
  // Carl goes on sending, so some of his input stays unread.
  await using carl = await ChatPeer.enter(server, "carl");
  await carl.say("/join elsewhere");
  await ann.find("* carl left lobby");
  ask(server, way);
  await ann.reads("* server is shutting down in 600 s");
  await bob.find("* server is shutting down in 600 s");
  await bob.say("is that so?");
  await ann.reads("[bob] is that so?");
  carl.post(...new Array(20_000).fill("y".repeat(100)));
  await until("nobody to be accepted any more", async () => {
    try {
      await using late = await ChatPeer.enter(server);
      assertMatch(late.name, /^guest-/);
      return false;
    } catch {
      return true;
    }
  });
  await ann.say("it is");
  await bob.reads("[ann] it is");
  server.write("/shutdown 1\n");
  assertEquals((await ann.rest()).at(-1), GOODBYE);
  assertEquals(await bob.rest(), ["* server is shutting down in 1 s", GOODBYE]);
  const told = await carl.rest();
  assert(told.includes("* server is shutting down in 600 s"));
  assertEquals(told.at(-1), GOODBYE);
  const ending = await server.end();
  assertEquals([ending.code, ending.signal], [0, null]);
  assertMatch(totalsIn(ending), /^accepted (\d+) · completed \d+ · failed \d+ .*cut 0 · /);
}

test("the end of the chat can be brought forward, and is announced again", async () => {
  await using server = await operated("--drain", "5s");
  await using ann = await ChatPeer.enter(server, "ann");
  server.write("/shutdown 600\n");
  await ann.reads("* server is shutting down in 600 s");
  server.write("/shutdown 900\n");
  server.write("/shutdown 60\n");
  await ann.reads("* server is shutting down in 60 s");
  // A signal asks for the usual time, which brings the end forward once more.
  server.signal("SIGTERM");
  await ann.reads("* server is shutting down in 5 s");
  server.write("/shutdown 0\n");
  await ann.reads("* server is shutting down in 0 s");
  await ann.reads(GOODBYE);
  assertEquals((await server.end()).code, 0);
}, live);

test("the chat ends at once when nobody is connected, or with a second signal", async () => {
  for (const way of ["SIGINT", "/shutdown"] as const) {
    await using server = await operated("--drain", "1h");
    ask(server, way);
    const { code, stderr } = await server.end();
    assertEquals([code, /accepted 0 · .* \(full 0, per host 0\)$/m.test(stderr)], [0, true]);
  }
  await using server = await operated("--drain", "1h");
  await using ann = await ChatPeer.enter(server, "ann");
  server.signal("SIGTERM");
  await ann.reads("* server is shutting down in 3600 s");
  server.signal("SIGINT");
  const { code, signal } = await server.end();
  assertEquals([code, signal], [130, null]);
  await ann.peer.gone();
}, live);

test("the operator says how long the chat goes on, and those who still come are told", async () => {
  await using server = await operated("--drain", "1h");
  await using ann = await ChatPeer.enter(server, "ann");
  // The client is connected, but accepted only after the end has begun.
  server.signal("SIGSTOP");
  server.write("/shutdown 0.7\n");
  await using late = await Peer.connect(server.address);
  server.signal("SIGCONT");
  await ann.find("* server is shutting down in 0.7 s");
  const lines = (await late.rest()).split("\n");
  assert(lines.some((line) => /^\* server is shutting down in 0\.\d s$/.test(line)), String(lines));
  assertEquals(lines.slice(-2), [GOODBYE, ""]);
  assertEquals((await ann.rest()).at(-1), GOODBYE);
  assertEquals((await server.end()).code, 0);
}, live);

// Users who do not read.

/** With this many lines, more is said than the kernel keeps for a user who does not read. */
const LINES = 8_000;
const PADDING = "x".repeat(1000);

/** Says so much that users who do not read are found out. The listener reads it all, in order. */
async function talkAtLength(talker: ChatPeer, listener: ChatPeer): Promise<void> {
  const numbers = Array.from({ length: LINES }, (_, index) => index);
  talker.post(...numbers.map((number) => `${number} ${PADDING}`));
  for (const number of numbers) {
    const [, heard] = await listener.find(/^\[ann\] (\d+) /);
    assertEquals(heard, String(number));
  }
}

for (
  const [flags, why] of [
    [["--outbox", "256k"], "262144 bytes wait"],
    [["--outbox", "64m", "--write-timeout", "300ms"], "nothing was taken for 300 ms"],
  ] as const
) {
  test(`chat with ${flags.join(" ")} disconnects non-readers, and slows nobody`, async () => {
    await using server = await start(...UNLIMITED, ...flags);
    await using ann = await ChatPeer.enter(server, "ann");
    await using slow = await ChatPeer.enter(server, "slow");
    slow.peer.pause();
    await using bob = await ChatPeer.enter(server, "bob");
    await ann.find("* guest-3 is now bob");
    await talkAtLength(ann, bob);
    await ann.find("* slow left: reads too slowly");
    await server.printed(`failed ${slow.peer.name} after `, "stderr");
    slow.peer.resume();
    await slow.peer.gone();
    const ending = await server.stop();
    assertEquals(ending.code, 0);
    assertMatch(ending.stderr, new RegExp(`slow reader: .*${why}`));
    assertStringIncludes(totalsIn(ending), " · disconnected as slow 1 · ");
  }, live);
}

test("chat with --slow drop drops the oldest lines, and says how many", async () => {
  await using server = await start(...UNLIMITED, "--slow", "drop");
  await using ann = await ChatPeer.enter(server, "ann");
  await using slow = await ChatPeer.enter(server, "slow");
  slow.peer.pause();
  await using bob = await ChatPeer.enter(server, "bob");
  await talkAtLength(ann, bob);
  slow.peer.resume();
  let missed = 0;
  let next = 0;
  for (const drops = /^\* you missed (\d+) lines?$/; next < LINES;) {
    const [line] = await slow.find(/^(?:\[ann\] |\* you missed ).*/) as [string];
    const dropped = drops.exec(line);
    if (dropped === null) assertEquals(line.split(" ")[1], String(next++));
    else {
      missed += Number(dropped[1]);
      next += Number(dropped[1]);
    }
  }
  assert(missed > 0);
  const ending = await server.stop();
  assertStringIncludes(totalsIn(ending), ` · disconnected as slow 0 · lines dropped ${missed} · `);
}, live);

test("the chat ends although somebody does not read: the connection is cut", async () => {
  await using server = await start(...UNLIMITED, "--outbox", "64m", "--drain", "50ms");
  await using ann = await ChatPeer.enter(server, "ann");
  await using slow = await ChatPeer.enter(server, "slow");
  slow.peer.pause();
  await using bob = await ChatPeer.enter(server, "bob");
  await talkAtLength(ann, bob);
  const ending = await server.stop();
  assertEquals([ending.code, ending.signal], [0, null]);
  assertMatch(totalsIn(ending), /^accepted 3 · completed 2 · failed 0 · cut 1 · /);
  assertEquals((await bob.rest()).at(-1), GOODBYE);
}, live);

test("chat takes nobody for a slow reader when a crowd talks at the same moment", async () => {
  await using server = await start("--outbox", "64k", "--quiet");
  await using ann = await ChatPeer.enter(server, "ann");
  const crowd = await Promise.all(Array.from({ length: 24 }, () => ChatPeer.enter(server)));
  await using last = await ChatPeer.enter(server, "last");
  await ann.find(/ is now last$/);
  // Everything is there when the server looks.
  server.signal("SIGSTOP");
  const line = "x".repeat(1000);
  for (const user of crowd) user.post(...new Array(40).fill(line));
  await until("all to be sent", () => crowd.every((user) => user.peer.unsent === 0));
  server.signal("SIGCONT");
  for (let heard = 0; heard < 24 * 40; heard++) await ann.find(/^\[guest-\d+\] x+$/);
  await last.say("enough");
  await ann.find("[last] enough");
  for (const user of crowd) await user[Symbol.asyncDispose]();
  assertStringIncludes(totalsIn(await server.stop()), " · disconnected as slow 0 · ");
}, live);

test(
  "a crowd that comes, talks and goes at once is told of in few lines, and all read on",
  async () => {
    await using server = await start("--quiet");
    await using ann = await ChatPeer.enter(server, "ann");
    await using carl = await ChatPeer.enter(server, "carl");
    await carl.say("/join aside");
    await ann.find("* carl left lobby");
    const crowd = await Promise.all(Array.from({ length: 250 }, () => ChatPeer.enter(server)));
    /** Reads until so many users are counted in notices; returns how many notices that took. */
    const count = async (what: string) => {
      const gathered = new RegExp(`^\\* (\\d+) ${what}: guest-\\d+, guest-\\d+( and \\d+ more)?$`);
      const single = new RegExp(`^\\* guest-\\d+ ${what}`);
      let notices = 0;
      for (let users = 0; users < crowd.length; notices++) {
        const line = await ann.line();
        users += Number(gathered.exec(line)?.[1] ?? (single.test(line) ? 1 : NaN));
        assert(users <= crowd.length, line);
      }
      return notices;
    };
    const joined = await count("joined");
    assert(joined < 150, `${joined} notices`);
    for (const user of crowd.slice(0, 50)) user.post("hello");
    for (let heard = 0; heard < 50; heard++) await ann.find(/^\[guest-\d+\] hello$/);
    for (const user of crowd) await user.say("/quit");
    for (const user of crowd) {
      const talk = (await user.rest()).filter((line) => line.endsWith("] hello"));
      assertEquals(talk.length, crowd.indexOf(user) < 50 ? 49 : 50);
      await user[Symbol.asyncDispose]();
    }
    const left = await count("left");
    assert(left < 150, `${left} notices`);
    await carl.say("still here");
    await carl.find("[carl] still here");
    assertStringIncludes(totalsIn(await server.stop()), " · disconnected as slow 0 · ");
  },
  { ...live, timeoutMs: 30_000 },
);

test("chat without a flood limit sends a whole book back to the user who pastes it", async () => {
  await using server = await start(...UNLIMITED);
  await using ann = await ChatPeer.enter(server, "ann");
  const lines = Array.from({ length: 12_000 }, (_, index) => String(index));
  ann.post(...lines);
  await ann.reads(...lines.map((line) => `[ann] ${line}`));
  assertStringIncludes(totalsIn(await server.stop()), " · disconnected as slow 0 · ");
}, live);

test("chat stops listening to a user who asks for more than they read", async () => {
  await using server = await start(...UNLIMITED, "--outbox", "16k");
  await using ann = await ChatPeer.enter(server, "ann");
  ann.post(...new Array(2_000).fill("/help"), "done");
  await ann.find("[ann] done");
  assertStringIncludes(totalsIn(await server.stop()), " · disconnected as slow 0 · ");
}, live);

test(
  "chat takes me\u0301mo\u0301ire as it is, and refuses what cannot be seen or piles up",
  async () => {
    await using server = await start();
    await using ann = await ChatPeer.enter(server, "ann");
    await using bob = await ChatPeer.enter(server, "bob");
    await ann.find("* guest-2 is now bob");
    bob.post("\u200b", `a${"\u0301".repeat(9)}`, "/msg @ann hi", "/msg ann: hi", "a\u0301");
    await bob.reads(
      "* not said: there is nothing to be seen in that line",
      "* not said: a character may carry 8 marks",
      "[you to ann] hi",
      "[you to ann] hi",
    );
    await ann.reads("[bob to you] hi", "[bob to you] hi", "[bob] a\u0301");
    // Windows: a byte order mark, and letters of an old code page whose last one is the byte 255.
    bob.peer.post("\xef\xbb\xbf/who\n\xea\xf2\xee-\xff\r\n");
    await bob.find("* in lobby: ann, bob");
    await ann.find("[bob] \ufffd\ufffd\ufffd-\ufffd");
  },
  live,
);

// Limits.

test("chat holds back users who talk too fast, and nobody else, and loses no line", async () => {
  await using server = await start("--rate", "40/s", "--burst", "4");
  await using ann = await ChatPeer.enter(server, "ann");
  await using bob = await ChatPeer.enter(server, "bob");
  await using carl = await ChatPeer.enter(server, "carl");
  await bob.find("* guest-3 is now carl");
  const lines = Array.from({ length: 30 }, (_, index) => `line ${index}`);
  ann.post(...lines);
  await bob.reads("[ann] line 0");
  await carl.say("may I?");
  const heard = ["[ann] line 0"];
  while (heard.length < 31) heard.push(await bob.line());
  assertEquals(heard.filter((line) => line !== "[carl] may I?"), lines.map((l) => `[ann] ${l}`));
  assert(heard.indexOf("[carl] may I?") < 30, "the flood was overtaken");
  assertMatch(totalsIn(await server.stop()), / · flood pauses [1-9]/);
}, live);

test("chat says goodbye to a user who says nothing for too long", async () => {
  await using server = await start("--idle-timeout", "300ms");
  await using ann = await ChatPeer.enter(server, "ann");
  await using idle = await ChatPeer.enter(server, "bob");
  const talking = setInterval(() => ann.post("hm"), 50);
  assertEquals((await idle.rest()).slice(-2), ["* you were idle for 0.3 s", GOODBYE]);
  await ann.find("* bob left: idle");
  clearInterval(talking);
  assertMatch(totalsIn(await server.stop()), / · idle [12] · /);
}, live);

test("chat refuses connections beyond its limits, says why, and closes in order", async () => {
  for (
    const [flag, why, count] of [
      ["--max-connections", "server is full: limit is 2 connections", "full 1, per host 0"],
      [
        "--max-per-host",
        "too many connections from your address: limit is 2",
        "full 0, per host 1",
      ],
    ] as const
  ) {
    await using server = await start(flag, "2");
    await using ann = await ChatPeer.enter(server, "ann");
    await using bob = await ChatPeer.enter(server, "bob");
    await using third = await Peer.connect(server.address);
    third.post("hello?\n");
    assertEquals(await third.rest(), `* ${why}\n${GOODBYE}\n`);
    await bob.say("/quit");
    await bob.rest();
    bob.peer.finish();
    await ann.find("* bob left");
    await until("a place to be free", async () => {
      await using next = await Peer.connect(server.address);
      return await next.line() === WELCOME;
    });
    assertMatch(totalsIn(await server.stop()), new RegExp(`refused \\d+ \\(${count.slice(0, 5)}`));
  }
}, live);

test("chat lets nobody in who is denied, and ends who sends a line byte by byte", async () => {
  await using server = await start("--deny", "127.0.0.2", "--message-timeout", "300ms");
  if (runtime.os === "linux") {
    await using denied = await Peer.connect(server.address, "127.0.0.2");
    assertEquals(await denied.rest(), `* your address is not allowed\n${GOODBYE}\n`);
  }
  await using ann = await ChatPeer.enter(server, "ann");
  await using slow = await ChatPeer.enter(server, "slow");
  const trickling = setInterval(() => slow.peer.post("x"), 20);
  await ann.find("* slow left: took too long for a line");
  clearInterval(trickling);
  const denied = runtime.os === "linux" ? 1 : 0;
  const { stderr } = await server.stop();
  assertMatch(stderr, / failed 1 \(message timeout 1\) /);
  assertMatch(stderr, new RegExp(`refused ${denied} .*`));
}, live);

test("chat turns each limit off with 0", async () => {
  const limits = ["outbox", "write-timeout", "rate", "idle-timeout", "message-timeout"];
  limits.push("max-connections");
  const flags = [...limits, "max-per-host", "history"].flatMap((name) => [`--${name}`, "0"]);
  await using server = await start(...flags, "--drain", "0");
  await using ann = await ChatPeer.enter(server, "ann");
  await using bob = await ChatPeer.enter(server, "bob");
  ann.post(...Array.from({ length: 500 }, (_, index) => String(index)));
  for (let index = 0; index < 500; index++) await bob.find(`[ann] ${index}`);
  const ending = await server.stop();
  assertEquals(ending.code, 0);
  assertStringIncludes(totalsIn(ending), " · flood pauses 0 · ");
  assertEquals((await bob.rest()).slice(-2), ["* server is shutting down in 0 s", GOODBYE]);
}, live);

// The command line.

test(
  "chat says in one line what is wrong with its command line, and where its port is",
  async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    const wrong: readonly (readonly [readonly string[], number, RegExp])[] = [
      [["0", "--bus", "http://127.0.0.1"], 2, /^server: Cannot use the bus .*: expected a URL /],
      [["0", "--bus", "nats://127.0.0.1:1"], 1, /^server: Cannot use the bus .* \(ECONNREFUSED\)/],
      [[String(port)], 1, /address.*in use/i],
      [["--frob"], 2, /--frob.*--host/],
      [["0", "--outbox", "1k"], 2, /outbox.*16384/],
      [["0", "--outbox", "much"], 2, /--outbox.*64k/],
      [["0", "--rate", "fast"], 2, /--rate.*20\/s/],
      [["0", "--burst", "0"], 2, /--burst.*1/],
      [["0", "--slow", "wait"], 2, /--slow.*disconnect.*drop/],
      [["0", "--history", "-1"], 2, /--history/],
      [["0", "--max-per-host", "x"], 2, /--max-per-host/],
      [["0", "--idle-timeout", "ever"], 2, /--idle-timeout/],
    ];
    await Promise.all(wrong.map(async ([args, status, message]) => {
      await using script = new Script("chat/server.ts", args);
      const { code, stdout, stderr } = await script.end();
      assertEquals([code, stdout], [status, ""], stderr);
      assertMatch(stderr, message);
      assertMatch(stderr, /^server: .*\n$/);
    }));
    await new Promise((resolve) => other.close(resolve));
    await using help = new Script("chat/server.ts", ["--help"]);
    const { code, stdout } = await help.end();
    assertEquals(code, 0);
    for (
      const text of ["7878", "--bus", "--echo", "256k", "10s", "20/s", "10m", "--drain", "--quiet"]
    ) {
      assertStringIncludes(stdout, text);
    }
    assertNotMatch(stdout, /undefined|NaN/);
    await assertRejects(() => Peer.connect({ hostname: "127.0.0.1", port }));
  },
  live,
);
