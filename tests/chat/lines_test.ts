/**
 * What becomes of the bytes that a user sends: lines, commands, names. All without a network.
 *
 * @module
 */

import fc from "fast-check";
import { type Command, COMMAND_HELP, parseCommand, splitWord } from "../../chat/talk/commands.ts";
import { type Line, LINE_LIMIT, LineReader, readChatLine } from "../../chat/talk/lines.ts";
import { hasTower, looksEmpty, withoutTowers } from "../../chat/talk/looks.ts";
import { guestName, isName, isReserved, keyOf, NAME_LIMIT } from "../../chat/talk/names.ts";
import { closing, HELP, list, missed } from "../../chat/talk/notices.ts";
import { type Protocol, stripControls } from "../../protocol.ts";
import { assert, assertEquals, assertMatch, test } from "../kit/harness.ts";
import { bytesOf, cut, hold, Talk } from "../kit/conversation.ts";
import { anyText } from "../kit/texts.ts";

const pure = { pure: true };

/** Pieces of bytes. Some mean something to a reader of lines, and some mean nothing. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^[ -~]{0,20}$/) },
  {
    weight: 8,
    arbitrary: fc.constantFrom("\n", "\r\n", "\r\0", "\r", "\0", "\r\r", "\t", "\x07", "\x1b"),
  },
  // Telnet: options, commands, the byte 255, Ctrl-C, and subnegotiations, whole and broken off.
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      "\xff\xfb\x01",
      "\xff\xfc\n",
      "\xff\xfd\xff",
      "\xff\xfe\r",
      "\xff\xf1",
      "\xff\xec",
      "\xff\xeb",
      "\xff\n",
      "\xff\r\n",
      "\xff\xfe",
      "\xff\xff",
      "\xff\xf4",
      "\xff",
      "\xff\xfa\x18\0xterm\n\xff\xf0",
      "\xff\xfa\xff\xff\xff\xfa\xff\xf0",
      "\xff\xfa",
      "\xff\xf0",
    ),
  },
  fc.integer({ min: 505, max: 515 }).map((count) => `\xff\xfa${"s".repeat(count)}\xff\xf0`),
  fc.integer({ min: 250, max: 260 }).map((count) => `\xff\xfa${"\xff\xff".repeat(count)}\xff\xf0`),
  // UTF-8, whole, cut short and wrong.
  fc.constantFrom("é", "€", "🐢", "\ufeff", "\u202e", "\u0085", "\u2028").map(utf8),
  fc.constantFrom("\xe2\x82", "\xf0\x9f\x90", "\xc0\x80", "\xed\xa0\x80", "\xf5", "\x80"),
  // Lines about as long as they may be.
  fc.constantFrom(1022, 1023, 1024, 1025, 1026, 5000).map((count) => "x".repeat(count)),
  fc.constantFrom(511, 512, 513).map((count) => utf8("é".repeat(count))),
  fc.uint8Array({ maxLength: 30 }).map((bytes) => String.fromCharCode(...bytes)),
);

const pieces = fc.array(piece, { maxLength: 25 }).map((pieces) => pieces.join(""));

/** The lengths of the pieces into which the network cuts what is sent. */
const cuts = fc.array(
  fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 700 })),
  { minLength: 1, maxLength: 8 },
);

/** The UTF-8 bytes of a text, each as one character. */
function utf8(text: string): string {
  return String.fromCharCode(...new TextEncoder().encode(text));
}

/** What a reader finds in pieces that it is lent one after another. */
function linesIn(pieces: Iterable<Uint8Array>): string[] {
  const reader = new LineReader();
  const lent = new Uint8Array(64 * 1024);
  const found: string[] = [];
  for (const piece of pieces) {
    lent.fill(0x23);
    lent.set(piece);
    reader.add(lent.subarray(0, piece.length));
    for (let line = reader.next(); line !== undefined; line = reader.next()) found.push(show(line));
  }
  const last = reader.last();
  return last === undefined ? found : [...found, show(last)];
}

