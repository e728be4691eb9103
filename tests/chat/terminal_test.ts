/**
 * The chat's client in a real terminal: the tests press keys and look at the screen.
 *
 * @module
 */

import { assert, assertEquals, assertMatch, assertNotMatch, test, until } from "../kit/harness.ts";
import { ScriptedChat, type Visitor } from "../kit/scripted_chat.ts";
import { commandOf, ServerProcess } from "../kit/server_process.ts";
import { Terminal, type TerminalOptions, whyNoTerminal } from "../kit/terminal.ts";

/** What a test works with: the server's side, the terminal, and the client's connection. */
interface Scene {
  readonly chat: ScriptedChat;
  readonly terminal: Terminal;
  readonly visitor: Visitor;
}

/** Registers a test of a client that was greeted as `ann`, with Bob and Bertha in the room. */
function terminalTest(
  name: string,
  body: (scene: Scene) => Promise<void>,
  options: TerminalOptions = {},
): void {
  test(`a terminal: ${name}`, async () => {
    await using chat = await ScriptedChat.listen();
    const { hostname, port } = chat.address;
    await using terminal = await Terminal.open("chat/client.ts", [hostname, `${port}`], options);
    const visitor = await chat.visitor();
    visitor.welcome("ann", "bob", "bertha");
    // The prompt comes with the second line, and the names only with the third.
    await terminal.shows(/also here: bob, bertha[^]*ann in lobby>/);
    await body({ chat, terminal, visitor });
  }, { skip: whyNoTerminal, timeoutMs: 60_000 });
}

/** The row that the user types in. */
async function lastRow(terminal: Terminal): Promise<string> {
  return (await terminal.screen()).at(-1) as string;
}

terminalTest("typed text stays intact while others talk", async ({ terminal, visitor }) => {
  await terminal.type("hello w");
  await terminal.shows("> hello w");
  for (let number = 1; number <= 5; number++) {
    visitor.say(`[bob] message ${number}`);
    await terminal.shows(new RegExp(`\\] message ${number}\\nann in lobby> hello w$`));
  }
  await terminal.press("Left");
  visitor.say("* bob left");
  await terminal.shows(/\* bob left\nann in lobby> hello w$/);
  await terminal.type("X");
  await terminal.shows("hello Xw");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "hello Xw");
  await terminal.shows(/\d\d:\d\d \[ann\] hello Xw\nann in lobby>$/);
});

terminalTest(
  "text that is longer than its row scrolls sideways and stays intact while others talk",
  async ({ terminal, visitor }) => {
    const text = "one two three four five six seven eight nine ten eleven twelve thirteen";
    await terminal.type(text);
    await terminal.shows(/\nann in lobby> <[a-z ]* thirteen$/);
    visitor.say("[bob] first", "[bertha] second");
    await terminal.shows(
      /\[bob\] first\n\d\d:\d\d \[bertha\] second\nann in lobby> <[a-z ]* thirteen$/,
    );
    await terminal.press("Home");
    visitor.say("[bob] third");
    await terminal.shows(/\[bob\] third\nann in lobby> one two three [a-z ]*>$/);
    await terminal.press("Delete");
    await terminal.type("O");
    await terminal.press("Enter");
    assertEquals(await visitor.line(), `O${text.slice(1)}`);
    const screen = await terminal.shows(/\[ann\] One two[^]*\nann in lobby>$/);
    assertEquals(screen.split("> one two").length, 1, `nothing of it is left: ${screen}`);
  },
  { columns: 36 },
);

terminalTest("wide characters stay intact", async ({ terminal, visitor }) => {
  const text = "漢字かな交じり文は幅が二倍です";
  await terminal.type(text);
  await terminal.shows(/> <.*幅が二倍です$/);
  visitor.say("[bob] 你好", "[bob] é");
  await terminal.shows(/\[bob\] 你好\n\d\d:\d\d \[bob\] é\nann in lobby> <.*です$/);
  await terminal.press("BSpace", "BSpace", "Enter");
  assertEquals(await visitor.line(), "漢字かな交じり文は幅が二倍");
  await terminal.shows(/\] 漢字かな交じり文は幅\nが二倍\nann in lobby>$/);
}, { columns: 33 });

