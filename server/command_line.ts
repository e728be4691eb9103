/**
 * The command line of a mode: its flags, its output, its signals and its exit status, once for
 * all of them.
 *
 * @module
 */

import manifest from "../package.json" with { type: "json" };
import { PROTOCOLS } from "../protocols/catalogue.ts";
import { formatAddress } from "../protocols/address.ts";
import { runtime } from "../net/runtime.ts";
import { hasAbandonedThreads } from "./abandoned_threads.ts";
import { BufferedOutput } from "./buffered_output.ts";
import { formatCounters } from "./counters.ts";
import {
  type Command,
  type Flag,
  formatHelp,
  parseFlags,
  UsageError,
  type Values,
} from "./flags.ts";
import { configureLogging, loggerOf, totalsLoggerOf } from "./logging.ts";
import { OptionError, type ServeOptions } from "./options.ts";
import type { Server } from "./server.ts";

/** The exit status when the command line was wrong. */
export const EXIT_USAGE = 2;

/** The exit status when the server could not start. */
const EXIT_FAILURE = 1;

/** The exit status when a second signal ended it at once. */
const EXIT_SIGNALLED = 130;

/** How long, at the end, a stuck reader of standard output is waited for, in milliseconds. */
const FLUSH_MS = 1_000;

/** The flags that all modes have. */
const SERVE_FLAGS: readonly Flag[] = [
  {
    name: "host",
    kind: "string",
    value: "HOST",
    default: "127.0.0.1",
    help: "name or address to listen on",
  },
  {
    name: "protocol",
    kind: "string",
    value: "NAME|PATH",
    default: "hello",
    help: `what to speak: ${Object.keys(PROTOCOLS).join(", ")}, or a module of one's own`,
  },
  {
    name: "grace",
    kind: "duration",
    default: "20ms",
    help: "how long a hello without a line end waits for more; 0: line ends only",
  },
  {
    name: "read-timeout",
    kind: "duration",
    default: "5s in hello, else none",
    help: "how long one read may wait",
  },
  {
    name: "session-timeout",
    kind: "duration",
    default: "30s in hello, else none",
    help: "how long a connection may last",
  },
  {
    name: "compute-timeout",
    kind: "duration",
    default: "120s",
    help: "how long a conversation waits for a computation",
  },
  {
    name: "no-prime",
    kind: "boolean",
    help: "in frame: ^P7$ is data like any other, not a question",
  },
  {
    name: "max-connections",
    kind: "integer",
    value: "N",
    least: 0,
    most: 1_000_000_000,
    default: "none",
    help: "how many connections to serve at a time; the rest wait",
  },
  {
    name: "drain",
    kind: "duration",
    default: "5s",
    help: "how long connections may finish after a signal",
  },
  { name: "quiet", kind: "boolean", help: "print only where it listens and the totals" },
  {
    name: "log-format",
    kind: "choice",
    choices: ["text", "json"],
    default: "text",
    help: "how to write the log",
  },
];

const PORT: Flag = {
  name: "port",
  kind: "integer",
  least: 0,
  most: 65535,
  default: "8080",
  help: "port to listen on; 0 picks a free one",
};

/** What a mode adds to the command line that all have. */
export interface ModeCommand {
  /** One line that says what the model is. */
  readonly summary: string;
  /** The mode's own flags. */
  readonly flags?: readonly Flag[];
  /**
   * What it speaks when nothing else is said.
   *
   * @default {"hello"}
   */
  readonly protocol?: string;
}

/** A mode's `serve`. */
type Serve = (options: ServeOptions) => Promise<Server>;

/**
 * Runs a mode as a command until a signal ends it.
 *
 * Nothing is returned that the mode's module could wait for: the module of a protocol may import
 * `mod.ts`, and with it the mode, and each of the two would wait for the other for ever.
 *
 * @param mode the mode's name
 * @param serve the mode
 * @param own what the mode adds to the command line
 */
