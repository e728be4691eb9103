/**
 * Starts the thread that watches a connection, here or in the sandbox.
 *
 * @module
 */

import { requireThreads } from "../../engine/workers/descriptor_limits.ts";
import { requireWorkers, SupervisedWorker } from "../../engine/workers/supervised_worker.ts";
import { nowUs } from "../../engine/values/moment.ts";
import { roundUs } from "../../engine/recording/events.ts";
import {
  NOTHING_SEEN,
  type TimelineMessage,
  type TimelineOutcome,
  type TimelinePlan,
} from "./timeline_plan.ts";
import {
  TIMELINE_THREAD,
  TIMELINE_THREAD_URL,
  type TimelineAssignment,
} from "./timeline_thread.ts";

/** What a thread cannot do if it fails. */
const CANNOT = "Cannot watch the connection";

/**
 * Makes a connection and watches it, in a thread of its own.
 *
 * @param plan what to do
 * @param tell receives what is seen
 * @param signal ends it early: what was seen by then has been told
 * @returns how it has ended
 * @throws {Error} if the thread cannot be started, or dies
 */
export async function watchConnection(
  plan: TimelinePlan,
  tell: (message: TimelineMessage & { kind: "seen" }) => void,
  signal: AbortSignal,
): Promise<TimelineOutcome> {
  requireWorkers(TIMELINE_THREAD_URL);
  requireThreads(1);
  const stop = new SharedArrayBuffer(4);
  let outcome: TimelineOutcome | undefined;
  const thread = SupervisedWorker.start<never, TimelineMessage>({
    url: TIMELINE_THREAD_URL,
    name: TIMELINE_THREAD,
    assignment: { plan, stop } satisfies TimelineAssignment,
    cannotStart: CANNOT,
    died: `${CANNOT}: the thread died`,
    onMessage(message) {
      if (message.kind === "seen") tell(message);
      else outcome = message.outcome;
    },
  });
  const end = () => {
    Atomics.store(new Int32Array(stop), 0, 1);
    if (thread.isReady) return;
    // Until it is ready it has done nothing, and to wait for that takes too long.
    const at = roundUs(nowUs() - plan.beganUs);
    tell({ kind: "seen", event: { type: "note", at, text: "Interrupted" } });
    outcome = NOTHING_SEEN;
    thread.end();
  };
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    const error = await thread.gone;
    if (outcome === undefined) throw error ?? new Error(`${CANNOT}: the thread ended at once`);
    return outcome;
  } finally {
    signal.removeEventListener("abort", end);
  }
}
