/**
 * The quiz: every question is decided for real, in the sandbox, without it and by servers, and the
 * command asks, listens, counts and ends as it should.
 *
 * @module
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { InterruptedError } from "../../engine/dial/failures.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import form from "../../docs/quiz.schema.json" with { type: "json" };
import type { Event, Header } from "../../engine/recording/events.ts";
import { readRecording } from "../../engine/recording/read_recording.ts";
import { nowUs } from "../../engine/values/moment.ts";
import { whyNoSandbox } from "../../lab/observe/sandbox.ts";
import { PROMPT } from "../../lab/observe/stage/answers.ts";
import { performHere } from "../../lab/observe/stage/perform.ts";
import { order } from "../../lab/observe/stage/seen.ts";
import { whyNoMode } from "../../lab/mode_command.ts";
import { questionOf, QUESTIONS } from "../../lab/quiz/catalogue.ts";
import { Found, said } from "../../lab/quiz/found.ts";
import { type Finding, Laboratory } from "../../lab/quiz/laboratory.ts";
import { playOf, type Question, type SocketQuestion, TOPICS } from "../../lab/quiz/question.ts";
import { QuizRecording } from "../../lab/quiz/quiz_recording.ts";
import { judge, lineOf, type RoundLine, scoreOf } from "../../lab/quiz/score.ts";
import { QuestionText } from "../../lab/quiz/text.ts";
import { QuizServers } from "../../lab/quiz_servers.ts";
import type { Screen } from "../../lab/report/screen.ts";
import { threeClients } from "../../lab/simulator/clients.ts";
import { simulate } from "../../lab/simulator/simulate.ts";
import { LESSONS } from "../../site/pages.ts";
import { Folder } from "../kit/folder.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  test,
  until,
} from "../kit/harness.ts";
import { HEADER } from "../kit/recordings.ts";
import { linesBy } from "../kit/json_lines.ts";
import { commandOf, Program } from "../kit/server_process.ts";
import { Terminal, whyNoTerminal } from "../kit/terminal.ts";

const SCRIPT = "lab/quiz.ts";
const skip = whyNoKernel();
const refusal = skip === undefined ? await whyNoSandbox() : undefined;
const whyNotInside = skip ?? refusal?.sentence;
if (whyNotInside !== undefined) console.log(`skipped in part: ${whyNotInside}`);

/** A screen of a usual width, without colours. */
const SCREEN: Screen = {
  isTerminal: false,
  hasColours: false,
  columns: () => 80,
  write: () => {},
};

const PAGE = readFileSync(new URL("../../docs/quiz.md", import.meta.url), "utf8");

const onSockets = QUESTIONS.filter((question): question is SocketQuestion =>
  question.on === "sockets"
);

/** A question that was decided: what was found, and what was drawn of it. */
interface Decided {
  readonly question: Question;
  readonly finding: Finding;
  readonly drawn: readonly string[];
}

/** Decides questions, one after another. */
async function decide(questions: readonly Question[]): Promise<readonly Decided[]> {
  const { signal } = new AbortController();
  using servers = new QuizServers(signal);
  await using laboratory = new Laboratory({ servers, signal });
  const decided: Decided[] = [];
  for (const question of questions) {
    const text = new QuestionText(question, SCREEN);
    const drawn = text.ask(1, 1);
    const finding = await laboratory.find(question, (event) => drawn.push(...text.see(event)));
    drawn.push(...text.judge(judge(question, finding, 1)));
    decided.push({ question, finding, drawn });
  }
  return decided;
}

/** What was found, if a test fails. */
function shown({ question: { id }, finding }: Decided): string {
  return `${id}: ${finding.whyNot ?? JSON.stringify(finding.facts)}`;
}

