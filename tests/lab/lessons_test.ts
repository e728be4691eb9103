/**
 * `observe lesson`: every lesson is played for real, in the sandbox and without it, and establishes
 * the same facts each time. Its recording has the same facts.
 *
 * @module
 */

import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { InterruptedError } from "../../engine/dial/failures.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { readSetting, synSchedule } from "../../engine/kernel/proc_net.ts";
import { TCP_STATES } from "../../engine/kernel/tcp_states.ts";
import { nowUs } from "../../engine/values/moment.ts";
import type { Event, Tier } from "../../engine/recording/events.ts";
import { makeHeader } from "../../engine/recording/recording_file.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { lessonOf, LESSONS } from "../../lab/observe/lessons/catalogue.ts";
import { networkName } from "../../lab/observe/network_name.ts";
import { whyNoSandbox } from "../../lab/observe/sandbox.ts";
import type { Fact } from "../../lab/observe/stage/facts.ts";
import type { Lesson } from "../../lab/observe/stage/lesson.ts";
import { LessonText, TIER_WORDS } from "../../lab/observe/stage/lesson_text.ts";
import { LIMIT_MS, perform, performHere } from "../../lab/observe/stage/perform.ts";
import { Seen } from "../../lab/observe/stage/seen.ts";
import { Stage } from "../../lab/observe/stage/stage.ts";
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
import { eventsOf, readStrictly } from "../kit/recordings.ts";
import { commandOf, Program } from "../kit/server_process.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const skip = whyNoKernel();
const refusal = skip === undefined ? await whyNoSandbox() : undefined;
const whyNotInside = skip ?? refusal?.sentence;
if (whyNotInside !== undefined) console.log(`skipped in part: ${whyNotInside}`);

/** What a fact must be: exactly that, or at least that number. */
type Expected = Fact["value"] | { readonly least: number };

const ALL_STATES = TCP_STATES.filter((state) => state !== "BOUND");
const LINEAR = skip === undefined ? readSetting("net/ipv4/tcp_syn_linear_timeouts") : undefined;

/** The facts of each lesson, by what they are about: everywhere, and in the sandbox too. */
const FACTS: Readonly<
  Record<
    string,
    readonly [here: readonly Entry[], more?: readonly Entry[], outside?: readonly Entry[]]
  >
> = {
  handshake: [[
    ["client", ["ESTABLISHED"]],
    ["server", ["ESTABLISHED"]],
    ["server", ["ESTABLISHED, waits for accept", "accepted"]],
    ["bytes that came before accept", 5],
  ], [
    ["segments", ["S", "SA", "A"]],
    ["what the server acknowledges, after the client's first number", 1],
    ["what the client acknowledges, after the server's first number", 1],
  ]],
  "why-three": [[
    ["client", ["ESTABLISHED"]],
    ["server", ["SYN_RECV", "ESTABLISHED"]],
    ["accept of server", "EAGAIN"],
    ["server", ["SYN_RECV", "5 bytes"]],
  ]],
  close: [[
    ["client", ["ESTABLISHED", "FIN_WAIT2", "TIME_WAIT"]],
    ["server", ["ESTABLISHED", "CLOSE_WAIT", "CLOSE"]],
    ["recv of client", ["3", "0"]],
    ["client 2", ["CLOSE_WAIT", "CLOSE"]],
    ["server 2", ["TIME_WAIT"]],
  ], [["FINs", ["client", "server", "server 2", "client 2"]]]],
  states: [[
    ["held at the same time", ALL_STATES],
    ["states held at the same time", 11],
    ["client 6", ["CLOSING", "TIME_WAIT"]],
    ["server 8", ["LAST_ACK", "CLOSE"]],
  ]],
  backlog: [[
    ["limit of the queue", 2],
    ["longest queue", 3],
    ["client", ["ESTABLISHED"]],
    ["client 2", ["ESTABLISHED"]],
    ["client 3", ["ESTABLISHED"]],
    ["client 4", ["SYN_SENT", "ESTABLISHED"]],
    // Outside, the counters are those of the machine.
    ["ListenOverflows", { least: 1 }],
  ]],
  "syn-cookies": [[], [
    ["SyncookiesSent", 1],
    ["SyncookiesRecv", 1],
    ["SyncookiesFailed", 0],
    ["looks that saw SYN_RECV", 0],
    ["client", ["ESTABLISHED"]],
    ["client 2", ["ESTABLISHED"]],
  ], [
    ["SyncookiesSent", { least: 0 }],
    ["SyncookiesRecv", { least: 0 }],
    ["SyncookiesFailed", { least: 0 }],
    ["looks that saw SYN_RECV", 0],
    ["client", ["ESTABLISHED"]],
  ]],
  retries: [[], [
    ["connect of client", "ETIMEDOUT"],
    ["client 2", ["SYN_SENT"]],
    ["tcp_syn_linear_timeouts 0", ["a wait", "a longer one"]],
    ...LINEAR === undefined ? [] : [
      ["tcp_syn_linear_timeouts 4", ["a wait", "one as long"]],
    ] as Entry[],
    ["SYNs of client 2", ["sent", "sent again"]],
  ], [
    ["client 2", ["SYN_SENT"]],
    ["SYNs of client 2", ["sent", "sent again"]],
  ]],
  reset: [[
    ["what the clients read", ["0 bytes", "ECONNRESET", "ECONNRESET"]],
    ["connect of client 4", "ECONNREFUSED"],
  ], [["how the servers ended", ["FIN", "RST", "RST"]]]],
  keepalive: [[], [
    ["sockets with a keepalive timer", 2],
    ["after the silence", ["a probe"]],
    ["client", ["ESTABLISHED"]],
    ["client 2", ["ESTABLISHED", "CLOSE"]],
    ["recv of client 2", "ETIMEDOUT"],
  ], [
    ["sockets with a keepalive timer", 1],
    ["after the silence", ["a probe"]],
    ["client", ["ESTABLISHED"]],
  ]],
  nagle: [[
    // The first requests are acknowledged at once (RFC 9293, section 3.8.6.3, allows it).
    ["second halves held back with Nagle", { least: 5 }],
    ["second halves held back with TCP_NODELAY", 0],
  ]],
  ports: [[["connect to the same server", "EADDRNOTAVAIL"]], [
    ["connections before that", 4],
    ["connections to another server after that", 1],
  ], [
    ["connections before that", 1],
    ["connections to another server after that", 1],
  ]],
  "slow-start": [[], [
    ["segments of the first round trip", 10],
    ["segments of a round trip", ["the first", "more", "more"]],
  ], [
    ["congestion window at first", 10],
    ["congestion window", ["at first", "larger"]],
  ]],
};

