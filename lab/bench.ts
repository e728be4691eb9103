/**
 * The bench: puts a TCP server under load and measures how it copes. The server speaks one of the
 * protocols here, or one of your own. The bench can also load many servers in turn and compare
 * them.
 *
 * Closed model: each connection waits for its answer before it sends the next request, as callers
 * do. Open model (`--rate`): requests are due at fixed times, whatever became of the earlier ones,
 * as with the public. Their latency counts from the time when they were due, so a server that
 * stalls cannot hide it.
 *
 * @module
 */

import { exitStatusOf, InterruptedError, messageOf } from "../engine/dial/failures.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { formatAddress } from "../protocols/address.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import {
  EXIT_DONE,
  EXIT_FAILED,
  EXIT_NOT_CONNECTED,
  EXIT_SIGNALLED,
  EXIT_THRESHOLD,
} from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { asWord, formatRun, invokeAs, programArguments } from "../engine/cli/invocation.ts";
import type { Program } from "../engine/cli/program.ts";
import {
  compare,
  COMPARE_FLAGS,
  type Comparison,
  type Measured,
  missingRuntimes,
  preflightAll,
  readComparison,
  secondsOf,
} from "./compare.ts";
import { onEndingSignal } from "../engine/process/ending_signals.ts";
import { readServer } from "../engine/dial/target.ts";
import { Live, LIVE_FLAGS } from "./live.ts";
import { findServer, measure } from "./load/measure.ts";
import { measureFloor, NO_FLOOR } from "./floor.ts";
import { LOAD_FLAGS, makePlan, type Plan, warmUpOf } from "./load/plan.ts";
import { preflight } from "./load/preflight.ts";
import { checkSources, refuseThrough } from "./load/sources.ts";
import { OWN_NOTE } from "./load/load_protocol.ts";
import { TALK_NOTE } from "./load/talk_options.ts";
import { PERCENTILES, percentilesOf, planOptionsOf } from "./load_flags.ts";
import { labProgram, statusOfError } from "./lab_program.ts";
import { describeMachine } from "./machine.ts";
import { endAllAtOnce } from "./loaded_server.ts";
import { MERGE, mergeCommand, mergeFiles } from "./merge.ts";
import { conclude, OUTCOME_FLAGS, readOutcome, STATUS_NOTE } from "./outcome.ts";
import { readRepeats, REPEAT, repeated, WARM_UP } from "./repeats.ts";
import { isRunning, pidOf, RUNNING_ARGUMENT } from "./running_servers.ts";
import { LiveDisplay } from "./report/live_display.ts";
import { screenOf } from "./report/screen.ts";
import { CANNOT_PROFILE, PROFILE } from "./profiles.ts";
import { conduct, percentilesFor, planStudy, RATE_STUDY_FLAGS, readStudy } from "./rate_study.ts";
import { descriptorsFor, limitedBy, nameThrough, reach, readWay, THROUGH } from "./through.ts";
import { type Report, type Run, SCHEMA, type Second } from "./load/results.ts";

/** The script of this module. */
const SCRIPT = "lab/bench.ts";

/** The first argument that asks for a comparison. */
const COMPARE = "compare";

/** The command that loads one server. */
const benchCommand = (): Command => ({
  name: "bench",
  summary: `load a TCP server and measure it; bench ${COMPARE} measures many in turn`,
  positionals: [{
    name: "server",
    kind: "string",
    suggestions: [COMPARE, MERGE],
    help: `its address, HOST:PORT or unix:PATH; or ${COMPARE}, or ${MERGE}`,
  }],
  required: 1,
  flags: [
    ...LOAD_FLAGS,
    ...RATE_STUDY_FLAGS,
    REPEAT,
    WARM_UP,
    PERCENTILES,
    THROUGH,
    {
      name: "pid",
      kind: "integer",
      value: "N",
      least: 1,
      default: "the process that listens there",
      help: "the server's process, for its CPU time and memory",
    },
    { ...PROFILE, help: "in a comparison, where the bench starts the servers: see there" },
    NO_FLOOR,
    ...LIVE_FLAGS,
    ...OUTCOME_FLAGS,
  ],
  commands: { [COMPARE]: compareCommand(), [MERGE]: mergingCommand() },
  notes: [OWN_NOTE, TALK_NOTE, STATUS_NOTE],
  example: formatRun(SCRIPT, "127.0.0.1:8080 --protocol frame -c 50 -d 10s"),
});

/** The command that loads many servers in turn. */
const compareCommand = (): Command => ({
  name: `bench ${COMPARE}`,
  summary: "load servers in turn, those that run and those that it starts, and compare",
  positionals: [],
  rest: RUNNING_ARGUMENT,
  notes: [OWN_NOTE, TALK_NOTE, STATUS_NOTE],
  flags: [
    ...COMPARE_FLAGS,
    { name: "save", kind: "string", value: "FILE", help: "the same as --json, for a --baseline" },
    NO_FLOOR,
    ...LIVE_FLAGS,
    ...OUTCOME_FLAGS,
  ],
  example: formatRun(
    SCRIPT,
    `${COMPARE} --modes event,threadpool --protocols frame -d 3s --repeat 3`,
  ),
});