test("the questions are whole: three answers each, sources, and names of their own", () => {
  const lessons = LESSONS.map(({ title }) => title);
  assertEquals(QUESTIONS.length, 40);
  assertEquals(new Set(QUESTIONS.map(({ id }) => id)).size, QUESTIONS.length);
  assertEquals([...new Set(QUESTIONS.map(({ topic }) => topic))], [...TOPICS]);
  for (const question of QUESTIONS) {
    const { id, text, answers, book, why, sources } = question;
    assertMatch(id, /^[a-z0-9]+(-[a-z0-9]+)*$/);
    assert(!TOPICS.some((topic) => topic === id), "a topic is no question");
    assertMatch(text, /\?$/, id);
    assertMatch(why, /\.$/, id);
    assertEquals(new Set(answers).size, 3, id);
    assert([1, 2, 3].includes(book), id);
    assert(sources.every((source) => source !== "" && !source.endsWith(".")), id);
    for (const source of sources) {
      // Who has the executable and the lessons has no other text of ours.
      assert(!/\.md\b|README/.test(source), `${id}: ${source}`);
      const [, lesson] = /^the lesson "(.+)"$/.exec(source) ?? [];
      if (lesson !== undefined) assert(lessons.includes(lesson), `${id}: ${source}`);
    }
  }
  // Nobody wins by giving the same answer to all of them.
  for (const choice of [1, 2, 3] as const) {
    assert(QUESTIONS.filter(({ book }) => book === choice).length <= QUESTIONS.length * 0.75);
  }
});

test("what a run shows decides every question about sockets, in the sandbox", async () => {
  // Two sandboxes at a time: most of the time they wait for the kernel's clocks.
  const halves = [0, 1].map((half) => onSockets.filter((_, place) => place % 2 === half));
  const decided = (await Promise.all(halves.map(decide))).flat();
  assertEquals(decided.length, onSockets.length);
  for (const each of decided) {
    const { question, finding, drawn } = each;
    assertEquals([finding.place, finding.shown], ["sandbox", question.book], shown(each));
    for (const line of drawn) assert(line.length <= 80, line);
    assertMatch(drawn.join("\n"), /What was seen:/, question.id);
  }
  const [, block = ""] = /^```console quiz\n(.*?)^```$/ms.exec(PAGE) ?? [];
  const isDrawn = (line: string) => !/^(\$|Score: )/.test(line) && line !== PROMPT.trim();
  const example = block.trimEnd().split("\n").filter(isDrawn).join("\n").trim();
  const { drawn = [] } = decided.find(({ question }) => question.id === "recv-returns-zero") ?? {};
  const inKind = (text: string) => text.replaceAll(/^ *[\d.]+ ms/gm, "N ms");
  assertEquals(inKind(example), inKind(drawn.join("\n")));
}, { skip: whyNotInside, timeoutMs: 60_000 });

test("the same is shown without a sandbox, wherever that is enough", async () => {
  const { signal } = new AbortController();
  const enough = onSockets.filter(({ needsOwnNetwork }) => needsOwnNetwork !== true);
  const halves = [0, 1].map((half) => enough.filter((_, place) => place % 2 === half));
  await Promise.all(halves.map(async (questions) => {
    for (const question of questions) {
      const events: Event[] = [];
      const tell = (event: Event) => void events.push(event);
      await performHere(playOf(question), "T0", { beganUs: 0, pauseMs: 0, signal, tell });
      const facts = events.filter((event) => event.type === "fact");
      const found = question.decide(new Found(facts));
      assertEquals(found, question.book, `${question.id}: ${JSON.stringify(facts)}`);
    }
  }));
}, { skip, timeoutMs: 60_000 });

/** The servers of every day; with LONG_TESTS=1 all questions about servers are decided. */
const DAILY = ["where-they-wait", "off-loading-to-one", "process-that-dies"];
const IS_LONG = process.env.LONG_TESTS === "1";

/** Whether the experiment is done here and today. */
function isToday(question: Question): boolean {
  if (question.on !== "servers") return question.on !== "sockets";
  const isHere = question.modes.every((mode) => whyNoMode(mode) === undefined);
  return isHere && (IS_LONG || DAILY.includes(question.id));
}

