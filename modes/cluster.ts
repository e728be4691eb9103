/**
 * Cluster: several event loops behind one port.
 *
 * Each Worker runs the server of `event.ts`, and all listen on the same port. With SO_REUSEPORT
 * (socket(7)) the kernel gives every new connection to one of their listeners. It chooses by a hash
 * of the two addresses. No connection is handed over, and the loops share nothing but counters. So
 * the server can use every core.
 *
 * Costs: a runtime for each loop. A connection stays with the loop that the kernel chose, even if
 * that loop is busy and another one is idle. Conversations of different loops share no memory. Use
 * it where one event loop is not enough.
 *
 * @module
 */

import { integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isMainModule, runtime } from "../engine/net/runtime.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { listenOn } from "../engine/server/loops/loop_listener.ts";
import { onLoop } from "../engine/server/loops/loop_thread.ts";
import { onComputeThread } from "../engine/server/offload/compute_thread.ts";
import { OFFLOAD, type OffloadOptions } from "../engine/server/offload/offload_options.ts";

onLoop("cluster", (thread) =>
  // Every loop opens a listener of its own on the same port.
  listenOn(thread, { reusePort: true }, async (loop) => {
    for await (const connection of loop.connections()) loop.serve(connection);
  }));

// Other threads do the CPU work of a protocol. Here it would hold up all connections.
onComputeThread("cluster");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with several event loops on one port.
 *
 * @param options the address, the protocol and the number of loops
 * @returns the server, listening
 * @throws {Error} if listeners cannot share a port
 */
export async function serve(options: ClusterOptions = {}): Promise<Server> {
  const { LoopServer, requireDescriptors, requireFreePort } = await mainThread();
  const loops = LOOPS.read(options.workers);
  const why = runtime.whyNoReusePort();
  if (why !== undefined) throw new Error(`Cannot share a port: ${why}`);
  requireDescriptors(loops, "event loop");
  const plan = { mode: "cluster", url: import.meta.url, loops };
  const details = [loops === 1 ? "1 event loop" : `${loops} event loops`, "SO_REUSEPORT"];
  return await LoopServer.serve(options, async (address, checked) => {
    await requireFreePort(address, "cluster", checked);
    return plan;
  }, details);
}

/** How to serve with several event loops. */
export interface ClusterOptions extends ServeOptions, OffloadOptions {
  /**
   * How many event loops there are.
   *
   * @default {cores}
   */
  readonly workers?: number;
}

const LOOPS: Option<number> = integerOption("workers", {
  least: 1,
  most: 256,
  default: () => runtime.cpus,
  shown: "one for each core",
  help: "how many event loops there are",
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("cluster", serve, {
    summary: "several event loops behind one port",
    flags: [LOOPS, OFFLOAD],
  });
}

if (isMainModule(import.meta)) (await program()).run();
