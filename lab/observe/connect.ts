/**
 * `observe HOST:PORT`: how long a server takes to answer, and what the kernel says about it. It is
 * what tcping is, with evidence.
 *
 * @module
 */

import { readInput } from "../../engine/cli/standard_input.ts";
import { EXIT_DONE, EXIT_SIGNALLED } from "../../engine/cli/exit_status.ts";
import { UsageError, type Values } from "../../engine/cli/flags.ts";
import { formatRun } from "../../engine/cli/invocation.ts";
import { integerOption, valueOf } from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import { CONNECT_TIMEOUT } from "../../engine/dial/target.ts";
import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { isIPv6 } from "../../engine/net/address.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { sockets } from "../../engine/net/sockets.ts";
import { RecordingFile } from "../../engine/recording/recording_file.ts";
import { onEndingSignal } from "../../engine/process/ending_signals.ts";
import { screenOf } from "../report/screen.ts";
import { exitStatus } from "./connect/failure.ts";
import { Interrupt } from "./connect/interrupt.ts";
import { Lines } from "./connect/lines.ts";
import { tracePath } from "./connect/path.ts";
import { RuntimeProber } from "./connect/runtime_prober.ts";
import { recordAttempt } from "./connect/recording.ts";
import { describeAttempt, type Format, Report } from "./connect/report.ts";
import { Series, type SeriesPlan } from "./connect/series.ts";
import { ThreadProber } from "./connect/thread.ts";
import { LineOutput } from "./line_output.ts";
import { say } from "./say.ts";
import { FAMILY_FLAGS, familyOf, SERVER_ARGUMENTS, serverOf } from "./server_argument.ts";
import { RECORD, SCRIPT, type Subcommand } from "./subcommand.ts";

const COUNT = integerOption("count", {
  short: "c",
  least: 1,
  most: 1_000_000_000,
  shown: "until Ctrl-C",
  help: "how many attempts to make",
});

const INTERVAL = durationOption("interval", {
  short: "i",
  default: "1s",
  help: "the time from the beginning of an attempt to that of the next; 0 is none",
});

const FIRST_BYTE = durationOption("firstByte", {
  default: "500ms",
  shown: "500ms, or the interval if that is shorter; with --hello 0",
  help: "how long the server may take to say its first byte; 0 does not wait",
});

const RESOLVE_EVERY = durationOption("resolveEvery", {
  default: 0,
  shown: "never",
  help: "look the name up again when this time has gone by",
});

const MAX_HOPS = integerOption("maxHops", {
  least: 1,
  most: 255,
  default: 30,
  help: "with --path: how far to look",
});

/** How long an answer on the way may take by default, in milliseconds. */
const HOP_MS = 1_000;

/** The means of this command: what the system shows to everybody. */
const TIER = "T0";

/** The flags of attempts that the path has no use for, by their names here and for the user. */
const ONLY_ATTEMPTS: readonly (readonly [string, string])[] = [
  ["count", "count"],
  ["interval", "interval"],
  ["firstByte", "first-byte"],
  ["hello", "hello"],
  ["rst", "rst"],
  ["quiet", "quiet"],
  ["time", "time"],
  ["resolveEvery", "resolve-every"],
  ["record", "record"],
];

/** The command without a name of its own. */
export function connect(): Subcommand {
  return {
    command: {
      name: "observe",
      summary: "see a real handshake: its time, its states, its packets",
      positionals: SERVER_ARGUMENTS,
      required: 1,
      flags: [
        COUNT,
        INTERVAL,
        CONNECT_TIMEOUT,
        FIRST_BYTE,
        { name: "hello", kind: "boolean", help: "shake hands as the protocol hello does" },
        ...FAMILY_FLAGS,
        RESOLVE_EVERY,
        {
          name: "source",
          kind: "string",
          value: "ADDRESS",
          help: "the address of this machine to call from",
        },
        { name: "rst", kind: "boolean", help: "close with a RST; without it, with a FIN" },
        { name: "quiet", short: "q", kind: "boolean", help: "print only the statistics" },
        { name: "json", kind: "boolean", help: "print an object a line" },
        { name: "csv", kind: "boolean", help: "print a table: RFC 4180" },
        { name: "time", kind: "boolean", help: "begin each line with the time" },
        { name: "path", kind: "boolean", help: "find the routers on the way, without root" },
        MAX_HOPS,
        RECORD,
      ],
      example: formatRun(SCRIPT, "127.0.0.1:8080 -c 3"),
    },
    perform,
  };
}

/** Makes sure that this machine has the address to call from. */
function checkSource(source: string): void {
  const net = sockets();
  const { AF_INET, AF_INET6, SOCK_STREAM } = net.constants;
  const fd = net.socket(isIPv6(source) ? AF_INET6 : AF_INET, SOCK_STREAM);
  try {
    net.bind(fd, { hostname: source, port: 0 });
  } catch {
    throw new UsageError(`wrong value for --source: ${source} is not an address of this machine`);
  } finally {
    net.close(fd);
  }
}