test("servers, the simulator and this process decide the others", async () => {
  const others = QUESTIONS.filter(isToday);
  assert(others.length >= DAILY.length, "there are some");
  const decided = await decide(others);
  for (const each of decided) {
    const { question, finding, drawn } = each;
    assertEquals([finding.place, finding.shown], [question.on, question.book], shown(each));
    for (const line of drawn) assert(line.length <= 80, line);
  }
}, { skip, timeoutMs: 90_000 });

test("in which order a client that was held up finds its answers decides nothing", () => {
  const { decide } = questionOf("off-loading-to-one") as Question;
  const found = (answers: string[], results: string[]) =>
    new Found([
      order("the answers came in this order", answers),
      order("what was computed was done in this order", results),
    ]);
  // It has found all of them at once, and the last one first.
  assertEquals(
    decide(found(["echo", "small prime", "long prime"], ["long prime", "small prime"])),
    2,
  );
  assertEquals(
    decide(found(["echo", "long prime", "small prime"], ["small prime", "long prime"])),
    3,
  );
  assertEquals(decide(found(["echo", "long prime", "small prime"], ["long prime"])), undefined);
});

test("the page on the quiz lists its questions and where their answers come from", () => {
  const rows = PAGE.split("\n").filter((line) => line.startsWith("| `"))
    .map((line) => line.replaceAll(/ +/g, " ").trim());
  for (const { id, text, sources } of QUESTIONS) {
    const row = `| \`${id}\` | ${text} | ${sources.join("; ")} |`;
    assert(rows.includes(row), row);
  }
});

/** What an experiment has found that was done, or not. */
const DONE: Finding = { place: "here", whyNot: undefined, facts: [], shown: 2 };
const UNDONE: Finding = { place: undefined, whyNot: "it cannot", facts: [], shown: undefined };

test("a wrong bet is counted as one, and what was not run is counted apart", () => {
  const question = QUESTIONS.find(({ book }) => book === 2) as Question;
  const rounds = [
    judge(question, DONE, 2),
    judge(question, DONE, 1),
    judge(question, DONE, undefined),
    judge(question, UNDONE, 2),
    judge(question, UNDONE, 3),
  ];
  assertEquals(rounds.map(({ standing, right }) => [standing, right]), [
    ["won", 2],
    ["lost", 2],
    ["no bet", 2],
    ["won", 2],
    ["lost", 2],
  ]);
  assertEquals(scoreOf(rounds), [
    "Score: 1 of 2 right, decided by what was run.",
    "1 of 2 right by the book alone: they could not be run here.",
    "1 without a bet.",
  ]);
  const drawn = (place: number) => {
    const round = rounds[place] as (typeof rounds)[number];
    return new QuestionText(question, SCREEN).judge(round).join("\n");
  };
  assertMatch(drawn(0), /^\nYour answer 2 is right\./);
  assertMatch(drawn(1), /^\nYour answer was 1, but 2 is right\./);
  assertMatch(drawn(2), /^\nAnswer 2 is right\./);
  assertMatch(
    drawn(3),
    /^\nNot run here: it cannot\. So the book alone decides\.\n\nYour answer 2 /,
  );
});

test("an experiment that contradicts the book is told, and counts nothing", async () => {
  const { signal } = new AbortController();
  using servers = new QuizServers(signal);
  await using laboratory = new Laboratory({ servers, signal });
  const questions: Question[] = [1, 3].map((book) => ({
    ...questionOf("threads-and-cores") as Question,
    book: book as 1 | 3,
  }));
  // A fact that no answer speaks of.
  questions.push({
    ...questions[0] as Question,
    on: "simulator",
    run: () => [said("threads", "none")],
  });
  const rounds = [];
  for (const question of questions) {
    const finding = await laboratory.find(question, () => {});
    rounds.push(judge(question, finding, 2));
  }
  assertEquals(rounds.map(({ standing }) => standing), Array(3).fill("contradicted"));
  assertEquals(scoreOf(rounds), [
    "Score: no bet was counted.",
    "3 not counted: the run and the book disagree.",
  ]);
  const drawn = rounds.map((round) => new QuestionText(round.question, SCREEN).judge(round));
  const told = (lines: readonly string[] = []) => lines.join(" ").trim();
  assertMatch(
    told(drawn[0]),
    /^The run shows answer 2, and the book says 1\. This question is not /,
  );
  assertMatch(told(drawn[2]), /^The run shows none of these answers, and the book says 1\./);
  const line = lineOf(rounds[0] as (typeof rounds)[number]);
  assertEquals([line.bet, line.right, line.won, line.book, line.shown], [2, null, null, 1, 2]);
});

