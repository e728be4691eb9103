/**
 * Step 1, once: reads one message, sends it back, closes.
 *
 * This is the smallest server that answers: accept, read, write, close, and again. It already
 * teaches the main lesson of network programming: bytes come in pieces that have nothing to do with
 * messages, so the program must say where a message ends. Here it ends at a line end, at the peer's
 * FIN, or at 1024 bytes. For peers that send no line end and wait for the answer, it ends when
 * nothing more has come for a moment.
 *
 * What it lacks: a client with a second message must connect again, and somebody else may be served
 * first. Step 2, `v2_echo.ts`, keeps the connection until the client says `exit`.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import type { ProtocolDefinition } from "../protocols/catalogue.ts";
import { type Protocol, READ, type ReadAnswer, readWithin, write } from "../protocols/effects.ts";
import { serverProgram, serviceOf } from "../engine/server/command.ts";
import type { Program } from "../engine/cli/program.ts";
import { serveListener } from "../engine/server/loops/listener_loop.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { CHAT_PORT, chatCommand } from "./host/command.ts";

/** The most bytes that a message may have, including its line end. */
const LIMIT = 1024;

/** How long a message without a line end waits for more, in milliseconds. */
const GRACE_MS = 20;

const LINE_FEED = 0x0a;

/** The server's side of a connection: sends one message back exactly as it came. */
export function* once(): Protocol {
  const message = new Uint8Array(LIMIT);
  let length = 0;
  let isWhole = false;
  while (!isWhole) {
    const bytes: ReadAnswer = length === 0 ? yield READ : yield* readWithin(GRACE_MS);
    // The peer has sent FIN, or it is waiting for its answer.
    if (!bytes) break;
    const lineEnd = bytes.indexOf(LINE_FEED) + 1;
    const taken = bytes.subarray(0, Math.min(lineEnd || bytes.length, LIMIT - length));
    message.set(taken, length);
    length += taken.length;
    isWhole = message[length - 1] === LINE_FEED || length === LIMIT;
  }
  if (length > 0) yield* write(message.subarray(0, length));
}

/** The read timeout keeps a client that says nothing from holding up all others for ever. */
const ONCE: ProtocolDefinition = {
  name: "once",
  summary: "one message comes back as it was sent",
  readTimeoutMs: 30_000,
  sessionTimeoutMs: 0,
  serve: once,
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
  const plan = { mode: "v1_once", details: ["1 at a time"], protocol: ONCE };
  return await serveListener(plan, { port: CHAT_PORT, ...options }, async (loop) => {
    for await (const connection of loop.connections()) {
      loop.serve(connection);
      await loop.idle();
    }
  });
}

/** The step as a command. */
export function program(): Program {
  const command = chatCommand("v1_once", "reads one message, sends it back, closes");
  return serverProgram(
    command,
    async (values, _output, more) => serviceOf(await serve({ ...values, ...more })),
  );
}

if (isMainModule(import.meta)) program().run();
