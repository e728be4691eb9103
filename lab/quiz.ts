/**
 * A quiz on TCP and on the models of concurrency. It asks, takes a bet, and then does it: on real
 * sockets, with real servers, or in the simulator. What is seen decides, and a score is kept.
 *
 * @module
 */

import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun, programArguments } from "../engine/cli/invocation.ts";
import { integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { nearest } from "../engine/cli/suggestion.ts";
import { InterruptedError } from "../engine/dial/failures.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { labProgram, untilInterrupted } from "./lab_program.ts";
import { Random } from "./load/random.ts";
import { performInside } from "./observe/inside.ts";
import { LineOutput } from "./observe/line_output.ts";
import { INSIDE } from "./observe/sandbox.ts";
import { type Answer, Answers, parseAnswer } from "./observe/stage/answers.ts";
import { QUESTIONS } from "./quiz/catalogue.ts";
import { Laboratory, QUIZ_ROLE, QUIZ_SCRIPT, quizRole } from "./quiz/laboratory.ts";
import { type Choice, type Question, TOPICS } from "./quiz/question.ts";
import { QuizRecording } from "./quiz/quiz_recording.ts";
import { judge, lineOf, type Round, scoreOf } from "./quiz/score.ts";
import { QuestionText } from "./quiz/text.ts";
import { QuizServers } from "./quiz_servers.ts";
import { screenOf, wrap } from "./report/screen.ts";

/** The names by which questions can be chosen. */
const NAMES: readonly string[] = [...TOPICS, ...QUESTIONS.map(({ id }) => id)];

const SEED: Option<number> = integerOption("seed", {
  least: 0,
  most: 0xffff_ffff,
  default: 0,
  shown: "topic by topic",
  help: "ask in another order, the same for the same number",
});

const COUNT: Option<number> = integerOption("count", {
  least: 1,
  most: QUESTIONS.length,
  default: QUESTIONS.length,
  shown: "all",
  help: "ask no more questions than that",
});

const quizCommand = (): Command => ({
  name: "quiz",
  summary: "questions on TCP and on concurrency, decided by doing it",
  positionals: [],
  rest: {
    name: "id",
    kind: "string",
    suggestions: NAMES,
    help: "questions or topics to ask, as with --only",
  },
  flags: [
    { name: "list", kind: "boolean", help: "list the questions, and ask none" },
    {
      name: "only",
      kind: "string",
      value: "ID",
      repeats: true,
      suggestions: NAMES,
      help: "ask these questions or topics, with commas between them",
    },
    SEED,
    COUNT,
    {
      name: "answers",
      kind: "string",
      value: "N,N,...",
      help: "the answers, in order, with commas; - is none; the quiz ends after the last one",
    },
    { name: "no-ask", kind: "boolean", help: "ask nothing: show the answer to each question" },
    { name: "json", kind: "boolean", help: "print a line of JSON for each question" },
    {
      name: "record",
      kind: "string",
      value: "FILE",
      help: "keep the answers, the score and what was seen, for observe replay",
    },
  ],
  notes: [
    "The answer to a question is 1, 2 or 3. Enter shows it without a bet. At the end of the input " +
    "(Ctrl-D) the quiz ends, with the score.",
  ],
  example: formatRun(QUIZ_SCRIPT, "--only closing"),
});

/** Where the answers come from. */
interface Bets {
  /** The next one. */
  next(): Promise<Answer>;
}

async function quiz(values: Values, signal: AbortSignal): Promise<number> {
  const questions = chosen(values);
  const output = new LineOutput();
  const record = values.record as string | undefined;
  if (values.list === true) {
    if (record !== undefined) throw new UsageError("--list and --record exclude each other");
    await output.write(listed(questions, values.json === true));
    return EXIT_DONE;
  }
  const bets = betsOf(values, questions, signal);
  using recording = record === undefined ? undefined : new QuizRecording(record);
  using servers = new QuizServers(signal, (its) => recording?.add(its));
  const rounds: Round[] = [];
  const isJson = values.json === true;
  try {
    await using laboratory = new Laboratory({ servers, signal });
    await play({ questions, bets, laboratory, output, rounds, isJson, recording });
  } catch (error) {
    // The reader has gone while a prompt was written.
    if ((error as { code?: unknown }).code === "EPIPE") return EXIT_DONE;
    if (!signal.aborted && !(error instanceof InterruptedError)) throw error;
  }
  recording?.finish();
  if (isJson) return EXIT_DONE;
  const score = signal.aborted && rounds.length === 0 ? [] : scoreOf(rounds);
  // After an interruption a prompt stands there, or what a terminal shows of Ctrl-C.
  await output.write(["", ...score.length === 0 ? [] : wrap(score.join(" "), widthOf())]);
  return EXIT_DONE;
}

/** What a game is played with. */
interface Game {
  readonly questions: readonly Question[];
  readonly bets: Bets;
  readonly laboratory: Laboratory;
  readonly output: LineOutput;
  /** What was asked. */
  readonly rounds: Round[];
  readonly isJson: boolean;
  readonly recording: QuizRecording | undefined;
}

/** Asks one question after another, until there are no more of them, or no more answers. */
async function play(game: Game): Promise<void> {
  const { questions, bets, laboratory, output, rounds, isJson, recording } = game;
  const screen = screenOf("stdout");
  for (const [index, question] of questions.entries()) {
    const text = new QuestionText(question, screen);
    const say = (lines: readonly string[]) => isJson ? Promise.resolve() : output.write(lines);
    laboratory.prepare(question);
    if (index > 0) await say([""]);
    await say(text.ask(index + 1, questions.length));
    if (output.isGone) return;
    recording?.ask(question);
    const answer = await bets.next();
    if (answer === "end") return;
    // Each line is there when it happens, and in order.
    let said = Promise.resolve();
    const finding = await laboratory.find(question, (event, beganUs) => {
      recording?.see(event, beganUs);
      said = said.then(() => say(text.see(event)));
      // It is awaited below.
      said.catch(() => {});
    });
    await said;
    const round = judge(question, finding, answer === "none" ? undefined : answer as Choice);
    rounds.push(round);
    recording?.answer(round);
    await (isJson ? output.write([JSON.stringify(lineOf(round))]) : say(text.judge(round)));
    if (output.isGone) return;
  }
}

/** The questions that are wanted, in the order in which they are asked. */
function chosen(values: Values): readonly Question[] {
  const only = (values.only ?? []) as readonly string[];
  const named = [...only, ...(values.id ?? []) as readonly string[]]
    .flatMap((words) => words.split(",")).map((word) => word.trim()).filter((word) => word !== "");
  for (const name of named) {
    if (NAMES.includes(name)) continue;
    const meant = nearest(name, NAMES);
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new UsageError(
      `there is no question "${name}": ${hint}${formatRun(QUIZ_SCRIPT, "--list")} lists them`,
    );
  }
  const wanted = named.length === 0
    ? QUESTIONS
    : QUESTIONS.filter(({ id, topic }) => named.includes(id) || named.includes(topic));
  const seed = values.seed as number | undefined;
  const ordered = seed === undefined ? wanted : shuffled(wanted, SEED.read(seed));
  return ordered.slice(0, COUNT.read(values.count as number | undefined));
}

/** The same in another order, which a number decides (Fisher and Yates). */
function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  const chance = new Random(seed);
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = chance.between(0, last);
    [mixed[last], mixed[other]] = [mixed[other] as Item, mixed[last] as Item];
  }
  return mixed;
}

