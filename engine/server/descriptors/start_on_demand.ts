/**
 * Starts a thread when a connection waits and no thread is free.
 *
 * The thread that accepts cannot start it. It blocks in accept(2), and a new Worker gets its first
 * message through the event loop of the thread that started it. So the acceptor asks the main
 * thread.
 *
 * Starting a Worker costs as much as hundreds of answers. Up to the number of spare threads, which
 * will be kept, threads are started as fast as they are asked for. Further threads are started one
 * at a time: the next one is started when the last one runs. So the threads that already serve get
 * processor time too, and one of them may be free sooner than a new one.
 *
 * @module
 */

import { hasRoomForWorker } from "../../workers/descriptor_limits.ts";
import type { DescriptorServer } from "./descriptor_server.ts";

/** How many threads there may be. */
export interface DemandOptions {
  /** The most threads at a time. */
  readonly most: number;
  /** How many threads without a connection are kept. */
  readonly spare: number;
}

/**
 * Starts threads as connections need them.
 *
 * @param server the server, before its acceptor is started
 * @param role the role of each thread in its mode; the role receives the same options
 * @param options how many threads there may be
 */
export function startOnDemand(
  server: DescriptorServer,
  role: string,
  options: DemandOptions,
): void {
  const { team, ring } = server;
  const { most, spare } = options;
  let running = 0;

  function start(wanted: number): void {
    const unattended = ring.length - ring.idle - team.starting;
    // Connections leave room for one: see `gate.ceiling`.
    if (Math.min(wanted, unattended, most - running) <= 0 || !hasRoomForWorker(0)) return;
    const isBeyondSpare = running >= spare;
    if (isBeyondSpare && team.starting > 0) return;
    running++;
    const thread = team.start(role, { data: options });
    void team.settle(thread).then(() => {
      running--;
      // A connection may have come for this thread while it was already ending.
      start(1);
    });
    // One after another, with the event loop between them: on Deno, starting a Worker holds up this
    // thread, which has to handle signals.
    const startNext = () => setTimeout(() => start(isBeyondSpare ? wanted : wanted - 1));
    if (isBeyondSpare) thread.ready.then(startNext, () => {});
    else startNext();
  }

  team.onQueued = start;
}
