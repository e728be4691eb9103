/**
 * Event: the runtime's own loop, one task for each connection.
 *
 * A single thread serves everybody. It iterates over the listener asynchronously and begins a
 * conversation with each connection. It does not wait for the conversation to end.
 *
 * The task of a connection is the protocol, a generator. It is suspended wherever it needs
 * something: bytes, room to write, a result. When that has come, a callback of the runtime resumes
 * the generator (`Session`, in `engine/drivers/session.ts`). Between two callbacks the task takes
 * no time and blocks no thread, so one thread has room for thousands of tasks.
 *
 * Costs: a few kilobytes for each connection, and no thread. But the loop never uses more than one
 * core, and a task that computes holds up all others. Such work goes to `--offload` Workers, and
 * `--offload 0` shows why. Use it for very many connections that mostly wait: chat, proxies,
 * anything whose work is done elsewhere.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import type { CheckedOptions, ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import type { ListenerLoop } from "../engine/server/loops/listener_loop.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import {
  countComputing,
  OFFLOAD,
  type OffloadOptions,
} from "../engine/server/offload/offload_options.ts";

async function acceptAll(loop: ListenerLoop): Promise<void> {
  for await (const connection of loop.connections()) loop.serve(connection);
}

// Other threads do the CPU work of a protocol. Here it would hold up all connections.
onComputeThread("event");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections side by side on the runtime's event loop.
 *
 * @param options the address, the protocol and the number of Workers that compute
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
  return await serveListener(plan, options, acceptAll);
}

/** How to serve with the runtime's event loop. */
export interface EventOptions extends ServeOptions, OffloadOptions {}

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("event", serve, {
    summary: "the runtime's event loop, one task for each connection",
    flags: [OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