/** Text in which terminals and programs have different ideas of widths, in pieces. */
const SCRIPTS: readonly string[][] = [
  ["ที่นี่", "น้ำ", "ผู้ใหญ่", "เก๊ๆ", "กำลัง", "ซื้อ", "ก็ได้"],
  ["क्षत्रिय", "नि", "स्त्री", "हिन्दी", "श्रृं", "द्ध्य", "र्क"],
  ["السلام", "عَلَيْكُمْ", "لا", "ﷺ", "مُحَمَّد", "\u0600١٢", "ـــ"],
  ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👩🏽‍💻", "❤️‍🔥", "🧑🏻‍🤝‍🧑🏿", "1️⃣", "☺️"],
  ["🇩🇪", "🇯🇵", "🇺🇳", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🇽🇽", "🇦", "🇧🇷"],
  ["🫩", "🫟", "🪾", "🫜", "\u{1faea}", "\u{1fac8}", "\u{1f6d8}"],
  ["한국", "각", "ｶﾞ", "Å", "ȧ̈̃", "…—“”", "──▶"],
];

test("a terminal: no line of another vanishes, whatever is typed, at any width", async () => {
  await Promise.all([20, 21, 32, 80].map(async (columns) => {
    await using chat = await ScriptedChat.listen();
    const { hostname, port } = chat.address;
    const options = { columns, rows: 120 };
    await using terminal = await Terminal.open("chat/client.ts", [hostname, `${port}`], options);
    const visitor = await chat.visitor();
    visitor.welcome("a", "bob");
    await terminal.shows(/> *$/);
    const expected: string[] = [];
    for (const pieces of SCRIPTS) {
      for (const piece of pieces) {
        expected.push(`[bob] ${expected.length}.`);
        await terminal.type(piece.repeat(columns > 40 ? 3 : 1));
        visitor.say(expected.at(-1) as string);
        // The line is longer than its row after a few pieces, and is drawn at each length.
        if (expected.length % 2 === 0) await terminal.shows(expected.at(-1) as string);
      }
      await terminal.press("Left", "Left", "C-a");
      await terminal.press("C-e", "C-c");
    }
    // What is typed and what others say come by different ways, in any order.
    await terminal.shows(expected.at(-1) as string);
    await terminal.type("done");
    const screen = await terminal.shows(/> done$/);
    const shown = screen.split("\n").map((row) => row.replace(/^\d\d:\d\d /, ""));
    assertEquals(shown.filter((row) => row.startsWith("[bob] ")), expected, screen);
    await terminal.press("Enter");
    assertEquals(await visitor.line(), "done", "nothing else was sent");
  }));
}, { skip: whyNoTerminal, timeoutMs: 60_000 });

terminalTest("typed text adapts to another width of the window", async ({ terminal, visitor }) => {
  await terminal.type("a line that takes more than one row where rows are short");
  await terminal.shows("where rows are short");
  await terminal.resize(40);
  await terminal.shows(/bertha\nann in lobby> <[a-z ]* are short$/);
  visitor.say("[bob] narrow");
  await terminal.shows(/\[bob\] narrow\nann in lobby> <[a-z ]* are short$/);
  await terminal.resize(100);
  await terminal.shows(/ann in lobby> a line .* where rows are short$/);
  visitor.say("[bob] wide");
  await terminal.shows(/\[bob\] narrow\n\d\d:\d\d \[bob\] wide\nann in lobby> a line .* short$/);
  const screen = (await terminal.screen()).join("\n");
  assertEquals(screen.split("a line that").length, 2, screen);
});

terminalTest(
  "nothing is left of a typed row in any script when the window shrinks",
  async (scene) => {
    const { terminal, visitor } = scene;
    for (const text of ["กำลังผู้ใหญ่ที่นี่ซื้อน้ำ", "क्षत्रिय स्त्री हिन्दी श्रृं"]) {
      await terminal.type(`of its own ${text}`.padEnd(48, "x"));
      visitor.say("[bob] said");
      await terminal.shows(/said\nann in lobby> of its own .*x$/);
      await terminal.resize(46);
      await terminal.shows(/said\nann in lobby> <.*x$/);
      await terminal.resize(80);
      await terminal.shows(/said\nann in lobby> of its own .*x$/);
      await terminal.press("C-c");
    }
  },
);

test("a terminal: after Ctrl-Z, another width and fg, the line is there again", async () => {
  await using chat = await ScriptedChat.listen();
  const { hostname, port } = chat.address;
  await using terminal = await Terminal.openShell();
  await terminal.type(commandOf("chat/client.ts", [hostname, `${port}`]).join(" "));
  await terminal.press("Enter");
  const visitor = await chat.visitor();
  visitor.welcome("ann", "bob");
  await terminal.shows("ann in lobby>");
  await terminal.type("hello w");
  await terminal.shows("> hello w");
  await terminal.press("C-z");
  await terminal.shows(/Stopped[^]*\n\$$/);
  visitor.say("[bob] meanwhile");
  await terminal.resize(60);
  await terminal.type("fg");
  await terminal.press("Enter");
  await terminal.shows(/\[bob\] meanwhile\nann in lobby> hello w$/);
  await terminal.type("orld");
  await terminal.shows(/\nann in lobby> hello world$/);
  await terminal.press("C-u");
  await terminal.type("hi");
  await terminal.shows(/\nann in lobby> hi$/);
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "hi");
  await terminal.press("C-d");
  assertEquals(await visitor.line(), "/quit");
  visitor.say("* goodbye");
  visitor.end();
  await terminal.shows(/goodbye\n\$$/);
}, { skip: whyNoTerminal, timeoutMs: 60_000 });

