/**
 * Puts many servers under the same load, in turn.
 *
 * Each run starts a new server, so that no run affects the next. All servers have their first run
 * before any has its second. So other work on the machine affects all of them alike.
 *
 * @module
 */

import { closeSync, mkdirSync, openSync, readSync, statSync } from "node:fs";
import { MODE_NAMES, type ModeEntry, type ModeName, MODES } from "../modes/catalogue.ts";
import { describeSystemError } from "../engine/net/constants.ts";
import { runtime } from "../engine/net/runtime.ts";
import { escapeText } from "../protocols/text.ts";
import { type RuntimeCommand, RUNTIMES } from "../engine/process/runtimes.ts";
import { buildInfo } from "../engine/cli/build_info.ts";
import { asWord } from "../engine/cli/invocation.ts";
import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { locateProtocol } from "../engine/server/core/protocol_loader.ts";
import { integerOption, stringOption } from "../engine/cli/options.ts";
import { durationOption } from "../engine/cli/quantity_options.ts";
import type { Live } from "./live.ts";
import { modeCommand } from "./mode_command.ts";
import { LoadedServer, PORT, ServerStartError, type StartExtras } from "./loaded_server.ts";
import { MEASURABLE } from "./load/load_protocol.ts";
import { measure } from "./load/measure.ts";
import {
  LOAD_FLAGS,
  loadOf,
  makePlan,
  type Plan,
  type PlanOptions,
  RATE,
  warmUpOf,
} from "./load/plan.ts";
import { preflight } from "./load/preflight.ts";
import { refuseThrough } from "./load/sources.ts";
import { PERCENTILES, percentilesOf, planOptionsOf } from "./load_flags.ts";
import {
  CANNOT_PROFILE,
  PROFILE,
  type ProfileRequest,
  profileServer,
  readProfileRequest,
} from "./profiles.ts";
import {
  pidOf,
  probableAddress,
  reachRunning,
  readPids,
  readRunning,
  type ReadyServer,
  RUNNING_PID,
  type RunningServer,
} from "./running_servers.ts";
import { readReference, REFERENCE } from "./reference.ts";
import {
  descriptorsFor,
  limitedBy,
  nameThrough,
  reach,
  readWay,
  THROUGH,
  type Way,
} from "./through.ts";
import type { Floor, Missing, Profile, RateStudy, Run, Second } from "./load/results.ts";
import { loadKey } from "./report/contests.ts";

/** Which modes are compared. */
const COMPARED_MODES = stringOption("modes", {
  value: "LIST",
  default: "all",
  shown: "all; none with servers that run already, or with --send",
  suggestions: ["all", ...MODE_NAMES],
  help: `which modes: all, none, or some of ${MODE_NAMES.join(",")}`,
});

/** Which protocols are spoken. */
const PROTOCOLS = stringOption("protocols", {
  value: "LIST",
  default: "hello,frame",
  shown: "hello,frame; hello with servers that run already",
  suggestions: MEASURABLE,
  help: "which protocols",
});

/** How many connections there are at a time. */
const CONNECTIONS = stringOption("connections", {
  short: "c",
  value: "LIST",
  default: "50",
  help: "how many connections at a time",
});

/** How long a run lasts. */
const DURATION = durationOption("duration", {
  short: "d",
  default: "5s",
  positive: true,
  help: "how long each run is measured",
});

/** How long a server is under load before it is measured. */
const WARM_UP = durationOption("warmUp", {
  default: "2s",
  help: "how long each server is under load before it is measured",
});

/** How often each server is measured. With too few repeats a difference may be chance. */
const REPEAT = integerOption("repeat", {
  least: 1,
  most: 1000,
  default: 5,
  help: "how often each server is measured; with fewer than 3, no difference is reported",
});

/** The placeholder in a command line for the name of the protocol. */
const PROTOCOL = "{protocol}";

/** The most threads that a server is started with. It gets one for each connection. */
const MOST_THREADS = 256;

/** The flags of a single load, without those that have another form here. */
const SHARED = LOAD_FLAGS.filter(({ name }) =>
  !["protocol", "connections", "duration", "requests"].includes(name)
);

