/**
 * The command line of a server: its flags, its output, its signals and its exit status. It serves
 * all modes and every other server.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { BufferedOutput } from "../cli/buffered_output.ts";
import { fail, readCommandLine } from "../cli/command_line.ts";
import { EXIT_DONE, EXIT_FAILED, EXIT_SIGNALLED, EXIT_USAGE } from "../cli/exit_status.ts";
import type { Command, Flag, Values } from "../cli/flags.ts";
import { formatRun } from "../cli/invocation.ts";
import { valueOf } from "../cli/options.ts";
import type { Program } from "../cli/program.ts";
import type { ToldPlace } from "./listening/shared_port.ts";
import { takePassedDescriptors } from "../net/inherited_listener.ts";
import { runtime } from "../net/runtime.ts";
import { ignoresHangUps, onEndingSignal } from "../process/ending_signals.ts";
import { hasAbandonedThreads } from "../workers/abandoned_threads.ts";
import { beginProfile } from "../workers/profile_request.ts";
import { ThreadGuard } from "../workers/strays.ts";
import { CounterBlock, formatCounters } from "./core/counters.ts";
import {
  DRAIN,
  FD,
  OptionError,
  PORT,
  serveFlags,
  type ServeOptions,
  STALL,
  STALL_OF_COMMANDS,
  STATS_EVERY,
  TAKEOVER,
} from "./core/options.ts";
import type { Handover, Predecessor, Successor } from "./core/handover.ts";
import type { Server } from "./core/server.ts";
import { StrayLog } from "./core/stray_log.ts";
import type { StatisticsShare } from "./core/statistics_share.ts";
import { Restarter } from "./restarter.ts";
import { MainJournal } from "./journal/journal.ts";
import { configureLogging, type LogFormat, loggerOf, totalsLoggerOf } from "./journal/logging.ts";
import type { LiveServer } from "./live/live_server.ts";
import { LIVE, LIVE_FLAGS } from "./live/open_live.ts";
import { aboutOf, METRICS } from "./metrics/expose_metrics.ts";
import type { MetricsServer } from "./metrics/metrics_server.ts";
import type { Notifier } from "./notifier.ts";
import type { LoopWatch } from "./statistics/loop_watch.ts";
import type { StatisticsPrinter } from "./statistics/statistics_printer.ts";

/** How long the end waits for a stuck reader of standard output, in milliseconds. */
const FLUSH_MS = 1_000;

/** How long a server that is asked to end may take until it has started, in milliseconds. */
const START_MS = 1_000;

/** The flags that {@linkcode serverProgram} itself obeys. Every server's command has them. */
export const OUTPUT_FLAGS: readonly Flag[] = [
  { name: "quiet", kind: "boolean", help: "print only the address and the totals" },
  {
    name: "log-format",
    kind: "choice",
    choices: ["text", "json"],
    default: "text",
    help: "how to write the log",
  },
  STATS_EVERY,
  METRICS,
  ...LIVE_FLAGS,
];

/** How often the loops of a server beat whose metrics are told, or that is shown, in milliseconds. */
const METRICS_EVERY_MS = 1_000;

/** How to write values, and what signals do, for the help of every server's command. */
const NOTES: readonly string[] = [
  "A duration is written as 500ms, 5s or 1m30s. A time limit of 0 is none.",
  "SIGTERM, SIGINT (Ctrl-C) and SIGHUP let connections finish. A second SIGTERM or SIGINT ends at " +
  "once. A server started to ignore SIGHUP, as by nohup, ignores it. That is read from " +
  "/proc/self/status; where that may not be read, SIGHUP lets connections finish.",
  "SIGUSR2 starts the same command line again, and the new server takes the listener over: on Linux, " +
  "in modes with descriptors.",
];

/** What a mode adds to the command line that all modes share. */
export interface ModeCommand {
  /** One line that describes the model. */
  readonly summary: string;
  /** The mode's own flags. */
  readonly flags?: readonly Flag[];
  /**
   * The protocol it speaks by default.
   *
   * @default {"hello"}
   */
  readonly protocol?: string;
}

/** A mode's `serve`. */
type Serve = (options: ServeOptions) => Promise<Server>;

/**
 * Makes a mode a command that runs until a signal ends it.
 *
 * @param mode the mode's name
 * @param serve the mode's `serve`
 * @param own what the mode adds to the command line
 */
