/**
 * The client of the chat: how it reads the server's lines, and how it works as a filter between
 * pipes, where it is a real process with a server.
 *
 * @module
 */

import fc from "fast-check";
import { Appearance, NAME_COLOURS, nameColour } from "../../chat/terminal/appearance.ts";
import { complete } from "../../chat/terminal/completion.ts";
import { escapeLines, IncomingLines, KEPT_CHARACTERS } from "../../chat/terminal/incoming_lines.ts";
import { OwnLines } from "../../chat/terminal/own_lines.ts";
import { readServerLine } from "../../chat/terminal/server_line.ts";
import { SessionState } from "../../chat/terminal/session_state.ts";
import type { Address } from "../../protocol.ts";
import { action, announcement, talk, whisper, whispered } from "../../chat/talk/notices.ts";
import { assert, assertEquals, assertMatch, delay, test, until } from "../kit/harness.ts";
import { unusedAddress } from "../kit/other.ts";
import { ScriptedChat } from "../kit/scripted_chat.ts";
import {
  commandOf,
  Program,
  Script,
  type ScriptOptions,
  ServerProcess,
  whyNoProgram,
} from "../kit/server_process.ts";
import { anyText } from "../kit/texts.ts";

const PURE = { pure: true };
const encoder = new TextEncoder();

// Lines.

test("the client reads every kind of line that the server writes", () => {
  const said = { before: "", after: "" };
  assertEquals(readServerLine("* ann left"), { kind: "notice", text: "ann left" });
  assertEquals(readServerLine(talk("ann", "* hi] [x")), {
    ...{ kind: "talk", name: "ann", text: "* hi] [x" },
    ...said,
  });
  assertEquals(readServerLine(action("ann", "waves")), {
    ...{ kind: "talk", name: "ann", text: "* waves" },
    ...said,
  });
  assertEquals(readServerLine(announcement("hear")), {
    ...{ kind: "operator", name: "server", text: "hear" },
    ...said,
  });
  assertEquals(readServerLine(whisper("ann", "psst")), {
    ...{ kind: "private", name: "ann", text: "psst" },
    ...{ before: "", after: " to you" },
  });
  assertEquals(readServerLine(whispered("bob", "psst")), {
    ...{ kind: "private", name: "bob", text: "psst" },
    ...{ before: "you to ", after: "" },
  });
  for (const text of ["", "[ann]", "*", "[ann hi", "hello"]) {
    assertEquals(readServerLine(text), { kind: "other", text });
  }
}, PURE);

test("lines are the same however the network cuts them", () => {
  const text = "[ann] h\u00e9llo \ud83d\ude00\r\n\n* \x1b[31mx\n漢字\n";
  const bytes = encoder.encode(text);
  const whole = new IncomingLines().add(bytes);
  assertEquals(whole, ["[ann] h\u00e9llo \ud83d\ude00", "", "* \\x1b[31mx", "漢字"]);
  fc.assert(fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
    const lines = new IncomingLines();
    const ends = [...cuts.sort((a, b) => a - b), bytes.length];
    let from = 0;
    const parts: string[] = [];
    for (const end of ends) {
      parts.push(...lines.add(bytes.subarray(from, end)));
      from = end;
    }
    assertEquals([...parts, lines.last()], [...whole, undefined]);
  }));
}, PURE);

test("of a line that never ends only the beginning is kept", () => {
  const lines = new IncomingLines();
  for (let count = 0; count < 1_000; count++) {
    assertEquals(lines.add(encoder.encode("x".repeat(1_000))), []);
  }
  const [line, next] = lines.add(encoder.encode("\nnext\n"));
  assertEquals(line?.length, KEPT_CHARACTERS);
  assert(line?.endsWith("x..."));
  assertEquals(next, "next");
}, PURE);

test("no text can contain a command for a terminal, and line ends stay", () => {
  fc.assert(fc.property(anyText(), (text) => {
    const escaped = escapeLines(text);
    // deno-lint-ignore no-control-regex -- control characters are what this is about
    assert(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(escaped), escaped);
    assertEquals(escaped.split("\n").length, text.split("\n").length);
  }));
}, PURE);

// What the session learns.

function heard(state: SessionState, ...lines: readonly string[]): SessionState {
  for (const line of lines) state.hear(readServerLine(line));
  return state;
}