/** The flags that say what is compared. */
export const COMPARE_FLAGS: readonly Flag[] = [
  COMPARED_MODES,
  {
    name: "runtimes",
    kind: "string",
    value: "LIST",
    default: "all that are here",
    suggestions: RUNTIMES.map(({ name }) => name),
    help: "on which runtimes",
  },
  PROTOCOLS,
  CONNECTIONS,
  DURATION,
  WARM_UP,
  REPEAT,
  {
    name: "against",
    kind: "string",
    value: `'NAME=COMMAND ${PORT}'`,
    repeats: true,
    help: `another server; it is started with its own port, and with the protocol for ${PROTOCOL}`,
  },
  RUNNING_PID,
  REFERENCE,
  {
    name: "traces",
    kind: "string",
    value: "DIR",
    help: "write a trace of each mode there, from a short run that is not measured",
  },
  ...SHARED,
  PERCENTILES,
  THROUGH,
  PROFILE,
];

/** Something that is compared. */
interface Subject {
  readonly name: string;
  readonly subject: Run["subject"];
  /** Why it cannot serve this load; `undefined` if it can. */
  whyNot(plan: Plan): string | undefined;
  /** Whether the user named it, and does not only want all that can serve. */
  readonly isNamed: boolean;
  /** The server, if it runs already. */
  readonly running?: RunningServer;
  /** Starts it, or finds it, ready to be put under this load. */
  start(plan: Plan, signal: AbortSignal, extras?: StartExtras): Promise<ReadyServer>;
}

/** What is compared, under which loads, and how many times. */
export interface Comparison {
  readonly subjects: readonly Subject[];
  readonly plans: readonly Plan[];
  readonly repeats: number;
  readonly warmUpMs: number;
  /** The percentiles that are asked for. */
  readonly percentiles: readonly number[] | undefined;
  /** What is wrong on the way to each of them, if anything. */
  readonly way: Way | undefined;
  /** Where traces are written. */
  readonly traces: string | undefined;
  /** Whether the servers are profiled, and where the profiles are kept. */
  readonly profile: ProfileRequest | undefined;
  /** What the others are compared with; `undefined` for the best. */
  readonly reference: string | undefined;
}

/** Follows the progress of a comparison. */
export interface ComparisonWatcher {
  /** Receives what the user should know. */
  onNote(text: string): void;
  /** Receives each second of a run. */
  onSecond(title: string, done: number, second: Second): void;
  /** Ends the comparison early. The complete runs are the result. */
  readonly signal: AbortSignal;
  /** Tells others of the runs, and may end one of them. */
  readonly live?: Pick<Live, "measure">;
}

/**
 * Reads from the flags what is to be compared.
 *
 * @param values the flags
 * @throws {UsageError} if something is wrong; its message is one line
 */