test(
  "an experiment that fails is a reason why it was not done, and an interruption is not",
  async () => {
    const ending = new AbortController();
    const { signal } = ending;
    using servers = new QuizServers(signal);
    await using laboratory = new Laboratory({ servers, signal });
    const broken: Question = {
      ...questionOf("threads-and-cores") as Question,
      on: "process",
      run: () => Promise.reject(new Error("Cannot do it: it is broken")),
    };
    const finding = await laboratory.find(broken, () => {});
    assertEquals(
      [finding.place, finding.whyNot],
      [undefined, "the experiment has failed (Cannot do it: it is broken)"],
    );
    assertEquals(judge(broken, finding, 2).standing, "won");
    ending.abort();
    await assertRejects(() => laboratory.find(broken, () => {}), InterruptedError);
  },
  { skip },
);

/** Questions that take no time. */
const QUICK = ["threads-and-cores", "longer-queue"];

/** Runs the quiz, and waits for its end. */
async function quiz(
  args: readonly string[],
  options: ConstructorParameters<typeof Program>[1] = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  await using program = new Program(commandOf(SCRIPT, args), options);
  return await program.end(60_000);
}

/** The lines of an output. Each is as `docs/quiz.schema.json` says. */
const linesIn = linesBy(form) as unknown as (stdout: string) => RoundLine[];

test(
  "answers come from a flag or from a pipe, and programs get a line for each question",
  async () => {
    using folder = new Folder();
    const file = folder.path("quiz.jsonl");
    const [flag, pipe, none] = await Promise.all([
      quiz([
        "--json",
        "--record",
        file,
        ...["--only", "recv-returns-zero,longer-queue", "--answers", "2,1"],
      ]),
      // What is no answer is asked for again. The last line may lack its end.
      quiz(["--only", QUICK[0] as string, QUICK[1] as string], { input: "5\nperhaps\n2\nB" }),
      quiz(["--only", QUICK.join(","), "--no-ask"]),
    ]);
    assertEquals([flag.code, flag.stderr], [0, ""]);
    const lines = linesIn(flag.stdout);
    const first = lines[0] as RoundLine;
    assertEquals(lines.map(({ id }) => id), ["recv-returns-zero", "longer-queue"]);
    assertEquals(lines.map(({ bet, right, won }) => [bet, right, won]), [[2, 2, true], [
      1,
      2,
      false,
    ]]);
    assertEquals(Object.keys(first), [
      "id",
      "topic",
      "question",
      "answers",
      "bet",
      "right",
      "won",
      "book",
      "shown",
      "run",
      "why_not",
      "seen",
      "why",
      "source",
    ]);
    const kept = readRecording(readFileSync(file, "utf8"), file);
    assertEquals([kept.header.by, kept.isFinished], ["quiz", true]);
    assertEquals(summaryOf(kept.events), [
      "recv-returns-zero?",
      "given 2, right 2",
      "longer-queue?",
      "given 1, right 2",
      "Score: 1 of 2 right, decided by what was run.",
    ]);
    // What was seen is there, in the time of the recording.
    const calls = kept.events.filter(({ type }) => type === "call");
    assert(calls.length >= 5, `${calls.length} calls`);
    const fact = kept.events.find(({ type }) => type === "fact");
    assert((fact?.at ?? 0) >= (calls.at(-1)?.at ?? Infinity), "the facts follow");
    await using replay = new Program(commandOf("lab/observe.ts", ["replay", file]));
    const shown = await replay.end();
    assertEquals([shown.code, shown.stderr], [0, ""]);
    assertStringIncludes(shown.stdout, "ECONNRESET");
    const isInside = whyNotInside === undefined;
    assertEquals([first.run, first.why_not], [isInside ? "sandbox" : "here", null]);
    assertEquals(first.seen.map(({ value }) => value), [["EAGAIN"], ["0"], ["ECONNRESET"]]);
    assertEquals([pipe.code, pipe.stderr], [0, ""]);
    assertEquals(pipe.stdout.split(PROMPT).length - 1, 4);
    assertMatch(pipe.stdout, /^1 of 2: threads-and-cores \(models\)\n/);
    assertMatch(pipe.stdout, /\nScore: 2 of 2 right, decided by what was run\.\n$/);
    assertEquals(none.stdout.split(PROMPT).length, 1);
    assertMatch(
      none.stdout,
      /\nScore: no bet was counted\. 2 without a bet\.\n$/,
    );
  },
  { skip, timeoutMs: 60_000 },
);

