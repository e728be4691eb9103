/**
 * Event: the runtime's own loop, one task for each connection.
 *
 * A single thread serves everybody. The listener is iterated over asynchronously, and each
 * connection becomes a task that does not wait but is resumed, by the loop that the runtime has
 * anyway, when its socket has something for it.
 *
 * Costs: a few kilobytes for each connection and no thread. But one core is all it ever uses, and
 * a task that computes holds up all others: such work goes to `--offload` Workers; with
 * `--offload 0` one sees why. Use it for very many connections that mostly wait: chat, proxies,
 * anything whose work is elsewhere.
 *
 * @module
 */

import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import {
  countComputing,
  OFFLOAD,
  type OffloadOptions,
} from "../engine/server/offload/offload_options.ts";
import type { CheckedOptions, ServeOptions } from "../engine/server/core/options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";

/** How to serve with the runtime's event loop. */
export interface EventOptions extends ServeOptions, OffloadOptions {}

/** Loaded when it is needed: the threads start faster without. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections side by side on the runtime's event loop.
 *
 * @param options where to listen, what to speak, how many Workers compute
 * @returns the server, listening
 */
export async function serve(options: EventOptions = {}): Promise<Server> {
  const { serveListener } = await mainThread();
  const plan = {
    mode: "event",
    url: import.meta.url,
    details: ["1 thread", `${runtime.name}'s listener`],
    computing: (checked: CheckedOptions) => countComputing(checked, options),
  };
  return await serveListener(plan, options, async (listener, loop) => {
    for await (const connection of listener) {
      // With --max-connections: until another has ended.
      await loop.room();
      loop.serve(connection);
    }
  });
}

// What a protocol has to compute is done by other threads: here it would hold up everybody.
onComputeThread("event");

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("event", serve, {
    summary: "the runtime's event loop, one task for each connection",
    flags: [OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