export async function readComparison(values: Values): Promise<Comparison> {
  const { connections, repeat, warmUp, traces, against = [], ...rest } = values;
  const running = ((values.server ?? []) as readonly string[]).map(readRunning);
  const pids = readPids((values.pid ?? []) as readonly string[], running);
  const modes = readModes(withModes(values));
  const way = readWay(values);
  const own = [
    ...modes,
    ...(against as readonly string[]).map(readRival),
    ...running.map((server) => runningServer(server, pids.get(server.name))),
  ];
  const subjects = own.map((subject) => ({ ...subject, name: nameThrough(subject.name, way) }));
  if (subjects.length === 0) {
    throw new UsageError("nothing to compare: HOST:PORT, --modes or --against");
  }
  for (const [at, { name, running }] of subjects.entries()) {
    if (subjects.findIndex((other) => other.name === name) < at) {
      const where = running === undefined ? "--against" : "<server>";
      throw new UsageError(`wrong value for ${where}: there is a "${name}" already`);
    }
  }
  const given = planOptionsOf(rest);
  // The parts of a rate that changes say how long a run lasts.
  const isChanging = RATE.read(given.rate).parts !== null;
  const shared: PlanOptions = isChanging ? given : { duration: DURATION.read(undefined), ...given };
  const plans: Plan[] = [];
  for (const protocol of protocolsOf(values, modes.length > 0, running.length > 0)) {
    for (const count of listOf(CONNECTIONS.read(connections as string | undefined))) {
      const number = /^\d+$/.test(count) ? Number(count) : 0;
      if (number < 1 || number > 1_000_000) {
        throw new UsageError(`wrong value for --connections: expected 1,50,500, got "${count}"`);
      }
      const isSent = values.send !== undefined;
      const spoken = protocol === undefined || isSent ? {} : { protocol };
      const plan = await makePlan({ ...shared, ...spoken, connections: number });
      refuseThrough(plan, values.through !== undefined);
      const served = protocol === undefined ? {} : { protocol: locateProtocol(protocol) };
      plans.push({ ...plan, ...served });
    }
  }
  if (traces !== undefined) makeFolder(traces as string);
  return {
    subjects,
    plans,
    repeats: REPEAT.read(repeat as number | undefined),
    warmUpMs: WARM_UP.read(warmUp as number | undefined),
    percentiles: percentilesOf(values),
    way,
    traces: traces as string | undefined,
    profile: readProfileRequest(values, way),
    reference: readReference(
      values.reference as string | undefined,
      subjects.map(({ name }, index) => ({ name, short: own[index]?.name })),
    ),
  };
}

/** The flags, with the modes that are compared if they say nothing of them. */
function withModes(values: Values): Values {
  const { modes, runtimes, server, send } = values;
  if (modes !== undefined || (server === undefined && send === undefined)) return values;
  if (runtimes !== undefined) {
    throw new UsageError("--runtimes without --modes: it is of the modes");
  }
  return { ...values, modes: "none" };
}

/**
 * The protocols that are spoken one after another. Beside `--send`, it is the one that the modes
 * serve, if there are modes.
 */
function protocolsOf(
  { protocols, send }: Values,
  hasModes: boolean,
  hasRunning: boolean,
): readonly (string | undefined)[] {
  const named = protocols === undefined ? undefined : listOf(protocols as string);
  if (send === undefined) {
    return named ?? (hasRunning ? ["hello"] : listOf(PROTOCOLS.read(undefined)));
  }
  if (!hasModes) {
    if (named === undefined) return [undefined];
    throw new UsageError("--protocols and --send exclude each other: each says what a request is");
  }
  if (named?.length === 1) return named;
  throw new UsageError(
    "--send with --modes: expected --protocols with the one that the modes serve",
  );
}

/**
 * Makes the folder before anything is measured, so that nobody waits for traces that cannot be
 * written.
 */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch (error) {
    throw new UsageError(
      `cannot make --traces ${escapeText(path)}: ${describeSystemError(error)}`,
    );
  }
}

/** What was measured, and what was not although it should have been. */
export interface Measured {
  readonly runs: readonly Run[];
  readonly missing: readonly Missing[];
  /** What the servers did in runs that do not count. */
  readonly profiles?: readonly Profile[];
  /** What the machine could do at best. */
  readonly floor?: Floor | null;
  /** What the others are compared with, if the user has said so. */
  readonly reference?: string;
  /** Whether a trace or a profile could not be written. @default {false} */
  readonly isUnwritten?: boolean;
  /** What runs at different rates say, if that is what was measured. */
  readonly rateStudy?: RateStudy;
}

/**
 * Measures everything in the comparison.
 *
 * @param comparison what to compare
 * @param watcher follows the progress
 * @returns the runs that are complete, and those that are missing
 */
