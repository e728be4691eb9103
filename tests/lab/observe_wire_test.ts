/**
 * `observe wire`: real packets between two real ends, and what the kernel says about them. The
 * kernel's own timers of a second and more run at the same time: all scenarios are played at once.
 *
 * @module
 */

import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import type { Event, PacketEvent } from "../../engine/recording/events.ts";
import { conversationsIn } from "../../lab/observe/conversations.ts";
import { whyNoSandbox } from "../../lab/observe/sandbox.ts";
import { COMMAND_HELP, parseScript, ScriptError } from "../../lab/observe/wire/commands.ts";
import { swapAddresses } from "../../lab/observe/wire/device.ts";
import { SCENARIOS } from "../../lab/observe/wire/scenarios.ts";
import { drawScreen, LEAST, type Scene } from "../../lab/observe/wire/screen.ts";
import { whyNoScreen } from "../../lab/observe/wire/terminal.ts";
import { delayAll, loseOne, loseWhere, type WirePacket } from "../../lab/observe/wire/wire.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
  assertThrows,
  test,
  until,
} from "../kit/harness.ts";
import { readStrictly } from "../kit/recordings.ts";
import { commandOf, type Ending, Program, whyNoProgram } from "../kit/server_process.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const SCRIPT = "lab/observe.ts";

/** Why there is no wire here. */
async function whyNoWire(): Promise<string | undefined> {
  const why = whyNoKernel() ?? (await whyNoSandbox())?.sentence;
  if (why !== undefined) return why;
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK);
    return undefined;
  } catch {
    return "/dev/net/tun cannot be opened";
  }
}

const skip = await whyNoWire();
if (skip !== undefined) console.log(`skipped in part: ${skip}`);

/** It talks to a wire, in a sandbox. */
const wired = { skip, sanitize: false, timeoutMs: 30_000 };

function wire(...args: readonly string[]): Program {
  return new Program(commandOf(SCRIPT, ["wire", ...args]));
}

/** Plays a script that is not in a file. */
async function play(script: string, ...args: readonly string[]): Promise<Ending> {
  const command = commandOf(SCRIPT, ["wire", ...args, "--script", "-"]);
  await using program = new Program(command, { input: script });
  return await program.end();
}