function betsOf(values: Values, questions: readonly Question[], signal: AbortSignal): Bets {
  const say = (text: string) => {
    if (values.json !== true) runtime.printNow("stdout", text);
  };
  if (values.noAsk === true) {
    if (values.answers !== undefined) {
      throw new UsageError("--answers and --no-ask exclude each other");
    }
    return {
      next() {
        say("\n");
        return Promise.resolve("none");
      },
    };
  }
  if (values.answers === undefined) return new Answers(say, signal);
  const given = readAnswers(values.answers as string, questions.length);
  return {
    next() {
      const answer = given.shift() ?? "end";
      if (typeof answer === "number") say(`Your answer: ${answer}\n`);
      return Promise.resolve(answer);
    },
  };
}

/** Reads a list of answers. */
function readAnswers(text: string, most: number): Answer[] {
  const answers = text.split(",").map((word) => {
    const answer = word.trim() === "-" ? "none" : parseAnswer(word);
    if (answer !== undefined) return answer;
    throw new UsageError(`wrong value for --answers: expected 1, 2, 3 or -, got "${word.trim()}"`);
  });
  if (answers.length <= most) return answers;
  const questions = most === 1 ? "1 question" : `${most} questions`;
  throw new UsageError(`wrong value for --answers: ${answers.length} answers to ${questions}`);
}

function listed(questions: readonly Question[], isJson: boolean): string[] {
  if (isJson) {
    return questions.map(({ id, topic, text, answers, book, why, sources }) =>
      JSON.stringify({ id, topic, question: text, answers, book, why, source: sources })
    );
  }
  const columns = widthOf();
  return questions.flatMap(({ id, topic, text }, index) => [
    ...topic === questions[index - 1]?.topic ? [] : [...index === 0 ? [] : [""], topic],
    `  ${id}`,
    ...wrap(text, columns - 6).map((line) => `      ${line}`),
  ]);
}

/** How wide text may be. */
function widthOf(): number {
  return Math.min(80, screenOf("stdout").columns());
}

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  const [first = "", ...rest] = programArguments();
  if (first === INSIDE) return await performInside(rest, { [QUIZ_ROLE]: quizRole });
  const values = readCommandLine(quizCommand());
  return await untilInterrupted("quiz", (signal) => quiz(values, signal));
}

/** The quiz as a command. */
export function program(): Program {
  return labProgram("quiz", quizCommand(), perform);
}

if (isMainModule(import.meta)) program().run();