/** A fact: what it is about, and what it must be. */
type Entry = readonly [about: string, value: Expected];

/** Compares the facts of a lesson, in their order. */
function assertFacts(name: string, tier: Tier, facts: readonly Fact[]): void {
  const [here, more = [], outside = []] = FACTS[name] ?? [[]];
  const expected = [...here, ...tier === "T2" ? more : outside];
  const shown = `${name} in ${tier}: ${JSON.stringify(facts)}`;
  assertEquals(facts.map(({ about }) => about), expected.map(([about]) => about), shown);
  facts.forEach(({ value }, index) => {
    const [, wanted] = expected[index] as Entry;
    if (typeof wanted === "object" && "least" in wanted) {
      assert(Number(value) >= wanted.least, shown);
    } else assertEquals(value, wanted, shown);
  });
}

/** What a lesson has told. */
interface Told {
  readonly lesson: Lesson;
  readonly tier: Tier;
  readonly events: readonly Event[];
}

/** Plays a lesson, in the sandbox or here. */
async function play(lesson: Lesson, tier: "T0" | "T2"): Promise<Told> {
  const beganUs = Math.floor(nowUs());
  const events: Event[] = [];
  const { signal } = new AbortController();
  const tell = (event: Event) => void events.push(event);
  let had: Tier = "T0";
  const begin = (means: Tier) => void (had = means);
  const performance = { beganUs, pauseMs: 0, signal, tell, begin };
  if (tier === "T2") await perform(lesson, performance);
  else await performHere(lesson, "T0", performance);
  return { lesson, tier: had, events };
}

/** The events as a recording that was written and read again. */
function recorded({ lesson, tier, events }: Told): ReturnType<typeof readRecording> {
  const header = makeHeader(`observe lesson ${lesson.name}`, Math.floor(nowUs()), tier);
  const lines = [header, ...events].map((line) => `${JSON.stringify(line)}\n`);
  return readRecording(lines.join(""), lesson.name);
}

/** All lessons, played once for the tests of this file: at the same time, each in its own sandbox. */
let inside: Promise<readonly Told[]> | undefined;
function playedInside(): Promise<readonly Told[]> {
  return inside ??= Promise.all(LESSONS.map((lesson) => play(lesson, "T2")));
}

/** How many sockets this process has. */
function openSockets(): number {
  const folder = "/proc/self/fd";
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith("socket:");
    } catch {
      // The descriptor with which the folder was read.
      return false;
    }
  }).length;
}