function planOf(values: Values): SeriesPlan {
  const server = serverOf(values);
  const intervalMs = valueOf(INTERVAL, values);
  const standardMs = intervalMs === 0 ? 500 : Math.min(500, intervalMs);
  const given = values.firstByte as number | undefined;
  return {
    server,
    family: familyOf(values, server),
    count: (values.count as number | undefined) ?? Infinity,
    intervalMs,
    timeoutMs: valueOf(CONNECT_TIMEOUT, values),
    firstByteMs: given ?? (values.hello === true ? 0 : standardMs),
    hello: values.hello === true,
    rst: values.rst === true,
    source: values.source as string | undefined,
    resolveEveryMs: valueOf(RESOLVE_EVERY, values),
  };
}

async function perform(values: Values): Promise<number> {
  const plan = planOf(values);
  const why = whyNoKernel();
  checkMeans(values, plan, why);
  const format = values.json === true ? "json" : values.csv === true ? "csv" : "text";
  const means = why === undefined
    ? "T0, any user: times, and the kernel's own figures"
    : `T0, any user: times of ${runtime.name}'s own sockets, no figures of the kernel: ${why}`;
  const interrupt = new Interrupt();
  const forget = onEndingSignal(() => {
    // Whoever asks twice does not even want the statistics.
    if (interrupt.isOver) runtime.exit(EXIT_SIGNALLED);
    interrupt.end();
  });
  if (format !== "text") say(means);
  const output = new LineOutput();
  const lines = new Lines(async (text) => {
    await output.write(text);
    // Readers who have read enough, as in `… | head -1`, want no further attempts.
    if (output.isGone) runtime.exit(EXIT_DONE);
  });
  try {
    if (values.path !== true) {
      return await attemptAll(values, plan, means, format, lines, interrupt);
    }
    const withinMs = (values.connectTimeout as number | undefined) ?? HOP_MS;
    const maxHops = valueOf(MAX_HOPS, values);
    const pathPlan = { ...plan, maxHops, withinMs: withinMs || HOP_MS, format, means } as const;
    return await tracePath(pathPlan, lines, interrupt);
  } finally {
    forget();
  }
}

/** Refuses what cannot be done, here or together. */
function checkMeans(values: Values, { source }: SeriesPlan, why: string | undefined): void {
  if (values.json === true && values.csv === true) {
    throw new UsageError("--json and --csv exclude each other");
  }
  for (const flag of ["source", "rst", "path"]) {
    if (values[flag] !== undefined && why !== undefined) {
      throw new UsageError(`--${flag} cannot be used here: ${why}`);
    }
  }
  if (source !== undefined) checkSource(source);
  if (values.path === true) {
    for (const [name, flag] of ONLY_ATTEMPTS) {
      if (values[name] !== undefined) throw new UsageError(`--${flag} is not for --path`);
    }
  } else if (values.maxHops !== undefined) throw new UsageError("--max-hops is only for --path");
}

/** Makes the attempts, and prints what they find. */
async function attemptAll(
  values: Values,
  plan: SeriesPlan,
  means: string,
  format: Format,
  lines: Lines,
  interrupt: Interrupt,
): Promise<number> {
  const screen = screenOf("stdout");
  const report = new Report({ server: plan.server, means, tier: TIER }, {
    format,
    stamps: values.time === true,
    columns: () => screen.isTerminal ? screen.columns() : 0,
  });
  using recording = values.record === undefined
    ? undefined
    : RecordingFile.create(values.record as string, { by: "observe", tier: TIER });
  const prober = whyNoKernel() === undefined ? await ThreadProber.start() : new RuntimeProber();
  const series = new Series(plan, prober, interrupt);
  void watchKeys(() => {
    const told = report.statistics(series.figures);
    if (format === "text") lines.print(told);
    else told.forEach(say);
  });
  lines.print(report.begin());
  for await (const attempt of series.attempts()) {
    if (recording !== undefined) {
      recordAttempt(recording, attempt, describeAttempt(attempt, plan.server));
    }
    if (values.quiet !== true) await lines.written(report.attempt(attempt), interrupt);
  }
  const { figures } = series;
  lines.print(report.end(figures, performance.timeOrigin));
  await interrupt.race(prober.finish());
  await lines.end(interrupt);
  recording?.finish();
  return exitStatus(figures.ok, figures.failures);
}

/** Calls a function at each Enter on a terminal. A script's input is left for its other commands. */
async function watchKeys(onEnter: () => void): Promise<void> {
  if (!runtime.isTerminal("stdin")) return;
  try {
    for await (const bytes of readInput({ waitsInBackground: true })) {
      if (bytes.includes(0x0a)) onEnter();
    }
  } catch {
    // The terminal has gone, and nobody presses its keys any more.
  }
}
