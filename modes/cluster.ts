/**
 * Cluster: several event loops behind one port.
 *
 * Each Worker runs the server of `event.ts`, and all listen on the same port: with SO_REUSEPORT
 * (socket(7)) the kernel gives every new connection to one of their listeners, by a hash of its
 * addresses. No connection is handed over and nothing is shared but counters, so it uses every
 * core as far as the cores allow.
 *
 * Costs: a runtime for each loop; a connection stays with the loop that it fell to, busy or not;
 * and what the conversations of one loop share in memory, those of another do not see. Use it
 * where one event loop is not enough.
 *
 * @module
 */

import { isMainModule, runtime } from "../engine/net/runtime.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import { integerOption } from "../engine/cli/options.ts";
import { onLoop } from "../engine/server/loops/loop_thread.ts";
import { OFFLOAD, type OffloadOptions } from "../engine/server/offload/offload_options.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";
import { listenTogether } from "../engine/server/loops/shared_port.ts";

/** How to serve with several event loops. */
export interface ClusterOptions extends ServeOptions, OffloadOptions {
  /**
   * How many event loops there are.
   *
   * @default {cores}
   */
  readonly workers?: number;
}

const WORKERS = integerOption("workers", {
  least: 1,
  most: 256,
  default: () => runtime.cpus,
  shown: "one for each core",
  help: "how many event loops there are",
});

/** Loaded when it is needed: the threads start faster without. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with several event loops on one port.
 *
 * @param options where to listen, what to speak, how many loops
 * @returns the server, listening
 * @throws {Error} if listeners cannot share a port
 */
export async function serve(options: ClusterOptions = {}): Promise<Server> {
  const { LoopServer, requireDescriptors, requireFreePort } = await mainThread();
  const workers = WORKERS.read(options.workers);
  const why = runtime.whyNoReusePort();
  if (why !== undefined) throw new Error(`Cannot share a port: ${why}`);
  requireDescriptors(workers, "event loops");
  const plan = { mode: "cluster", url: import.meta.url, loops: workers, prepare: () => ({}) };
  const details = [workers === 1 ? "1 event loop" : `${workers} event loops`, "SO_REUSEPORT"];
  return await LoopServer.serve(options, async (address) => {
    await requireFreePort(address);
    return plan;
  }, details);
}

onLoop("cluster", (thread) =>
  listenTogether(thread, async (listener, loop) => {
    for await (const connection of listener) {
      // With --max-connections: until another has ended, whichever loop served it.
      await loop.room();
      loop.serve(connection);
    }
  }));

// What a protocol has to compute is done by other threads: here it would hold up everybody.
onComputeThread("cluster");

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("cluster", serve, {
    summary: "several event loops behind one port",
    flags: [WORKERS, OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