test("the lessons in the sandbox establish their facts, and so do their recordings", async () => {
  assertEquals(LESSONS.map(({ name }) => name), Object.keys(FACTS));
  for (const told of await playedInside()) {
    const { lesson, tier, events } = told;
    assertEquals(tier, "T2");
    const facts = lesson.facts(new Seen(events));
    const wireless = events.find((event) =>
      event.type === "note" && event.text.startsWith("Cannot make the wire")
    );
    if (wireless?.type === "note") console.log(`skipped in part: ${wireless.text}`);
    assertFacts(lesson.name, wireless === undefined ? tier : "T0", facts);
    assertEquals(lesson.facts(new Seen(recorded(told).events)), facts, lesson.name);
    // Twelve sandboxes are opened at the same time. That is not the lesson's time.
    const times = events.map(({ at }) => at);
    const took = Math.max(...times) - Math.min(...times);
    assert(took < LIMIT_MS * 1000, `${lesson.name} took ${took} µs`);
  }
}, { skip: whyNotInside, timeoutMs: 40_000 });

test(
  "the lessons as any user may play them establish what can be seen without packets",
  async () => {
    const before = openSockets();
    for (const told of await Promise.all(LESSONS.map((lesson) => play(lesson, "T0")))) {
      const { lesson, events } = told;
      assertFacts(lesson.name, "T0", lesson.facts(new Seen(events)));
      assert(events.every(({ type }) => type !== "packet"));
    }
    assertEquals(openSockets(), before, "all descriptors are given back");
  },
  { skip, timeoutMs: 40_000 },
);

test("every lesson asks one question, and its text fits into 80 columns", () => {
  for (const lesson of LESSONS) {
    const { name, question: text, answers, right, why } = lesson;
    assertMatch(name, /^[a-z-]+$/);
    assertMatch(text, /\?$/);
    assertEquals(new Set(answers).size, 3);
    assert(answers[right - 1] !== undefined);
    assertMatch(why, /section|listen\(2\)|tcp\(7\)|ip\(7\)/);
    const drawing = new LessonText(lesson, 200);
    const lines = [
      ...drawing.draw({ type: "question", at: 0, lesson: name, text, answers }),
      ...drawing.draw({ type: "result", at: 1, right, why }),
    ];
    for (const line of lines) assert(line.length <= 80, line);
    const wrong = drawing.draw({ type: "result", at: 1, given: right % 3 + 1, right, why }).join(
      " ",
    );
    assertStringIncludes(wrong, `Your answer was ${right % 3 + 1}, but ${right} is right.`);
    const good = drawing.draw({ type: "result", at: 1, given: right, right, why }).join(" ");
    assertStringIncludes(good, `Your answer ${right} is right.`);
  }
}, { pure: true });

test("the lessons are drawn in 80 columns", async () => {
  for (const { lesson, events } of await playedInside()) {
    const text = new LessonText(lesson, 80);
    for (const event of events) {
      for (const line of text.draw(event)) assert(line.length <= 80, `${lesson.name}: ${line}`);
    }
  }
}, { skip: whyNotInside });

/** The pages that show outputs of lessons. */
const PAGES = ["handshake", "closing", "backlog"].map((name) => ({
  name,
  text: readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), "utf8"),
}));

/**
 * A line without its figures, and without a state that was left at once. On a busy machine nobody looks
 * before the first segment is sent again.
 */
function inKind(line: string): string {
  return line
    .replaceAll(/\d[\d.]*/g, "N")
    .replace(/ is in \w+ → /, " is in ")
    .replace(/( is in SYN_SENT), N retransmissions?$/, "$1")
    .replaceAll(/─+/g, "─")
    .replaceAll(/ +/g, " ");
}

/** Lines of sentences are joined: where they break depends on the figures in them. */
function paragraphsIn(lines: readonly string[]): string[] {
  const isSentence = (line = "") => line !== "" && line !== "…" && !line.startsWith(" ");
  const found: string[] = [];
  lines.forEach((line, index) => {
    if (isSentence(line) && isSentence(lines[index - 1])) found.push(`${found.pop()} ${line}`);
    else if (line !== "" && line !== "…") found.push(line);
  });
  return found;
}

