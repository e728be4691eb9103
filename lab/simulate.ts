/**
 * Servers and the chat in virtual time: one history drawn, or thousands of them tried.
 *
 * The same seed gives the same history, to the last byte, on every runtime. So a seed that fails is
 * all that has to be told.
 *
 * @module
 */

import { MOST_MEMBERS } from "./simulator/chat/members.ts";
import { chatOf, type ChatTrial, explore } from "./simulator/chat/explore.ts";
import { brokenPromises } from "./simulator/chat/promises.ts";
import type { ChatSimulation, Happening } from "./simulator/chat/simulate_chat.ts";
import { SLOW_POLICIES, type SlowPolicy } from "../chat/host/outbox.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import { choiceOption, integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { Event, Header } from "../engine/recording/events.ts";
import { livesOf } from "../engine/figures/life.ts";
import type { ModeName } from "../modes/catalogue.ts";
import { labProgram, untilInterrupted, writeResult } from "./lab_program.ts";
import { LineOutput } from "./observe/line_output.ts";
import { screenOf, wrap } from "./report/screen.ts";
import { threeClients } from "./simulator/clients.ts";
import { simulate, SIMULATED, type Simulation } from "./simulator/simulate.ts";
import { drawSigns } from "./tour/picture.ts";
import { describeVisit, drawVisit } from "./tour/words.ts";

/** The script of this module. */
const SCRIPT = "lab/simulate.ts";

/** The chat among the models. */
const CHAT = "chat";

/** How many histories are tried before anybody who wants to end it is heard. */
const AT_ONCE = 50;

/** The widest line of text, in characters. */
const WIDEST = 100;

const SEED: Option<number> = integerOption("seed", {
  least: 0,
  most: 0xffff_ffff,
  default: 1,
  help: "the seed of all that is left to chance; the same seed gives the same history",
});

const SEEDS: Option<number> = integerOption("seeds", {
  least: 1,
  most: 100_000_000,
  default: 1,
  help: "try so many seeds, from --seed on, until one of them fails",
});

const MEMBERS: Option<number> = integerOption("members", {
  least: 1,
  most: MOST_MEMBERS,
  default: 4,
  help: "chat: how many members there are",
});

const LINES: Option<number> = integerOption("lines", {
  least: 0,
  most: 1_000,
  default: 4,
  help: "chat: how many lines each of them says",
});

const SLOW = choiceOption<SlowPolicy>("slow", {
  choices: SLOW_POLICIES,
  default: "disconnect",
  help: "chat: what happens to a member who reads too slowly",
});

const simulateCommand = (): Command => ({
  name: "simulate",
  summary: "servers and the chat in virtual time: one history, or thousands of seeds",
  positionals: [{
    name: "model",
    kind: "choice",
    choices: [...SIMULATED, CHAT],
    help: "the model whose history is simulated",
  }],
  required: 1,
  flags: [
    SEED,
    SEEDS,
    MEMBERS,
    LINES,
    {
      name: "sleeper",
      kind: "boolean",
      help: "chat: one member sleeps while the others talk much",
    },
    SLOW,
    { name: "record", kind: "string", value: "FILE", help: "keep the history, for observe replay" },
  ],
  notes: [
    "A model of a server serves the three clients of the tour. In the chat members come and go, " +
    "over a network that delays, cuts and loses. Then it is checked that everybody has heard what " +
    "they should, once and in order. The exit status is 1 if a seed has failed.",
  ],
  example: formatRun(SCRIPT, "chat --seeds 2000"),
});

/** What is tried. */
interface Trial {
  /** What a user types after the command to see it again, besides the seed. */
  readonly words: string;
  /** What is wrong with the history of a seed, a sentence each. */
  check(seed: number): readonly string[];
  /** Shows the history of a seed. */
  show(seed: number): Shown;
}

/** A history that is shown. */
interface Shown {
  readonly lines: readonly string[];
  readonly broken: readonly string[];
  readonly recording: readonly (Header | Event)[];
}

async function perform(values: Values, signal: AbortSignal): Promise<number> {
  const seed = SEED.read(values.seed as number | undefined);
  const seeds = SEEDS.read(values.seeds as number | undefined);
  const record = values.record as string | undefined;
  const trial = values.model === CHAT ? chatTrial(values) : modelTrial(values);
  const output = new LineOutput();
  if (seeds === 1) {
    const { lines, broken, recording } = trial.show(seed);
    await output.write(lines);
    if (record !== undefined) writeResult(record, linesOf(recording));
    return broken.length === 0 ? EXIT_DONE : EXIT_FAILED;
  }
  if (record !== undefined) throw new UsageError("--record keeps one history: --seeds excludes it");
  const width = Math.min(screenOf("stdout").columns(), WIDEST);
  for (let tried = 0; tried < seeds; tried++) {
    const broken = trial.check(seed + tried);
    if (broken.length > 0) {
      const again = formatRun(SCRIPT, `${trial.words} --seed ${seed + tried}`);
      await output.write([
        `seed ${seed + tried} fails, after ${tried} that did not:`,
        ...broken.flatMap((what) => wrap(`  ${what}`, width)),
        `See it again: ${again}`,
      ]);
      return EXIT_FAILED;
    }
    // Signals are heard only between turns of the event loop.
    if (tried % AT_ONCE === 0) await new Promise((resolve) => setTimeout(resolve));
    if (signal.aborted) return EXIT_FAILED;
  }
  await output.write([`${seeds} histories, seeds ${seed} to ${seed + seeds - 1}: none has failed`]);
  return EXIT_DONE;
}

