/**
 * Records and measures anew all that the figures and tables of the lessons show.
 *
 * Each recording of `site/recordings.ts` is made by a real server, to which real clients come, or by
 * real sockets. What became of them is written to `site/measured.json`, beside what the simulator says
 * of the same clients and the same server. Then all modes are measured under two loads. At the end the tables in
 * the texts are written anew.
 *
 * @module
 */

import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { ROOT, type RuntimeCommand, RUNTIMES, scriptCommand } from "../engine/process/runtimes.ts";
import { readRecording } from "../engine/recording/read_recording.ts";
import { labProgram, untilInterrupted } from "../lab/lab_program.ts";
import type { Report, Run } from "../lab/load/results.ts";
import { describeMachine } from "../lab/machine.ts";
import { whyNoMode } from "../lab/mode_command.ts";
import { ON, runtimeOn } from "../lab/on_runtime.ts";
import { APART_MS, clientsOf, COMPANIES, SEEN_MS } from "../lab/simulator/companies.ts";
import { remembered } from "../lab/simulator/remembered.ts";
import { simulate, SIMULATED } from "../lab/simulator/simulate.ts";
import { visitServer } from "../lab/visited_server.ts";
import { findProtocol } from "../protocols/catalogue.ts";
import {
  type LoadName,
  LOADS,
  type Measured,
  type MeasuredClient,
  type MeasuredCosts,
  type MeasuredLoad,
} from "../site/measured.ts";
import {
  type ChatRecording,
  type LessonRecording,
  RECORDINGS,
  type SceneRecording,
  type ServerRecording,
} from "../site/recordings.ts";
import { measureCosts } from "./lesson_costs.ts";
import { factsOf } from "./lesson_facts.ts";
import { writeQuotes } from "./quotes.ts";

/** Where the recordings lie, and what was measured. */
const FOLDER = new URL("site/public/recordings/", ROOT);
const MEASURED = new URL("site/measured.json", ROOT);

/** How often each mode is measured under each load. The median counts. */
const REPEATS = 3;

/** What the clients speak. */
const FRAME = remembered(findProtocol("frame"));

/** What can be asked for: the recordings, the modes under load, and what things cost. */
const NAMES: readonly string[] = [...RECORDINGS.map(({ name }) => name), "loads", "costs"];

const COMMAND: Command = {
  name: "record-lessons",
  summary: "record and measure anew all that the figures and tables of the lessons show",
  positionals: [],
  rest: {
    name: "name",
    kind: "string",
    default: "all of them",
    suggestions: NAMES,
    help: "recordings to make, `loads` or `costs` to measure; the rest stays as it is",
  },
  flags: [
    ON,
    {
      name: "seconds",
      kind: "integer",
      value: "N",
      least: 1,
      most: 60,
      default: "3",
      help: "how long each mode is measured under each load",
    },
  ],
  example: "deno task record-lessons threadpool event",
};

/** What is known of the recordings that were made, by their names. */
type Found = Pick<Measured, "recordings" | "facts">;

