/**
 * `observe lesson NAME`: a question, a scenario that is played for real, and the answer.
 *
 * @module
 */

import { runtime } from "../../../engine/net/runtime.ts";
import { InterruptedError } from "../../../engine/dial/failures.ts";
import { EXIT_DONE, EXIT_SIGNALLED } from "../../../engine/cli/exit_status.ts";
import { type Flag, UsageError, type Values } from "../../../engine/cli/flags.ts";
import { formatRun } from "../../../engine/cli/invocation.ts";
import { formatRows } from "../../../engine/cli/layout.ts";
import { nearest } from "../../../engine/cli/suggestion.ts";
import { whyNoKernel } from "../../../engine/kernel/linux.ts";
import { onEndingSignal } from "../../../engine/process/ending_signals.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import { type Event, type Header, roundUs, type Tier } from "../../../engine/recording/events.ts";
import { makeHeader, RecordingFile } from "../../../engine/recording/recording_file.ts";
import { screenOf } from "../../report/screen.ts";
import { LineOutput } from "../line_output.ts";
import { Answers } from "../stage/answers.ts";
import { LessonText, TIER_WORDS } from "../stage/lesson_text.ts";
import type { Lesson } from "../stage/lesson.ts";
import { perform as performLesson } from "../stage/perform.ts";
import { Seen } from "../stage/seen.ts";
import { RECORD, SCRIPT, type Subcommand } from "../subcommand.ts";
import { lessonOf, LESSONS } from "./catalogue.ts";

/** The name of the command. */
const NAME = "observe lesson";

/** How long people have to read a hundred letters, in milliseconds. */
const PAUSE_MS = 1_400;

const FLAGS: readonly Flag[] = [
  { name: "list", kind: "boolean", help: "list the lessons, as without a name" },
  { name: "ask", kind: "boolean", default: "on a terminal", help: "ask the question first" },
  { name: "no-ask", kind: "boolean", help: "do not ask, and do not wait for readers" },
  { name: "json", kind: "boolean", help: "print the recording, and draw nothing" },
  RECORD,
];

/** `observe lesson`. */
export function lesson(): Subcommand {
  return {
    command: {
      name: NAME,
      summary: "a question about TCP, and the answer as the kernel gives it",
      positionals: [{
        name: "name",
        kind: "string",
        value: "NAME",
        suggestions: LESSONS.map(({ name }) => name),
        help: "the lesson; without it they are listed",
      }],
      flags: FLAGS,
      example: formatRun(SCRIPT, "lesson handshake"),
    },
    perform,
  };
}

async function perform(values: Values): Promise<number> {
  const name = values.name as string | undefined;
  if (values.ask === true && values.noAsk === true) {
    throw new UsageError("--ask and --no-ask exclude each other");
  }
  if (name === undefined || values.list === true) return await list();
  const found = lessonOf(name);
  if (found === undefined) {
    const meant = nearest(name, LESSONS.map((one) => one.name));
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new UsageError(`there is no lesson "${name}": ${hint}${formatRun(SCRIPT)} lists them`);
  }
  const why = whyNoKernel();
  if (why !== undefined) throw new Error(`Lessons need Linux with foreign functions: ${why}`);
  const ending = new AbortController();
  const forget = onEndingSignal(() => ending.abort());
  let isUnread = false;
  const leave = () => {
    isUnread = true;
    ending.abort();
  };
  try {
    await teach(found, values, { signal: ending.signal, leave });
    return EXIT_DONE;
  } catch (error) {
    if (!ending.signal.aborted && !(error instanceof InterruptedError)) throw error;
    if (isUnread) return EXIT_DONE;
    // The terminal has written ^C, or the prompt stands there.
    if (runtime.isTerminal("stdout")) await new LineOutput().write([""]);
    return EXIT_SIGNALLED;
  } finally {
    forget();
  }
}

async function list(): Promise<number> {
  const rows = LESSONS.map(({ name, summary }) => [`  ${name}`, summary] as const);
  await new LineOutput().write([
    "Lessons, each under 20 seconds:",
    ...formatRows(rows, runtime.columns("stdout")),
    "",
    `For instance: ${formatRun(SCRIPT, "handshake")}`,
  ]);
  return EXIT_DONE;
}

/** How a lesson ends early. */
interface Ending {
  /** Aborts when somebody wants it to end. */
  readonly signal: AbortSignal;
  /** Ends it because nobody reads it any more. */
  readonly leave: () => void;
}

/** Asks, performs, establishes the facts, and compares. */
async function teach(found: Lesson, values: Values, { signal, leave }: Ending): Promise<void> {
  const isTerminal = runtime.isTerminal("stdin") && runtime.isTerminal("stdout");
  const isForPeople = values.noAsk !== true && values.json !== true;
  const asks = values.ask === true || isTerminal && isForPeople;
  const account = new Account(found, values, leave);
  const { question: text, answers, right, why } = found;
  account.add({ type: "question", at: 0, lesson: found.name, text, answers });
  try {
    // The question comes before the prompt.
    await account.printed;
    const given = asks ? await ask(values, signal) : undefined;
    if (signal.aborted) throw new InterruptedError();
    await performLesson(found, {
      beganUs: account.beganUs,
      pauseMs: isTerminal && isForPeople ? PAUSE_MS : 0,
      signal,
      begin: (tier) => account.begin(tier),
      tell: (event) => account.add(event),
    });
    for (const fact of found.facts(new Seen(account.events))) {
      account.add({ type: "fact", at: account.now(), ...fact });
    }
    const answer = given === undefined ? {} : { given };
    account.add({ type: "result", at: account.now(), ...answer, right, why });
    await account.finish();
  } finally {
    account[Symbol.dispose]();
  }
}

