/**
 * Prefork: processes.
 *
 * The parent listens and starts processes of this same script. Each serves one connection at a time
 * with blocking calls, as the sequential server does. With `--handoff listener` they accept for
 * themselves, all from the one listening socket, and the kernel wakes one of them for each
 * connection. With `--handoff descriptor` the parent accepts, and passes the connection to a process
 * that waits for one (`SCM_RIGHTS`, unix(7)). With `--per-connection` each connection gets a process
 * of its own, as inetd(8) did it. These are the servers with processes of Stevens ("UNIX Network
 * Programming", chapter 30).
 *
 * Nothing is shared but descriptors, and memory in which the processes count. So a process that
 * crashes, is killed, or computes for ever takes its own connection with it and no other. Another one
 * takes its place. If the parent is killed, the kernel kills its processes too.
 *
 * Costs: a runtime for each process: megabytes, and the time to start one. Use it where the work of
 * one client must not be able to harm the others.
 *
 * @module
 */

import type { Program } from "../engine/cli/program.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { ServeOptions } from "../engine/server/core/options.ts";
import type { Server } from "../engine/server/core/server.ts";
import { onThread, type Thread } from "../engine/server/descriptors/thread.ts";
import { onProcess } from "../engine/server/processes/child.ts";
import { Desk } from "../engine/server/processes/desk.ts";
import type { DeskData } from "../engine/server/processes/desk_talk.ts";
import {
  CHILD_RUNTIME,
  HANDOFF,
  isPerConnection,
  MAX_PROCESSES,
  PER_CONNECTION,
  type ProcessOptions,
  SPARE,
  WORKERS,
} from "../engine/server/processes/process_options.ts";

onProcess("prefork", {
  acceptingWorker(thread: Thread) {
    for (const fd of thread.connections()) thread.serve(fd);
  },
  worker(thread: Thread) {
    for (const fd of thread.handedOver()) thread.serve(fd);
  },
  servant(thread: Thread) {
    for (const fd of thread.handedOver()) return thread.serve(fd);
  },
});

onThread("prefork", {
  keeper(thread: Thread, data: DeskData) {
    new Desk(thread, data).attend();
  },
  acceptor(thread: Thread, data: DeskData) {
    const desk = new Desk(thread, data);
    for (const fd of desk.accepted()) desk.pass(fd);
    desk.attend();
  },
});

/** What only the main thread needs; without it a Worker or a process starts faster. */
const mainThread = () => import("../engine/server/main_thread.ts");

/**
 * Serves connections with processes.
 *
 * @param options the address, the protocol and the number of processes
 * @returns the server, listening
 */
export async function serve(options: PreforkOptions = {}): Promise<Server> {
  const { serveByProcesses } = await mainThread();
  const own = { mode: "prefork", url: import.meta.url };
  if (isPerConnection(options)) {
    const [processes, spare] = [
      MAX_PROCESSES.read(options.maxProcesses),
      SPARE.read(options.spare),
    ];
    const roles = { desk: "acceptor", process: "servant" };
    return await serveByProcesses({ ...own, roles, processes, spare }, options, (most) => [
      `a process for each connection, up to ${most}`,
      `${spare} spare`,
    ]);
  }

  const handoff = HANDOFF.read(options.handoff);
  const accept = handoff === "listener";
  const roles = accept
    ? { desk: "keeper", process: "acceptingWorker" }
    : { desk: "acceptor", process: "worker" };
  const processes = WORKERS.read(options.workers);
  return await serveByProcesses({ ...own, roles, processes, accept }, options, (count) => [
    count === 1 ? "1 process" : `${count} processes`,
    accept ? "one listener" : "descriptors",
  ]);
}

/** How to serve with processes. */
export interface PreforkOptions extends ServeOptions, ProcessOptions {}

/** The mode as a command. */
export async function program(): Promise<Program> {
  const { modeProgram } = await mainThread();
  return modeProgram("prefork", serve, {
    summary: "processes that each serve one connection at a time",
    flags: [WORKERS, HANDOFF, PER_CONNECTION, SPARE, MAX_PROCESSES, CHILD_RUNTIME],
  });
}

if (isMainModule(import.meta)) (await program()).run();
