/**
 * Thread pool: a fixed number of threads and a queue.
 *
 * One thread accepts connections and puts them into a bounded queue. Each worker takes one out,
 * serves it from beginning to end with blocking calls, and comes back for the next. When all
 * workers are busy, the queue fills. When the queue is full, the kernel's accept queue holds the
 * rest. When that is full too, clients wait to connect. So nothing grows without bound.
 *
 * With `--queue 0` there is no queue and no accepting thread. Every worker accepts for itself. This
 * is the pre-threaded server of Stevens ("UNIX Network Programming", chapter 30).
 *
 * Costs: memory for each worker, busy or idle. There are never more conversations at a time than
 * workers. Use it for work that computes or blocks, where the number of clients at a time is known.
 *
 * @module
 */

import { integerOption, type Option } from "../engine/cli/options.ts";
import type { Program } from "../engine/cli/program.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { chooseHandoff, HANDOFF, type Handoff } from "../engine/server/descriptors/handoff.ts";
import {
  describeWorkers,
  type PoolOptions,
  WORKERS,
} from "../engine/server/descriptors/pool_options.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";
import { onMessageThread } from "../engine/server/messages/message_thread.ts";

onThread("threadpool", {
  acceptor(thread: Thread) {
    for (const fd of thread.accepted()) thread.handOver(fd);
  },
  worker(thread: Thread) {
    for (const fd of thread.handedOver()) thread.serve(fd);
  },
  acceptingWorker(thread: Thread) {
    for (const fd of thread.connections()) thread.serve(fd);
  },
});

onMessageThread("threadpool");

/** What only the main thread needs; without it a Worker starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with a fixed number of threads.
 *
 * @param options the address, the protocol and the number of threads
 * @returns the server, listening
 */
export async function serve(options: ThreadpoolOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads, serveByMessages } = await mainThread();
  const workers = WORKERS.read(options.workers);
  const queue = QUEUE.read(options.queue);
  const { handoff, note } = chooseHandoff(options.handoff);
  const details = [describeWorkers(workers), note];
  const own = { mode: "threadpool", url: import.meta.url };
  if (handoff === "message") {
    return await serveByMessages({ ...own, threads: workers, queue }, options, details);
  }

  const threads = queue === 0 ? workers : workers + 1;
  requireThreads(threads);
  const server = await DescriptorServer.open({ ...own, threads, queue }, options);
  const role = queue === 0 ? "acceptingWorker" : "worker";
  const started = Array.from({ length: workers }, () => server.team.keepRunning(role));
  if (queue > 0) started.push(server.team.keepRunning("acceptor"));
  return await server.serve(Promise.all(started), details);
}

/** How to serve with a pool of threads. */
export interface ThreadpoolOptions extends ServeOptions, PoolOptions {
  /**
   * How many accepted connections may wait for a worker. With 0 every worker accepts for itself.
   *
   * @default {1024}
   */
  readonly queue?: number;
  /**
   * How a connection reaches its worker: as a descriptor, or as messages with its bytes.
   *
   * @default {"fd"} where foreign functions can be called, else `"message"`
   */
  readonly handoff?: Handoff;
}

const QUEUE: Option<number> = integerOption("queue", {
  least: 0,
  most: 65_536,
  default: 1024,
  help: "how many connections wait for a worker; 0: every worker accepts for itself",
});

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("threadpool", serve, {
    summary: "a fixed number of threads and a queue",
    flags: [WORKERS, QUEUE, HANDOFF],
  });
}

if (isMainModule(import.meta)) (await program()).run();
