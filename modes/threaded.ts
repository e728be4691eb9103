/**
 * Threaded: a thread for each connection.
 *
 * Every connection gets a thread of its own that serves it with calls that block. Nobody waits
 * for anybody, and the code is that of the sequential server. What it costs is the thread: a
 * pthread is started in 20 microseconds, a Web Worker in milliseconds. So a thread whose
 * connection is over is kept for the next one, up to `--spare` of them; with `--spare 0` each
 * starts anew, and the bare cost shows. Beyond `--max-threads` connections wait.
 *
 * Costs: megabytes for each connection, and time to start. Use it for few, long conversations
 * that compute or block.
 *
 * @module
 */

import { isMainModule } from "../engine/net/runtime.ts";
import { integerOption } from "../engine/cli/options.ts";
import { chooseHandoff, HANDOFF, type Handoff } from "../engine/server/descriptors/handoff.ts";
import { onMessageThread } from "../engine/server/messages/message_thread.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Program } from "../engine/cli/program.ts";
import type { Server } from "../engine/server/core/server.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";

/** How to serve with a thread for each connection. */
export interface ThreadedOptions extends ServeOptions {
  /**
   * How many threads without a connection are kept.
   *
   * @default {64}
   */
  readonly spare?: number;
  /**
   * How many threads there are at most, never more than the limit of descriptors allows.
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

/** How long a thread without a connection is kept, in milliseconds. */
const SPARE_MS = 10_000;

const SPARE = integerOption("spare", {
  least: 0,
  most: 4096,
  default: 64,
  help: "how many finished threads are kept for the next connection",
});

const MAX_THREADS = integerOption("maxThreads", {
  least: 1,
  most: 4096,
  default: 256,
  help: "how many threads there are at most; beyond it connections wait",
});

/** Loaded when it is needed: the threads start faster without. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves each connection with a thread of its own.
 *
 * @param options where to listen, what to speak, how many threads
 * @returns the server, listening
 */
export async function serve(options: ThreadedOptions = {}): Promise<Server> {
  const { DescriptorServer, requireThreads, serveByMessages, threadsThatFit } = await mainThread();
  const spare = SPARE.read(options.spare);
  const wanted = MAX_THREADS.read(options.maxThreads);
  const { handoff, note } = chooseHandoff(options.handoff);
  const details = (threads: number) => [`up to ${threads} threads`, `${spare} spare`, note];
  const url = import.meta.url;
  if (handoff === "message") {
    const plan = { mode: "threaded", url, threads: wanted, queue: 0, spare, spareMs: SPARE_MS };
    return await serveByMessages(plan, options, details(wanted));
  }

  requireThreads(2);
  const threads = Math.min(wanted, threadsThatFit() - 1);
  const plan = {
    mode: "threaded",
    url,
    threads: threads + 1,
    queue: threads,
    connections: threads,
  };
  const server = await DescriptorServer.open(plan, options);
  const { team, ring } = server;
  let serving = 0;
  const startThreads = (wanted: number) => {
    const waiting = ring.length - ring.idle - team.starting;
    if (Math.min(wanted, waiting, threads - serving) <= 0 || !server.hasRoomForThread) return;
    // To start a thread costs as much as hundreds of answers: beyond those that would be kept
    // anyway, one at a time, so that the others have the processors too.
    const isMany = serving >= spare;
    if (isMany && team.starting > 0) return;
    serving++;
    const handle = team.start("server", { data: { spare } });
    void team.settle(handle).then(() => {
      serving--;
      // A connection may have come while the thread that was free for it was already ending.
      startThreads(1);
    });
    // One after the other: on Deno to start a Worker holds up this thread, which has signals to
    // hear.
    const next = () => setTimeout(() => startThreads(isMany ? wanted : wanted - 1));
    if (isMany) handle.ready.then(next, () => {});
    else next();
  };
  team.onQueued = startThreads;
  return await server.serve(server.team.keep("acceptor"), details(threads));
}

onThread("threaded", {
  acceptor(thread: Thread) {
    while (thread.waitForRoom()) {
      const fd = thread.accept();
      if (fd >= 0) thread.enqueue(fd);
    }
  },
  server(thread: Thread, { spare }: { spare: number }) {
    for (let fd = thread.dequeue(SPARE_MS); fd >= 0; fd = thread.dequeue(SPARE_MS)) {
      thread.serve(fd);
      if (thread.idle >= spare) return;
    }
  },
});

onMessageThread("threaded");

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("threaded", serve, {
    summary: "a thread for each connection",
    flags: [SPARE, MAX_THREADS, HANDOFF],
  });
}

if (isMainModule(import.meta)) (await program()).run();