/** The command that adds up what several machines have measured. */
const mergingCommand = (): Command =>
  mergeCommand(formatRun(SCRIPT, `${MERGE} a.json b.json --html both.html`));

/** What the terminal shows during a run. */
class Watch {
  readonly #display = new LiveDisplay(screenOf("stderr"));
  readonly #interrupt = new AbortController();
  readonly #forget: () => void;

  constructor() {
    const onSignal = () => {
      if (this.#interrupt.signal.aborted) {
        endAllAtOnce();
        runtime.exit(EXIT_SIGNALLED);
      }
      this.#interrupt.abort();
    };
    // When the terminal closes, the servers would survive it: they have a process group of their
    // own.
    this.#forget = onEndingSignal(onSignal);
  }

  /** Aborts when the run is to end early. */
  get signal(): AbortSignal {
    return this.#interrupt.signal;
  }

  /** Prints a line that stays on the screen. */
  note(text: string): void {
    this.#display.say(`bench: ${text}`);
  }

  /** Shows the progress of a run. */
  show(title: string, second: Second, errors: number, share?: number, leftS?: number): void {
    const { rate, p50_us, p99_us } = second;
    const progress = { title, rate, p50_us, p99_us, errors };
    this.#display.show({
      ...progress,
      ...(share !== undefined && { share }),
      ...(leftS !== undefined && { left_s: leftS }),
    });
  }

  /** Stops showing anything. */
  end(): void {
    this.#display.clear();
    this.#forget();
  }
}

/** Measures one server. */
async function loadOne(values: Values, watch: Watch, live: Live): Promise<Measured> {
  const expected = `HOST:PORT, unix:PATH or ${COMPARE}`;
  const { host, port } = readServer(values.server as string, expected);
  if (values.profile !== undefined) throw new UsageError(CANNOT_PROFILE);
  const pid = values.pid as number | undefined;
  if (pid !== undefined && !isRunning(pid)) {
    throw new UsageError(`wrong value for --pid: there is no process ${pid}`);
  }
  const study = readStudy(values);
  const options = planOptionsOf(values);
  const planned = study === undefined ? makePlan(options) : planStudy(study, options);
  const plan = await orInterrupted(planned, watch.signal);
  const percentiles = percentilesOf(values) ?? (study && percentilesFor(study));
  const repeats = readRepeats(values, study !== undefined);
  refuseThrough(plan, values.through !== undefined);
  checkSources(plan, host);
  const way = readWay(values);
  const address = await findServer(host, port, plan.timeoutMs, watch.signal, plan.sources);
  const surroundings = { more: descriptorsFor(way), pid: pid ?? pidOf(address) };
  for (const warning of preflight(plan, address, surroundings)) watch.note(warning);
  const name = nameThrough(formatAddress({ hostname: host, port }), way);
  const seconds = secondsOfRun(plan);
  // A study has many rates: none of them is the limit.
  const floored = study === undefined ? plan : { ...plan, rate: null };
  const floor = await measureFloor(values, [floored], watch.signal);
  if (watch.signal.aborted) throw new InterruptedError();
  await using reached = await reach(way, address);
  const server = { address: reached.address, listensAt: address, pid, name };
  if (repeats.repeats > 1) {
    const comparison = repeated(plan, repeats, server, percentiles);
    const measured = await watchComparison(comparison, watch, live);
    const runs = limitedBy(reached, measured.runs, (text) => watch.note(text));
    return { ...measured, runs, floor };
  }
  if (repeats.warmUpMs > 0) {
    await measure(warmUpOf(plan, repeats.warmUpMs), { ...server, signal: watch.signal });
    if (watch.signal.aborted) throw new InterruptedError();
  }
  const measureOne = async (
    plan: Plan,
    repeat: number,
    title: string,
    onNote: (text: string) => void,
  ) => {
    let errors = 0;
    const run = await live.measure(plan, {
      address: reached.address,
      pid: pid ?? pidOf(address),
      name,
      repeat,
      percentiles,
      signal: watch.signal,
      onNote,
      onSecond(second) {
        errors += second.errors;
        const share = seconds === undefined ? undefined : second.at / seconds;
        watch.show(title, second, errors, share, seconds && seconds - second.at);
      },
    });
    return limitedBy(reached, [run], onNote)[0] as Run;
  };
  const onNote = (text: string) => watch.note(text);
  if (study === undefined) {
    return { runs: [await measureOne(plan, 1, name, onNote)], missing: [], floor };
  }
  // The table of the steps says what there is to know of each of them.
  const parts = {
    signal: watch.signal,
    onNote,
    measure: (plan: Plan, repeat: number, title: string) =>
      measureOne(plan, repeat, title, () => {}),
  };
  const { runs, study: rateStudy } = await conduct(study, plan, parts);
  return { runs, missing: [], rateStudy, floor };
}

