/**
 * Step 3, operator: several clients at once, and a server with a voice.
 *
 * A client still cannot hear any other. But now two parties write to a connection: its own
 * conversation, which echoes, and the operator, whose lines go to all clients. Neither may wait for
 * a client that does not read, and neither may write into the middle of the other's line. So each
 * connection has an outbox: a bounded queue of whole lines.
 *
 * What it lacks: the clients cannot hear each other. Step 4, `server.ts`, puts them into rooms.
 *
 * @module
 */

import { TimedDeadlines } from "../engine/drivers/deadlines.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import { type Protocol, write } from "../protocols/effects.ts";
import { encodeLine } from "../protocols/text.ts";
import { serverProgram, serviceOf } from "../engine/server/command.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Counters } from "../engine/server/core/counters.ts";
import { MainJournal } from "../engine/server/journal/journal.ts";
import type { Server } from "../engine/server/core/server.ts";
import { chatCommand } from "./host/command.ts";
import { listenToOperator } from "./host/operator.ts";
import { type ChatOptions, checkChatOptions } from "./host/options.ts";
import { Rounds } from "./host/rounds.ts";
import { Turns } from "./host/turns.ts";
import { serveVisitors } from "./host/visitors_server.ts";
import { Dismissal } from "./talk/dismissal.ts";
import { LineReader, readChatLine } from "./talk/lines.ts";
import { announcement, TOO_LONG } from "./talk/notices.ts";

/** How long a client may say nothing, in milliseconds. */
const IDLE_MS = 600_000;

/** The server's side of a connection: sends each line back, until one says `exit`. */
export function* echoLines(): Protocol {
  const lines = new LineReader();
  try {
    for (;;) {
      const line = yield* readChatLine(lines, IDLE_MS);
      if (line?.kind === "too long") yield* write(encodeLine(TOO_LONG));
      else if (line?.kind !== "line" || line.text === "exit") return;
      else yield* write(encodeLine(line.text));
    }
  } catch (error) {
    // The client is asked to go because the server ends. That is no failure.
    if (!(error instanceof Dismissal)) throw error;
  }
}

/** A server whose operator can talk to everybody. */
export interface OperatedServer extends Server {
  /** Says something to all clients when its turn comes; says nothing once the server is closed. */
  announce(text: string): Promise<void>;
}

/**
 * Serves connections side by side.
 *
 * @param options where to listen
 * @returns the server, listening
 */
export async function serve(options: ChatOptions = {}): Promise<OperatedServer> {
  const checked = checkChatOptions(options);
  const deadlines = new TimedDeadlines({ extendsLate: true });
  const rounds = new Rounds();
  const turns = new Turns(checked.turnBytes, deadlines, rounds);
  const plan = {
    ...checked,
    mode: "v3_operator",
    protocol: "lines",
    details: ["side by side"],
    counts: { full: 0, perHost: 0, denied: 0, stranger: 0, dropped: 0 },
    signal: options.signal,
    record: options.record,
    live: options.live,
    journal: new MainJournal("v3_operator", options.onReport),
    deadlines,
    rounds,
    converse: echoLines,
    onGone: () => turns[Symbol.dispose](),
    count: (counters: Counters) => counters,
  };
  const { server, visitors } = await serveVisitors(plan, async (listener, visitors) => {
    for await (const connection of listener) visitors.welcome(connection);
  });
  return Object.assign(server, {
    async announce(text: string) {
      if (await turns.pass(text.length)) visitors.tellAll(announcement(text));
    },
  });
}

/** The step as a command. */
export function program(): Program {
  const command = chatCommand("v3_operator", "echoes to several clients, and an operator's voice");
  return serverProgram(command, async (values, output, more) => {
    const server = await serve({ ...values, ...more });
    void listenToOperator((line) => output.writeLine(line), (line) => server.announce(line));
    return { ...serviceOf(server), leavesWaiting: true };
  });
}

if (isMainModule(import.meta)) program().run();