export async function compare(
  comparison: Comparison,
  watcher: ComparisonWatcher,
): Promise<Measured> {
  const { subjects, plans, repeats, reference } = comparison;
  const runs: Run[] = [];
  const profiles: Profile[] = [];
  let isUnwritten = false;
  const onUnwritten = (text: string) => {
    isUnwritten = true;
    watcher.onNote(text);
  };
  /** Why a server was not measured, for those that can be measured no more. */
  const whys = new Map<Plan, Map<Subject, string>>(plans.map((plan) => [plan, new Map()]));
  await compareAll(comparison, { ...watcher, onUnwritten }, { runs, profiles }, whys);
  const missing = plans.flatMap((plan) => {
    const load = loadOf(plan);
    return subjects.flatMap((subject): Missing[] => {
      const { name, isNamed } = subject;
      const done = runs.filter((run) => run.name === name && loadKey(run.load) === loadKey(load));
      const left = Array.from({ length: repeats }, (_, index) => index + 1)
        .filter((repeat) => !done.some((run) => run.repeat === repeat));
      if (left.length === 0) return [];
      const why = whys.get(plan)?.get(subject) ?? "the comparison was interrupted";
      const wanted = isNamed || subject.whyNot(plan) === undefined;
      return [{ name, load, repeats: left, why, wanted }];
    });
  });
  return { runs, missing, profiles, isUnwritten, ...(reference !== undefined && { reference }) };
}

/** What is told of the files that the servers write themselves. */
interface FileWatcher {
  /** Receives which of them could not be written. */
  onUnwritten(text: string): void;
}

async function compareAll(
  comparison: Comparison,
  watcher: ComparisonWatcher & FileWatcher,
  { runs, profiles }: { readonly runs: Run[]; readonly profiles: Profile[] },
  whys: ReadonlyMap<Plan, Map<Subject, string>>,
): Promise<void> {
  const { subjects, plans, repeats, way } = comparison;
  const total = subjects.length * plans.length * repeats;
  let begun = 0;
  for (const plan of plans) {
    const failed = whys.get(plan) as Map<Subject, string>;
    const able = subjects.filter((subject) => {
      const why = subject.whyNot(plan);
      if (why === undefined) return true;
      watcher.onNote(`${subject.name} is left out: ${why}`);
      failed.set(subject, why);
      return false;
    });
    for (let repeat = 1; repeat <= repeats; repeat++) {
      for (const subject of able) {
        if (watcher.signal.aborted) return;
        begun++;
        if (failed.has(subject)) continue;
        const where = `${plan.protocolName} · ${plan.connections} connections`;
        const title = `${subject.name} · ${where} · ${repeat} of ${repeats}`;
        try {
          const run = await measureOne(subject, plan, repeat, comparison, {
            ...watcher,
            onSecond: (second) => watcher.onSecond(title, (begun - 1) / total, second),
          });
          if (!watcher.signal.aborted) runs.push(run);
          // What ended one run would end the others too.
          if (run.aborted !== null) failed.set(subject, `ended by --abort-on ${run.aborted}`);
        } catch (error) {
          // A server that does not start is reported once. The others are still compared.
          if (!(error instanceof ServerStartError)) throw error;
          if (watcher.signal.aborted) return;
          watcher.onNote(`${subject.name} is left out: ${error.message}`);
          failed.set(subject, error.message);
        }
      }
    }
    if (comparison.traces !== undefined) {
      await trace(comparison.traces, able, plan, { ...watcher, way });
    }
    for (const subject of able) {
      if (comparison.profile === undefined || failed.has(subject)) continue;
      if (subject.running !== undefined) {
        watcher.onNote(`${subject.name} has no profile: ${CANNOT_PROFILE}`);
        continue;
      }
      const profile = await profileServer(comparison.profile, subject, plan, watcher);
      if (profile !== undefined) profiles.push(profile);
    }
  }
}

/** Makes one run, with its own server. */
async function measureOne(
  { name, subject, start }: Subject,
  plan: Plan,
  repeat: number,
  { warmUpMs, percentiles, way }: Comparison,
  { signal, live = { measure }, onSecond, onNote }: {
    readonly signal: AbortSignal;
    readonly live?: Pick<Live, "measure">;
    onSecond(second: Second): void;
    onNote(text: string): void;
  },
): Promise<Run> {
  await using server = await start(plan, signal);
  const { status: { pid } } = server;
  await using reached = await reach(way, server.address);
  const { address } = reached;
  if (warmUpMs > 0) {
    await measure(warmUpOf(plan, warmUpMs), { address, name, signal });
  }
  const say = (text: string) => {
    // A run that ends early is no result, and Ctrl-C may have ended the server too.
    if (repeat === 1 && !signal.aborted) onNote(`${name}: ${text}`);
  };
  const run = await live.measure(plan, {
    address,
    pid,
    name,
    subject,
    repeat,
    percentiles,
    signal,
    onSecond,
    onNote: say,
  });
  return limitedBy(reached, [run], say)[0] as Run;
}

