/**
 * Sequential: one connection at a time.
 *
 * The whole model is a loop: accept, serve, close, again. While one client is served, all others wait
 * in the kernel's accept queue, however little they want. A client that says nothing holds everybody
 * up until its time is over.
 *
 * This file runs twice. The main thread runs it first and starts a Worker from the same file. The
 * loop runs in that Worker, because a system call that blocks stops its whole thread, and the main
 * thread must stay free to hear signals. `onThread` does nothing on the main thread, and nothing but
 * the loop starts in the Worker.
 *
 * Costs: one thread, no switching, no locks, no memory for each client. Use it when clients are few
 * and brief, or when one at a time is the point, as with a device or a file that only one may hold.
 * It is also where to begin reading: every other mode is a way not to wait here.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { whyNoSockets } from "../engine/net/libc.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";

onThread("sequential", {
  loop(thread: Thread) {
    for (const fd of thread.connections()) thread.serve(fd);
  },
});

/** What only the main thread needs; without it a Worker starts faster. */
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

  const plan = { mode: "sequential", url: import.meta.url, threads: 1 };
  const server = await DescriptorServer.open(plan, options);
  return await server.serve(server.team.keepRunning("loop"), ["1 thread", "descriptors"]);
}

/** The same with the runtime's own listener, where Berkeley sockets cannot be had. */
async function serveOnListener(options: ServeOptions, why: string): Promise<Server> {
  const { serveListener } = await mainThread();
  const details = ["1 at a time", `${runtime.name}'s listener: ${why}`];
  return await serveListener({ mode: "sequential", details }, options, async (loop) => {
    for await (const connection of loop.connections()) {
      loop.serve(connection);
      await loop.idle();
    }
  });
}

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("sequential", serve, { summary: "one connection at a time" });
}

if (isMainModule(import.meta)) (await program()).run();