/** Asks for the number of an answer. @returns `undefined` if there is none */
async function ask(values: Values, signal: AbortSignal): Promise<number | undefined> {
  const say = (text: string) => {
    if (values.json !== true) runtime.printNow("stdout", text);
  };
  const answer = await new Answers(say, signal).next();
  return typeof answer === "number" ? answer : undefined;
}

/** What is told of a lesson: printed, kept, and recorded. */
class Account implements Disposable {
  readonly beganUs = Math.floor(nowUs());
  readonly events: Event[] = [];
  readonly #by: string;
  readonly #path: string | undefined;
  readonly #isJson: boolean;
  /** Ends the lesson if nobody reads it any more. */
  readonly #leave: () => void;
  readonly #text: LessonText;
  /** Whether a table can be drawn again where it stands. */
  readonly #redraws: boolean;
  /** How many lines of a table stand at the end of what was printed. */
  #tableLines = 0;
  #tableText = "";
  readonly #output = new LineOutput();
  #printed: Promise<void> = Promise.resolve();
  #hasBegun = false;
  #recording: RecordingFile | undefined;

  constructor(found: Lesson, { record, json }: Values, leave: () => void) {
    this.#leave = leave;
    this.#by = `${NAME} ${found.name}`;
    this.#path = record as string | undefined;
    this.#isJson = json === true;
    this.#text = new LessonText(found, runtime.columns("stdout"));
    this.#redraws = !this.#isJson && screenOf("stdout").isTerminal;
  }

  /** The time since it began, in microseconds. */
  now(): number {
    return roundUs(nowUs() - this.beganUs);
  }

  /** Says which means there are. @throws {Error} if the recording cannot be written */
  begin(tier: Tier): void {
    const { beganUs } = this;
    if (this.#path !== undefined) {
      this.#recording = RecordingFile.create(this.#path, { by: this.#by, tier, beganUs });
    }
    const header: Header = makeHeader(this.#by, beganUs, tier);
    this.#print(this.#isJson ? [JSON.stringify(header)] : [TIER_WORDS[tier]]);
    // What was told before, the question, has been printed for people, but not for programs.
    for (const event of this.events) {
      this.#recording?.add(event);
      if (this.#isJson) this.#print([JSON.stringify(event)]);
    }
    this.#hasBegun = true;
  }

  /** Resolves when everything so far is printed. */
  get printed(): Promise<void> {
    return this.#printed;
  }

  /** Adds an event. */
  add(event: Event): void {
    this.events.push(event);
    if (this.#hasBegun) {
      this.#recording?.add(event);
      this.#recording?.flush();
    }
    if (!this.#isJson) this.#show(event);
    else if (this.#hasBegun) this.#print([JSON.stringify(event)]);
  }

  /** Nothing more will come. @throws {Error} if something could not be written */
  async finish(): Promise<void> {
    if (this.#isJson) {
      this.#print([JSON.stringify({ type: "end", at: this.now() } satisfies Event)]);
    }
    this[Symbol.dispose]();
    await this.#printed;
    this.#recording?.finish();
  }

  /** Closes the recording. */
  [Symbol.dispose](): void {
    this.#recording?.[Symbol.dispose]();
  }

  /** Draws an event, and the lesson's table below it. */
  #show(event: Event): void {
    const lines = this.#text.draw(event);
    const isOver = event.type === "fact" || event.type === "result";
    // Where nothing can be drawn again, the table as it is stands above each explanation, and above
    // the facts.
    const isPlace = this.#redraws ? !isOver : event.type === "note" || event.type === "fact";
    const table = isPlace ? this.#text.table() : [];
    const text = table.join("\n");
    const isNews = table.length > 0 && text !== this.#tableText;
    if (isNews || this.#redraws && lines.length > 0 && table.length > 0) {
      const back = this.#redraws && this.#tableLines > 0 ? `\x1b[${this.#tableLines}A\x1b[J` : "";
      const [first = "", ...rest] = this.#redraws
        ? [...lines, "", ...table]
        : ["", ...table, ...lines];
      this.#print([back + first, ...rest]);
      this.#tableLines = table.length + 1;
      this.#tableText = text;
    } else this.#print(lines);
  }

  #print(lines: readonly string[]): void {
    this.#printed = this.#printed.then(async () => {
      await this.#output.write(lines);
      // Whoever reads the recording wants all of it.
      if (this.#output.isGone && this.#path === undefined) this.#leave();
    });
    // It is reported by finish().
    this.#printed.catch(() => {});
  }
}