export function runMode(mode: string, serve: Serve, own: ModeCommand): void {
  void run(mode, serve, own);
}

async function run(mode: string, serve: Serve, own: ModeCommand): Promise<void> {
  const command: Command = {
    name: mode,
    summary: own.summary,
    positionals: [PORT],
    flags: [...own.flags ?? [], ...SERVE_FLAGS.map(withDefault(own))],
    example: formatRun(`modes/${mode}.ts 8080`),
  };
  const values = readCommandLine(command);
  const stderr = new BufferedOutput("stderr", () => {});
  const stdout = new BufferedOutput("stdout", (lines) => {
    loggerOf(mode).warn("{lines} lines were dropped: standard output is too slow", { lines });
  });
  const quiet = values.quiet === true;
  configureLogging({ format: values.logFormat === "json" ? "json" : "text", quiet, to: stderr });

  let server: Server;
  try {
    server = await serve({
      ...values,
      ...(values.noPrime === true && { prime: false }),
      ...(!quiet && { onReport: (message: string) => stdout.writeLine(message) }),
    });
  } catch (error) {
    const usage = error instanceof OptionError;
    fail(mode, (error as Error).message, usage ? EXIT_USAGE : EXIT_FAILURE);
  }

  let signals = 0;
  const onSignal = () => {
    if (++signals > 1) runtime.exit(EXIT_SIGNALLED);
    // What goes wrong is what `closed` says.
    server.close().catch(() => {});
  };
  const forget = [runtime.onSignal("SIGINT", onSignal), runtime.onSignal("SIGTERM", onSignal)];

  stdout.writeLine(describe(server));
  const error = await server.closed;
  stdout.tellDropped();
  const totals = server.counters;
  totalsLoggerOf(mode).info("totals: {totals}", { ...totals, totals: formatCounters(totals) });
  const flushed = await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  for (const stop of forget) stop();
  // A write that waits for a stuck reader would keep the process up, and so would a stuck thread.
  if (flushed.includes(false) || hasAbandonedThreads()) {
    runtime.exit(error === undefined ? 0 : EXIT_FAILURE);
  }
  if (error !== undefined) fail(mode, error.message, EXIT_FAILURE);
}

/** The flags of a mode that speaks another protocol by default. */
function withDefault({ protocol = "hello" }: ModeCommand): (flag: Flag) => Flag {
  return (flag) => flag.name === "protocol" ? { ...flag, default: protocol } : flag;
}

/** What stands between the runtime's name and the script's. */
const RUN: Readonly<Record<string, string>> = { deno: "run -A ", bun: "" };

/**
 * How a person runs a script of this project with the runtime at hand.
 *
 * @param script its path and arguments
 */
export function formatRun(script: string): string {
  return `${runtime.name} ${RUN[runtime.name]}${script}`;
}

/**
 * Reads the command line of this process; shows help or version, or what is wrong, and exits.
 *
 * @param command what it can be
 * @returns the values that were given
 */
export function readCommandLine(command: Command): Values {
  let values: Values;
  try {
    values = parseFlags(command, runtime.args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    fail(command.name, error.message, EXIT_USAGE);
  }
  const shown = values.help === true
    ? formatHelp(command)
    : values.version === true
    ? `handshake ${manifest.version} (${runtime.name} ${runtime.version})`
    : undefined;
  if (shown === undefined) return values;
  runtime.printNow("stdout", `${shown}\n`);
  runtime.exit(0);
}

/**
 * Says on one line why the process ends, and ends it.
 *
 * @param name the command's name
 * @param message what is wrong
 * @param status the exit status
 */
export function fail(name: string, message: string, status: number): never {
  runtime.printNow("stderr", `${name}: ${message.replaceAll("\n", " ")}\n`);
  runtime.exit(status);
}

function describe(server: Server): string {
  return [
    `Listening on ${formatAddress(server.address)}`,
    server.mode,
    server.protocol,
    ...server.details,
    `${runtime.name} ${runtime.version}`,
  ].join(" · ");
}
