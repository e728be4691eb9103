/**
 * The inside of a Worker that makes a load.
 *
 * @module
 */

import { describeError } from "../../engine/values/thrown.ts";
import { onAssigned } from "../../engine/workers/worker_side.ts";
import { runOnDescriptors } from "./epoll_engine.ts";
import { runOnRuntime } from "./event_engine.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import { type OwnTime, ownTime } from "../../engine/workers/own_time.ts";
import { loadProtocolOf, type Share } from "./plan.ts";
import { rehearse } from "./rehearsal.ts";
import type { ThreadSecond } from "./tally.ts";

/** The first message from the main thread. */
export interface LoadAssignment {
  /** Its part of the load. */
  readonly share: Share;
  /** One word: whether the run is to end early. */
  readonly stop: SharedArrayBuffer;
}

/**
 * The messages from the main thread: the load can be rehearsed once more, all threads are ready, and
 * later the server has been looked at and the connections can be closed.
 */
export type ToLoadThread = "rehearse again" | "begin" | "close";

/** The messages to the main thread. */
export type FromLoadThread =
  | ThreadSecond
  | ThreadEnd
  | { readonly kind: "rehearsed" }
  | { readonly kind: "failed"; readonly why: string };

/** The summary of a thread's run. */
export interface ThreadEnd {
  readonly kind: "end";
  /** How long the run was, in milliseconds. */
  readonly durationMs: number;
  /** How many connections had no answer at all. */
  readonly starved: number;
  /** How many requests were due; `undefined` in the closed model. */
  readonly due: number | undefined;
  /** The longest time without an answer while something was under way, in milliseconds. */
  readonly silenceMs: number;
  /** Whether at some time as many of its connections have failed in a row as it has. */
  readonly hasFallenSilent: boolean;
  /** Whether it was ended early. */
  readonly isCut: boolean;
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

/** What the main thread says. */
class Cues {
  readonly again = Promise.withResolvers<void>();
  readonly begun = Promise.withResolvers<void>();
  readonly closed = Promise.withResolvers<void>();

  hear(message: ToLoadThread): void {
    if (message === "rehearse again") this.again.resolve();
    else if (message === "begin") this.begun.resolve();
    else this.closed.resolve();
  }
}

async function makeLoad(
  { share, stop: memory }: LoadAssignment,
  protocol: LoadProtocol,
  cues: Cues,
  sayReady: () => void,
  tell: (message: FromLoadThread) => void,
): Promise<void> {
  const stop = new Int32Array(memory);
  const isStopped = () => Atomics.load(stop, 0) !== 0;
  if (share.plan.rehearse) {
    await rehearse(share, protocol, isStopped);
    // V8 throws away what it has compiled when a thread talks to another one for the first time.
    // So that comes first, and then the code of the load is compiled to stay.
    tell({ kind: "rehearsed" });
    await cues.again.promise;
    await rehearse(share, protocol, isStopped);
  }
  const run = share.plan.engine === "descriptors" ? runOnDescriptors : runOnRuntime;
  let before: OwnTime | undefined;
  let began = 0;
  await run(share, protocol, tell, isStopped, {
    async afterOpening() {
      sayReady();
      await cues.begun.promise;
      before = ownTime();
      began = performance.now();
    },
    async beforeClosing(loop) {
      const after = ownTime();
      const tookMs = performance.now() - began;
      const shareOf = (field: keyof OwnTime) =>
        before === undefined || after === undefined
          ? undefined
          : (after[field] - before[field]) / tookMs;
      tell({
        kind: "end",
        durationMs: loop.durationMs,
        starved: loop.starved,
        due: loop.due,
        silenceMs: loop.silenceMs,
        hasFallenSilent: loop.hasFallenSilent,
        isCut: loop.isCut,
        busyShare: shareOf("ranMs"),
        waitingShare: shareOf("waitedMs"),
        words: loop.tally.words,
      });
      await cues.closed.promise;
    },
  });
}

onAssigned(LOAD_THREAD, async (
  assignment: LoadAssignment,
  tell: (message: FromLoadThread) => void,
) => {
  const protocol = await loadProtocolOf(assignment.share.plan);
  const cues = new Cues();
  return {
    hear: (message: ToLoadThread) => cues.hear(message),
    async play(sayReady) {
      try {
        await makeLoad(assignment, protocol, cues, sayReady, tell);
      } catch (error) {
        tell({ kind: "failed", why: describeError(error) });
      }
    },
  };
});