test("the session knows its name and room, and asks for them again", () => {
  const state = new SessionState("ann", "games");
  assertEquals(state.introduction, ["/nick ann", "/join games"]);
  heard(state, "* you are guest-7 in lobby");
  assertEquals([state.name, state.room], ["guest-7", "lobby"]);
  assertEquals(state.introduction, ["/nick ann", "/join games"]);
  heard(state, "* you are now Ann", "* you are in chess");
  assertEquals([state.name, state.room], ["Ann", "chess"]);
  assertEquals(state.introduction, ["/nick Ann", "/join chess"]);
  state.reconnect();
  assertEquals([state.name, state.room], [undefined, undefined]);
  heard(state, "* you are guest-8 in lobby");
  assertEquals(state.introduction, ["/nick Ann", "/join chess"]);
  heard(state, "* you are now guest-9", "* you are in lobby");
  assertEquals(state.introduction, []);
}, PURE);

test("the session believes no name that could not be one", () => {
  const state = heard(new SessionState(), "* you are guest-7 in lobby");
  const long = "n".repeat(8_000);
  heard(state, `* you are now ${long}`, `* you are in ${long}`, "* you are שלום in ../etc");
  heard(state, "* you are now \\x1b[2J", "* you are in \u200b");
  assertEquals([state.name, state.room], ["guest-7", "lobby"]);
}, PURE);

test("the session tells its own taken name from one that was asked for before", () => {
  const state = heard(new SessionState("ann"), "* the name bob is taken");
  assertEquals(state.takeRefusedName(), undefined);
  heard(state, "* the name Ann is taken");
  assertEquals([state.takeRefusedName(), state.takeRefusedName()], ["ann", undefined]);
}, PURE);

test("the session learns who is there", () => {
  const state = heard(
    new SessionState(),
    ...["* you are ann in lobby", "* also here: bob, Zoe", "[carl] hi", "[dora to you] psst"],
    ...["* eve joined lobby", "* zoe left", "* carl is now chris", "* bob left games"],
    ...["* in lobby: ann, frank", "* in lobby: and 12 more", "* eve left: gone", "[server] hi"],
    ...["* 3 joined: hal, ida and 1 more", "* 2 left: hal, jim", "* 2 renamed: kim to liz, x to y"],
    ...["* rooms: chess (1), lobby (3)", "[gus] * you are now eve", "[gus] * also here: nobody"],
  );
  assertEquals(state.names, ["bob", "chris", "dora", "frank", "gus", "ida", "liz", "y"]);
  assertEquals(state.rooms, ["chess", "games", "lobby"]);
  assertEquals(state.name, "ann");
}, PURE);

test("the session remembers no more names than it can use", () => {
  const state = new SessionState();
  for (let number = 0; number < 5_000; number++) heard(state, `[user${number}] hi`);
  assertEquals(state.names.length, 2_000);
  assert(state.names.includes("user4999"));
}, PURE);

test("the session knows how it ends", () => {
  const state = heard(new SessionState(), "[bob] * goodbye", "* goodbye ann");
  assertEquals([state.saidGoodbye, state.isShuttingDown], [false, false]);
  heard(state, "* server is shutting down in 5 s", "* goodbye");
  assertEquals([state.saidGoodbye, state.isShuttingDown], [true, true]);
}, PURE);

// The user's own lines.

test("own lines are recognized when they come back, once each and in order", () => {
  const own = new OwnLines();
  const isEcho = (line: string) => own.isEcho(readServerLine(line), "ann");
  own.said("one");
  own.said("two");
  own.said("one");
  assertEquals(isEcho("[bob] one"), false);
  assertEquals([isEcho("[ann] one"), isEcho("[ann] one"), isEcho("[ann] one")], [
    true,
    true,
    false,
  ]);
  assertEquals(isEcho("[ann] two"), false, "what came before is over");
}, PURE);

test("lines in the history of a room are no echo", () => {
  const own = new OwnLines();
  const isEcho = (line: string) => own.isEcho(readServerLine(line), "ann");
  own.said("hi");
  own.joined("Games");
  own.said("ho");
  assertEquals(isEcho("* you are in games"), false);
  assertEquals([isEcho("[ann] hi"), isEcho("[ann] ho")], [false, true]);
}, PURE);

