/**
 * Step 4, rooms: an asynchronous chat with names, rooms and a broadcast shutdown.
 *
 * One thread serves everybody. Each connection has two halves that do not wait for each other.
 * What a user types is a conversation like any other, a generator (`rooms/conversation.ts`); what
 * others say goes past it, from the hall (`rooms/hall.ts`) straight into the outbox of each hearer
 * (`host/outbox.ts`), which holds so much and no more: who reads slowly holds up nobody.
 *
 * When the server is to end, it says so to everybody, lets them talk on for a while, and closes
 * each connection in order when the last line was read.
 *
 * Rooms that span several servers are a matter of `bus/`: with `--bus` the servers find each other
 * through NATS, and without it there is one.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import { serverProgram, serviceOf } from "../engine/server/command.ts";
import type { Program } from "../engine/cli/program.ts";
import { type ChatServer, serveChat } from "./host/chat_server.ts";
import { chatCommand } from "./host/command.ts";
import { formatChatCounters } from "./host/counts.ts";
import { listenToOperator } from "./host/operator.ts";
import { obeyOperator } from "./host/operator_commands.ts";
import { CHAT_FLAGS, type ChatOptions } from "./host/options.ts";

/**
 * Serves a chat.
 *
 * @param options where, with whom, within which limits
 * @returns the server, listening
 */
export async function serve(options: ChatOptions = {}): Promise<ChatServer> {
  return await serveChat(options, async (listener, visitors) => {
    for await (const connection of listener) visitors.welcome(connection);
  });
}

/** The server as a command. */
export function program(): Program {
  const command = chatCommand("server", "a chat with rooms, on one server or many", CHAT_FLAGS);
  return serverProgram(command, async (values, output) => {
    const print = (line: string) => output.writeLine(line);
    const server = await serve({ ...values, ...(values.quiet !== true && { onReport: print }) });
    void listenToOperator(print, (line) => obeyOperator(server, line, print));
    return {
      ...serviceOf(server),
      leavesWaiting: true,
      count() {
        const { counters } = server;
        return { line: formatChatCounters(counters), properties: { ...counters } };
      },
    };
  });
}

if (isMainModule(import.meta)) program().run();