async function recordLessons(values: Values, signal: AbortSignal): Promise<number> {
  const asked = (values.name ?? []) as readonly string[];
  for (const name of asked) {
    if (NAMES.includes(name)) continue;
    throw new UsageError(`there is no recording "${name}": they stand in site/recordings.ts`);
  }
  const isAsked = (name: string) => asked.length === 0 || asked.includes(name);
  const on = runtimeOn(values);
  const say = (text: string) => runtime.printNow("stdout", `${text}\n`);
  let measured = JSON.parse(readFileSync(MEASURED, "utf8")) as Measured;
  // What belongs to no recording any more is forgotten when all are made.
  let found: Found = asked.length === 0 ? { recordings: {}, facts: {} } : measured;
  for (const recording of RECORDINGS) {
    const { name } = recording;
    if (!isAsked(name)) continue;
    if (signal.aborted) return EXIT_FAILED;
    const whyNot = recording.kind === "server" ? whyNoMode(recording.mode) : undefined;
    if (whyNot === undefined) found = together(found, await record(recording, on, signal));
    else found = together(found, { recordings: named(name, measured.recordings[name]), facts: {} });
    say(whyNot === undefined ? `${name}: recorded` : `${name}: left as it is: ${whyNot}`);
  }
  measured = { ...measured, ...found };
  if (isAsked("costs")) {
    const costs: Record<string, MeasuredCosts> = {};
    for (const each of RUNTIMES.filter(({ isHere }) => isHere)) {
      if (signal.aborted) return EXIT_FAILED;
      costs[each.name] = await measureCosts(each, signal);
      say(`costs on ${each.name}: measured`);
    }
    measured = { ...measured, costs };
  }
  if (isAsked("loads")) {
    const loads = {} as Record<LoadName, readonly MeasuredLoad[]>;
    for (const [name, flags] of Object.entries(LOADS) as [LoadName, readonly string[]][]) {
      if (signal.aborted) return EXIT_FAILED;
      loads[name] = await load(flags, on, Number(values.seconds ?? 3), signal);
      say(`${name}: measured`);
    }
    measured = { ...measured, loads };
  }
  if (asked.length === 0) {
    measured = {
      ...measured,
      day: new Date().toISOString().slice(0, "YYYY-MM-DD".length),
      machine: describeMachine(),
      runtime: on.name === runtime.name ? `${on.name} ${runtime.version}` : on.name,
    };
  }
  write(measured);
  return EXIT_DONE;
}

function named<Value>(name: string, value: Value | undefined): Readonly<Record<string, Value>> {
  return value === undefined ? {} : { [name]: value };
}

/** What is known of both; where both know something, the second counts. */
function together(one: Found, other: Found): Found {
  return {
    recordings: { ...one.recordings, ...other.recordings },
    facts: { ...one.facts, ...other.facts },
  };
}

/** Writes what was measured, and the tables of it. */
function write(measured: Measured): void {
  writeFileSync(MEASURED, `${JSON.stringify(measured, null, 2)}\n`);
  writeQuotes();
}

