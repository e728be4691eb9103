/**
 * The load on the runtime's own sockets, for systems without descriptors.
 *
 * The runtime's timers count in whole milliseconds. A request that is due in between is sent late,
 * and the lag says so.
 *
 * @module
 */

import { openEventConnection } from "../../engine/dial/event_connection.ts";
import { ConnectTimeoutError } from "../../engine/dial/failures.ts";
import { Deadline, TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Lane } from "./lane.ts";
import { LoadLoop } from "./load_loop.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import type { ThreadSecond } from "./tally.ts";

/** How often the loop checks whether it is to stop, in milliseconds. */
const LOOK_MS = 20;

/**
 * Makes the load of one thread on the runtime's sockets.
 *
 * @param share the thread's share of the load
 * @param protocol the protocol to speak
 * @param onSecond is called for each second
 * @param isStopped whether the load is to end early
 */
export async function runOnRuntime(
  share: Share,
  protocol: LoadProtocol,
  onSecond: (second: ThreadSecond) => void,
  isStopped: () => boolean,
): Promise<LoadLoop> {
  using deadlines = new TimedDeadlines();
  const over = new AbortController();
  const dial = (lane: Lane) => {
    void connect(lane, share, deadlines, over.signal);
  };
  const loop = new LoadLoop(share, protocol, { dial, deadlines, onSecond, hasTurns: false });
  for (;;) {
    const now = performance.now();
    const next = loop.turn(now);
    if (isStopped()) loop.stop(performance.now());
    if (loop.isOver) break;
    const waitMs = Math.min(LOOK_MS, Math.max(0, next - performance.now()));
    const due = now + waitMs;
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    // The lateness of this timer is the lateness of this thread.
    loop.onTurn(due);
  }
  over.abort();
  return loop;
}

async function connect(
  lane: Lane,
  { address, plan: { timeoutMs } }: Share,
  deadlines: TimedDeadlines,
  over: AbortSignal,
): Promise<void> {
  const attempt = new AbortController();
  const giveUp = (why: unknown) => attempt.abort(why);
  const onOver = () => giveUp(over.reason);
  over.addEventListener("abort", onOver, { once: true });
  const limit = new Deadline(() => giveUp(new ConnectTimeoutError(timeoutMs)));
  deadlines.set(limit, timeoutMs);
  try {
    const connection = await openEventConnection(address, attempt.signal);
    if (over.aborted) return connection.close();
    lane.onOpen(connection);
  } catch (error) {
    if (!over.aborted) lane.onNotOpen(error);
  } finally {
    limit.lift();
    over.removeEventListener("abort", onOver);
  }
}
