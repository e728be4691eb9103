/**
 * The inside of a Worker that makes a load.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { describeError } from "../../engine/values/thrown.ts";
import { onAssigned } from "../../engine/workers/worker_side.ts";
import { runOnDescriptors } from "./epoll_engine.ts";
import { runOnRuntime } from "./event_engine.ts";
import { loadLoadProtocol, type LoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import type { ThreadSecond } from "./tally.ts";

/** The first message from the main thread. */
export interface LoadAssignment {
  /** Its part of the load. */
  readonly share: Share;
  /** One word: whether the run is to end early. */
  readonly stop: SharedArrayBuffer;
}

/** The message from the main thread when all threads are ready. */
export type ToLoadThread = "begin";

/** The messages to the main thread. */
export type FromLoadThread =
  | ThreadSecond
  | ThreadEnd
  | { readonly kind: "failed"; readonly why: string };

/** The summary of a thread's run. */
export interface ThreadEnd {
  readonly kind: "end";
  /** How long the run was, in milliseconds. */
  readonly durationMs: number;
  /** How many connections had no answer at all. */
  readonly starved: number;
  /** The share of that time in which the thread ran; `undefined` if the system does not tell. */
  readonly busyShare: number | undefined;
  /** The share of that time in which the thread could have run but had no processor. */
  readonly waitingShare: number | undefined;
  /** The message of the first failure of each kind. */
  readonly words: Readonly<Record<string, string>>;
}

/** The name of these Workers. It names the command that an executable loads for them. */
export const LOAD_THREAD = "handshake bench";

/** The module of these Workers. */
export const LOAD_THREAD_URL: string = import.meta.url;

/**
 * How many milliseconds this thread has run and has waited to run, as the scheduler counts them.
 */
function schedulerTimes(): readonly [number, number] | undefined {
  try {
    // The file describes the thread that reads it, in nanoseconds (proc(5)).
    const [ran, waited] = readFileSync("/proc/thread-self/schedstat", "utf8").split(" ").map(
      Number,
    );
    return [(ran as number) / 1e6, (waited as number) / 1e6];
  } catch {
    // Not on Linux.
    return undefined;
  }
}

async function makeLoad(
  share: Share,
  protocol: LoadProtocol,
  stop: Int32Array,
  tell: (message: FromLoadThread) => void,
): Promise<void> {
  const before = schedulerTimes();
  const began = performance.now();
  const run = share.plan.engine === "descriptors" ? runOnDescriptors : runOnRuntime;
  const loop = await run(share, protocol, tell, () => Atomics.load(stop, 0) !== 0);
  const after = schedulerTimes();
  const tookMs = performance.now() - began;
  const shareOf = (index: 0 | 1) =>
    before === undefined || after === undefined
      ? undefined
      : (after[index] - before[index]) / tookMs;
  tell({
    kind: "end",
    durationMs: loop.durationMs,
    starved: loop.starved,
    busyShare: shareOf(0),
    waitingShare: shareOf(1),
    words: loop.tally.words,
  });
}

onAssigned(LOAD_THREAD, async (
  { share, stop }: LoadAssignment,
  tell: (message: FromLoadThread) => void,
) => {
  const protocol = await loadLoadProtocol(share.plan.protocol);
  const begun = Promise.withResolvers<void>();
  return {
    hear: (_begin: ToLoadThread) => begun.resolve(),
    async play(sayReady) {
      sayReady();
      await begun.promise;
      try {
        await makeLoad(share, protocol, new Int32Array(stop), tell);
      } catch (error) {
        tell({ kind: "failed", why: describeError(error) });
      }
    },
  };
});