// Tab.

test("Tab completes commands, rooms and names, each in its place", () => {
  const known = { names: ["Bob", "bertha", "zoe"], rooms: ["lobby", "bar"] };
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ["/n", ["/nick "], "/n"],
    ["/ME", ["/me "], "/ME"],
    ["b", ["Bob ", "bertha "], "b"],
    ["hello BO", ["Bob "], "BO"],
    ["/join b", ["bar "], "b"],
    ["/join ", ["lobby ", "bar "], ""],
    ["/msg z", ["zoe "], "z"],
    ["/msg ", ["Bob ", "bertha ", "zoe "], ""],
    ["/msg zoe b", ["Bob ", "bertha "], "b"],
    ["/nick z", [], "z"],
    ["say /n", [], "/n"],
    ["", [], ""],
    ["hello ", [], ""],
  ];
  for (const [text, candidates, word] of cases) {
    assertEquals(complete(text, known), [[...candidates], word], text);
  }
}, PURE);

// Looks.

const NOON = new Date(2026, 0, 1, 9, 5);

test("without colours there is nothing but text", () => {
  const plain = new Appearance(false);
  assertEquals(plain.heard(readServerLine("[ann] hi"), NOON), "09:05 [ann] hi");
  assertEquals(plain.heard(readServerLine("[you to bob] hi"), NOON), "09:05 [you to bob] hi");
  assertEquals(plain.heard(readServerLine("hi"), NOON), "09:05 hi");
  assertEquals(plain.told("link lost", NOON), "09:05 * link lost");
  assertEquals(plain.typed("/who", NOON), "09:05 /who");
}, PURE);

test("a name has the same colour everywhere", () => {
  const looks = new Appearance(true);
  const colour = `\x1b[38;5;${nameColour("ann")}m`;
  for (const line of ["[ann] hi", "[ann to you] hi", "[you to ann] hi"]) {
    assert(looks.heard(readServerLine(line), NOON).includes(`${colour}ann\x1b[0m`), line);
  }
  assertEquals(nameColour("ANN"), nameColour("ann"));
  const colours = Array.from({ length: 1_000 }, (_, number) => nameColour(`user${number}`));
  assertEquals(new Set(colours).size, NAME_COLOURS.length);
}, PURE);

test("every colour of a name can be read on black and on white", () => {
  const levels = [0, 95, 135, 175, 215, 255];
  // Relative luminance and contrast as the Web Content Accessibility Guidelines define them.
  const linear = (level: number) => {
    const share = level / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  };
  for (const colour of NAME_COLOURS) {
    const index = colour - 16;
    const [red, green, blue] = [Math.floor(index / 36), Math.floor(index / 6) % 6, index % 6]
      .map((at) => linear(levels[at] as number)) as [number, number, number];
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    assert((luminance + 0.05) / 0.05 >= 4, `${colour} on black`);
    assert(1.05 / (luminance + 0.05) >= 4, `${colour} on white`);
  }
}, PURE);

// Between pipes.

function start(
  { hostname, port }: Address,
  args: readonly string[] = [],
  options: ScriptOptions = {},
): Script {
  return new Script("chat/client.ts", [hostname, `${port}`, ...args], options);
}

test("the client refuses a wrong command line in one line", async () => {
  const cases: readonly (readonly [readonly string[], RegExp])[] = [
    [["--nick", "a b"], /wrong value for --nick: expected 1 to 32 ASCII letters.* got "a b"/],
    [["--nick", "Server"], /wrong value for --nick: the name Server is reserved/],
    [["--room", "é"], /wrong value for --room: expected 1 to 32 ASCII letters/],
    [["more"], /unexpected argument "more": usage: chat client \[host\] \[port\] \[flags\]/],
    [["--connect-timeout", "x"], /wrong value for --connect-timeout/],
  ];
  for (const [args, message] of cases) {
    await using client = start({ hostname: "127.0.0.1", port: 1 }, args);
    const { code, stdout, stderr } = await client.end();
    assertEquals([code, stdout, stderr.split("\n").length], [2, "", 2], stderr);
    assertMatch(stderr, message);
  }
});