/** Makes a recording, and says what was found. The one before is replaced only if all went well. */
async function record(
  recording: LessonRecording,
  on: RuntimeCommand,
  signal: AbortSignal,
): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), "record-lessons-"));
  try {
    const file = join(folder, "it.jsonl");
    const found = await recordInto(file, recording, on, signal);
    copyFileSync(file, fileURLToPath(new URL(`${recording.name}.jsonl`, FOLDER)));
    return found;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function recordInto(
  file: string,
  recording: LessonRecording,
  on: RuntimeCommand,
  signal: AbortSignal,
): Promise<Found> {
  const { name } = recording;
  switch (recording.kind) {
    case "server":
      return {
        recordings: { [name]: await recordServer(recording, on, file, signal) },
        facts: {},
      };
    case "scene":
    case "chat": {
      const [script, ...args] = commandFor(recording, on);
      await run(scriptCommand(on, script, ...args, "--record", file), signal);
      const { events } = readRecording(readFileSync(file, "utf8"), file);
      const facts = factsOf(recording, events);
      return { recordings: {}, facts: facts === undefined ? {} : { [name]: facts } };
    }
  }
}

/** The command that makes a recording: the one that its page shows to readers. */
function commandFor(
  recording: SceneRecording | ChatRecording,
  { name }: RuntimeCommand,
): readonly [script: string, ...args: string[]] {
  if (recording.kind === "scene") return ["lab/observe.ts", "lesson", recording.scene, "--no-ask"];
  const { readers, stalled } = recording;
  const users = ["--clients", String(readers), "--rooms", "1", "--stalled", String(stalled)];
  return ["lab/chat_load.ts", ...users, "--rate", "5/s", "--duration", "2s", "--on", name];
}

/** Records a server, and says what became of its clients. */
async function recordServer(
  recording: ServerRecording,
  on: RuntimeCommand,
  file: string,
  signal: AbortSignal,
): Promise<readonly MeasuredClient[]> {
  const { mode, flags, clients, closesAfter } = recording;
  const closing = closesAfter === undefined ? {} : { closesAfter };
  const visit = { mode, flags, company: COMPANIES[clients], ...closing };
  const { seen, lives } = await visitServer(visit, on, file, signal);
  if (
    seen.some(({ wasRefused = false }, place) =>
      wasRefused !== (place >= (closesAfter ?? Infinity))
    )
  ) {
    throw new Error(
      `${recording.name}: some came in before the server had closed, as on a busy machine: try again`,
    );
  }
  const predicted = predict(recording);
  return seen.map(({ name, calledUs, answeredUs, wasRefused }, index) => {
    // Of whoever was refused the server knows nothing.
    const { waitedUs = 0, waitedFor } = wasRefused === true ? {} : lives[index] ?? {};
    return {
      name,
      measured_us: Math.round(answeredUs - calledUs),
      waited_us: Math.round(waitedUs),
      waited_for: waitedFor === undefined ? null : seen[waitedFor]?.name ?? null,
      ...(predicted?.[index] ?? { predicted_us: null }),
      ...(wasRefused === true && { was_refused: true }),
    };
  });
}

/** Runs a program to its end, which must be a good one. What it says is of no use here. */
async function run(command: readonly string[], signal: AbortSignal): Promise<void> {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"], signal });
  const code = await new Promise((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  if (code !== EXIT_DONE) throw new Error(`${args.join(" ")} ended with status ${code}`);
}

/** What the simulator says of a client. */
export type Predicted = Pick<MeasuredClient, "predicted_us" | "refusal_predicted">;

/**
 * What the simulator says of the clients of a recording.
 *
 * @param recording what is recorded
 * @returns `undefined` if it does not know the model
 */
export function predict(
  { mode, clients, knobs, closesAfter }: ServerRecording,
): readonly Predicted[] | undefined {
  if (!SIMULATED.includes(mode)) return undefined;
  const company = clientsOf(COMPANIES[clients], closesAfter);
  // The last of those who come before is connected by then.
  const closing = closesAfter === undefined ? {} : {
    closing: { atUs: (closesAfter * APART_MS + SEEN_MS) * 1_000, first: "queue" as const },
  };
  const simulation = simulate({ mode, protocol: FRAME, clients: company, ...knobs, ...closing });
  return simulation.clients.map(({ atUs, overUs, error, wasRefused }) => ({
    predicted_us: overUs === undefined || error !== undefined && !wasRefused
      ? null
      : Math.round(overUs - atUs),
    ...(wasRefused && { refusal_predicted: true }),
  }));
}

/** Measures all modes under a load. */
async function load(
  flags: readonly string[],
  on: RuntimeCommand,
  seconds: number,
  signal: AbortSignal,
): Promise<readonly MeasuredLoad[]> {
  const folder = mkdtempSync(join(tmpdir(), "record-lessons-"));
  try {
    const file = join(folder, "report.json");
    const how = ["--runtimes", on.name, "--repeat", String(REPEATS)];
    const long = ["--duration", `${seconds}s`, "--warm-up", "1s", "--json", file];
    const bench = ["compare", ...flags, ...how, ...long];
    await run(scriptCommand(on, "lab/bench.ts", ...bench), signal);
    const { runs } = JSON.parse(readFileSync(file, "utf8")) as Report;
    const names = [...new Set(runs.map(({ name }) => name))];
    return names.map((name) => loadOf(middleOf(runs.filter((run) => run.name === name))));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The run with the median rate. */
function middleOf(runs: readonly Run[]): Run {
  const sorted = runs.toSorted((one, other) => one.rate - other.rate);
  return sorted[Math.floor(sorted.length / 2)] as Run;
}

function loadOf({ subject, rate, latency_us, server, duration_s }: Run): MeasuredLoad {
  return {
    mode: subject?.mode ?? "unknown",
    rate: Math.round(rate),
    p99_us: latency_us.p99,
    peak_memory_bytes: server?.peak_memory_bytes ?? null,
    cores: server == null ? null : server.cpu_s / duration_s,
    threads: server?.threads ?? null,
  };
}

if (isMainModule(import.meta)) {
  labProgram(COMMAND.name, COMMAND, () => {
    const values = readCommandLine(COMMAND);
    return untilInterrupted(COMMAND.name, (signal) => recordLessons(values, signal));
  }).run();
}