terminalTest("the arrow keys bring back what was sent", async ({ terminal, visitor }) => {
  for (const text of ["first", "second"]) {
    await terminal.type(text);
    await terminal.press("Enter");
    assertEquals(await visitor.line(), text);
  }
  await terminal.press("Up");
  await terminal.shows("> second");
  await terminal.press("Up");
  await terminal.shows("> first");
  await terminal.type("!");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "first!");
});

terminalTest("Tab completes names and commands", async ({ terminal, visitor }) => {
  await terminal.type("B");
  await terminal.type("o");
  await terminal.press("Tab");
  await terminal.shows(/> bob$/);
  await terminal.type("and ber");
  await terminal.press("Tab");
  await terminal.shows(/> bob and bertha$/);
  await terminal.press("Enter");
  assertEquals((await visitor.line()).trimEnd(), "bob and bertha");
  visitor.say("* zoe joined lobby", "* bob left");
  await terminal.shows("* bob left");
  await terminal.type("/ms");
  await terminal.press("Tab");
  await terminal.type("z");
  await terminal.press("Tab");
  await terminal.type("hi");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "/msg zoe hi");
  await terminal.type("b");
  await terminal.press("Tab");
  await terminal.shows(/> bertha$/);
});

terminalTest("Tab completes also if more keys come at once", async ({ terminal, visitor }) => {
  await terminal.type("/ms\tbe\thi\r");
  assertEquals(await visitor.line(), "/msg bertha hi");
  await terminal.type("B\t\t");
  await terminal.shows(/\d\d:\d\d.*\nbertha {2}bob\nann in lobby> B$/);
  await terminal.type("O\tand x\r");
  assertEquals(await visitor.line(), "bob and x");
});