/** How long the traced run lasts, in milliseconds. */
const TRACE_MS = 1_000;

/** Runs each mode for a short time, with a trace of its connections. */
async function trace(
  folder: string,
  subjects: readonly Subject[],
  plan: Plan,
  { signal, onNote, onUnwritten, way }: ComparisonWatcher & FileWatcher & Pick<Comparison, "way">,
): Promise<void> {
  for (const { name, subject, start } of subjects) {
    if (subject === null || signal.aborted) continue;
    const spoken = plan.talk === undefined ? plan.protocolName : "send";
    const file = `${subject.mode}-${subject.runtime}-${spoken}-${plan.connections}.json`;
    const path = `${folder}/${file}`;
    try {
      await using server = await start(plan, signal, { trace: path });
      await using reached = await reach(way, server.address);
      const { address } = reached;
      const shortPlan = { ...plan, durationMs: TRACE_MS, rateParts: null, rampMs: 0 };
      await measure({ ...shortPlan, rehearse: false }, { address, name, signal });
    } catch (error) {
      if (!(error instanceof ServerStartError)) throw error;
      onNote(`${name} has no trace: ${error.message}`);
      continue;
    }
    if (isWholeTrace(path)) onNote(`${name}: its trace is in ${path}`);
    else onUnwritten(`${name} has no trace: ${path} is not whole. Is there room for it?`);
  }
}

/** The last bytes of a trace. */
const TRACE_END = "\n]\n";

