/**
 * The load on the runtime's own sockets, for systems without descriptors.
 *
 * The runtime's timers count in whole milliseconds. A request that is due in between is sent late,
 * and the lag says so.
 *
 * @module
 */

import { openEventConnection } from "../../engine/dial/event_connection.ts";
import type { Connection } from "../../engine/net/transport.ts";
import type { Address } from "../../protocols/effects.ts";
import { ConnectTimeoutError } from "../../engine/dial/failures.ts";
import { Deadline, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Lane } from "./lane.ts";
import { LoadLoop, LOOK_MS, NO_PAUSES, type Pauses } from "./load_loop.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import { inTurn } from "./sources.ts";
import type { ThreadSecond } from "./tally.ts";

/** Opens a connection to a numeric address, from one of ours, unless the signal abandons that. */
export type OpenConnection = (
  address: Address,
  signal: AbortSignal,
  source: string | undefined,
) => Promise<Connection>;

/**
 * Makes the load of one thread on the runtime's sockets.
 *
 * @param share the thread's share of the load
 * @param protocol the protocol to speak
 * @param onSecond is called for each second
 * @param isStopped whether the load is to end early
 * @param pauses what is waited for in between
 * @param open opens a connection, where that is not to be one of the runtime's own
 */
export async function runOnRuntime(
  share: Share,
  protocol: LoadProtocol,
  onSecond: (second: ThreadSecond) => void,
  isStopped: () => boolean,
  pauses: Pauses = NO_PAUSES,
  open: OpenConnection = openEventConnection,
): Promise<LoadLoop> {
  using deadlines = new TimedDeadlines();
  const over = new AbortController();
  const nextSource = inTurn(share.plan.sources, share.thread, share.plan.threads);
  const dial = (lane: Lane) => {
    void connect(lane, share, nextSource(), deadlines, over.signal, open);
  };
  const loop = new LoadLoop(share, protocol, { dial, deadlines, onSecond, hasTurns: false });
  try {
    await turnUntil(loop, () => loop.isOpen, isStopped);
    await pauses.afterOpening();
    loop.start(performance.now());
    await turnUntil(loop, () => loop.isOver, isStopped);
    await pauses.beforeClosing(loop);
  } finally {
    over.abort();
    loop.close();
  }
  return loop;
}

async function turnUntil(
  loop: LoadLoop,
  isReached: () => boolean,
  isStopped: () => boolean,
): Promise<void> {
  let lookAt = performance.now();
  for (;;) {
    const now = performance.now();
    const next = loop.turn(now);
    if (now >= lookAt) {
      loop.look(now);
      lookAt = now + LOOK_MS;
    }
    if (isStopped()) loop.stop(performance.now());
    if (isReached()) return;
    const waitMs = Math.min(LOOK_MS, Math.max(0, next - performance.now()));
    const due = now + waitMs;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    // The lateness of this timer is the lateness of this thread.
    loop.onTurn(due);
  }
}

async function connect(
  lane: Lane,
  { address, plan: { timeoutMs } }: Share,
  source: string | undefined,
  deadlines: TimedDeadlines,
  over: AbortSignal,
  open: OpenConnection,
): Promise<void> {
  const attempt = new AbortController();
  const giveUp = (why: unknown) => attempt.abort(why);
  const onOver = () => giveUp(over.reason);
  over.addEventListener("abort", onOver, { once: true });
  const limit = new Deadline(() => giveUp(new ConnectTimeoutError(timeoutMs)));
  deadlines.set(limit, timeoutMs);
  try {
    const connection = await open(address, attempt.signal, source);
    if (over.aborted) return connection.close();
    lane.onOpen(connection);
  } catch (error) {
    if (!over.aborted) lane.onNotOpen(error);
  } finally {
    limit.lift();
    over.removeEventListener("abort", onOver);
  }
}