terminalTest("Tab in pasted text is text", async ({ terminal, visitor }) => {
  await terminal.paste("if bo\tbe\n\t\tbo\t", true);
  assertEquals(await visitor.line(), "if bo be");
  await terminal.type("be\t\r");
  assertEquals(await visitor.line(), "  bo bertha ");
});

terminalTest("names have colours, and notices are set apart", async ({ terminal, visitor }) => {
  visitor.say("[bob] hello", "[Bob to you] psst", "[server] hear", "* bertha left");
  await terminal.shows("bertha left");
  const screen = await terminal.styledScreen();
  const colours = [...screen.matchAll(/␛\[38;5;(\d+)m[Bb]ob/g)].map(([, colour]) => colour);
  assertEquals(colours.length, 2, screen);
  assertEquals(colours[0], colours[1]);
  assertMatch(screen, /␛\[[0-9;]*2m\* bertha left/);
  assertMatch(screen, /␛\[[0-9;]*1m\[server\] hear/);
});

terminalTest("with NO_COLOR there are no colours", async ({ terminal, visitor }) => {
  visitor.say("[bob] hello", "[bob to you] psst", "[server] hear", "* bertha left");
  await terminal.shows("bertha left");
  assertNotMatch(await terminal.styledScreen(), /␛\[[0-9;]*m/);
}, { environment: { NO_COLOR: "1" } });

terminalTest("nothing from the server becomes a command for the terminal", async (scene) => {
  const { terminal, visitor } = scene;
  visitor.sayRaw("[bob] \x1b[2J\x1b]0;title\x07red\u0085\u202e\n");
  await terminal.shows("[bob] \\x1b[2J\\x1b]0;title\\x07red\\u0085\\u202e");
  await terminal.shows("also here: bob, bertha");
  visitor.sayRaw(new Uint8Array([0x5b, 0x62, 0x5d, 0x20, 0xc3]));
  visitor.sayRaw(new Uint8Array([0xa9, 0xff, 0x0a]));
  await terminal.shows("[b] é\ufffd");
});

terminalTest("an own line is shown once, whether or not it comes back", async (scene) => {
  const { terminal, visitor } = scene;
  await terminal.type("hi");
  await terminal.press("Enter");
  visitor.say(`[ann] ${await visitor.line()}`);
  await terminal.type("/me waves");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "/me waves");
  visitor.say("[ann] * waves", "[bob] done");
  await terminal.shows("[bob] done");
  const said = (await terminal.screen()).filter((row) => row.includes("[ann] "))
    .map((row) => row.replace(/^\d\d:\d\d /, ""));
  assertEquals(said, ["[ann] hi", "[ann] * waves"]);
});

terminalTest("a line that is too long can be changed", async ({ terminal, visitor }) => {
  await terminal.type("é".repeat(513));
  await terminal.press("Enter");
  await terminal.shows("not sent: this line has 1026 bytes, and the limit is 1024");
  await terminal.press("BSpace", "Enter");
  assertEquals(await visitor.line(), "é".repeat(512));
  assertEquals(visitor.unread, []);
});

terminalTest("what a line cannot hold is left out, and told", async ({ terminal, visitor }) => {
  await terminal.type("x".repeat(2_500));
  await terminal.shows("the line is full: what comes after its 2048 characters is left out");
  await terminal.press("Enter");
  await terminal.shows("not sent: this line has 2048 bytes");
  await terminal.press("C-c");
  await terminal.type("short");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "short");
}, { rows: 40 });

terminalTest("Ctrl-C clears the line, or ends on an empty one", async ({ terminal, visitor }) => {
  await terminal.type("never mind");
  await terminal.press("Left", "C-c");
  await terminal.shows(/ann in lobby>$/);
  await terminal.type("sent");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "sent");
  await terminal.press("C-c");
  assertEquals(await visitor.line(), "/quit");
  visitor.say("* goodbye");
  visitor.end();
  assertEquals(await terminal.end(), 0);
});

terminalTest("Ctrl-D ends, and shows the server's last words", async ({ terminal, visitor }) => {
  await terminal.press("C-d");
  assertEquals(await visitor.line(), "/quit");
  await visitor.finished();
  visitor.say("* goodbye");
  visitor.end();
  assertEquals(await terminal.end(), 0);
  await terminal.shows("* goodbye");
  assertNotMatch((await terminal.screen()).join("\n"), /ann in lobby>/);
});

terminalTest("a server without a goodbye holds nobody up", async ({ terminal, visitor }) => {
  await terminal.type("/quit");
  await terminal.press("Enter");
  assertEquals(await visitor.line(), "/quit");
  assertEquals(await terminal.end(), 0);
});

terminalTest("a kicked user is told why, and keeps what was typed", async (scene) => {
  const { terminal, visitor } = scene;
  await terminal.type("but I");
  await terminal.shows("but I");
  visitor.say("* you were kicked: too loud", "* goodbye");
  visitor.end();
  assertEquals(await terminal.end(), 0);
  await terminal.shows(/you were kicked: too loud\n.*goodbye\nann in lobby> but I\nended: 0$/);
});

test("a terminal: name and room outlive the server", async () => {
  const first = await ScriptedChat.listen();
  const { hostname, port } = first.address;
  const args = [hostname, `${port}`, "--nick", "ann", "--room", "games"];
  await using terminal = await Terminal.open("chat/client.ts", args);
  const before = await first.visitor();
  before.welcome();
  assertEquals([await before.line(), await before.line()], ["/nick ann", "/join games"]);
  before.say("* you are now ann", "* you are in games");
  await terminal.shows("ann in games>");
  await terminal.type("/nick eve");
  await terminal.press("Enter");
  assertEquals(await before.line(), "/nick eve");
  before.say("* you are now eve");
  await terminal.shows("eve in games>");
  await terminal.type("half a li");
  await terminal.shows("half a li");
  await first[Symbol.asyncDispose]();
  await terminal.shows(/\* link lost: .*: trying again in \d\.\d s/);
  await terminal.shows(/\(no link\)> half a li$/);
  await terminal.type("ne");
  await terminal.press("Enter");
  await terminal.shows("not sent: there is no link");
  await terminal.shows(/\(no link\)> half a line$/);

  await using second = await ScriptedChat.listen(port);
  const ghost = await second.visitor();
  ghost.welcome("guest-1");
  assertEquals([await ghost.line(), await ghost.line()], ["/nick eve", "/join games"]);
  ghost.say("* the name eve is taken", "* you are in games");
  await terminal.shows("the lost connection may still hold eve: asking again in 1 s");
  assertEquals(await ghost.line(), "/nick eve");
  ghost.say("* you are now eve");
  await terminal.shows(/eve in games> half a line$/);
  await terminal.press("Enter");
  assertEquals(await ghost.line(), "half a line");

  ghost.say("* server is shutting down in 0 s", "* goodbye");
  ghost.end();
  const after = await second.visitor();
  after.welcome("guest-1");
  assertEquals([await after.line(), await after.line()], ["/nick eve", "/join games"]);
  await terminal.press("C-d");
  assertEquals(await after.line(), "/quit");
  after.end();
  assertEquals(await terminal.end(), 0);
}, { skip: whyNoTerminal, timeoutMs: 60_000 });

terminalTest("a long pasted text is sent line by line", async (scene) => {
  const { terminal, visitor } = scene;
  const lines = Array.from({ length: 2_000 }, (_, number) => `${number} ${"x".repeat(40)}`);
  await terminal.paste(lines.map((line) => `${line}\n`).join(""));
  for (const line of lines) assertEquals(await visitor.line(), line);
  visitor.say(...lines.map((line) => `[ann] ${line}`), "* that was all");
  const screen = await terminal.shows(/\* that was all\nann in lobby>$/);
  assertEquals(screen.split("] 1999 x").length, 2, `shown once: ${screen}`);
});

terminalTest("lines that are pasted without a link are not joined", async (scene) => {
  const { chat, terminal } = scene;
  await chat[Symbol.asyncDispose]();
  await terminal.shows("(no link)>");
  await terminal.paste("first\nsecond\tword\nthird\n\nlast");
  await terminal.shows(/ not sent: there is no link; the line stays here until then$/m);
  await terminal.shows(/ not sent: 3 lines more, pasted after the one that stays here$/m);
  assertMatch(await lastRow(terminal), /\(no link\)> first$/);
  await terminal.type("!");
  await terminal.shows("(no link)> first!");
});

terminalTest("without a link the client ends at once", async ({ chat, terminal }) => {
  await chat[Symbol.asyncDispose]();
  await terminal.shows("(no link)>");
  await terminal.press("C-d");
  assertEquals(await terminal.end(), 0);
});

terminalTest("a flood from the server leaves the typed line alone", async (scene) => {
  const { terminal, visitor } = scene;
  await terminal.type("still here");
  await terminal.shows("still here");
  visitor.say(...Array.from({ length: 5_000 }, (_, number) => `[bob] line ${number}`));
  await terminal.shows(/\[bob\] line 4999\nann in lobby> still here$/);
  await until("all to be taken", () => visitor.unsent === 0);
  assert((await lastRow(terminal)).endsWith("still here"));
});

test("a terminal: a user who is never let in is told why, and the client fails", async () => {
  await using chat = await ScriptedChat.listen();
  const { hostname, port } = chat.address;
  await using terminal = await Terminal.open("chat/client.ts", [hostname, `${port}`]);
  const visitor = await chat.visitor();
  visitor.say("* the chat is full", "* goodbye");
  visitor.end();
  assertEquals(await terminal.end(), 1);
  await terminal.shows("* the chat is full");
}, { skip: whyNoTerminal });

test("a terminal: two people talk, through a server that is killed and started again", async () => {
  const first = await ServerProcess.start("chat/server");
  const { hostname, port } = first.address;
  const open = (name: string) =>
    Terminal.open("chat/client.ts", [hostname, `${port}`, "--nick", name, "--room", "games"]);
  await using ann = await open("ann");
  await ann.shows("ann in games>");
  await ann.type("alone");
  await ann.press("Enter");
  await using bob = await open("bob");
  await bob.shows(/\[ann\] alone\n.*\* also here: ann\nbob in games>$/);
  await ann.shows("* bob joined games");
  await bob.type("hello a");
  await bob.press("Tab");
  await bob.shows("hello ann");
  await bob.press("Enter");
  await ann.shows("[bob] hello ann");
  await ann.type("/msg bob psst");
  await ann.press("Enter");
  await bob.shows("[ann to you] psst");
  await ann.shows("[you to bob] psst");
  await ann.type("/me waves");
  await ann.press("Enter");
  await bob.shows("[ann] * waves");
  await ann.shows("[ann] * waves");
  await ann.type("typed");
  for (const said of ["] alone", "] * waves"]) {
    const rows = (await ann.screen()).filter((row) => row.includes(`[ann${said}`));
    assertEquals(rows.length, 1, said);
  }

  first.signal("SIGKILL");
  await first.end();
  await ann.shows(/\* link lost: .*\n\(no link\)> typed$/);
  await using second = new ServerProcess("chat/server.ts", [`${port}`]);
  await until("the server to listen again", () => second.stdout.includes("Listening"));
  await ann.shows(/ann in games> typed$/);
  await bob.shows(/connected again[^]*bob in games>$/);
  await ann.press("Enter");
  await bob.shows("[ann] typed");
  second.signal("SIGINT");
  await bob.shows("* server is shutting down in 5 s");
  for (const terminal of [ann, bob]) {
    await terminal.press("C-d");
    assertEquals(await terminal.end(), 0);
  }
  assertEquals((await second.end()).code, 0);
}, { skip: whyNoTerminal, timeoutMs: 60_000 });