export function modeProgram(mode: string, serve: Serve, own: ModeCommand): Program {
  const { summary, flags = [], protocol = "hello" } = own;
  const command: Command = {
    name: mode,
    summary,
    positionals: [PORT],
    flags: [...flags, ...serveFlags(protocol), STALL, ...OUTPUT_FLAGS],
    example: formatRun(`modes/${mode}.ts`, "8080"),
  };
  return serverProgram(command, async (values, output, more) =>
    serviceOf(
      await serve({
        ...values,
        ...more,
        stall: stallOf(values),
        ...(values.noPrime === true && { prime: false }),
        ...(values.quiet !== true && { onReport: (message) => output.writeLine(message) }),
      }),
    ));
}

/** What a command runs until a signal ends it: the part of a server that the command must know. */
export interface Service {
  /** The mode, or another kind of server. */
  readonly mode: string;
  /** The name of the protocol that it speaks. */
  readonly protocol: string;
  /** The address that it listens on. */
  readonly address: Address;
  /** Its description in parts, which people read after the address. */
  readonly details: readonly string[];
  /**
   * Resolves when nothing of the service is left, with the error if one ended it. It never rejects.
   */
  readonly closed: Promise<Error | undefined>;
  /** Where its figures lie in shared memory. */
  readonly statistics: StatisticsShare;
  /**
   * Whether something in it, for instance a read of standard input, still waits after it has closed
   * and would keep the process running.
   *
   * @default {false}
   */
  readonly leavesWaiting?: boolean;
  /** Lets another process take its listener over, if that is possible. */
  readonly handover?: Handover | undefined;
  /** Closes it in order. It may be called again. */
  close(): Promise<void>;
  /** Returns its counters. */
  count(): Totals;
}