/** Waits for what is read until the user has enough: a pipe may never be written. */
async function orInterrupted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const interrupt = () => reject(new InterruptedError());
  if (signal.aborted) interrupt();
  signal.addEventListener("abort", interrupt, { once: true });
  try {
    return await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

/** How long a run takes, if that is known. */
function secondsOfRun({ durationMs }: Plan): number | undefined {
  return durationMs === Infinity ? undefined : durationMs / 1000;
}

/** Measures many servers in turn. */
async function loadMany(values: Values, watch: Watch, live: Live): Promise<Measured> {
  const comparison = await orInterrupted(readComparison(values), watch.signal);
  const missing = missingRuntimes(values);
  if (missing !== undefined) watch.note(missing);
  for (const warning of await preflightAll(comparison)) watch.note(warning);
  const floor = await measureFloor(values, comparison.plans, watch.signal);
  return { ...await watchComparison(comparison, watch, live), floor };
}

/** Measures in turn, and shows the progress. */
async function watchComparison(
  comparison: Comparison,
  watch: Watch,
  live: Live,
): Promise<Measured> {
  const total = secondsOf(comparison);
  const beganAt = performance.now();
  return await compare(comparison, {
    signal: watch.signal,
    live,
    onNote: (text) => watch.note(text),
    onSecond(title, share, second) {
      const elapsedS = (performance.now() - beganAt) / 1000;
      // The first turns tell how long the others will take.
      const leftS = share > 0.05 ? elapsedS / share * (1 - share) : total - elapsedS;
      const isKnown = Number.isFinite(leftS);
      watch.show(title, second, second.errors, share, isKnown ? leftS : undefined);
    },
  });
}

/** Whether the run never had a connection. */
function isUnconnected({ requests, errors }: Run): boolean {
  const kinds = Object.keys(errors);
  const isOfConnecting = (kind: string) =>
    kind === "connect timeout" || exitStatusOf(kind) === EXIT_NOT_CONNECTED;
  return requests === 0 && kinds.length > 0 && kinds.every(isOfConnecting);
}

/** Adds up what several machines have measured. */
async function merge(): Promise<number> {
  const command = formatRun(SCRIPT, programArguments().map(asWord).join(" "));
  invokeAs({ typed: formatRun(SCRIPT, MERGE), args: programArguments().slice(1) });
  const values = readCommandLine(mergingCommand());
  const tell = (text: string) => runtime.printNow("stderr", `bench: ${text}\n`);
  try {
    const outcome = await readOutcome(values);
    return await conclude(await mergeFiles(values, command, tell), outcome);
  } catch (error) {
    tell(messageOf(error));
    return statusOfError(error);
  }
}

/** Does what the command line says, and returns the exit status. */
async function perform(): Promise<number> {
  if (programArguments()[0] === MERGE) return await merge();
  const isComparison = programArguments()[0] === COMPARE;
  const command = isComparison ? compareCommand() : benchCommand();
  if (isComparison) {
    invokeAs({
      typed: formatRun(SCRIPT, COMPARE),
      args: programArguments().slice(1),
    });
  }
  const args = programArguments();
  const values = readCommandLine(command);
  const watch = new Watch();
  try {
    await using live = await Live.start(values, (text) => watch.note(text));
    const outcome = await readOutcome(values);
    const load = isComparison ? loadMany : loadOne;
    const measured = await load(values, watch, live);
    const { runs, missing, profiles = [], floor = null, rateStudy, reference } = measured;
    const isUnwritten = live.isUnwritten || measured.isUnwritten === true;
    for (const text of live.unjudged) watch.note(text);
    watch.end();
    const isCut = watch.signal.aborted;
    if (runs.length === 0 && isCut) throw new InterruptedError();
    const report: Report = {
      schema: SCHEMA,
      machine: describeMachine(),
      floor,
      command: formatRun(SCRIPT, args.map(asWord).join(" ")),
      runs,
      missing,
      profiles,
      parts: [],
      ...(reference !== undefined && { reference }),
      rate_study: rateStudy ?? null,
      findings: [],
    };
    const status = await conclude(report, outcome);
    // A run that had its whole time when the signal came is a run like any other.
    const isAborted = runs.some(({ aborted }) => aborted !== null);
    const isStudyCut = rateStudy?.interrupted === true && !isAborted;
    if (
      missing.length > 0 && isCut || isStudyCut ||
      runs.some(({ interrupted, aborted }) => interrupted && aborted === null)
    ) {
      return EXIT_SIGNALLED;
    }
    if (isAborted) return EXIT_THRESHOLD;
    if (runs.length > 0 && runs.every(isUnconnected)) return EXIT_NOT_CONNECTED;
    const isIncomplete = missing.some(({ wanted }) => wanted) || isUnwritten;
    return status === EXIT_DONE && isIncomplete ? EXIT_FAILED : status;
  } catch (error) {
    watch.end();
    // Nothing has been measured yet.
    if (error instanceof InterruptedError) return EXIT_SIGNALLED;
    runtime.printNow("stderr", `bench: ${messageOf(error)}\n`);
    return statusOfError(error);
  }
}

/** The bench as a command. */
export function program(): Program {
  return labProgram("bench", benchCommand(), perform);
}

if (isMainModule(import.meta)) program().run();