test(
  "the pages on the handshake, closing and the accept queue show what the lessons print",
  async () => {
    const blocks = PAGES.flatMap(({ text }) => [
      ...text.matchAll(
        /^```console (\S+)\n\$ deno run -A lab\/observe\.ts lesson (\S+)\n((?:.*\n)*?)```$/gm,
      ),
    ]);
    assertEquals(
      blocks.map(([, name]) => name),
      ["handshake", "why-three", "retries", "close", "states", "reset", "backlog", "syn-cookies"],
    );
    for (const [, name = "", typed, printed = ""] of blocks) {
      assertEquals(name, typed);
      const { lesson, tier, events } = (await playedInside())
        .find((told) => told.lesson.name === name) as Told;
      const text = new LessonText(lesson, 80);
      const { question, answers, right, why } = lesson;
      const all: Event[] = [
        { type: "question", at: 0, lesson: name, text: question, answers },
        ...events,
        ...lesson.facts(new Seen(events)).map((fact) =>
          ({ type: "fact", at: 0, ...fact }) as Event
        ),
        { type: "result", at: 0, right, why },
      ];
      const shown = all.flatMap((event) => [...text.draw(event), "", ...text.table(), ""]);
      const lines = new Set(paragraphsIn([TIER_WORDS[tier], "", ...shown]).map(inKind));
      for (const line of paragraphsIn(printed.split("\n")).map(inKind)) {
        assert(lines.has(line), `${name} prints: ${line}\nbut: ${[...lines].join("\n")}`);
      }
    }
  },
  {
    skip: whyNotInside ??
      (synSchedule().endsAtS === 131 ? undefined : "the pages show Linux as it is delivered"),
  },
);

