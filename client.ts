/**
 * The client: it speaks one of the protocols with a server, and prints what it received.
 *
 * Its side of a protocol is a generator like the server's, and runs under the same two drivers. One
 * uses events on the runtime's own loop. The other, with `--blocking`, makes the system calls that
 * a C program makes, which return when they are done.
 *
 * @module
 */

import { echo } from "./client/echo.ts";
import { clientFailureKind, exitStatusOf, messageOf } from "./engine/dial/failures.ts";
import { ANSWER_TIMEOUT, frame, GREETING_TIMEOUT } from "./client/frame.ts";
import { hello } from "./client/hello.ts";
import { printNote } from "./client/output.ts";
import { print } from "./client/print.ts";
import { type Speaker, TIMEOUT } from "./client/speaker.ts";
import { CONNECT_TIMEOUT, HOST_ARGUMENT, targetOf } from "./engine/dial/target.ts";
import { isMainModule, runtime } from "./engine/net/runtime.ts";
import { readCommandLine } from "./engine/cli/command_line.ts";
import { EXIT_USAGE } from "./engine/cli/exit_status.ts";
import {
  camelCase,
  type Command,
  type Flag,
  type Form,
  UsageError,
  type Values,
} from "./engine/cli/flags.ts";
import { formatRun } from "./engine/cli/invocation.ts";
import type { Program } from "./engine/cli/program.ts";

/** The values of `--protocol`, and their speakers. */
const SPEAKERS: Readonly<Record<string, Speaker>> = { hello, frame, echo, print };

const SERVER: readonly Flag[] = [
  HOST_ARGUMENT,
  { name: "port", kind: "integer", least: 1, most: 65535, help: "port of the server" },
];

/** The flags of all protocols. */
const COMMON: readonly Flag[] = [
  {
    name: "protocol",
    kind: "choice",
    choices: Object.keys(SPEAKERS),
    default: "hello",
    help: "the protocol to speak; one of your own is spoken by nc, conform and the bench",
  },
  CONNECT_TIMEOUT,
  {
    name: "timeout",
    kind: "duration",
    default: `${TIMEOUT}; in frame ${GREETING_TIMEOUT} for *, ${ANSWER_TIMEOUT} for an answer`,
    help: "how long one read may wait",
  },
];

/** The name of the command. */
const NAME = "client";

/** The command line that it takes. */
const command = (): Command => ({
  name: NAME,
  summary: "speak a protocol with a server",
  ...formOf(hello),
  forms: {
    flag: "protocol",
    of: Object.fromEntries(
      Object.entries(SPEAKERS).filter(([, speaker]) => speaker !== hello)
        .map(([name, speaker]) => [name, formOf(speaker)]),
    ),
  },
  // Each flag is listed once, even if several protocols have it.
  flags: [...new Set([...COMMON, ...Object.values(SPEAKERS).flatMap(({ flags }) => flags)])],
  example: formatRun("client.ts", "127.0.0.1 8080 100"),
});

/** Runs the client until the end of the process. */
async function runClient(): Promise<void> {
  const values = readCommandLine(command());
  const status = await perform(values);
  // The process does not wait for the runtime to end it. On Bun an abandoned attempt to connect, for
  // instance to the first of two addresses, keeps it alive for as long as the kernel tries.
  runtime.exit(status);
}

/** Does what the command line asks for, and returns the exit status. */
async function perform(values: Values): Promise<number> {
  const protocol = (values.protocol ?? "hello") as string;
  try {
    refuseFlagsOfOthers(protocol, values);
    return await (SPEAKERS[protocol] as Speaker).run(values, targetOf(values));
  } catch (error) {
    printNote(`${NAME}: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT_USAGE : exitStatusOf(clientFailureKind(error));
  }
}

function refuseFlagsOfOthers(protocol: string, values: Values): void {
  for (const flag of command().flags) {
    if (COMMON.includes(flag) || values[camelCase(flag.name)] === undefined) continue;
    const others = Object.keys(SPEAKERS).filter((name) => SPEAKERS[name]?.flags.includes(flag));
    if (others.includes(protocol)) continue;
    throw new UsageError(
      `--${flag.name} is not for --protocol ${protocol}: only for ${others.join(" and ")}`,
    );
  }
}

/** All the arguments that a protocol takes, including host and port. */
function formOf({ form }: Speaker): Form {
  const { positionals, required = 0 } = form;
  return {
    ...form,
    positionals: [...SERVER, ...positionals],
    required: SERVER.length + required,
  };
}

/** The client as a command. */
export function program(): Program {
  return { command: command(), run: () => void runClient() };
}

if (isMainModule(import.meta)) program().run();
