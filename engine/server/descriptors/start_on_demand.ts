/**
 * When a thread is started because a connection waits and no thread is free.
 *
 * The thread that accepts cannot start it: it blocks in accept(2), and a Worker gets its first
 * message through the event loop of the thread that has started it. So it asks the main thread.
 *
 * To start a Worker costs as much as hundreds of answers. Threads that will be kept as spare ones are
 * started as fast as they are asked for. Beyond those they are started one at a time, each when the
 * one before runs: so the threads that serve already have the processors too, and may be free sooner
 * than a new one.
 *
 * @module
 */

import { hasRoomForWorker } from "../../workers/descriptor_limits.ts";
import type { DescriptorServer } from "./descriptor_server.ts";

/** How many threads there may be. */
export interface DemandOptions {
  /** The most threads at a time. */
  readonly most: number;
  /** How many threads are kept when they have no connection. */
  readonly spare: number;
}

/**
 * Starts threads as connections need them.
 *
 * @param server the server, before its acceptor is started
 * @param role the part that each thread plays in its mode; it is told the same options
 * @param options how many there may be
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
      // A connection may have come while the thread that was free for it was already ending.
      start(1);
    });
    // One after the other: on Deno to start a Worker holds up this thread, which has signals to
    // hear.
    const startNext = () => setTimeout(() => start(isBeyondSpare ? wanted : wanted - 1));
    if (isBeyondSpare) thread.ready.then(startNext, () => {});
    else startNext();
  }

  team.onQueued = start;
}