/** What a server has counted when it ends, for people and for programs. */
export interface Totals {
  /** All counters on one line. */
  readonly line: string;
  /** The counters by name, for a log in JSON. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/**
 * Makes a mode's server a service that a command can run.
 *
 * @param server what `serve` returned
 */
export function serviceOf(server: Server): Service {
  return {
    mode: server.mode,
    protocol: server.protocol,
    address: server.address,
    details: [server.mode, server.protocol, ...server.details],
    closed: server.closed,
    statistics: server.statistics,
    handover: server.handover,
    close: () => server.close(),
    count() {
      const { counters } = server;
      return { line: formatCounters(counters), properties: { ...counters } };
    },
  };
}

/**
 * Starts the service of a command.
 *
 * @param values the given values of the flags
 * @param output standard output, which is flushed at the end; the flags say whether to be quiet
 * @param more options that are no flags, in place of flags of their names; a service that takes
 * nothing over does without `beforeTakeover`
 * @throws {OptionError} if a flag has a wrong value
 */
export type Start = (
  values: Values,
  output: BufferedOutput,
  more: Pick<ServeOptions, "beforeTakeover" | "live">,
) => Promise<Service>;

/**
 * Makes a server a command that runs until a signal ends it.
 *
 * Running it returns nothing that the command's module could await. A protocol's module may import
 * `mod.ts` and with it the mode: then each of the two would wait for the other for ever.
 *
 * @param command its name and flags, including {@linkcode OUTPUT_FLAGS}
 * @param start starts the service
 */
export function serverProgram(command: Command, start: Start): Program {
  const described = { ...command, notes: NOTES };
  return { command: described, run: () => void run(described, start) };
}

async function run(command: Command, start: Start): Promise<void> {
  const { name } = command;
  const values = readCommandLine(command);
  const stderr = new BufferedOutput("stderr", () => {});
  const stdout = new BufferedOutput("stdout", (lines) => {
    loggerOf(name).warn("{lines} lines were dropped: standard output is too slow", { lines });
  });
  const format: LogFormat = values.logFormat === "json" ? "json" : "text";
  configureLogging({
    format,
    quiet: values.quiet === true,
    to: stderr,
  });

  let service: Service | undefined;
  let isAsked = false;
  let late: ReturnType<typeof setTimeout> | undefined;
  let watching: Promise<LoopWatch | undefined> | undefined;
  let notifier: Notifier | undefined;
  const close = () => {
    notifier?.stops();
    restarter.cancel();
    void watching?.then((watch) => watch?.closing());
    // An error shows up in `closed`.
    service?.close().catch(() => {});
  };
  // This comes first: the first process of a container never hears a signal without a listener.
  const forget = onEndingSignal((signal) => {
    // When a terminal closes, the kernel and the shell may both say so.
    if (isAsked && signal === "SIGHUP") return;
    if (isAsked) runtime.exit(EXIT_SIGNALLED);
    isAsked = true;
    // Some threads may serve already while others start.
    if (service === undefined) late = setTimeout(() => runtime.exit(EXIT_SIGNALLED), START_MS);
    close();
  });
  // This comes after it: whether hang-ups are ignored is known only before the first listener.
  const restarter = new Restarter(name);
  let printer: StatisticsPrinter | undefined;
  let metrics: MetricsServer | undefined;
  let live: LiveServer | undefined;
  try {
    printer = await startPrinter(name, values, format);
    if (printer !== undefined) stderr.share();
    notifier = await startNotifier(name);
    metrics = await startMetrics(command, values);
    live = await startLive(command, values);
    const tellers = { metrics, live };
    service = await start(
      { ...measured(values, notifier), ...withPassed(command, values) },
      stdout,
      {
        beforeTakeover: (predecessor, handover) => beforeTakeover(tellers, predecessor, handover),
        ...(live !== undefined && { live }),
      },
    );
    await Promise.all([metrics?.listen(), live?.listen()]);
  } catch (error) {
    const usage = error instanceof OptionError;
    fail(name, (error as Error).message, usage ? EXIT_USAGE : EXIT_FAILED);
  }

  clearTimeout(late);
  const served = service;
  // The block of the main thread is the last.
  const counters = CounterBlock.allIn(served.statistics.counters).at(-1) as CounterBlock;
  metrics?.tell(served.statistics, aboutOf(served));
  // This is our program, so what a protocol does beside its conversations does not end it.
  const guard = new ThreadGuard(new StrayLog(new MainJournal(name), counters).tell);
  const profile = await beginProfile();
  try {
    // The first client may stop the loop for ever. The thread comes up while the loop is stuck, but
    // only the loop can start it.
    watching = startWatch(command, values, format, served, stderr);
    await watching;
    stdout.writeLine(describe(served, metrics, live));
    // The server listens already, and whoever waits for the line has it.
    restarter.serves(served.handover);
    notifier?.serves(served);
    if (isAsked) close();
    printer?.print(served.statistics);
    const error = await served.closed;
    await profile?.end();
    notifier?.stops();
    notifier?.end();
    await metrics?.close();
    await live?.close();
    await (await watching)?.stop(FLUSH_MS);
    // A line of statistics that is being written comes before the totals.
    await printer?.stop(FLUSH_MS);
    guard.flush();
    restarter.forget();
    await finish(name, served, error, { stdout, stderr }, forget);
  } finally {
    // An error of our own ends it.
    guard.end();
  }
}

/**
 * Adds the listener that a service manager has passed to this process, if it has passed any.
 *
 * @throws {OptionError} if this server cannot take one
 */
function withPassed({ name, flags }: Command, values: Values): Values {
  const passed = takePassedDescriptors();
  if (passed === undefined) return values;
  const { first, count } = passed;
  if (!flags.includes(FD)) {
    throw new OptionError("Cannot use LISTEN_FDS: this server has the runtime's own listener");
  }
  if (values.fd !== undefined) return values;
  if (count > 1) {
    const properties = { count, first };
    loggerOf(name).warn(
      "LISTEN_FDS: {count} sockets, of which descriptor {first} is used",
      properties,
    );
  }
  return { ...values, fd: first };
}

/** Prints the totals of a service that has closed, and ends the process if it would not end. */
async function finish(
  name: string,
  service: Service,
  error: Error | undefined,
  { stdout, stderr }: Readonly<Record<"stdout" | "stderr", BufferedOutput>>,
  forget: () => void,
): Promise<void> {
  stdout.tellDropped();
  const { line, properties } = service.count();
  totalsLoggerOf(name).info("totals: {totals}", { ...properties, totals: line });
  const flushed = await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  forget();
  if (error !== undefined && !flushed.includes(false)) fail(name, error.message, EXIT_FAILED);
  // A write that waits for a stuck reader would keep the process running, and so would a stuck
  // thread.
  if (flushed.includes(false) || hasAbandonedThreads() || service.leavesWaiting === true) {
    runtime.exit(error === undefined ? EXIT_DONE : EXIT_FAILED);
  }
}

/** Starts the thread that writes statistics, if there are to be any. */
async function startPrinter(
  name: string,
  values: Values,
  format: LogFormat,
): Promise<StatisticsPrinter | undefined> {
  const everyMs = valueOf(STATS_EVERY, values);
  if (everyMs === 0) return undefined;
  const { StatisticsPrinter } = await import("./statistics/statistics_printer.ts");
  return await StatisticsPrinter.start({ name, everyMs, format }, loggerOf(name));
}

/** Finds the service manager that wants to be told about this process, if there is one. */
async function startNotifier(name: string): Promise<Notifier | undefined> {
  if (runtime.variable("NOTIFY_SOCKET") === undefined) return undefined;
  const { ServiceManager } = await import("../process/service_manager.ts");
  const { Notifier } = await import("./notifier.ts");
  const manager = ServiceManager.find((reason) =>
    loggerOf(name).warn("NOTIFY_SOCKET: the service manager cannot be told: {reason}", { reason })
  );
  return manager && new Notifier(manager, (what) => {
    const text = "{what} is stuck: the watchdog of the service manager is fed no more";
    loggerOf(name).error(text, { what });
  });
}

/** Has the beats of loops measured where somebody wants to know how late they are. */
function measured({ metrics, live }: Values, notifier: Notifier | undefined): Values {
  const isWanted = metrics !== undefined || live !== undefined || notifier !== undefined;
  return isWanted ? { statsEvery: METRICS_EVERY_MS } : {};
}

/** Starts the thread that tells metrics, if there is to be one. */
async function startMetrics(
  { name, flags }: Command,
  values: Values,
): Promise<MetricsServer | undefined> {
  if (values.metrics === undefined) return undefined;
  const { MetricsServer } = await import("./metrics/metrics_server.ts");
  return await MetricsServer.start({
    address: valueOf(METRICS, values),
    shares: flags.includes(TAKEOVER) ? values.takeover === undefined ? "later" : "now" : undefined,
    onError: (message) => loggerOf(name).warn("{message}", { message }),
  });
}

/** Starts the thread that shows the server, if there is to be one. */
async function startLive(
  { name, flags }: Command,
  values: Values,
): Promise<LiveServer | undefined> {
  const viewOnly = values.liveViewOnly === true;
  if (values.live === undefined) {
    if (viewOnly) throw new OptionError("Cannot use liveViewOnly: there is no page without live");
    return undefined;
  }
  const address = valueOf(LIVE, values);
  const { LiveServer } = await import("./live/live_server.ts");
  return await LiveServer.start({
    address,
    viewOnly,
    shares: flags.includes(TAKEOVER) ? values.takeover === undefined ? "later" : "now" : undefined,
    onError: (message) => loggerOf(name).warn("{message}", { message }),
  });
}

/**
 * The metrics and the page of the server that is taken over end where they are. Those of this one begin
 * before, and end in the same way: the next one may come at once.
 */
async function beforeTakeover(
  { metrics, live }: {
    readonly metrics: MetricsServer | undefined;
    readonly live: LiveServer | undefined;
  },
  predecessor: Predecessor,
  handover: Pick<Handover, "tells" | "onTakenOver">,
): Promise<Successor> {
  await Promise.all([
    metrics?.listen(metricsPlaceOf(predecessor)),
    live?.listen(predecessor.page),
  ]);
  // From then on those who ask at this port get their answer from the other process.
  handover.onTakenOver((pid, successor) => {
    void metrics?.yieldTo(metricsPlaceOf(successor));
    void live?.leaveTo(pid, successor.page);
  });
  const at = metrics?.address;
  const told = at === undefined ? {} : { metrics: at.port, metricsHostname: at.hostname };
  handover.tells({ ...told, ...(live !== undefined && { page: live.place }) });
  return { ...told, ...(live !== undefined && { page: live.url }) };
}

/** Where another server tells its metrics; `undefined` if it does not. */
function metricsPlaceOf(
  { metrics, metricsHostname }: Predecessor | Successor,
): ToldPlace | undefined {
  return metrics === undefined ? undefined : { hostname: metricsHostname, port: metrics };
}

/** For how long an event loop may not turn, in milliseconds. A command has it watched unless told. */
function stallOf({ stall = STALL_OF_COMMANDS }: Values): number {
  return valueOf(STALL, { stall });
}

/** Starts the thread that watches the event loops, if there are any. */
async function startWatch(
  { name, flags }: Command,
  values: Values,
  format: LogFormat,
  { statistics }: Service,
  stderr: BufferedOutput,
): Promise<LoopWatch | undefined> {
  const stallMs = flags.includes(STALL) ? stallOf(values) : 0;
  if (stallMs === 0 || statistics.beats === undefined) return undefined;
  const { LoopWatch } = await import("./statistics/loop_watch.ts");
  stderr.share();
  return LoopWatch.start({
    name,
    format: values.quiet === true ? undefined : format,
    stallMs,
    drainMs: valueOf(DRAIN, values),
    hearsHangUps: !ignoresHangUps(),
  }, statistics);
}

function describe(
  { address, details }: Service,
  metrics?: MetricsServer,
  live?: LiveServer,
): string {
  return [
    `Listening on ${formatAddress(address)}`,
    ...details,
    ...(metrics === undefined ? [] : [`metrics at ${metrics.url}/metrics`]),
    ...(live === undefined ? [] : [`live at ${live.url}`]),
    `${runtime.name} ${runtime.version}`,
  ].join(" · ");
}
