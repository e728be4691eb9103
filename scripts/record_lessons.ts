/**
 * Records and measures anew all that the figures and tables of the lessons show.
 *
 * Each recording of `site/recordings.ts` is made by a real server, to which real clients come. What
 * became of the clients is written to `site/measured.json`, beside what the simulator says of the same
 * clients and the same server. Then all modes are measured under two loads. At the end the tables in
 * the texts are written anew.
 *
 * @module
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { ROOT, type RuntimeCommand, RUNTIMES, scriptCommand } from "../engine/process/runtimes.ts";
import { labProgram, untilInterrupted } from "../lab/lab_program.ts";
import type { Report, Run } from "../lab/load/results.ts";
import { describeMachine } from "../lab/machine.ts";
import { whyNoMode } from "../lab/mode_command.ts";
import { clientsOf, COMPANIES } from "../lab/simulator/companies.ts";
import { remembered } from "../lab/simulator/remembered.ts";
import { simulate, SIMULATED } from "../lab/simulator/simulate.ts";
import { visitServer } from "../lab/visited_server.ts";
import { findProtocol } from "../protocols/catalogue.ts";
import {
  type LoadName,
  LOADS,
  type Measured,
  type MeasuredClient,
  type MeasuredLoad,
} from "../site/measured.ts";
import { type LessonRecording, RECORDINGS } from "../site/recordings.ts";
import { writeQuotes } from "./quotes.ts";

/** Where the recordings lie, and what was measured. */
const FOLDER = new URL("site/public/recordings/", ROOT);
const MEASURED = new URL("site/measured.json", ROOT);

/** How often each mode is measured under each load. The median counts. */
const REPEATS = 3;

/** What the clients speak. */
const FRAME = remembered(findProtocol("frame"));

const COMMAND: Command = {
  name: "record-lessons",
  summary: "record and measure anew all that the figures and tables of the lessons show",
  positionals: [],
  rest: {
    name: "name",
    kind: "string",
    default: "all of them, and the loads",
    suggestions: RECORDINGS.map(({ name }) => name),
    help: "recordings to make; the rest stays as it is",
  },
  flags: [
    {
      name: "on",
      kind: "choice",
      choices: RUNTIMES.map(({ name }) => name),
      default: "this runtime",
      help: "the runtime of the servers",
    },
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

async function recordLessons(values: Values, signal: AbortSignal): Promise<number> {
  const asked = (values.name ?? []) as readonly string[];
  for (const name of asked) {
    if (RECORDINGS.some((recording) => recording.name === name)) continue;
    throw new UsageError(`there is no recording "${name}": they stand in site/recordings.ts`);
  }
  const wanted = values.on ?? runtime.name;
  const on = RUNTIMES.find(({ name }) => name === wanted) as RuntimeCommand;
  const say = (text: string) => runtime.printNow("stdout", `${text}\n`);
  const recordings: Record<string, readonly MeasuredClient[]> = {};
  for (const recording of RECORDINGS) {
    if (asked.length > 0 && !asked.includes(recording.name)) continue;
    if (signal.aborted) return EXIT_FAILED;
    const whyNot = whyNoMode(recording.mode);
    if (whyNot !== undefined) {
      say(`${recording.name}: left as it is: ${whyNot}`);
      continue;
    }
    recordings[recording.name] = await record(recording, on, signal);
    say(`${recording.name}: recorded`);
  }
  if (asked.length > 0) {
    const old = JSON.parse(readFileSync(MEASURED, "utf8")) as Measured;
    write({ ...old, recordings: { ...old.recordings, ...recordings } });
    return EXIT_DONE;
  }
  const loads = {} as Record<LoadName, readonly MeasuredLoad[]>;
  for (const [name, flags] of Object.entries(LOADS) as [LoadName, readonly string[]][]) {
    if (signal.aborted) return EXIT_FAILED;
    loads[name] = await load(flags, on, Number(values.seconds ?? 3), signal);
    say(`${name}: measured`);
  }
  const [run] = loads.visits;
  if (run === undefined) throw new Error("no mode was measured");
  write({
    day: new Date().toISOString().slice(0, "YYYY-MM-DD".length),
    machine: describeMachine(),
    runtime: on.name === runtime.name ? `${on.name} ${runtime.version}` : on.name,
    recordings,
    loads,
  });
  return EXIT_DONE;
}

/** Writes what was measured, and the tables of it. */
function write(measured: Measured): void {
  writeFileSync(MEASURED, `${JSON.stringify(measured, null, 2)}\n`);
  writeQuotes();
}

/** Makes a recording, and says what became of its clients. */
async function record(
  recording: LessonRecording,
  on: RuntimeCommand,
  signal: AbortSignal,
): Promise<readonly MeasuredClient[]> {
  const { name, mode, flags, clients } = recording;
  const company = COMPANIES[clients];
  const file = fileURLToPath(new URL(`${name}.jsonl`, FOLDER));
  const { seen, lives } = await visitServer({ mode, flags, company }, on, file, signal);
  const predicted = predict(recording);
  return seen.map(({ name, calledUs, answeredUs }, index) => {
    const { waitedUs = 0, waitedFor } = lives[index] ?? {};
    return {
      name,
      measured_us: Math.round(answeredUs - calledUs),
      waited_us: Math.round(waitedUs),
      waited_for: waitedFor === undefined ? null : seen[waitedFor]?.name ?? null,
      predicted_us: predicted?.[index] ?? null,
    };
  });
}

/**
 * How long the simulator says that the clients of a recording take, in microseconds.
 *
 * @param recording what is recorded
 * @returns `undefined` if it does not know the model; `null` for a client that never has its answer
 */
export function predict(
  { mode, clients, knobs }: LessonRecording,
): readonly (number | null)[] | undefined {
  if (!SIMULATED.includes(mode)) return undefined;
  const company = clientsOf(COMPANIES[clients]);
  const simulation = simulate({ mode, protocol: FRAME, clients: company, ...knobs });
  return simulation.clients.map(({ atUs, overUs, error }) =>
    overUs === undefined || error !== undefined ? null : Math.round(overUs - atUs)
  );
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
    const [program, ...args] = scriptCommand(on, "lab/bench.ts", ...bench) as [string, ...string[]];
    const child = spawn(program, args, { stdio: ["ignore", "ignore", "inherit"], signal });
    const code = await new Promise((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    if (code !== EXIT_DONE) throw new Error(`the bench ended with status ${code}`);
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
