/**
 * Step 4, rooms: an asynchronous chat with names, rooms and a broadcast shutdown.
 *
 * One thread serves everybody. Each connection has two halves, and neither waits for the other.
 * What a user types is handled by a conversation, a generator like any other protocol
 * (`rooms/conversation.ts`). What others say bypasses it: it goes from the hall (`rooms/hall.ts`)
 * straight into the outbox of each recipient (`host/outbox.ts`). An outbox is bounded, so a user
 * who reads slowly holds up nobody.
 *
 * When the server is about to end, it tells everybody, lets them talk on for a while, and closes
 * each connection in order once the last line has been read.
 *
 * The folder `bus/` makes rooms span several servers: with `--bus` the servers find each other
 * through NATS, and without it there is only one.
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
 * @param options where to listen, which servers to join, and the limits for users
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
  return serverProgram(command, async (values, output, more) => {
    const print = (line: string) => output.writeLine(line);
    const server = await serve({
      ...values,
      ...more,
      ...(values.quiet !== true && { onReport: print }),
    });
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