// deno-lint-ignore no-explicit-any -- what the program prints
function objectsIn({ stdout }: { readonly stdout: string }): any[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

test("each scenario is won by its script that wins, and lost by the other", async () => {
  await using program = wire("--check", "--json");
  const ending = await program.end();
  const results = objectsIn(ending);
  assertEquals(
    results.map(({ scenario, script }) => `${scenario} ${script}`),
    SCENARIOS.flatMap(({ name }) => [`${name} win`, `${name} lose`]),
  );
  for (const { scenario, script, won, right, why } of results) {
    assertEquals([won, right], [script === "win", true], `${scenario} ${script}: ${why}`);
  }
  assertEquals(ending.code, 0);
  const statesAt = (name: string) => {
    const { client, server } = results.find(({ scenario, script }) =>
      scenario === name && script === "win"
    );
    return [client, server];
  };
  // What the kernel said at the moment of winning.
  assertEquals(statesAt("handshake"), ["ESTABLISHED", "ESTABLISHED"]);
  assertEquals(statesAt("half-open"), ["ESTABLISHED", "SYN_RECV"]);
  assertEquals(statesAt("ghost"), ["ESTABLISHED", "CLOSE"]);
  assertEquals(statesAt("give-up"), ["CLOSE", "LISTEN"]);
  assertEquals(statesAt("crossing"), ["SYN_RECV", "SYN_RECV"]);
  assertEquals(statesAt("closing"), ["CLOSING", "CLOSING"]);
  assertEquals(statesAt("time-wait"), ["TIME_WAIT", "TIME_WAIT"]);
  assertEquals(statesAt("last-ack"), ["TIME_WAIT", "LAST_ACK"]);
}, wired);

test("a script is played to its exit status, and its recording shows the same again", async () => {
  using folder = new Folder();
  const file = folder.path("closing.jsonl");
  await using winning = wire("closing", "--script", "win", "--json", "--record", file);
  await using losing = wire("closing", "--script", "lose");
  const [won, lost] = await Promise.all([winning.end(), losing.end()]);
  assertEquals([won.code, won.stderr, lost.code, lost.stderr], [0, "", 1, ""]);
  assertMatch(lost.stdout, /^Lost: the server had not closed when the FIN arrived\. /m);
  const lines = objectsIn(won);
  const result = lines.at(-1);
  assertEquals(
    [result.type, result.scenario, result.won, result.client, result.server, result.packets],
    ["result", "closing", true, "CLOSING", "CLOSING", 2],
  );
  const events: Event[] = lines.slice(1, -1);
  const recording = readStrictly(file);
  assertEquals(recording.events.filter(({ type }) => type !== "end"), events);
  const [conversation, ...others] = conversationsIn(events);
  assertEquals(others, []);
  const statesOf = (end: "client" | "server") =>
    conversation![end].states.map(({ state }) => state);
  assertEquals(statesOf("client"), ["SYN_SENT", "ESTABLISHED", "FIN_WAIT1", "CLOSING"]);
  assertEquals(statesOf("server").filter((state, at, all) => all[at - 1] !== state), [
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT1",
    "CLOSING",
  ]);
  // The two ACKs of the FINs were on the wire when it was over.
  const shown = conversation!.packets.map(({ from, flags, lost: isLost = false }) =>
    `${from === conversation!.client.address ? ">" : "<"} ${flags}${isLost ? " lost" : ""}`
  );
  assertEquals(shown.slice(0, 3), ["> S", "< SA", "> A"]);
  assertEquals(shown.slice(3).sort(), ["< A lost", "< FA", "> A lost", "> FA"]);
  const replay = new Program(commandOf(SCRIPT, ["replay", "--json", file]));
  await using _replay = replay;
  assertEquals(objectsIn(await replay.end()).slice(1).filter(({ type }) => type !== "end"), events);
}, wired);

test("packets are delayed, doubled, reordered and run by themselves", async () => {
  const ended = await play(
    `
    delay 30ms          # the SYN
    until server SYN_RECV
    double SYN-ACK
    deliver ACK
    run 5ms
    until client CLOSE
    until server TIME_WAIT
    `,
    "--protocol",
    "hello",
    "--json",
  );
  assertEquals([ended.code, ended.stderr], [0, ""]);
  const lines = objectsIn(ended);
  const packets: PacketEvent[] = lines.filter(({ type }) => type === "packet");
  const [syn] = packets;
  assert(syn!.arrived! - syn!.at >= 30_000, "the SYN was delayed");
  const answers = packets.filter(({ flags }) => flags === "SA");
  assertEquals(answers.length, 2);
  assertEquals(answers[0]!.at, answers[1]!.at);
  const { client, server, why } = lines.at(-1);
  assertEquals([client, server, why], ["CLOSE", "TIME_WAIT", undefined]);
}, wired);

test("both ends can be told to send, to stop reading, to read, and to give up", async () => {
  const ended = await play(
    `
    run 1ms
    until client ESTABLISHED
    until server ESTABLISHED
    server stop
    client send a text of five words
    wait 100ms
    server reset        # what nobody has read makes no difference: it is a RST in any case
    until server CLOSE
    wait 200ms
    expect client CLOSE
    `,
    "losses",
    "--json",
  );
  const lines = objectsIn(ended);
  // Without losses this scenario is lost as soon as the connection is open.
  assertEquals([ended.code, lines.at(-1).client], [1, "ESTABLISHED"]);
}, wired);

test("the wire takes a limited number of packets, and a game a limited time", async () => {
  const few = play("run 1ms\nwait 10s", "losses", "--packets", "2", "--json");
  const short = play("wait 10s", "losses", "--for", "200ms", "--json");
  const vain = play("deliver SYN\nuntil client CLOSE 50ms", "losses", "--json");
  const [full, late, wrong] = await Promise.all([few, short, vain]);
  assertEquals([full.code, late.code, wrong.code], [1, 1, 1]);
  assertMatch(objectsIn(full).at(-1).why, /^the wire has carried 2 packets, and takes no more$/);
  assertEquals(objectsIn(late).at(-1).why, "the time is over");
  assertEquals(
    objectsIn(wrong).at(-1).why,
    "line 2: the client is still in SYN_SENT, not in CLOSE",
  );
}, wired);

test("a line that says nothing is told by its number, before anything begins", async () => {
  const wrongs: readonly (readonly [script: string, why: RegExp])[] = [
    ["deliver\n\nlosse SYN", /^Line 3: expected deliver, .*got "losse"$/],
    ["deliver FINN", /^Line 1: expected a kind of packet \(SYN, .*\), got "FINN"$/],
    ["deliver SYN twice", /^Line 1: nothing may follow "deliver", got "twice"$/],
    ["# nothing\nwait long", /^Line 2: expected a time from 0 to 1m, .*got "long"$/],
    ["wait 2h", /^Line 1: expected a time/],
    ["delay", /^Line 1: expected a time .*got nothing$/],
    ["until server OPEN", /^Line 1: expected a state \(.*\), got "OPEN"$/],
    ["expect router LISTEN", /^Line 1: expected an end \(client, server\), got "router"$/],
    ["client send", /^Line 1: expected a text to send$/],
    ["client sing", /^Line 1: expected what the client does \(.*\), got "sing"$/],
    ["wait 1s\u001b[2J", /^Line 1: expected a time .*got "1s\\x1b\[2J"$/],
    ["pause\n".repeat(1001), /^Line 1001: a script has at most 1000 lines$/],
  ];
  for (const [script, why] of wrongs) {
    const error = assertThrows(() => parseScript(script), ScriptError);
    assertMatch(error.message, why);
  }
  const lines = parseScript("  deliver syn # a comment\r\nclient send  two words \n");
  assertEquals(lines.map(({ number, command }) => [number, command]), [
    [1, { verb: "deliver", packet: "SYN" }],
    [2, { verb: "act", end: "client", action: "send", text: "two words" }],
  ]);
  const ended = await play("deliver\nlosse SYN");
  assertEquals([ended.code, ended.stdout], [2, ""]);
  assertMatch(ended.stderr, /wrong script standard input: Line 2: expected deliver/);
});

test("what is wrong with the command line is said, and what can be played is listed", async () => {
  const commands: readonly (readonly [args: string[], code: number, said: RegExp])[] = [
    [["half", "--script", "win"], 2, /no such scenario: "half"; did you mean half-open\?/],
    [["losses", "--protocol", "hello"], 2, /exclude each other/],
    [["--protocol", "print", "--script", "-"], 2, /its server answers nothing/],
    [["--script", "/nowhere/a.script"], 2, /cannot read the script .* no such file/],
    [["--json"], 2, /--json needs --list or --script/],
    [[], 1, /this is no terminal; --script FILE plays without one/],
  ];
  await using listing = wire("--list", "--json");
  await using printing = wire("ghost", "--script-of", "win");
  const programs = commands.map(([args]) => wire(...args));
  const endings = await Promise.all(programs.map((program) => program.end()));
  endings.forEach(({ code, stdout, stderr }, index) => {
    const [args, expected, said] = commands[index]!;
    assertEquals([code, stdout], [expected, ""], args.join(" "));
    assertMatch(stderr, said);
  });
  const names = objectsIn(await listing.end()).map(({ name }) => name);
  assertEquals(names, SCENARIOS.map(({ name }) => name));
  const own = (await printing.end()).stdout;
  const commandsIn = (text: string) => parseScript(text).map(({ command }) => command);
  const ghost = SCENARIOS.find(({ name }) => name === "ghost");
  assertEquals(commandsIn(own), commandsIn(ghost!.win));
}, { skip: whyNoKernel(), sanitize: false });

test("where there can be no wire, one line says why and what can be done", async () => {
  const environment = { ...process.env, PATH: "/nowhere" };
  const [file, ...args] = commandOf(SCRIPT, ["wire", "--script", "win"]);
  await using outside = new Program([file as string, ...args], { environment });
  const noDevice = 'mount -t tmpfs none /dev/net && exec "$@"';
  await using without = new Program([
    ...["unshare", "--user", "--map-root-user", "--mount", "--", "sh", "-c", noDevice, "sh"],
    ...commandOf(SCRIPT, ["wire", "--script", "win"]),
  ]);
  const [outer, inner] = await Promise.all([outside.end(), without.end()]);
  assertEquals([outer.code, inner.code], [1, 1]);
  assertEquals(
    outer.stderr,
    "observe: No wire: the sandbox needs `unshare` of util-linux (Debian: util-linux, Alpine: " +
      "util-linux)\n",
  );
  assertMatch(
    inner.stderr,
    /^observe: Cannot make the wire: \/dev\/net\/tun is missing: [^\n]+\n$/,
  );
}, { ...wired, skip: skip ?? whyNoProgram("mount") });

// The terminal.

test("a new player wins by pressing one key three times, and Ctrl-C gives all back", async () => {
  await using terminal = await Terminal.open(SCRIPT, ["wire"]);
  const first = await terminal.shows(/press\s+the space bar/);
  assertStringIncludes(first, "─ on the wire: the first one waits for your key ─");
  const screens: string[] = [first];
  for (const state of [/SYN_SENT +│ state   SYN_RECV/, /state   ESTABLISHED +│ state   SYN_RECV/]) {
    await terminal.type(" ");
    screens.push(await terminal.shows(state));
  }
  await terminal.type(" ");
  const won = await terminal.shows("─ WON ─");
  assertMatch(won, /Won with 3 packets, 0 of them lost/);
  assertMatch(won, /client ESTABLISHED, server ESTABLISHED/);
  for (const screen of [...screens, won]) {
    const lines = screen.split("\n");
    assert(lines.length <= 24 && lines.every((line) => line.length <= 80), screen);
  }
  const [frame] = blocksOf("text");
  assertEquals(fixedIn(screens[1] as string), fixedIn(frame as string));
  // The next scenario: what is lost is explained.
  await terminal.type("n");
  await terminal.shows(/2\/\d+ losses: /);
  await until("the loss of the SYN", async () => {
    await terminal.type("l");
    return (await terminal.screen()).join("\n").includes("1 lost (SYN)");
  });
  await terminal.shows(/nobody is told: the\s+client's kernel sends\s+its SYN again in \d\.\d s/);
  await terminal.type("h");
  await terminal.shows("─ hint ─");
  await terminal.resize(60);
  await terminal.shows("This screen needs 72 columns");
  await terminal.resize(100);
  await terminal.shows("─ hint ─");
  await terminal.press("C-c");
  assertEquals(await terminal.end(), 130);
  const left = (await terminal.screen()).join("\n");
  assertStringIncludes(left, "handshake: Won with 3 packets, 0 of them lost");
  assert(!left.includes("SPACE"), "the former screen is back");
}, { ...wired, skip: skip ?? whyNoTerminal });

// Without a network.

test("a terminal that cannot move its cursor is told so", () => {
  const move = /cannot move its cursor \(TERM=dumb\)$/;
  for (const name of [undefined, "", "dumb"]) {
    assertMatch(whyNoScreen({ isTerminal: true, name }) ?? "", move);
  }
  assertEquals(whyNoScreen({ isTerminal: true, name: "tmux-256color" }), undefined);
  assertMatch(whyNoScreen({ isTerminal: false, name: "xterm" }) ?? "", /this is no terminal$/);
});

test("the screen has as many lines as the terminal, and none is too long", () => {
  const end = (name: string) => ({
    address: `10.9.0.${name === "client" ? 1 : 2}:65535`,
    state: "ESTABLISHED (ECONNRESET)",
    timer: "sends SYN-ACK again in 120.0 s",
    numbers: "next seq 4294967295, expects 4294967295",
    queues: "65535 unacked · 65535 unread · 20 sacked · 20 resent · rtt 100.0 s",
  });
  const packet = {
    direction: "to server",
    kind: "DATA",
    header: "PSH ACK seq=4294967295 ack=4294967295 len=1460 win=65535",
    meaning: "bytes of the program",
    copies: 3,
  } as const;
  const sentence = "The SYN-ACK to the client is lost, and nobody is told: ".repeat(4);
  for (const scenario of [...SCENARIOS, undefined]) {
    for (const count of [0, 1, 9]) {
      for (const how of ["going", "hint", "won", "lost"]) {
        const score = {
          packets: 100,
          lost: 50,
          lostKinds: ["SYN", "SYN-ACK"],
          ms: 599_000,
        } as const;
        const scene: Scene = {
          scenario,
          protocol: "hello",
          view: {
            client: end("client"),
            server: end("server"),
            packets: Array(count).fill(packet),
            story: Array(count).fill(sentence),
            score,
          },
          events: [],
          hint: how === "hint" ? sentence : undefined,
          runMs: 500,
          outcome: how === "won" || how === "lost"
            ? { won: how === "won", why: sentence, client: "CLOSE", server: "LISTEN", score }
            : undefined,
          hasNext: true,
        };
        for (const size of [{ columns: 80, rows: 24 }, LEAST, { columns: 200, rows: 60 }]) {
          const lines = drawScreen(scene, size);
          assertEquals(lines.length, size.rows);
          const tooLong = lines.filter((line) => line.length > size.columns);
          assertEquals(tooLong, []);
          assertMatch(lines.join("\n"), /q quit/);
          // What decides, and what to press, is never pushed off the screen.
          assertMatch(lines.join("\n"), how === "going" ? /SPACE deliver/ : / (WON|LOST|hint) /);
        }
        const tiny = drawScreen(scene, { columns: 30, rows: 5 });
        assertEquals([tiny.length, Math.max(...tiny.map(({ length }) => length))], [5, 30]);
      }
    }
  }
});

test("policies say what becomes of each packet", () => {
  const packet = (kind: WirePacket["kind"], ordinal: number) =>
    ({ kind, ordinal, direction: "to server" }) as WirePacket;
  assertEquals(delayAll(20)(packet("SYN", 1)), { kind: "deliver", afterMs: 20 });
  const policy = loseOne("ACK", 2, delayAll(1));
  assertEquals(policy(packet("ACK", 1)), { kind: "deliver", afterMs: 1 });
  assertEquals(policy(packet("ACK", 2)), { kind: "lose" });
  assertEquals(policy(packet("SYN", 2)), { kind: "deliver", afterMs: 1 });
  assertEquals(loseWhere(() => false)(packet("SYN", 1)), { kind: "deliver" });
});

test("addresses of both families are swapped, and nothing else", () => {
  const four = Uint8Array.from({ length: 24 }, (_, index) => index === 0 ? 0x45 : index);
  const six = Uint8Array.from({ length: 48 }, (_, index) => index === 0 ? 0x60 : index);
  assertEquals([...swapAddresses(four).subarray(12)], [
    16,
    17,
    18,
    19,
    12,
    13,
    14,
    15,
    20,
    21,
    22,
    23,
  ]);
  assertEquals(swapAddresses(swapAddresses(six)), six);
  assertEquals([...swapAddresses(six).subarray(8, 10)], [24, 25]);
});

// The documentation.

const lesson = readFileSync(new URL("../../docs/wire.md", import.meta.url), "utf8");

/** The blocks of the documentation whose language and name match, in order. */
function blocksOf(language: string): string[] {
  const pattern = new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms");
  return [...lesson.matchAll(pattern)].map(([, text]) => text as string);
}

/** What is the same in every screen of that moment. */
function fixedIn(screen: string): string[] {
  return screen.split("\n")
    .filter((line) => /^(─| (Goal|CLIENT|state|SPACE|h hint))/.test(line))
    .map((line) => line.replace(/:\d+ +│/, "│"));
}

/** An output without what differs from run to run: times, ports and first numbers. */
function shapeOf(output: string): string[] {
  return output.split("\n").map((line) =>
    line.replace(/ISN \d+/, "ISN").replace(/win=\d+/, "win").replace(/wscale \d+/, "wscale")
      .replace(/\d+\.\d+/g, "0").replace(/[ ─]+/g, " ")
  );
}

test("the documentation shows what the command prints", async () => {
  using folder = new Folder();
  const runs = [...lesson.matchAll(/^deno run -A lab\/observe\.ts wire (.+)$/gm)]
    .map(([, args]) => (args as string).split(" "));
  const outputs = blocksOf("console");
  assertEquals(runs.length, outputs.length);
  for (const name of ["slow.script", "run.script"]) {
    writeFileSync(folder.path(name), blocksOf(`text ${name}`)[0] as string);
  }
  const programs = runs.map((args) =>
    wire(...args.map((arg) => arg.endsWith(".script") ? folder.path(arg) : arg))
  );
  const endings = await Promise.all(programs.map((program) => program.end()));
  endings.forEach(({ code, stdout, stderr }, index) => {
    assertEquals([code, stderr], [0, ""]);
    assertEquals(shapeOf(stdout), shapeOf(outputs[index] as string), runs[index]!.join(" "));
  });
}, wired);

test("the documentation names every scenario and every command of a script", () => {
  const rows = [...lesson.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name]) => name);
  assertEquals(rows.slice(-SCENARIOS.length), SCENARIOS.map(({ name }) => name));
  for (const [command] of COMMAND_HELP) {
    const [words] = command.split(", ");
    assertStringIncludes(lesson, `\`${words}\``);
  }
});