/** The questions of a recording, their results, and what was told at the end. */
function summaryOf(events: readonly Event[]): string[] {
  return events.flatMap((event) =>
    event.type === "question"
      ? [`${event.lesson}?`]
      : event.type === "result"
      ? [`given ${event.given}, right ${event.right}`]
      : event.type === "note"
      ? [event.text]
      : []
  );
}

test("what a quiz records of a server has all its times on the quiz's clock", () => {
  using folder = new Folder();
  const file = folder.path("quiz.jsonl");
  const [A, B] = ["127.0.0.1:1", "127.0.0.1:80"];
  const header: Header = { ...HEADER, by: "sequential" };
  {
    using recording = new QuizRecording(file);
    const serverBeganUs = Math.floor(nowUs()) + 1_000_000;
    recording.add({
      header: { ...header, began_us: serverBeganUs },
      events: [
        { type: "begun", at: 60, connection: 1, peer: A, connected: 20 },
        { type: "client", at: 10, peer: A, connected: 30, to: 90 },
        { type: "span", at: 61, to: 80, name: "computing", thread: 1, connection: 1 },
        {
          type: "packet",
          at: 5,
          arrived: 6,
          from: A,
          to: B,
          flags: "S",
          seq: 1,
          window: 1,
          length: 0,
        },
      ],
    });
  }
  const { header: { began_us }, events } = readRecording(readFileSync(file, "utf8"), file);
  assert(began_us > 0);
  const note = events.find((event) => event.type === "note")?.at ?? NaN;
  const times = events.flatMap((event) => {
    const { at, to, connected, arrived } = event as Event & Record<string, unknown>;
    return event.type === "note" || event.type === "end" ? [] : [[
      event.type,
      ...[at, to, connected, arrived].map((us) => typeof us === "number" ? us - note : us),
    ]];
  });
  assertEquals(times, [
    ["packet", 5, B, undefined, 6],
    ["client", 10, 90, 30, undefined],
    ["begun", 60, undefined, 20, undefined],
    ["span", 61, 80, undefined, undefined],
  ]);
});

