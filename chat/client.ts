/**
 * The client of the chat: a line editor at a terminal, a plain filter between pipes.
 *
 * At a terminal it keeps the line being typed intact while others talk. The session outlives lost
 * connections: the client connects again and asks for the same name and room. With a pipe as input
 * or output it sends and prints lines as they are, and adds nothing.
 *
 * @module
 */

import { clientFailureKind, exitStatusOf, messageOf } from "../engine/dial/failures.ts";
import { printNote } from "../client/output.ts";
import { makeEventDialer } from "../client/speaker.ts";
import {
  connect,
  CONNECT_TIMEOUT,
  findAddresses,
  HOST_ARGUMENT,
  targetOf,
} from "../engine/dial/target.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_USAGE } from "../engine/cli/exit_status.ts";
import { type Command, UsageError, type Values } from "../engine/cli/flags.ts";
import { formatRun } from "../engine/cli/invocation.ts";
import type { Program } from "../engine/cli/program.ts";
import { runFilter } from "./terminal/filter.ts";
import { SessionState } from "./terminal/session_state.ts";
import { TerminalClient } from "./terminal/terminal_client.ts";
import { isName, isReserved, NAME_SYNTAX } from "./talk/names.ts";

/** The default address of the server. */
const SERVER = { host: "127.0.0.1", port: 7878 };

/** The name of the command. */
const NAME = "chat client";

/** The command line that it takes. */
const command = (): Command => ({
  name: NAME,
  summary: "talk in a chat",
  positionals: [
    { ...HOST_ARGUMENT, default: SERVER.host },
    {
      name: "port",
      kind: "integer",
      least: 1,
      most: 65535,
      default: `${SERVER.port}`,
      help: "port of the server",
    },
  ],
  flags: [
    {
      name: "nick",
      kind: "string",
      value: "NAME",
      default: "the one that the server gives",
      help: "the name to ask for",
    },
    {
      name: "room",
      kind: "string",
      value: "ROOM",
      default: "lobby",
      help: "the room to begin in",
    },
    CONNECT_TIMEOUT,
  ],
  example: formatRun("chat/client.ts", "127.0.0.1 7878 --nick ann"),
});

/** Runs the client until the end of the process. */
async function runChatClient(): Promise<void> {
  const values = readCommandLine(command());
  // Not left to the runtime, which would wait for standard input to end.
  runtime.exit(await perform(values));
}

/** Does what the command line asks for, and returns the exit status. */
async function perform(values: Values): Promise<number> {
  try {
    const target = targetOf({ ...SERVER, ...values });
    const nick = nameOf(values, "nick");
    const room = nameOf(values, "room");
    if (nick !== undefined && isReserved(nick)) {
      throw new UsageError(`wrong value for --nick: the name ${nick} is reserved`);
    }
    using dialer = makeEventDialer(0);
    const call = await connect(dialer, target, await findAddresses(target));
    if (!hasPerson()) {
      const { introduction } = new SessionState(nick, room);
      return await runFilter(NAME, call.connection, introduction);
    }
    const hasColours = (runtime.variable("NO_COLOR") ?? "") === "";
    return await new TerminalClient(dialer, target, { nick, room, hasColours }).run(call);
  } catch (error) {
    printNote(`${NAME}: ${messageOf(error)}`);
    return error instanceof UsageError ? EXIT_USAGE : exitStatusOf(clientFailureKind(error));
  }
}

function nameOf(values: Values, flag: "nick" | "room"): string | undefined {
  const name = values[flag] as string | undefined;
  if (name === undefined || isName(name)) return name;
  throw new UsageError(`wrong value for --${flag}: expected ${NAME_SYNTAX}, got "${name}"`);
}

/** Whether a person types and reads, at a terminal that can do more than print. */
function hasPerson(): boolean {
  return runtime.isTerminal("stdin") && runtime.isTerminal("stdout") &&
    runtime.variable("TERM") !== "dumb";
}

/** The client as a command. */
export function program(): Program {
  return { command: command(), run: () => void runChatClient() };
}

if (isMainModule(import.meta)) program().run();