/** Whether a trace has its end: a server that cannot write it serves all the same. */
function isWholeTrace(path: string): boolean {
  const end = new Uint8Array(TRACE_END.length);
  let file: number | undefined;
  try {
    file = openSync(path, "r");
    readSync(file, end, 0, end.length, statSync(path).size - end.length);
  } catch {
    // There is none, or it is too short.
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
  return new TextDecoder().decode(end) === TRACE_END;
}

/**
 * Lists what would spoil the comparison. Each entry is one sentence and names the remedy.
 *
 * @param comparison what is compared
 */
export async function preflightAll({ plans, subjects, way }: Comparison): Promise<string[]> {
  const warnings = new Set<string>();
  const more = descriptorsFor(way);
  for (const plan of plans) {
    for (const { running } of subjects) {
      const address = running === undefined
        ? { hostname: "127.0.0.1", port: 0 }
        : await probableAddress(running, plan);
      if (address === undefined) continue;
      const pid = running === undefined ? undefined : pidOf(address);
      for (const warning of preflight(plan, address, { more, pid })) warnings.add(warning);
    }
  }
  return [...warnings];
}

/** About how long the comparison takes, in seconds. */
export function secondsOf({ subjects, plans, repeats, warmUpMs }: Comparison): number {
  const each = plans.map(({ durationMs, rampMs }) => durationMs + rampMs + warmUpMs + 1_000);
  return subjects.length * repeats * each.reduce((sum, ms) => sum + ms, 0) / 1000;
}

/** The chosen modes on each of the chosen runtimes. */
function readModes({ modes, runtimes }: Values): Subject[] {
  const wanted = COMPARED_MODES.read(modes as string | undefined);
  const names = wanted === "all" ? MODE_NAMES : listOf(wanted);
  const available = RUNTIMES.filter(({ name, isHere }) =>
    buildInfo.isExecutable === true ? name === runtime.name : isHere
  );
  const chosen = runtimes === undefined
    ? available.map(({ name }) => name)
    : listOf(runtimes as string);
  for (const name of names) {
    if (name === "none") return [];
    if (buildInfo.command !== undefined) {
      throw new UsageError(
        `This executable holds ${buildInfo.command} alone, and no mode: ` +
          "use --modes none and --against, or the executable of all commands",
      );
    }
    if (!MODE_NAMES.includes(name)) {
      throw new UsageError(
        `wrong value for --modes: expected ${MODE_NAMES.join(", ")}, got "${name}"`,
      );
    }
  }
  return names.flatMap((mode) =>
    chosen.map((name) => {
      const found = available.find((candidate) => candidate.name === name);
      if (found !== undefined) return ourServer(mode as ModeName, found, wanted !== "all");
      if (buildInfo.isExecutable !== true && RUNTIMES.some((known) => known.name === name)) {
        throw new UsageError(`wrong value for --runtimes: ${name} is not installed here`);
      }
      const expected = available.map(({ name }) => name).join(" or ");
      throw new UsageError(`wrong value for --runtimes: expected ${expected}, got "${name}"`);
    })
  );
}

/**
 * Says which runtimes are not compared although nobody has left them out.
 *
 * @param values the flags
 * @returns one sentence; `undefined` if there is none such
 */
export function missingRuntimes(values: Values): string | undefined {
  const { modes, runtimes } = withModes(values);
  if (runtimes !== undefined || modes === "none" || buildInfo.isExecutable === true) {
    return undefined;
  }
  const missing = RUNTIMES.filter(({ isHere }) => !isHere).map(({ name }) => name);
  if (missing.length === 0) return undefined;
  const others = RUNTIMES.filter(({ isHere }) => isHere).map(({ name }) => name);
  return `${missing.join(", ")} is not installed here: the modes are compared on ${others} alone`;
}

function ourServer(mode: ModeName, command: RuntimeCommand, isNamed: boolean): Subject {
  const { name } = command;
  return {
    name: `${mode} · ${name}`,
    subject: { mode, runtime: name },
    isNamed,
    whyNot: (plan) => whyNotMode(mode, plan),
    start: (plan, signal, { trace, variables } = {}) =>
      LoadedServer.start(
        [
          ...modeCommand(mode, command, "0"),
          "--quiet",
          "--drain",
          "0",
          "--protocol",
          plan.protocol,
          ...flagsOf(mode, plan),
          ...(trace === undefined ? [] : ["--trace", trace]),
        ],
        signal,
        variables,
      ),
  };
}

/** The flags that a mode needs to serve this many persistent connections. */
function flagsOf(mode: ModeName, { connect, connections }: Plan): string[] {
  const { stay }: ModeEntry = MODES[mode];
  return connect || typeof stay !== "string" ? [] : [stay, String(connections)];
}

function whyNotMode(mode: ModeName, { connect, connections }: Plan): string | undefined {
  const { stay }: ModeEntry = MODES[mode];
  if (connect || stay === undefined) return undefined;
  if (stay === 1) {
    return connections > 1
      ? `it serves one connection at a time, and ${connections} stay`
      : undefined;
  }
  return connections > MOST_THREADS
    ? `${connections} connections that stay would need as many threads`
    : undefined;
}

function runningServer(server: RunningServer, pid: number | undefined): Subject {
  return {
    name: server.name,
    subject: null,
    isNamed: true,
    running: server,
    whyNot: () => undefined,
    start: (plan, signal) => reachRunning(server, plan, pid, signal),
  };
}

/** Reads the server of somebody else from a value of `--against`. */
function readRival(text: string): Subject {
  const [, name = "", line = ""] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name.trim() === "" || !line.includes(PORT)) {
    throw new UsageError(
      `wrong value for --against: expected 'NAME=COMMAND ${PORT}', got "${text}"`,
    );
  }
  return {
    name: name.trim(),
    subject: null,
    isNamed: true,
    whyNot: () => undefined,
    start: ({ protocolName }, signal, { variables } = {}) =>
      LoadedServer.startAny(
        line.trim().replaceAll(PROTOCOL, asWord(protocolName)),
        signal,
        variables,
      ),
  };
}

function listOf(text: string): string[] {
  const words = text.split(",").map((text) => text.trim()).filter(Boolean);
  return [...new Set(words)];
}