test("the client says in one line that nobody listens", async () => {
  await using client = start(await unusedAddress());
  const { code, stdout, stderr } = await client.end();
  assertEquals([code, stdout, stderr.split("\n").length], [3, "", 2]);
  assertMatch(stderr, /^chat client: Cannot connect to 127\.0\.0\.1:\d+: connection refused/);
});

test("between pipes the client adds nothing, and half-closes at the end of its input", async () => {
  await using chat = await ScriptedChat.listen();
  const args = ["--nick", "ann", "--room", "games"];
  const input = "héllo\n  /who \nno line end";
  await using client = start(chat.address, args, { input });
  const visitor = await chat.visitor();
  visitor.say("* you are guest-7 in lobby");
  for (const line of ["/nick ann", "/join games", "héllo", "  /who "]) {
    assertEquals(await visitor.line(), line);
  }
  await visitor.finished();
  visitor.say("[bob] \x1b[31mé");
  visitor.sayRaw("the last");
  visitor.end();
  const { code, stdout, stderr } = await client.end();
  assertEquals(stdout, "* you are guest-7 in lobby\n[bob] \\x1b[31mé\nthe last");
  assertEquals([code, stderr], [0, ""]);
});

test("between pipes the server's words are printed at once", async () => {
  await using chat = await ScriptedChat.listen();
  await using client = start(chat.address, [], { input: "open" });
  const visitor = await chat.visitor();
  visitor.sayRaw("half a li");
  await until("half a line", () => client.stdout === "half a li");
  client.write("hi\n");
  assertEquals(await visitor.line(), "hi");
  visitor.say("ne", "* goodbye");
  visitor.end();
  assertEquals((await client.end()).code, 0, "it does not wait for its input to end");
});

/** Starts a client with more input than all buffers on the way to the server can hold. */
function flood({ hostname, port }: Address): Program {
  const client = commandOf("chat/client.ts", [hostname, `${port}`]);
  const script = '{ head -c 67108864 /dev/zero && echo all is taken >&2; } | "$@"';
  return new Program(["sh", "-c", script, "sh", ...client]);
}

test("between pipes a link that is lost before everything is sent is a failure", async () => {
  await using chat = await ScriptedChat.listen();
  await using client = flood(chat.address);
  const visitor = await chat.visitor();
  visitor.pause();
  visitor.say("* the last words");
  await until("what is said", () => client.stdout !== "");
  visitor.cut();
  const { code, stdout, stderr } = await client.end();
  assertEquals([code, stdout], [1, "* the last words\n"]);
  assertMatch(stderr, /^chat client: Peer gone while [^\n]*\n$/);
}, { skip: whyNoProgram("sh") });

test("between pipes the client ends well when nobody reads its output any more", async () => {
  await using chat = await ScriptedChat.listen();
  await using client = start(chat.address, [], { input: "open" });
  const visitor = await chat.visitor();
  visitor.say("one");
  await until("a line", () => client.stdout === "one\n");
  client.hangUp();
  // It is said again and again, because the runtime of the tests does not tell when the pipe is
  // really closed.
  await until("it to have noticed", () => {
    visitor.say("two");
    return client.isOver;
  });
  assertEquals((await client.end()).code, 0);
});

test("between pipes a server that does not read holds the client's input back", async () => {
  await using chat = await ScriptedChat.listen();
  await using client = flood(chat.address);
  const visitor = await chat.visitor();
  visitor.pause();
  visitor.say("still heard");
  await until("what is said", () => client.stdout === "still heard\n");
  // A client that went on reading would have read everything by then.
  await delay(300);
  assertEquals(client.stderr, "");
  visitor.discard();
  await until("the input to be taken", () => client.stderr === "all is taken\n");
  await visitor.finished();
  visitor.end();
  assertEquals((await client.end()).code, 0);
}, { skip: whyNoProgram("sh") });

test("between pipes the client talks to the chat's server", async () => {
  await using server = await ServerProcess.start("chat/server");
  const input = "hi\n/who\n/quit\n";
  await using client = start(server.address, ["--nick", "ann", "--room", "games"], { input });
  const { code, stdout, stderr } = await client.end();
  assertEquals([code, stderr], [0, ""]);
  assertEquals(stdout.split("\n").slice(-7), [
    ...["* you are guest-1 in lobby", "* you are now ann", "* you are in games"],
    ...["[ann] hi", "* in games: ann", "* goodbye", ""],
  ]);
});
