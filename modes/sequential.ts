/**
 * Sequential: one connection at a time.
 *
 * The whole model is a loop: accept, serve, close, again. While one client is served all others
 * wait in the kernel's accept queue, however little they want; one that says nothing holds
 * everybody up until its time is over.
 *
 * Costs: one thread, no switching, no locks, no memory for each client. Use it when clients are
 * few and brief, or when one at a time is the point, as with a device or a file that only one may
 * hold. It is also where to begin reading: every other mode is a way not to wait here.
 *
 * @module
 */

import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { whyNoSockets } from "../engine/net/libc.ts";
import { ACCEPT_QUEUE } from "../engine/net/transport.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";

/** Loaded when it is needed: the threads start faster without. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections one after another.
 *
 * @param options where to listen and what to speak
 * @returns the server, listening
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const { DescriptorServer } = await mainThread();
  const why = whyNoSockets();
  if (why !== undefined) return await serveOnListener(options, why);

  // The loop blocks its thread, so it runs in a Worker: the main thread stays free for signals.
  const plan = { mode: "sequential", url: import.meta.url, threads: 1, queue: ACCEPT_QUEUE };
  const server = await DescriptorServer.open(plan, options);
  return await server.serve(server.team.keep("loop"), ["1 thread", "descriptors"]);
}

/** The same with the runtime's own listener: the next connection is awaited after this one. */
async function serveOnListener(options: ServeOptions, why: string): Promise<Server> {
  const { serveListener } = await mainThread();
  const details = ["1 at a time", `${runtime.name}'s listener: ${why}`];
  return await serveListener({ mode: "sequential", details }, options, async (listener, loop) => {
    for await (const connection of listener) {
      await loop.room();
      loop.serve(connection);
      await loop.idle();
    }
  });
}

onThread("sequential", {
  loop(thread: Thread) {
    for (let fd = thread.accept(); fd >= 0; fd = thread.accept()) thread.serve(fd);
    // The server is closing, and has queued for us who was still waiting to be accepted.
    for (let fd = thread.dequeue(); fd >= 0; fd = thread.dequeue()) thread.serve(fd);
  },
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("sequential", serve, { summary: "one connection at a time" });
}

if (isMainModule(import.meta)) (await program()).run();
