/**
 * Threaded: a thread for each connection.
 *
 * One thread accepts. Each connection goes to a thread that serves it with blocking calls, as the
 * sequential server does. No client waits for another one. If no thread is free, one is started.
 *
 * The price of this model is the thread. A pthread starts in 20 microseconds, but a Web Worker
 * takes milliseconds. So a thread whose connection has ended is kept for the next one, up to
 * `--spare` of them. With `--spare 0` this is the textbook model: accept, start a thread, serve,
 * end. Then its bare cost shows. When `--max-threads` threads are busy, further connections wait.
 *
 * Costs: megabytes for each connection, and the time to start a thread. Use it for few, long
 * conversations that compute or block.
 *
 * @module
 */

import { integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { chooseHandoff, HANDOFF, type Handoff } from "../engine/server/descriptors/handoff.ts";
import type { DemandOptions } from "../engine/server/descriptors/start_on_demand.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";
import { onMessageThread } from "../engine/server/messages/message_thread.ts";

/** How long a thread without a connection is kept, in milliseconds. */
const SPARE_MS = 10_000;

onThread("threaded", {
  acceptor(thread: Thread) {
    for (const fd of thread.accepted()) thread.handOver(fd);
  },
  worker(thread: Thread, { spare }: DemandOptions) {
    for (const fd of thread.handedOver(SPARE_MS)) {
      thread.serve(fd);
      if (thread.idleThreads >= spare) return;
    }
  },
});

onMessageThread("threaded");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves each connection with a thread of its own.
 *
 * @param options the address, the protocol and the number of threads
 * @returns the server, listening
 */
export async function serve(options: ThreadedOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads, serveByMessages, startOnDemand, threadsThatFit } =
    await mainThread();
  const spare = SPARE.read(options.spare);
  const wanted = MAX_THREADS.read(options.maxThreads);
  const { handoff, note } = chooseHandoff(options.handoff);
  const details = (threads: number) => [`up to ${threads} threads`, `${spare} spare`, note];
  const own = { mode: "threaded", url: import.meta.url };
  if (handoff === "message") {
    const plan = { ...own, threads: wanted, queue: 0, spare, spareMs: SPARE_MS };
    return await serveByMessages(plan, options, details(wanted));
  }

  requireThreads(2);
  const most = Math.min(wanted, threadsThatFit() - 1);
  const plan = { ...own, threads: most + 1, queue: most, connections: most };
  const server = await DescriptorServer.open(plan, options);
  // The acceptor cannot start a Worker: it blocks in accept(2), and a new Worker gets its first
  // message through its parent's event loop. So the acceptor asks the main thread, which never
  // blocks.
  startOnDemand(server, "worker", { most, spare });
  return await server.serve(server.team.keepRunning("acceptor"), details(most));
}

/** How to serve with a thread for each connection. */
export interface ThreadedOptions extends ServeOptions {
  /**
   * How many threads without a connection are kept.
   *
   * @default {64}
   */
  readonly spare?: number;
  /**
   * How many threads there are at most. The limit of open descriptors may allow fewer.
   *
   * @default {256}
   */
  readonly maxThreads?: number;
  /**
   * How a connection reaches its thread: as a descriptor, or as messages with its bytes.
   *
   * @default {"fd"} where foreign functions can be called, else `"message"`
   */
  readonly handoff?: Handoff;
}

const SPARE: Option<number> = integerOption("spare", {
  least: 0,
  most: 4096,
  default: 64,
  help: "how many finished threads are kept for the next connection",
});

const MAX_THREADS: Option<number> = integerOption("maxThreads", {
  least: 1,
  most: 4096,
  default: 256,
  help: "how many threads there are at most; beyond it connections wait",
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("threaded", serve, {
    summary: "a thread for each connection",
    flags: [SPARE, MAX_THREADS, HANDOFF],
  });
}

if (isMainModule(import.meta)) (await program()).run();
