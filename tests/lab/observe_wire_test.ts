/**
 * `observe wire`: real packets between two real ends, and what the kernel says about them. The
 * kernel's own timers of a second and more run at the same time: all scenarios are played at once.
 *
 * @module
 */

import { accessSync, constants, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { UsageError, type Values } from "../../engine/cli/flags.ts";
import { OptionError } from "../../engine/cli/options.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import type { Event, PacketEvent } from "../../engine/recording/events.ts";
import { conversationsIn, notesIn } from "../../lab/observe/conversations.ts";
import { whyNoSandbox } from "../../lab/observe/sandbox.ts";
import { wire as command } from "../../lab/observe/wire/command.ts";
import {
  COMMAND_HELP,
  type EndName,
  parseScript,
  ScriptError,
  type WireCommand,
} from "../../lab/observe/wire/commands.ts";
import { swapAddresses } from "../../lab/observe/wire/device.ts";
import type { WireOutcome } from "../../lab/observe/wire/play.ts";
import { SCENARIOS } from "../../lab/observe/wire/scenarios.ts";
import { drawScreen, LEAST, type Scene } from "../../lab/observe/wire/screen.ts";
import { type Asked, WireSession } from "../../lab/observe/wire/session.ts";
import { whyNoScreen } from "../../lab/observe/wire/terminal.ts";
import { delayAll, loseOne, loseWhere, type WirePacket } from "../../lab/observe/wire/wire.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
  test,
  until,
} from "../kit/harness.ts";
import { readStrictly } from "../kit/recordings.ts";
import { commandOf, Program, whyNoProgram } from "../kit/server_process.ts";
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