/** A recording as a file has it. */
function linesOf(recording: readonly (Header | Event)[]): string {
  return recording.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** Refuses the flags of the chat, and serves the three clients. */
function modelTrial(values: Values): Trial {
  const mode = values.model as ModeName;
  for (const flag of ["members", "lines", "sleeper", "slow"]) {
    if (values[flag] !== undefined) throw new UsageError(`--${flag} goes with ${CHAT} alone`);
  }
  const run = (seed: number, isRough: boolean): Simulation =>
    simulate({
      mode,
      protocol: "frame",
      clients: threeClients(isRough ? 10 : undefined),
      workers: 2,
      seed,
      ...(isRough && { shuffles: true, path: MODEL_PATH }),
    });
  return {
    words: mode,
    check: (seed) => wrongAnswers(run(seed, true)),
    show(seed) {
      const found = run(seed, false);
      const screen = screenOf("stdout");
      const width = Math.min(screen.columns(), WIDEST);
      const seen = found.clients.map(({ name, overUs = 0 }) => ({ name, answeredUs: overUs }));
      const events = found.recording.filter((line): line is Event => line.type !== "recording");
      const begun = events.filter((event) => event.type === "begun");
      const visits = found.clients.map(({ atUs, overUs = atUs }, index) => ({
        peer: begun.find(({ connection }) => connection === index + 1)?.peer ?? "",
        fromUs: atUs,
        toUs: overUs,
      }));
      const lives = livesOf(events, visits);
      const lines = [
        ...drawSigns(screen),
        "",
        ...drawVisit(screen, { seen, lives }),
        ...wrap(describeVisit({ seen, lives }), width),
      ];
      return { lines, broken: wrongAnswers(found), recording: found.recording };
    },
  };
}

/** The network on which models are tried: everything may go wrong that TCP puts right. */
const MODEL_PATH = { delayUs: 100, jitterUs: 300, loss: 0.05, segment: 5, cuts: true };

/** What the three clients get. */
const ANSWERS: readonly string[] = ["prime", "fdip", "prime"];

function wrongAnswers({ clients }: Simulation): readonly string[] {
  return clients.flatMap(({ name, result, error }, index) =>
    result === ANSWERS[index] ? [] : [`${name} has got ${error ?? result}, not ${ANSWERS[index]}`]
  );
}

function chatTrial(values: Values): Trial {
  const members = MEMBERS.read(values.members as number | undefined);
  const lines = LINES.read(values.lines as number | undefined);
  const slow = SLOW.read(values.slow as SlowPolicy | undefined);
  const hasSleeper = values.sleeper === true;
  const trial: ChatTrial = { members, lines, hasSleeper, knobs: { slow } };
  const words = [
    CHAT,
    ...values.members === undefined ? [] : [`--members ${members}`],
    ...values.lines === undefined ? [] : [`--lines ${lines}`],
    ...hasSleeper ? ["--sleeper"] : [],
    ...values.slow === undefined ? [] : [`--slow ${slow}`],
  ];
  return {
    words: words.join(" "),
    check: (seed) => explore(seed, 1, trial)?.broken ?? [],
    show(seed) {
      const found = chatOf(seed, trial);
      const broken = brokenPromises(found);
      const screen = screenOf("stdout");
      const width = Math.min(screen.columns(), WIDEST);
      return { lines: drawChat(found, broken, width), broken, recording: found.recording };
    },
  };
}

/** Draws what the members have typed and heard, and says what has become of them. */
function drawChat(found: ChatSimulation, broken: readonly string[], width: number): string[] {
  const { happenings, members, counts } = found;
  const nameWidth = Math.max(...members.map(({ name }) => name.length));
  const cut = (line: string) => line.length > width ? `${line.slice(0, width - 1)}…` : line;
  const signs = { types: ">", hears: "<", ends: "." };
  const draw = ({ atUs, member, what, text }: Happening) =>
    cut(
      `${(atUs / 1_000).toFixed(3).padStart(9)} ms  ${member.padEnd(nameWidth)} ${
        signs[what]
      } ${text}`,
    );
  const slow = members.filter(({ wasSlow }) => wasSlow).map(({ name }) => name);
  const cutOff = slow.length === 0 ? "" : ` ${slow.join(", ")} read too slowly and was cut off.`;
  const dropped = counts.dropped === 0 ? "" : ` ${counts.dropped} lines were left out.`;
  return [
    ...happenings.map(draw),
    "",
    ...wrap(
      `${counts.said} lines were said and ${counts.delivered} given to members.${cutOff}${dropped} ` +
        (broken.length === 0 ? "Each has heard what it should, once and in order." : ""),
      width,
    ),
    ...broken.flatMap((what) => wrap(`Broken: ${what}`, width)),
  ];
}

/** The command. */
export function program(): Program {
  return labProgram(
    "simulate",
    simulateCommand(),
    () => {
      const values = readCommandLine(simulateCommand());
      return untilInterrupted("simulate", (signal) => perform(values, signal));
    },
  );
}

if (isMainModule(import.meta)) program().run();
