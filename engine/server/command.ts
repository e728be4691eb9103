/**
 * The command line of a server: its flags, its output, its signals and its exit status. It serves
 * all modes and every other server.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import { PROTOCOLS } from "../../protocols/catalogue.ts";
import type { Address } from "../../protocols/effects.ts";
import { BufferedOutput } from "../cli/buffered_output.ts";
import { fail, readCommandLine } from "../cli/command_line.ts";
import { EXIT_FAILED, EXIT_SIGNALLED, EXIT_USAGE } from "../cli/exit_status.ts";
import type { Command, Flag, Values } from "../cli/flags.ts";
import { formatRun } from "../cli/invocation.ts";
import type { Program } from "../cli/program.ts";
import { runtime } from "../net/runtime.ts";
import { onInterrupt } from "../process/interrupts.ts";
import { hasAbandonedThreads } from "./core/abandoned_threads.ts";
import { formatCounters } from "./core/counters.ts";
import { OptionError, type ServeOptions } from "./core/options.ts";
import type { Server } from "./core/server.ts";
import { configureLogging, loggerOf, totalsLoggerOf } from "./journal/logging.ts";

/** How long the end waits for a stuck reader of standard output, in milliseconds. */
const FLUSH_MS = 1_000;

/** The flag for the address. */
export const HOST_FLAG: Flag = {
  name: "host",
  kind: "string",
  value: "HOST",
  default: "127.0.0.1",
  help: "name or address to listen on",
};

/** The flag for the time to finish. */
export const DRAIN_FLAG: Flag = {
  name: "drain",
  kind: "duration",
  default: "5s",
  help: "how long connections may finish after a signal",
};

/** The flags that {@linkcode serverProgram} itself obeys. Every server's command has them. */
export const OUTPUT_FLAGS: readonly Flag[] = [
  { name: "quiet", kind: "boolean", help: "print only where it listens and the totals" },
  {
    name: "log-format",
    kind: "choice",
    choices: ["text", "json"],
    default: "text",
    help: "how to write the log",
  },
];

/**
 * The argument for the port.
 *
 * @param standard the default port
 */
export function portArgument(standard: number): Flag {
  return {
    name: "port",
    kind: "integer",
    least: 0,
    most: 65535,
    default: String(standard),
    help: "port to listen on; 0 picks a free one",
  };
}

/** The flags that all modes have. */
const SERVE_FLAGS: readonly Flag[] = [
  HOST_FLAG,
  {
    name: "protocol",
    kind: "string",
    value: "NAME|PATH",
    suggestions: Object.keys(PROTOCOLS),
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
  DRAIN_FLAG,
  {
    name: "trace",
    kind: "string",
    value: "FILE",
    help: "write what each thread does when into a file that ui.perfetto.dev opens",
  },
  ...OUTPUT_FLAGS,
];

/** What a mode adds to the common command line. */
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
  const command: Command = {
    name: mode,
    summary: own.summary,
    positionals: [portArgument(8080)],
    flags: [...own.flags ?? [], ...SERVE_FLAGS.map(withDefault(own))],
    example: formatRun(`modes/${mode}.ts`, "8080"),
  };
  return serverProgram(command, async (values, output) =>
    serviceOf(
      await serve({
        ...values,
        ...(values.noPrime === true && { prime: false }),
        ...(values.quiet !== true && { onReport: (message) => output.writeLine(message) }),
      }),
    ));
}

/** What a command runs until a signal ends it: the part of a server that the command must know. */
export interface Service {
  /** The address that it listens on. */
  readonly address: Address;
  /** Its description in parts, which people read after the address. */
  readonly details: readonly string[];
  /**
   * Resolves when nothing of the service is left, with the error if one ended it. It never rejects.
   */
  readonly closed: Promise<Error | undefined>;
  /**
   * Whether something in it, for instance a read of standard input, still waits after it has closed
   * and would keep the process running.
   *
   * @default {false}
   */
  readonly leavesWaiting?: boolean;
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
    address: server.address,
    details: [server.mode, server.protocol, ...server.details],
    closed: server.closed,
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
 * @throws {OptionError} if a flag has a wrong value
 */
export type Start = (values: Values, output: BufferedOutput) => Promise<Service>;

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
  return { command, run: () => void run(command, start) };
}

async function run(command: Command, start: Start): Promise<void> {
  const { name } = command;
  const values = readCommandLine(command);
  const stderr = new BufferedOutput("stderr", () => {});
  const stdout = new BufferedOutput("stdout", (lines) => {
    loggerOf(name).warn("{lines} lines were dropped: standard output is too slow", { lines });
  });
  configureLogging({
    format: values.logFormat === "json" ? "json" : "text",
    quiet: values.quiet === true,
    to: stderr,
  });

  let service: Service;
  try {
    service = await start(values, stdout);
  } catch (error) {
    const usage = error instanceof OptionError;
    fail(name, (error as Error).message, usage ? EXIT_USAGE : EXIT_FAILED);
  }

  let signals = 0;
  const onSignal = () => {
    if (++signals > 1) runtime.exit(EXIT_SIGNALLED);
    // An error shows up in `closed`.
    service.close().catch(() => {});
  };
  const forget = onInterrupt(onSignal);

  stdout.writeLine(describe(service));
  const error = await service.closed;
  stdout.tellDropped();
  const { line, properties } = service.count();
  totalsLoggerOf(name).info("totals: {totals}", { ...properties, totals: line });
  const flushed = await Promise.all([stdout.flush(FLUSH_MS), stderr.flush(FLUSH_MS)]);
  forget();
  if (error !== undefined && !flushed.includes(false)) fail(name, error.message, EXIT_FAILED);
  // A write that waits for a stuck reader would keep the process running, and so would a stuck
  // thread.
  if (flushed.includes(false) || hasAbandonedThreads() || service.leavesWaiting === true) {
    runtime.exit(error === undefined ? 0 : EXIT_FAILED);
  }
}

/** Sets the default protocol in the flags of a mode. */
function withDefault({ protocol = "hello" }: ModeCommand): (flag: Flag) => Flag {
  return (flag) => flag.name === "protocol" ? { ...flag, default: protocol } : flag;
}

function describe({ address, details }: Service): string {
  return [
    `Listening on ${formatAddress(address)}`,
    ...details,
    `${runtime.name} ${runtime.version}`,
  ].join(" · ");
}