test("a quiz records its servers one after the other, and tells what was not counted", () => {
  using folder = new Folder();
  const file = folder.path("quiz.jsonl");
  const question = questionOf("longer-queue") as Question;
  using recording = new QuizRecording(file);
  recording.ask(question);
  for (const mode of ["sequential", "event"] as const) {
    const [header, ...events] = simulate({ mode, protocol: "frame", clients: threeClients() })
      .recording as [Header, ...Event[]];
    recording.add({ header: { ...header, by: mode, began_us: Math.floor(nowUs()) }, events });
  }
  const disagrees: Finding = { ...DONE, shown: question.book === 1 ? 3 : 1 };
  recording.answer(judge(question, disagrees, 2));
  recording.answer(judge(question, UNDONE, question.book));
  recording.finish();
  // Each line is read by the schema of recordings.
  const { events, isFinished } = readRecording(readFileSync(file, "utf8"), file);
  assert(isFinished);
  const { book } = question;
  assertEquals(summaryOf(events), [
    "longer-queue?",
    "a server: sequential",
    "a server: event",
    `answer 2 was given; the run shows answer ${disagrees.shown}, and the book says ${book}: not counted`,
    "not run: it cannot",
    `given ${book}, right ${book}`,
    "Score: 1 of 1 right by the book alone: they could not be run here. 1 not counted: the run and " +
    "the book disagree.",
  ]);
  const begun = events.filter((event) => event.type === "begun");
  // The two simulated servers have run at the same time.
  assertEquals(begun.map(({ connection }) => connection).toSorted(), [1, 2, 3, 4, 5, 6]);
  const threads = events.filter((event) => event.type === "thread");
  assertEquals(new Set(threads.map(({ thread }) => thread)).size, threads.length);
});

test("the end of the input ends the quiz, and a reader who has gone does too", async () => {
  const [empty, short, unread] = await Promise.all([
    quiz(["--only", QUICK.join(",")]),
    quiz(["--only", QUICK.join(","), "--answers", "-"]),
    headOf("--no-ask", "--only", [...QUICK, "single-threaded"].join(",")),
  ]);
  assertEquals([empty.code, empty.stderr], [0, ""]);
  assertMatch(empty.stdout, /\nNothing was asked\.\n$/);
  assertEquals(short.code, 0);
  assertMatch(
    short.stdout,
    /\nScore: no bet was counted\. 1 without a bet\.\n$/,
  );
  assertEquals([unread.stdout.split("\n").length - 1, unread.stderr], [1, "status 0\n"]);
}, { skip, timeoutMs: 60_000 });

/** The first line of the quiz, whose reader then goes. */
async function headOf(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const command = commandOf(SCRIPT, args);
  const script = '("$@"; echo "status $?" >&2) | head -1';
  await using program = new Program(["sh", "-c", script, "sh", ...command]);
  return await program.end(60_000);
}

test("questions are listed, chosen and mixed, and what there is not is guessed", async () => {
  const [list, mixed, again, typo, many, wrong, kept] = await Promise.all([
    quiz(["--list"]),
    quiz(["--list", "--json", "--seed", "7", "closing", "--only", "cut-cable"]),
    quiz(["--list", "--json", "--seed", "7", "closing,cut-cable", "--count", "4"]),
    quiz(["--only", "close-wait-grow"]),
    quiz(["longer-queue", "--answers", "1,2"]),
    quiz(["longer-queue", "--answers", "4"]),
    quiz(["--list", "--record", "x"]),
  ]);
  assertEquals([list.code, list.stderr], [0, ""]);
  for (const { id } of QUESTIONS) assertStringIncludes(list.stdout, `\n  ${id}\n`);
  for (const line of list.stdout.split("\n")) assert(line.length <= 80, line);
  const wanted = QUESTIONS.filter(({ id, topic }) => topic === "closing" || id === "cut-cable");
  const order = linesIn(mixed.stdout).map(({ id }) => id);
  assertEquals(order.toSorted(), wanted.map(({ id }) => id).toSorted());
  assert(order.join() !== wanted.map(({ id }) => id).join(), "it is mixed");
  assertEquals(linesIn(again.stdout).map(({ id }) => id), order.slice(0, 4));
  assertEquals([typo.code, many.code, wrong.code, kept.code], [2, 2, 2, 2]);
  assertEquals(kept.stderr, "quiz: --list and --record exclude each other\n");
  assertMatch(
    typo.stderr,
    /^quiz: there is no question "close-wait-grow": did you mean close-wait-grows\? /,
  );
  assertEquals(many.stderr, "quiz: wrong value for --answers: 2 answers to 1 question\n");
  assertEquals(
    wrong.stderr,
    'quiz: wrong value for --answers: expected 1, 2, 3 or -, got "4"\n',
  );
});