function show(line: Line): string {
  return line.kind === "line" ? `line ${line.text}` : line.kind;
}

// How the model represents the bytes that have a meaning in telnet.
const ESCAPED = "\u01ff";
const INTERRUPT = "\u01f4";

/** Finds the same lines in another way: from the whole text, step by step. */
function modelLines(sent: string): string[] {
  // A Ctrl-C between the two halves of a line end comes before the line.
  const text = withoutTelnet(sent).replaceAll(/\r(\u01f4+)(?=[\n\0])/g, "$1\r");
  const segments = text.split(/\r\n|\r\0|\n/);
  return segments.flatMap((segment, index) => {
    const isLast = index === segments.length - 1;
    const symbols = [...segment.replaceAll("\r", "")];
    const bytes = symbols.filter((symbol) => symbol !== INTERRUPT);
    if (bytes.length <= LINE_LIMIT) {
      const interrupts = symbols.filter((symbol) => symbol === INTERRUPT).map(() => "interrupt");
      if (isLast && bytes.length === 0) return interrupts;
      return [...interrupts, `line ${decode(bytes)}`];
    }
    let count = 0;
    return symbols.flatMap((symbol) => {
      if (symbol === INTERRUPT) return ["interrupt"];
      return ++count === LINE_LIMIT + 1 ? ["too long"] : [];
    });
  });
}

