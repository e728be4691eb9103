/**
 * The client: shakes hands with a server, once or many times, and says what it received.
 *
 * It is one generator, `helloClient`, under two drivers: events on the runtime's own loop, or,
 * with `--blocking`, the system calls that a C program makes, which return when they are done.
 *
 * @module
 */

import { BlockingDialer, type Dialer, EventDialer } from "./client/dialer.ts";
import {
  EXIT_DONE,
  EXIT_FAILED,
  exitStatusOf,
  handshakeFailureKind,
  messageOf,
} from "./client/failures.ts";
import { findAddresses, shakeHands, type Target, type Tell } from "./client/handshake.ts";
import type { ManyHandshakes } from "./client/many.ts";
import { ProgressBar } from "./client/progress.ts";
import type { TimeLimits } from "./drivers/limits.ts";
import { stripBrackets } from "./net/address.ts";
import { isMainModule, runtime } from "./net/runtime.ts";
import { SocketsUnavailableError } from "./net/sockets.ts";
import { formatHello } from "./protocols/hello.ts";
import { EXIT_USAGE, fail, readCommandLine } from "./server/command_line.ts";
import type { Command, Values } from "./server/flags.ts";

const COMMAND: Command = {
  name: "client",
  summary: "shake hands with a server",
  required: 3,
  positionals: [
    { name: "host", kind: "string", help: "name or address of the server" },
    { name: "port", kind: "integer", least: 1, most: 65535, help: "its port" },
    {
      name: "initial_sequence",
      kind: "integer",
      least: -0x8000_0000,
      most: 0x7fff_ffff,
      help: "the number to begin with, 32 bits with a sign",
    },
  ],
  flags: [
    {
      name: "count",
      kind: "integer",
      value: "N",
      least: 1,
      most: 1_000_000_000,
      default: "1",
      help: "perform N handshakes and print a summary",
    },
    {
      name: "concurrency",
      kind: "integer",
      value: "C",
      least: 1,
      most: 65_535,
      default: "1",
      help: "how many of them at a time",
    },
    {
      name: "connect-timeout",
      kind: "duration",
      default: "10s",
      help: "how long connecting may take",
    },
    { name: "timeout", kind: "duration", default: "5s", help: "how long one read may wait" },
    {
      name: "handshake-timeout",
      kind: "duration",
      default: "10s",
      help: "how long a handshake may take once connected",
    },
    {
      name: "grace",
      kind: "duration",
      default: "20ms",
      help: "how long an answer without a line end waits for more; 0: line ends only",
    },
    { name: "blocking", kind: "boolean", help: "use system calls that block, one at a time" },
    { name: "verbose", kind: "boolean", help: "show each step with its time" },
  ],
  example: "deno run -A client.ts 127.0.0.1 8080 100",
};

/** Runs the client as a command, to the end of the process. */
export async function runClient(): Promise<void> {
  const values = readCommandLine(COMMAND);
  const status = await perform(values);
  // Not left to the runtime: on Bun an attempt to connect that was given up, as to the first of two
  // addresses, keeps the process up for as long as the kernel tries.
  runtime.exit(status);
}

/** Does what was asked for, and returns the exit status. */
async function perform(values: Values): Promise<number> {
  const host = stripBrackets(values.host as string);
  if (host === "") fail(COMMAND.name, "wrong value for <host>: expected a name", EXIT_USAGE);
  const concurrency = (values.concurrency ?? 1) as number;
  if (values.blocking === true && concurrency > 1) {
    fail(COMMAND.name, "--blocking does one at a time: --concurrency must be 1", EXIT_USAGE);
  }
  const target: Target = {
    host,
    port: values.port as number,
    connectTimeoutMs: (values.connectTimeout ?? 10_000) as number,
    graceMs: (values.grace ?? 20) as number,
  };
  const initialSequence = values.initial_sequence as number;
  const isMany = values.count !== undefined || values.concurrency !== undefined;
  const startedAt = performance.now();
  const tell = values.verbose === true ? narrator(startedAt, "") : undefined;
  try {
    using dialer = makeDialer(values);
    const addresses = await findAddresses(target, tell);
    if (!isMany) {
      const y = await shakeHands(dialer, target, addresses, initialSequence, tell);
      print("stdout", formatHello(y));
      return EXIT_DONE;
    }
    // Loaded when it is needed: its histogram takes as long to load as a whole handshake on Bun.
    const { ManyHandshakes } = await import("./client/many.ts");
    const many = new ManyHandshakes(dialer, target, {
      count: (values.count ?? 1) as number,
      concurrency,
      initialSequence,
      tellOf: (index) => tell && narrator(performance.now(), `#${index + 1} `),
    });
    return await performMany(many, addresses, tell === undefined);
  } catch (error) {
    print("stderr", `${COMMAND.name}: ${messageOf(error)}`);
    return error instanceof SocketsUnavailableError
      ? EXIT_FAILED
      : exitStatusOf(handshakeFailureKind(error));
  }
}

async function performMany(
  many: ManyHandshakes,
  addresses: readonly string[],
  showProgress: boolean,
): Promise<number> {
  const startedAt = performance.now();
  {
    using _bar = showProgress ? ProgressBar.start(many.summary) : undefined;
    await many.run(addresses);
  }
  const elapsedMs = performance.now() - startedAt;
  for (const line of many.summary.examples()) print("stderr", `${COMMAND.name}: ${line}`);
  print("stdout", many.summary.format(elapsedMs));
  return many.summary.exitStatus;
}

function makeDialer(values: Values): Dialer {
  const limits: TimeLimits = {
    readTimeoutMs: (values.timeout ?? 5_000) as number,
    sessionTimeoutMs: (values.handshakeTimeout ?? 10_000) as number,
    computeTimeoutMs: 0,
  };
  return values.blocking === true ? new BlockingDialer(limits) : new EventDialer(limits);
}

/** Says each step with the milliseconds since the first, on standard error. */
function narrator(startedAt: number, prefix: string): Tell {
  return (step) => {
    const ms = (performance.now() - startedAt).toFixed(1).padStart(8);
    print("stderr", `${prefix}${ms} ms  ${step}`);
  };
}

function print(to: "stdout" | "stderr", line: string): void {
  try {
    runtime.printNow(to, `${line}\n`);
  } catch (error) {
    // Whoever read it has gone, as in `… | head -0`: the exit status still says how it went.
    if ((error as { code?: unknown }).code !== "EPIPE") throw error;
  }
}

if (isMainModule(import.meta)) await runClient();