test("what takes a network of one's own is asked all the same, and the book decides", async () => {
  using folder = new Folder();
  // Where no `unshare` is found, there is no sandbox.
  const environment = { ...process.env, PATH: folder.path("nothing") } as Record<string, string>;
  const ids = "ports-run-out,recv-returns-zero";
  const [text, json] = await Promise.all([
    quiz(["--only", ids, "--answers", "2,2"], { environment }),
    quiz(["--only", ids, "--answers", "1,2", "--json"], { environment }),
  ]);
  assertEquals([text.code, text.stderr], [0, ""]);
  assertMatch(
    text.stdout.replaceAll("\n", " "),
    / Not run here: it takes a network of its own, and .*unshare.* So the book alone decides\. /,
  );
  assertMatch(
    text.stdout.replaceAll("\n", " "),
    / Score: 1 of 1 right, decided by what was run\. 1 of 1 right by the book alone: they could not /,
  );
  const [zero, ports] = linesIn(json.stdout) as [RoundLine, RoundLine];
  assertEquals([zero.id, zero.bet, zero.run, zero.won], ["recv-returns-zero", 1, "here", false]);
  assertEquals([ports.run, ports.shown, ports.right, ports.won], [null, null, 2, true]);
  assertMatch(ports.why_not ?? "", /^it takes a network of its own, and /);
}, { skip, timeoutMs: 60_000 });

/** The processes of the sandbox of a process. */
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

test("Ctrl-C ends the quiz with the score so far, and leaves nothing behind", async () => {
  using folder = new Folder();
  const environment = { ...process.env, TMPDIR: folder.path("") } as Record<string, string>;
  const ids = "recv-returns-zero,forty-milliseconds";
  await using program = new Program(commandOf(SCRIPT, ["--only", ids]), { input: "open" });
  await program.printed(PROMPT);
  program.write("1\n1\n");
  await program.printed("with Nagle's algorithm");
  assert(whyNotInside !== undefined || actorsOf(program.pid).length > 0);
  program.signal("SIGINT");
  await using serving = new Program(commandOf(SCRIPT, ["where-they-wait", "--no-ask"]), {
    environment,
  });
  await until("a server that records", () => readdirSync(folder.path("")).length > 0);
  serving.signal("SIGTERM");
  const [first, second] = await Promise.all([program.end(), serving.end()]);
  assertEquals([first.code, first.stderr, second.code, second.stderr], [130, "", 130, ""]);
  assertMatch(first.stdout, /\nScore: 0 of 1 right, decided by what was run\.\n$/);
  await until("the end of the sandbox", () => actorsOf(program.pid).length === 0);
  assertEquals(readdirSync(folder.path("")), []);
}, { skip, timeoutMs: 60_000 });

test(
  "on a terminal the quiz asks, judges in colour or without, and ends at the end of the input",
  async () => {
    const play = async (environment: Record<string, string>) => {
      await using terminal = await Terminal.open(SCRIPT, ["--only", QUICK.join(",")], {
        environment,
        rows: 60,
      });
      await terminal.shows(PROMPT.trim());
      await terminal.press("x", "Enter", "1", "Enter");
      const text = await terminal.shows(/Your answer was 1, but 2 is right\.[^]*2 of 2: /);
      await terminal.press("C-d");
      await terminal.shows("Score: 0 of 1 right, decided by what was run.");
      assertEquals(await terminal.end(), 0);
      return text;
    };
    const [plain] = await Promise.all([play({ NO_COLOR: "1" }), play({})]);
    for (const line of plain.split("\n")) assert(line.length <= 80, line);
  },
  { skip: skip ?? whyNoTerminal, timeoutMs: 60_000 },
);