// deno-lint-ignore no-explicit-any -- what the program prints
function objectsIn({ stdout }: { readonly stdout: string }): any[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

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

/**
 * The shape of an output in which packets ran by themselves. A busy machine may see a packet of one
 * side before a state of the other, and its kernels may send an ACK more: neither counts.
 */
function shapeOfRun(output: string): string[] {
  return shapeOf(output).filter((line) => !/│[◀ ]+ACK /.test(line))
    .map((line) => line.replace(/\d+ packets/, "packets")).sort();
}

/** What waits for the kernel's timers. It is begun at once, and looked at later. */
function inBackground(): { readonly check: Program; readonly shown: readonly Program[] } {
  return background ??= begin();
}

let background: ReturnType<typeof begin> | undefined;

function begin() {
  const folder = new Folder();
  process.on("exit", () => folder[Symbol.dispose]());
  for (const name of ["slow.script", "run.script"]) {
    writeFileSync(folder.path(name), blocksOf(`text ${name}`)[0] as string);
  }
  const runs = [...lesson.matchAll(/^deno run -A lab\/observe\.ts wire (.+)$/gm)];
  const shown = runs.map(([, args]) =>
    wire(
      ...(args as string).split(" ").map((arg) => arg.endsWith(".script") ? folder.path(arg) : arg),
    )
  );
  return { check: wire("--check", "--json"), shown };
}

test("each scenario is won by its script that wins, and lost by the other", async () => {
  const ending = await inBackground().check.end();
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

/** What came of a game. */
interface Played {
  readonly outcome: WireOutcome;
  readonly events: readonly Event[];
}

/** A script to be played, and what differs from the usual. */
type Asking = Partial<Omit<Asked, "script">> & { readonly script: string };

/** Plays scripts in one sandbox, all at the same time. */
async function playAll<Name extends string>(
  games: Readonly<Record<Name, Asking>>,
): Promise<Record<Name, Played>> {
  await using session = await WireSession.open({ limitMs: 30_000 });
  const usual = { wantsEvents: true, wantsViews: false, limitMs: 30_000, mostPackets: 500 };
  const begun = Object.entries<Asking>(games).map(([name, { script, ...own }]) => {
    const play = session.begin({ ...usual, ...own, script: parseScript(script) });
    return { name, number: play.game, events: [] as Event[] };
  });
  const played: Record<string, Played> = {};
  while (Object.keys(played).length < begun.length) {
    const report = await session.next();
    if (report.kind !== "event" && report.kind !== "over") continue;
    const { name, events } = begun.find(({ number }) => number === report.game)!;
    if (report.kind === "event") events.push(report.event);
    else played[name] = { outcome: report.outcome, events };
  }
  return played as Record<Name, Played>;
}

test("packets and ends do what they are told, within limits", async () => {
  const { talk, told, slow, full, enough, late, vain, forgotten } = await playAll({
    talk: {
      protocol: "hello",
      script: `
        delay 30ms          # the SYN
        until server SYN_RECV
        double SYN-ACK
        deliver ACK
        run 5ms
        until client CLOSE
        until server TIME_WAIT
      `,
    },
    told: {
      scenario: "closing",
      script: `
        server stop
        client send a text of five words
        deliver DATA
        deliver ACK
        wait 20ms
        server reset
        deliver RST
        wait 5s
      `,
    },
    slow: {
      scenario: "handshake",
      script: "wait 1200ms\ndeliver SYN\ndeliver SYN-ACK\nwait 1200ms\ndeliver ACK\nwait 5s",
    },
    full: { scenario: "losses", mostPackets: 2, script: "run 1ms\nwait 10s" },
    enough: {
      scenario: "handshake",
      mostPackets: 3,
      script: "deliver SYN\ndeliver SYN-ACK\nwait 50ms\ndeliver ACK\nwait 1s",
    },
    late: { scenario: "losses", limitMs: 200, script: "wait 10s" },
    vain: { scenario: "losses", script: "deliver SYN\nuntil client CLOSE 50ms" },
    forgotten: { scenario: "losses", script: "deliver SYN" },
  });
  const packetsOf = ({ events }: Played): PacketEvent[] =>
    events.filter((event) => event.type === "packet");
  const [syn] = packetsOf(talk);
  assert(syn!.arrived! - syn!.at >= 30_000, "the SYN was delayed");
  const answers = packetsOf(talk).filter(({ flags }) => flags === "SA");
  assertEquals(answers.length, 2);
  assertEquals(answers[0]!.at, answers[1]!.at);
  const { client, server, why, won } = talk.outcome;
  assertEquals([client, server, why, won], ["CLOSE", "TIME_WAIT", undefined, undefined]);
  // What the server's program has not read lies in its queue, and makes no difference to a RST.
  const unread = told.events.flatMap((event) =>
    event.type === "socket" && event.end === "server" ? [event.receive_queue] : []
  );
  assert(unread.includes("a text of five words".length), JSON.stringify(unread));
  assertEquals(told.outcome.why, "the client's program was told ECONNRESET");
  // A player who takes long wins with three packets too: copies leave the wire by themselves.
  const { score } = slow.outcome;
  assertEquals([slow.outcome.won, score.packets, score.lost], [true, 3, 0]);
  assert(packetsOf(slow).some(({ lost }) => lost), "a copy was sent meanwhile");
  // The last packet that the wire takes can still be decided about.
  assertEquals([enough.outcome.won, enough.outcome.why], [true, undefined]);
  assertEquals([full, late, vain, forgotten].map(({ outcome }) => [outcome.won, outcome.why]), [
    [false, "the wire has carried 2 packets, and takes no more"],
    [false, "the time is over"],
    [false, "line 2: the client is still in SYN_SENT, not in CLOSE"],
    [false, "the script is over, and the goal not reached"],
  ]);
}, wired);

test(
  "keys count that are pressed faster than turns are taken, and those in vain say so",
  async () => {
    await using session = await WireSession.open({ limitMs: 30_000 });
    const usual = { wantsEvents: true, wantsViews: false, limitMs: 30_000, mostPackets: 500 };
    const deliver: WireCommand = { verb: "deliver" };
    const close = (end: EndName): WireCommand => ({ verb: "act", end, action: "close" });
    const pressed: readonly (readonly [scenario: string, commands: readonly WireCommand[]])[] = [
      ["handshake", [{ verb: "reorder" }, close("server"), deliver, deliver, deliver]],
      // Here the connection must open first.
      ["closing", [close("client"), close("server"), deliver, deliver]],
    ];
    for (const [scenario, commands] of pressed) {
      const { game } = session.begin({ ...usual, scenario });
      for (const command of commands) session.say({ kind: "do", game, command });
    }
    const outcomes: WireOutcome[] = [];
    const said: string[] = [];
    while (outcomes.length < pressed.length) {
      const report = await session.next();
      if (report.kind === "over") outcomes.push(report.outcome);
      if (report.kind === "event" && report.event.type === "note") said.push(report.event.text);
    }
    assertEquals(outcomes.map(({ won }) => won), [true, true]);
    assertEquals(said.filter((text) => text.startsWith("That key")), [
      "That key does nothing now: no two packets wait",
      "That key does nothing now: the server cannot close: its side of the connection is not open",
    ]);
  },
  wired,
);

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
  const [, ...args] = commandOf(SCRIPT, ["wire", "--script", "-"]);
  await using program = new Program([process.execPath, ...args], { input: "deliver\nlosse SYN" });
  const ended = await program.end();
  assertEquals([ended.code, ended.stdout], [2, ""]);
  assertMatch(ended.stderr, /wrong script standard input: Line 2: expected deliver/);
});

test("what is wrong with the command line is said, and what can be played is listed", async () => {
  const wrongs: readonly (readonly [values: Values, said: RegExp])[] = [
    [{ scenario: "half", script: "win" }, /no such scenario: "half"; did you mean half-open\?/],
    [{ scenario: "losses", protocol: "hello" }, /exclude each other/],
    [{ protocol: "print", script: "win" }, /its server answers nothing/],
    [{ check: true, record: "some.jsonl" }, /--check plays all .* and records nothing/],
    [{ check: true, scenario: "losses" }, /--check plays all scenarios/],
    [{ script: "/dev/zero" }, /the script \/dev\/zero is too long/],
    [{ script: "/nowhere/a.script" }, /cannot read the script .* no such file/],
    [{ protocol: "hello", scriptOf: "win" }, /--protocol has no script of its own/],
    [{ json: true }, /--json needs --list or --script/],
  ];
  for (const [values, said] of wrongs) {
    const error = await assertRejects(() => command().perform(values), Error);
    assert(error instanceof UsageError || error instanceof OptionError, error.name);
    assertMatch(error.message, said);
  }
  await using listing = wire("--list", "--json");
  await using printing = wire("ghost", "--script-of", "win");
  await using bare = wire();
  const names = objectsIn(await listing.end()).map(({ name }) => name);
  assertEquals(names, SCENARIOS.map(({ name }) => name));
  const own = (await printing.end()).stdout;
  const commandsIn = (text: string) => parseScript(text).map((line) => line.command);
  const ghost = SCENARIOS.find(({ name }) => name === "ghost");
  assertEquals(commandsIn(own), commandsIn(ghost!.win));
  const { code, stderr } = await bare.end();
  assertEquals(code, 1);
  assertMatch(stderr, /this is no terminal; --script FILE plays without one/);
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
  using folder = new Folder();
  const file = folder.path("played.jsonl");
  await using terminal = await Terminal.open(SCRIPT, ["wire", "--record", file]);
  const first = await terminal.shows(/press\s+the space bar/);
  assertStringIncludes(first, "─ on the wire: the first one waits for your key ─");
  const screens: string[] = [first];
  for (const state of [/SYN_SENT +│ state +SYN_RECV/, /state +ESTABLISHED +│ state +SYN_RECV/]) {
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
  await terminal.type("l");
  await terminal.shows("1 lost (SYN)");
  await terminal.shows(/nobody is told: the\s+client's kernel sends\s+its SYN again in \d\.\d s/);
  await terminal.type("h");
  await terminal.shows("─ hint ─");
  await terminal.resize(60);
  await terminal.shows("This screen needs 72 columns");
  await terminal.resize(100);
  await terminal.shows("─ hint ─");
  await terminal.continueFromShell();
  await terminal.shows(/2\/\d+ losses: [^]*─ hint ─/);
  await terminal.type("h");
  await terminal.shows("Lose the first SYN, and wait");
  await terminal.press("C-c");
  assertEquals(await terminal.end(), 130);
  const left = (await terminal.screen()).join("\n");
  assertStringIncludes(left, "handshake: Won with 3 packets, 0 of them lost");
  assert(!left.includes("SPACE"), "the former screen is back");
  const { events } = readStrictly(file);
  assertEquals(notesIn(events).filter(({ text }) => text === "Won").length, 1);
  // Both games are in the recording: the second one's SYN was lost.
  const lost = events.filter((event) => event.type === "packet" && event.lost === true);
  assert(lost.length > 0);
}, { ...wired, skip: skip ?? whyNoTerminal });

test("when the terminal is closed, the recording is complete and nothing is left", async () => {
  using folder = new Folder();
  const file = folder.path("closed.jsonl");
  await using terminal = await Terminal.open(SCRIPT, ["wire", "--record", file]);
  await terminal.shows(/press\s+the space bar/);
  await terminal.type(" ");
  await terminal.shows(/SYN_SENT +│ state +SYN_RECV/);
  await terminal[Symbol.asyncDispose]();
  await until("the recording to be written", () => {
    const texts = notesIn(readStrictly(file).events).map(({ text }) => text);
    return texts.includes("The server: LISTEN → SYN_RECV");
  });
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

test("the documentation shows what the command prints", async () => {
  const { shown } = inBackground();
  const outputs = blocksOf("console");
  const endings = await Promise.all(shown.map((program) => program.end()));
  endings.forEach(({ code, stdout, stderr }, index) => {
    assertEquals([code, stderr], [0, ""]);
    const output = outputs[index] as string;
    const shape = /^Both ends speak/m.test(output) ? shapeOfRun : shapeOf;
    assertEquals(shape(stdout), shape(output));
  });
  assertEquals(endings.length, outputs.length);
}, wired);

test("the documentation names every scenario and every command of a script", () => {
  const rows = [...lesson.matchAll(/^\| `([a-z-]+)` +\|/gm)].map(([, name]) => name);
  assertEquals(rows.slice(-SCENARIOS.length), SCENARIOS.map(({ name }) => name));
  for (const [command] of COMMAND_HELP) {
    const [words] = command.split(", ");
    assertStringIncludes(lesson, `\`${words}\``);
  }
});
