/**
 * Thread pool: a fixed number of threads and a queue.
 *
 * One thread accepts connections and puts them into a bounded queue; each worker takes one out,
 * serves it from beginning to end with calls that block, and comes back for the next. When all
 * are busy the queue fills; when it is full the kernel's accept queue holds the rest, and in the
 * end clients wait to connect: nothing grows without bound.
 *
 * With `--queue 0` there is no queue and no accepting thread: every worker accepts for itself,
 * the pre-threaded server of Stevens ("UNIX Network Programming", chapter 30).
 *
 * Costs: memory for each worker whether it works or not, and as many conversations at a time as
 * there are workers. Use it for work that computes or blocks, where the number of clients at a
 * time is known.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import { ACCEPT_QUEUE } from "../engine/net/transport.ts";
import { integerOption } from "../engine/cli/options.ts";
import { chooseHandoff, HANDOFF, type Handoff } from "../engine/server/descriptors/handoff.ts";
import { onMessageThread } from "../engine/server/messages/message_thread.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import {
  describeWorkers,
  type PoolOptions,
  WORKERS,
} from "../engine/server/descriptors/pool_options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";

/** How to serve with a pool of threads. */
export interface ThreadpoolOptions extends ServeOptions, PoolOptions {
  /**
   * How many accepted connections wait for a worker; with 0 every worker accepts for itself.
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

const QUEUE = integerOption("queue", {
  least: 0,
  most: 65_536,
  default: 1024,
  help: "how many connections wait for a worker; 0: every worker accepts for itself",
});

/** Loaded when it is needed: the threads start faster without. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with a fixed number of threads.
 *
 * @param options where to listen, what to speak, how many threads
 * @returns the server, listening
 */
export async function serve(options: ThreadpoolOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads, serveByMessages } = await mainThread();
  const workers = WORKERS.read(options.workers);
  const queue = QUEUE.read(options.queue);
  const { handoff, note } = chooseHandoff(options.handoff);
  const details = [describeWorkers(workers), note];
  const url = import.meta.url;
  if (handoff === "message") {
    const plan = { mode: "threadpool", url, threads: workers, queue };
    return await serveByMessages(plan, options, details);
  }

  const threads = queue === 0 ? workers : workers + 1;
  requireThreads(threads);
  const plan = { mode: "threadpool", url, threads, queue: queue || ACCEPT_QUEUE };
  const server = await DescriptorServer.open(plan, options);
  const role = queue === 0 ? "acceptingWorker" : "worker";
  const started = Array.from({ length: workers }, () => server.team.keep(role));
  if (queue > 0) started.push(server.team.keep("acceptor"));
  return await server.serve(Promise.all(started), details);
}

onThread("threadpool", {
  acceptor(thread: Thread) {
    while (thread.waitForRoom()) {
      const fd = thread.accept();
      if (fd >= 0) thread.enqueue(fd);
    }
  },
  worker(thread: Thread) {
    for (let fd = thread.dequeue(); fd >= 0; fd = thread.dequeue()) thread.serve(fd);
  },
  acceptingWorker(thread: Thread) {
    for (let fd = thread.accept(); fd >= 0; fd = thread.accept()) thread.serve(fd);
    // The server is closing, and has queued for us who was still waiting to be accepted.
    for (let fd = thread.dequeue(); fd >= 0; fd = thread.dequeue()) thread.serve(fd);
  },
});

onMessageThread("threadpool");

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("threadpool", serve, {
    summary: "a fixed number of threads and a queue",
    flags: [WORKERS, QUEUE, HANDOFF],
  });
}

if (isMainModule(import.meta)) (await program()).run();
