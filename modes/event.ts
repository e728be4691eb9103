/**
 * Event: the runtime's own loop, one task for each connection.
 *
 * A single thread serves everybody. The listener is iterated over asynchronously, and each
 * connection becomes a task that does not wait but is resumed, by the loop that the runtime has
 * anyway, when its socket has something for it.
 *
 * Costs: a few kilobytes for each connection and no thread. But a task that computes holds up all
 * others, and one core is all it ever uses. Use it for very many connections that mostly wait:
 * chat, proxies, anything whose work is elsewhere.
 *
 * @module
 */

import { isMainModule, runtime } from "../net/runtime.ts";
import { runMode } from "../server/command_line.ts";
import type { ServeOptions } from "../server/options.ts";
import type { Server } from "../server/server.ts";
import { serveListener } from "../server/session_set.ts";

/**
 * Serves connections side by side on the runtime's event loop.
 *
 * @param options where to listen and what to speak
 * @returns the server, listening
 */
export function serve(options: ServeOptions = {}): Promise<Server> {
  const details = ["1 thread", `${runtime.name}'s listener`];
  return serveListener("event", options, details, async (listener, sessions) => {
    for await (const connection of listener) {
      void sessions.serve(connection);
      // With --max-connections: the next one is accepted when another has ended.
      await sessions.room();
    }
  });
}

if (isMainModule(import.meta)) {
  await runMode("event", serve, {
    summary: "the runtime's event loop, one task for each connection",
  });
}