function decode(symbols: readonly string[]): string {
  const bytes = bytesOf(symbols.join("").replaceAll(ESCAPED, "\xff"));
  const text = stripControls(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return text.replace(/^\ufeff/, "");
}

function withoutTelnet(sent: string): string {
  let text = "";
  for (let at = 0; at < sent.length;) {
    const symbol = sent.charAt(at++);
    if (symbol !== "\xff") {
      text += symbol;
      continue;
    }
    const command = sent.charAt(at++);
    if (command === "\xff") text += ESCAPED;
    else if (command === "\xf4") text += INTERRUPT;
    else if (/[\xfb-\xfe]/.test(command)) {
      // A line end is no option, and neither is nothing.
      if (/[^\r\n]/.test(sent.charAt(at))) at++;
      else text += ESCAPED + command;
    } else if (command === "\xfa") {
      const [body = ""] = /^(?:[^\xff]|\xff[^\xf0])*?\xff\xf0/.exec(sent.slice(at, at + 513)) ?? [];
      at += body === "" ? 513 : body.length;
    } else if (!/[\xec-\xfa]/.test(command)) {
      text += ESCAPED;
      if (command !== "") at--;
    }
  }
  return text;
}

/** Whether a text can do nothing to a terminal except appear on one line. */
function isHarmless(text: string): boolean {
  return !/\p{Cc}|\p{Cs}|\p{Zl}|\p{Zp}|\p{Bidi_Control}/u.test(text);
}

// Lines.

test("lines are the same wherever the network cuts them, and are those of a model", () => {
  fc.assert(
    fc.property(pieces, cuts, (sent, lengths) => {
      const expected = modelLines(sent);
      assertEquals(linesIn(cut(bytesOf(sent), [60_000])), expected);
      assertEquals(linesIn(cut(bytesOf(sent), lengths)), expected);
    }),
    { numRuns: 500 },
  );
}, pure);

test("lines cut at each byte are the same", () => {
  fc.assert(
    fc.property(pieces, (sent) => {
      const bytes = bytesOf(sent).subarray(0, 300);
      const expected = linesIn([bytes]);
      for (let at = 0; at <= bytes.length; at++) {
        assertEquals(linesIn([bytes.subarray(0, at), bytes.subarray(at)]), expected);
      }
      assertEquals(linesIn(cut(bytes, [1])), expected);
    }),
    { numRuns: 30 },
  );
}, pure);

test("a line of arbitrary bytes never contains what a terminal obeys", () => {
  fc.assert(
    fc.property(fc.oneof(pieces, fc.uint8Array({ maxLength: 400 })), cuts, (sent, lengths) => {
      const bytes = typeof sent === "string" ? bytesOf(sent) : sent;
      for (const line of linesIn(cut(bytes, lengths))) assert(isHarmless(line), line);
    }),
    { numRuns: 300 },
  );
}, pure);

const LINES: readonly (readonly [string, string, readonly string[]])[] = [
  ["\\n", "a\nb\n", ["line a", "line b"]],
  ["\\r\\n", "a\r\nb\r\n", ["line a", "line b"]],
  ["telnet's \\r\\0", "a\r\0b\r\0", ["line a", "line b"]],
  ["a last line without an end", "a\nb", ["line a", "line b"]],
  ["an end that is not whole", "a\r", ["line a"]],
  ["empty lines", "\n\r\n\r\0", ["line ", "line ", "line "]],
  ["a lone \\r, which is left out", "a\rb\n", ["line ab"]],
  ["several \\r", "a\r\r\n\r\r\0", ["line a", "line "]],
  ["a lone \\0, which is left out", "a\0b\0\n", ["line ab"]],
  ["a tab", "a\tb\n", ["line a b"]],
  ["options of telnet", "\xff\xfb\x1f\xff\xfd\x01a\xff\xfe\x03b\n", ["line ab"]],
  ["я of Windows-1251 before a line end", "\xff\n\xea\xff\r\nb\xff", [
    "line \ufffd",
    "line \ufffd\ufffd",
    "line b\ufffd",
  ]],
  ["яю before a line end", "\xff\xfe\nb\xff\xfe\r\nc\xff\xfe", [
    "line \ufffd\ufffd",
    "line b\ufffd\ufffd",
    "line c\ufffd\ufffd",
  ]],
  ["ÿ of Latin-1", "a\xffb \xff \xff!\n", ["line a\ufffdb \ufffd \ufffd!"]],
  ["commands of telnet", "a\xff\xec\xff\xef\xff\xf6b\n", ["line ab"]],
  ["options inside a line's end", "a\r\xff\xfb\x01\n", ["line a"]],
  ["a subnegotiation", "a\xff\xfa\x18\0xterm\n\xff\xf0b\n", ["line ab"]],
  ["255 twice", "a\xff\xffb\n", ["line a\ufffdb"]],
  ["Ctrl-C of telnet", "a\xff\xf4b\n", ["interrupt", "line ab"]],
  ["a subnegotiation without end", `\xff\xfa${"s".repeat(513)}a\n`, ["line a"]],
  ["invalid UTF-8", "a\xffz\xe2\x82\n\x80b\n", ["line a\ufffdz\ufffd", "line \ufffdb"]],
  ["UTF-8", utf8("żółw 🐢\n"), ["line żółw 🐢"]],
  ["a byte order mark", utf8("\ufeff/who\n\ufeff\na\ufeffb\n"), [
    "line /who",
    "line ",
    "line a\ufeffb",
  ]],
  ["colours", "a\x1b[31mb\x1b[0m\n", ["line ab"]],
  ["a title", "a\x1b]0;owned\x07b\n", ["line ab"]],
];

for (const [what, sent, expected] of LINES) {
  test(`lines end and are cleaned: ${what}`, () => {
    for (const lengths of [[1], [2], [3], [10_000]]) {
      assertEquals(linesIn(cut(bytesOf(sent), lengths)), expected);
    }
  }, pure);
}

test("a line may have 1024 bytes, not counting its line end, and not one more", () => {
  for (const end of ["\n", "\r\n", "\r\0", ""]) {
    for (const count of [1023, 1024]) {
      assertEquals(linesIn([bytesOf("x".repeat(count) + end)]), [`line ${"x".repeat(count)}`]);
    }
    const tail = end === "" ? [] : ["line y"];
    const sent = "x".repeat(1025) + (end === "" ? "" : `${end}y`);
    assertEquals(linesIn([bytesOf(sent)]), ["too long", ...tail]);
  }
  // Bytes count, not characters, and telnet commands do not count.
  assertEquals(linesIn([bytesOf(utf8("€".repeat(341)))]), [`line ${"€".repeat(341)}`]);
  assertEquals(linesIn([bytesOf(utf8("€".repeat(342)))]), ["too long"]);
  const options = "\xff\xfb\x01".repeat(1000);
  assertEquals(linesIn([bytesOf(options + "x".repeat(1024) + options)]), [
    `line ${"x".repeat(1024)}`,
  ]);
}, pure);

test("a line that does not end is reported once, and costs no memory", () => {
  const { process } = globalThis as unknown as {
    process: { memoryUsage(): { heapUsed: number; external: number } };
  };
  const used = () => {
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  for (const unit of ["x", "\0", "\r", "\xff\xfb\x01", "\xff\xfa", "\xff\xff", "\x1b]", "\xe2"]) {
    const reader = new LineReader();
    const chunk = bytesOf(unit.repeat(Math.ceil(64 * 1024 / unit.length)));
    const found: Line[] = [];
    const before = used();
    for (let sent = 0; sent < 10 * 1024 * 1024; sent += chunk.length) {
      reader.add(chunk);
      for (let line = reader.next(); line; line = reader.next()) found.push(line);
    }
    assert(found.length <= 1, unit);
    // If it were kept, it would take ten million bytes.
    assert(used() - before < 5_000_000, unit);
    // This many bytes end whatever was begun. Then there is a line again.
    reader.add(bytesOf("\xf0\n" + "x".repeat(600) + "\nafter\n"));
    const after: Line[] = [];
    for (let line = reader.next(); line; line = reader.next()) after.push(line);
    assertEquals(after.at(-1), { kind: "line", text: "after" }, unit);
  }
}, { ...pure, timeoutMs: 60_000 });

/** Reads lines until there are no more. */
function* collect(withinMs: number, pace?: (bytes: number) => Protocol): Protocol<string[]> {
  const reader = new LineReader();
  const found: string[] = [];
  for (;;) {
    const line: Line | null | undefined = yield* readChatLine(reader, withinMs, pace);
    if (line === null) return found;
    found.push(line === undefined ? "nothing" : show(line));
  }
}

test(
  "reading lines asks for bytes only when no line is left, and says when none came",
  () => {
    const paced: number[] = [];
    const talk = new Talk(collect(700, (bytes) => {
      paced.push(bytes);
      return noEffects();
    }));
    assertEquals([talk.reads, talk.withinMs], [1, 700]);
    talk.answer(bytesOf("a\nb\nc"));
    assertEquals([talk.reads, paced], [2, [5]]);
    talk.answer(undefined);
    talk.answer(bytesOf("d\n"));
    talk.answer(null);
    assertEquals(talk.result, ["line a", "line b", "nothing", "line cd"]);
    assertEquals(paced, [5, 2]);
    assertEquals(new Talk(collect(0)).withinMs, undefined);
  },
  pure,
);

function* noEffects(): Protocol {}

test("lines read through the protocol are those of the model", () => {
  fc.assert(
    fc.property(pieces, cuts, (sent, lengths) => {
      assertEquals(
        hold(collect(0), cut(bytesOf(sent), [...lengths, 600])).result,
        modelLines(sent),
      );
    }),
    { numRuns: 30 },
  );
}, pure);

// Text for a terminal.

const plain = fc.stringMatching(/^[a-zA-Z0-9 .,żółw🐢]{0,12}$/u);
const parameters = fc.stringMatching(/^[0-?]{0,6}[ -/]{0,2}$/);

/** A whole sequence that a terminal would obey (ECMA-48). */
const sequence = fc.oneof(
  fc.tuple(fc.constantFrom("\x1b[", "\x9b"), parameters, fc.stringMatching(/^[@-~]$/)),
  fc.tuple(
    fc.constantFrom("\x1bP", "\x1bX", "\x1b]", "\x1b^", "\x1b_", "\x90", "\x98", "\x9d", "\x9e"),
    fc.stringMatching(/^[ -~]{0,12}$/),
    fc.constantFrom("\x07", "\x1b\\", "\x9c"),
  ),
  fc.tuple(
    fc.constantFrom("\x1b"),
    fc.stringMatching(/^[ -/]{1,2}$/),
    fc.stringMatching(/^[0-~]$/),
  ),
  fc.tuple(fc.constantFrom("\x1b7", "\x1b8", "\x1bc", "\x1b=", "\x1bM", "\x07", "\x08", "\x85")),
).map((parts: readonly string[]) => parts.join(""));

test("escape sequences are removed as a whole, and nothing else is", () => {
  fc.assert(
    fc.property(plain, sequence, plain, sequence, (a, first, b, second) => {
      assertEquals(stripControls(a + first + b + second + a), a + b + a);
    }),
    { numRuns: 1000 },
  );
  fc.assert(fc.property(plain, (text) => assertEquals(stripControls(text), text)));
}, pure);

test("text stripped of controls is harmless, whatever it was", () => {
  const nasty = fc.array(
    fc.oneof(
      fc.constantFrom(
        "\x1b",
        "\x1b[",
        "\x1b]",
        "\x9b",
        "\x9d",
        "\x9c",
        "\x07",
        "\\",
        "m",
        "2J",
        ";",
      ),
      anyText({ maxLength: 3 }),
    ),
    { maxLength: 30 },
  ).map((parts) => parts.join(""));
  fc.assert(
    fc.property(nasty, (text) => {
      const stripped = stripControls(text);
      assert(isHarmless(stripped), JSON.stringify(stripped));
      assertEquals(stripControls(stripped), stripped);
      assert(stripped.length <= text.length);
    }),
    { numRuns: 1000 },
  );
}, pure);

test("the time to strip hostile text grows no faster than the text", () => {
  // With a million characters, time that grows with the square would be hours.
  const units = [
    "\x1b",
    "\x1b[",
    "\x1b]",
    "\x9b",
    "\x9d",
    "\x1b[0",
    "\x9b0 ",
    "\x1b ",
    "\x1bP\x1b",
  ];
  const tails = ["0", " ", "a", "0 ", "\x1b", "\\", "\x9d;"];
  for (const unit of units) {
    assert(isHarmless(stripControls(unit.repeat(1_000_000 / unit.length))));
    for (const tail of tails) {
      assert(isHarmless(stripControls(unit + tail.repeat(250_000))));
      assert(isHarmless(stripControls((unit + tail).repeat(250_000))));
    }
  }
}, pure);

// Commands.

const nothing: Command = { kind: "nothing" };
const quit: Command = { kind: "quit" };
const say = (text: string): Command => ({ kind: "say", text });
const usage = (usage: string): Command => ({ kind: "incomplete", usage });

const COMMANDS: readonly (readonly [string, Command])[] = [
  ["", nothing],
  ["   \t ", nothing],
  ["hello", say("hello")],
  ["  indented  ", say("  indented")],
  ["exit", quit],
  [" exit ", quit],
  ["Exit", say("Exit")],
  ["exit now", say("exit now")],
  ["/quit", quit],
  ["/QUIT now", quit],
  [" /quit", quit],
  ["//quit", say("/quit")],
  ["  //me too ", say("/me too")],
  ["///", say("//")],
  ["a /quit", say("a /quit")],
  ["/nick ann", { kind: "nick", name: "ann" }],
  ["/Nick   ann  ", { kind: "nick", name: "ann" }],
  ["/nick ann lee", { kind: "nick", name: "ann lee" }],
  ["/nick", usage("/nick NAME")],
  ["/nick  ", usage("/nick NAME")],
  ["/join games", { kind: "join", room: "games" }],
  ["/join", { kind: "join", room: "" }],
  ["/rooms", { kind: "rooms" }],
  ["/rooms all", { kind: "rooms" }],
  ["/who", { kind: "who" }],
  ["/names", { kind: "who" }],
  ["/NAMES", { kind: "who" }],
  ["/me waves  twice", { kind: "act", text: "waves  twice" }],
  ["/me", usage("/me ACTION")],
  ["/msg bob hi there", { kind: "whisper", to: "bob", text: "hi there" }],
  ["/msg   bob   hi", { kind: "whisper", to: "bob", text: "hi" }],
  ["/msg bob: hi", { kind: "whisper", to: "bob", text: "hi" }],
  ["/msg @bob hi", { kind: "whisper", to: "bob", text: "hi" }],
  ["/msg @bob, : hi", { kind: "whisper", to: "bob", text: ": hi" }],
  ["/msg @ hi", { kind: "whisper", to: "", text: "hi" }],
  ["/msg bob \u200b", { kind: "unseen" }],
  ["\u200b", { kind: "unseen" }],
  ["\u2060 \u3164\u200d\ufe0f\u2800\u180e", { kind: "unseen" }],
  ["/me \u00ad", { kind: "unseen" }],
  ["\u0600", { kind: "say", text: "\u0600" }],
  ["🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}", {
    kind: "say",
    text: "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
  }],
  [`a${"\u0301".repeat(8)}b`, { kind: "say", text: `a${"\u0301".repeat(8)}b` }],
  ["ཧྐྵྨླྺྼྻྂ", { kind: "say", text: "ཧྐྵྨླྺྼྻྂ" }],
  [`a${"\u0301".repeat(9)}`, { kind: "tower" }],
  [`a${"\u0301\u200d\u034f".repeat(5)}`, { kind: "tower" }],
  [`/msg bob ${"\u0e49".repeat(9)}`, { kind: "tower" }],
  ["/msg bob", usage("/msg NAME TEXT")],
  ["/msg", usage("/msg NAME TEXT")],
  ["/msg\u00a0bob\u3000hi", { kind: "whisper", to: "bob", text: "hi" }],
  ["/help", { kind: "help" }],
  ["/help me", { kind: "help" }],
  ["/", { kind: "unknown", name: "" }],
  ["/ nick ann", { kind: "unknown", name: "" }],
  ["/foo bar", { kind: "unknown", name: "foo" }],
  ["/nickann", { kind: "unknown", name: "nickann" }],
  ["/constructor", { kind: "unknown", name: "constructor" }],
  ["/__proto__ x", { kind: "unknown", name: "__proto__" }],
  ["/toString", { kind: "unknown", name: "toString" }],
  ["/undefined", { kind: "unknown", name: "undefined" }],
];

for (const [line, command] of COMMANDS) {
  test(`"${line}" is read as ${JSON.stringify(command)}`, () => {
    assertEquals(parseCommand(line), command);
  }, pure);
}

test("every line is a command or talk, and talk loses nothing but spaces and one slash", () => {
  fc.assert(
    fc.property(anyText(), (line) => {
      const command = parseCommand(line);
      const isCommand = /^\s*\/(?!\/)/.test(line);
      if (command.kind === "unseen") return assert(looksEmpty(line.replace(/^\s*\/\S+/, "")));
      if (command.kind === "tower") return assert(hasTower(line));
      if (command.kind !== "say") return assert(isCommand || ["", "exit"].includes(line.trim()));
      assert(!isCommand);
      assertEquals(command.text.trim(), line.trim().replace(/^\/\//, "/").trim());
    }),
    { numRuns: 500 },
  );
}, pure);

test("marks that pile up are left out, and all others stay", () => {
  const some = `a${"\u0301".repeat(8)}bé ཧྐྵྨླྺྼྻྂ 👩🏽‍💻`;
  assertEquals(withoutTowers(some), some);
  assertEquals(withoutTowers(`a${"\u0301".repeat(50)}b`), `a${"\u0301".repeat(8)}b`);
  assertEquals(withoutTowers(`a${"\u0301\u200b".repeat(50)}`), `a${"\u0301".repeat(8)}`);
}, pure);

test("splitting off a word leaves no spaces around the rest", () => {
  assertEquals(splitWord("a  b c "), ["a", "b c"]);
  assertEquals(splitWord("a"), ["a", ""]);
  assertEquals(splitWord(""), ["", ""]);
}, pure);

test("/help lists each command on a line of its own", () => {
  assertEquals(HELP.length, COMMAND_HELP.length);
  for (const line of HELP) assertMatch(line, /^\* \/[a-z]+[A-Z ]*: .+$/);
  for (const { usage } of COMMAND_HELP) {
    assert(!["unknown", "say"].includes(parseCommand(usage).kind), usage);
  }
}, pure);

// Names.

test("a name is 1 to 32 ASCII letters, digits, _ or -", () => {
  for (const name of ["a", "Ann", "a-b_c", "_", "-", "007", "x".repeat(NAME_LIMIT), "server"]) {
    assert(isName(name), name);
  }
  const none = ["", " ", "a b", "a.b", "é", "Ａ", "a*", ">", "a\n", "\na", "x".repeat(33), "[ann]"];
  for (const text of none) assert(!isName(text), text);
  fc.assert(fc.property(anyText(), (text) => {
    const isOne = text.length >= 1 && text.length <= 32 &&
      [..."abcdefghijklmnopqrstuvwxyz0123456789_-"].reduce(
          (rest, letter) => rest.replaceAll(letter, "").replaceAll(letter.toUpperCase(), ""),
          text,
        ) === "";
    assertEquals(isName(text), isOne);
  }));
}, pure);

test("the server's name and those of guests are reserved, in whatever spelling", () => {
  for (const name of ["server", "SERVER", "guest-1", "Guest-007", guestName(12)]) {
    assert(isReserved(name), name);
  }
  for (
    const name of ["servers", "guest", "guest-", "guest-x", "guest-1a", "my-guest-1", "guest1"]
  ) {
    assert(!isReserved(name), name);
  }
}, pure);

test("names that differ only in case have the same key", () => {
  fc.assert(fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/), (name) => {
    assertEquals(keyOf(name.toUpperCase()), keyOf(name));
    assertEquals(keyOf(keyOf(name)), keyOf(name));
    assert(isName(keyOf(name)));
  }));
}, pure);

// Notices.

test("a list has at most 21 lines of bounded length, in order, and says what it left out", () => {
  const item = fc.stringMatching(/^[a-z]{1,32}$/);
  const items = fc.array(item, { minLength: 1, maxLength: 1500, size: "max" });
  fc.assert(
    fc.property(items, (items) => {
      const lines = list("in lobby", items);
      assert(lines.length <= 21);
      for (const line of lines) {
        assert(line.startsWith("* in lobby: ") && line.length <= 450, line);
      }
      const last = lines.at(-1) as string;
      const more = Number(/: and (\d+) more$/.exec(last)?.[1] ?? 0);
      const listed = (more === 0 ? lines : lines.slice(0, -1))
        .flatMap((line) => line.slice("* in lobby: ".length).split(", "));
      assertEquals(listed, items.slice(0, items.length - more));
      assert(more === 0 || lines.length === 21);
    }),
    { numRuns: 40 },
  );
  assertEquals(list("rooms", ["lobby (1)"]), ["* rooms: lobby (1)"]);
}, pure);

test("a closing server says in how many seconds, and missed lines are counted in words", () => {
  assertEquals(closing(5000), "* server is shutting down in 5 s");
  assertEquals(closing(1499), "* server is shutting down in 1.5 s");
  assertEquals(closing(0), "* server is shutting down in 0 s");
  assertEquals([missed(1), missed(37)], ["* you missed 1 line", "* you missed 37 lines"]);
}, pure);