test("the links of these pages lead somewhere, and what they name exists", () => {
  for (const { name, text } of PAGES) {
    for (const [, link = ""] of text.matchAll(/\]\(([^)#]+)/g)) {
      assert(existsSync(new URL(`../../docs/${link}`, import.meta.url)), `${name}: ${link}`);
    }
    for (const [, lesson = ""] of text.matchAll(/`observe lesson ([a-z-]+)`/g)) {
      assert(lessonOf(lesson) !== undefined, `${name}: ${lesson}`);
    }
  }
});

test("settings are changed in a network of one's own only", () => {
  const { signal } = new AbortController();
  const options = { beganUs: 0, pauseMs: 0, signal, tell: () => {}, outside: networkName() };
  const setting = "tcp_syn_retries";
  for (const tier of ["T0", "T2"] as const) {
    using stage = new Stage({ ...options, tier });
    const before = stage.setting(setting);
    assertEquals(stage.isOwn, false);
    assertThrows(() => stage.set(setting, 1), Error, "not the lesson's own");
    assertEquals(stage.setting(setting), before);
  }
}, { skip });

test("a lesson that is ended early stops at once, and leaves nothing open", async () => {
  const before = openSockets();
  const ending = new AbortController();
  const events: Event[] = [];
  const lesson = lessonOf("keepalive") as Lesson;
  const performance = {
    beganUs: Math.floor(nowUs()),
    pauseMs: 0,
    signal: ending.signal,
    tell: (event: Event) => {
      events.push(event);
      if (event.type === "call") ending.abort();
    },
  };
  await assertRejects(() => performHere(lesson, "T0", performance), InterruptedError);
  assertEquals(openSockets(), before);
}, { skip });

test("observe lesson lists the lessons, and guesses what was meant", async () => {
  await using listing = new Program(commandOf("lab/observe.ts", ["lesson"]));
  await using typo = new Program(commandOf("lab/observe.ts", ["lesson", "handshak"]));
  const { code, stdout } = await listing.end();
  assertEquals(code, 0);
  for (const { name, summary } of LESSONS) assertStringIncludes(stdout, `  ${name} `, summary);
  const wrong = await typo.end();
  assertEquals(wrong.code, 2);
  assertMatch(
    wrong.stderr,
    /^observe: there is no lesson "handshak": did you mean handshake\?/,
  );
}, { skip });

test("observe lesson asks, compares the answer, and records what replay shows again", async () => {
  using folder = new Folder();
  const file = folder.path("lesson.jsonl");
  const flags = ["why-three", "--ask", "--json", "--record", file];
  await using program = new Program(commandOf("lab/observe.ts", ["lesson", ...flags]), {
    input: "perhaps\n3\n",
  });
  const { code, stdout, stderr } = await program.end();
  assertEquals([code, stderr], [0, ""]);
  const printed = readRecording(stdout, "standard output");
  assert(printed.isFinished);
  const saved = readStrictly(file);
  assertEquals(
    saved.events.filter(({ type }) => type !== "end"),
    printed.events.filter(({ type }) => type !== "end"),
  );
  const [question] = eventsOf(saved, "question");
  assertEquals(question?.lesson, "why-three");
  const [result] = eventsOf(saved, "result");
  assertEquals([result?.given, result?.right], [3, 2]);
  const lesson = lessonOf("why-three") as Lesson;
  const facts = eventsOf(saved, "fact").map(({ about, value }) => [about, value]);
  assertEquals(
    facts,
    lesson.facts(new Seen(saved.events)).map(({ about, value }) => [about, value]),
  );
  await using again = new Program(commandOf("lab/observe.ts", ["replay", file]));
  const replayed = (await again.end()).stdout;
  assertStringIncludes(replayed, "fact: server, states SYN_RECV → ESTABLISHED");
  assertStringIncludes(replayed, "answer 2 is right, not 3: ");
  assertMatch(replayed, /server \S+ accept: EAGAIN/);
}, { skip });

test("an answer may come from a pipe, and the end of its line may be missing", async () => {
  const inputs = ["2", "perhaps\n2\n", ""];
  const endings = await Promise.all(inputs.map(async (input) => {
    await using program = new Program(commandOf("lab/observe.ts", ["lesson", "close", "--ask"]), {
      input,
    });
    return await program.end();
  }));
  const prompt = "Your answer (1, 2 or 3; Enter to see it without one): ";
  for (const [index, { code, stdout, stderr }] of endings.entries()) {
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(
      stdout,
      inputs[index] === "" ? "\nAnswer 2 is right." : "\nYour answer 2 is right.",
    );
    // Nobody has typed the ends of these lines, so the program writes them.
    const prompts = stdout.split("\n").filter((line) => line.includes("Enter to see it"));
    assertEquals(prompts, inputs[index]?.includes("perhaps") ? [prompt, prompt] : [prompt]);
  }
}, { skip });

test("a lesson that nobody reads any more ends, unless it is recorded", async () => {
  using folder = new Folder();
  const file = folder.path("lesson.jsonl");
  // Where no `unshare` is found, it waits for the second SYN and then is over.
  const environment = { ...process.env, PATH: folder.path("nothing") };
  const readOnce = (flags: readonly string[]) =>
    new Program([
      "/bin/sh",
      "-c",
      '"$@" | { read -r line && echo "$line"; }',
      "sh",
      ...commandOf("lab/observe.ts", ["lesson", "retries", ...flags]),
    ], { environment });
  await using recorded = readOnce(["--json", "--record", file]);
  // The kernel sends no second SYN before a second has passed. On a busy machine the end comes late too, but
  // not each time.
  for (let isEarly = false, tries = 1; !isEarly; tries++) {
    await using unread = readOnce(["--json"]);
    await unread.printed('"type":"recording"');
    const begunAt = performance.now();
    const { stdout, stderr } = await unread.end();
    isEarly = performance.now() - begunAt < 1_000;
    assertEquals([stdout.trim().split("\n").length, stderr], [1, ""]);
    assert(isEarly || tries < 10, "the lesson that nobody reads ends early");
  }
  assertEquals((await recorded.end()).stderr, "");
  const { events, isFinished } = readStrictly(file);
  assert(isFinished);
  assert(events.some(({ type }) => type === "result"));
  const note = events.find(({ type }) => type === "note");
  assertStringIncludes(JSON.stringify(note), "The counters are the machine's");
}, { skip });

/** The processes that play a lesson for a process. */
function actorsOf(pid: number): string[] {
  return readdirSync("/proc").filter((name) => {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      return words.includes("inside") && words.includes(String(pid));
    } catch {
      return false;
    }
  });
}

test("Ctrl-C ends a lesson within its waits, and its sandbox with it", async () => {
  await using program = new Program(commandOf("lab/observe.ts", ["lesson", "retries", "--json"]));
  await program.printed('"state":"SYN_SENT"');
  assert(whyNotInside !== undefined || actorsOf(program.pid).length > 0);
  program.signal("SIGINT");
  const { code } = await program.end();
  assertEquals(code, 130);
  await until("the end of the sandbox", () => actorsOf(program.pid).length === 0);
}, { skip });

test(
  "on a terminal a lesson asks, draws its table again in place, and ends at Ctrl-C",
  async () => {
    await using terminal = await Terminal.open("lab/observe.ts", ["lesson", "states"]);
    await terminal.shows("Your answer (1, 2 or 3; Enter to see it without one):");
    await terminal.press("1", "Enter");
    const text = await terminal.shows(/SYN_RECV +TCP_DEFER_ACCEPT waits for data/);
    assertEquals(text.match(/its SYN is dropped/g)?.length, 1, text);
    await terminal.press("C-c");
    assertEquals(await terminal.end(), 130);
  },
  { skip: skip ?? whyNoTerminal },
);
