/**
 * Step 2, echo: many messages on one connection, each line sent back until `exit`.
 *
 * The conversation now has a loop, and with it what every longer conversation needs: a way to end
 * (`exit`, or the peer's FIN), a limit on the size of a message (1024 bytes), and a limit on
 * silence (10 minutes). Bytes that belong to the next line stay in the buffer until its turn comes.
 *
 * What it lacks: there is still only one connection at a time. The client that is being served can
 * keep all others waiting in the kernel's accept queue, by saying little or by not reading its
 * answers. Step 3, `v3_operator.ts`, serves clients side by side and gives the server a voice.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import type { ProtocolDefinition } from "../protocols/catalogue.ts";
import { type Protocol, write, writeLine } from "../protocols/effects.ts";
import { MessageTooLongError } from "../protocols/errors.ts";
import { Input, readLine } from "../protocols/input.ts";
import { encodeLine } from "../protocols/text.ts";
import { serverProgram, serviceOf } from "../engine/server/command.ts";
import type { Program } from "../engine/cli/program.ts";
import { serveListener } from "../engine/server/loops/listener_loop.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { CHAT_PORT, chatCommand } from "./host/command.ts";

/** The most bytes that a line may have, not counting its line end. */
const LIMIT = 1024;

/** The server's side of a connection: sends each line back, until one says `exit`. */
export function* echoLines(): Protocol {
  const input = new Input();
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const line = yield* readLine(input, { limit: LIMIT });
      // At FIN the last line may lack its line end.
      const last = line ?? input.takeAll();
      if (/^exit\r?$/.test(decoder.decode(last))) return;
      if (line !== null || last.length > 0) yield* writeLine(last);
      if (line === null) return;
    }
  } catch (error) {
    if (error instanceof MessageTooLongError) {
      yield* write(encodeLine(`line too long: limit is ${error.limit} bytes`));
    }
    throw error;
  }
}

const LINES: ProtocolDefinition = {
  name: "lines",
  summary: "every line comes back, until exit",
  readTimeoutMs: 600_000,
  sessionTimeoutMs: 0,
  serve: echoLines,
};

/**
 * Serves connections one after another.
 *
 * @param options where to listen
 * @returns the server, listening
 */
export async function serve(
  options: Omit<ServeOptions, "protocol" | "trace"> = {},
): Promise<Server> {
  const plan = { mode: "v2_echo", details: ["1 at a time"], protocol: LINES };
  return await serveListener(plan, { port: CHAT_PORT, ...options }, async (loop) => {
    for await (const connection of loop.connections()) {
      loop.serve(connection);
      await loop.idle();
    }
  });
}

/** The step as a command. */
export function program(): Program {
  const command = chatCommand("v2_echo", "sends each line back until exit");
  return serverProgram(
    command,
    async (values, _output, more) => serviceOf(await serve({ ...values, ...more })),
  );
}

if (isMainModule(import.meta)) program().run();
