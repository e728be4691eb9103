/**
 * Sequential: one connection at a time.
 *
 * The whole model is a loop: accept, serve, close, and again. While one client is served, all
 * others wait in the kernel's accept queue, however little they want. A client that sends nothing
 * holds up everybody until the server's time limit ends its connection.
 *
 * This file runs twice. The main thread runs it first and starts a Worker from the same file. The
 * loop runs in that Worker, because a system call that blocks stops its whole thread, and the main
 * thread must stay free to handle signals. On the main thread, `onThread` does nothing. In the
 * Worker, nothing but the loop is started.
 *
 * Costs: one thread. There is no switching, no lock, and no memory for each client. Use it when
 * clients are few and brief, or when one at a time is the point, as with a device or a file that
 * only one client may use. It is also where to begin reading: every other mode is a way not to wait
 * here.
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
  worker(thread: Thread) {
    for (const fd of thread.connections()) thread.serve(fd);
  },
});

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections one after another.
 *
 * @param options the address and the protocol
 * @returns the server, listening
 */
export async function serve(options: ServeOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads } = await mainThread();
  const why = whyNoSockets();
  if (why !== undefined) return await serveOnListener(options, why);

  requireThreads(1);
  const plan = { mode: "sequential", url: import.meta.url, threads: 1 };
  const server = await DescriptorServer.open(plan, options);
  return await server.serve(server.team.keepRunning("worker"), ["1 thread", "descriptors"]);
}

/** Does the same with the runtime's own listener, where Berkeley sockets are not available. */
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
