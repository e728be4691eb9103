/**
 * The inside of a Worker that makes a load.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { runtime } from "../../engine/net/runtime.ts";
import { describeError } from "../../engine/values/thrown.ts";
import { runOnDescriptors } from "./epoll_engine.ts";
import { runOnRuntime } from "./event_engine.ts";
import { loadLoadProtocol } from "./load_protocol.ts";
import type { Share } from "./plan.ts";
import type { ThreadSecond } from "./tally.ts";

/** What the main thread tells it: first its assignment, then when to begin. */
export type ToLoadThread =
  | { readonly kind: "assignment"; readonly share: Share; readonly stop: SharedArrayBuffer }
  | { readonly kind: "begin" };

/** What it tells the main thread. */
export type FromLoadThread =
  | { readonly kind: "ready" }
  | { readonly kind: "cannotStart"; readonly why: string }
  | ThreadSecond
  | ThreadEnd;

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

interface WorkerScope {
  onmessage: ((event: { data: ToLoadThread }) => void) | null;
  postMessage(message: FromLoadThread): void;
}

/** What the scheduler tells of this thread: the milliseconds it ran, and those it waited to run. */
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
  stop: Int32Array,
  tell: (message: FromLoadThread) => void,
): Promise<void> {
  const protocol = await loadLoadProtocol(share.plan.protocol);
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

/** Makes the load, if this is a thread that was started for it; otherwise does nothing. */
function onLoadThread(): void {
  if (runtime.threadName !== LOAD_THREAD) return;
  const scope = globalThis as unknown as WorkerScope;
  const tell = (message: FromLoadThread) => scope.postMessage(message);
  let begin: (() => Promise<void>) | undefined;
  scope.onmessage = ({ data }) => {
    const failed = (error: unknown) => tell({ kind: "cannotStart", why: describeError(error) });
    if (data.kind === "begin") return void begin?.().catch(failed);
    begin = () => makeLoad(data.share, new Int32Array(data.stop), tell);
    loadLoadProtocol(data.share.plan.protocol).then(() => tell({ kind: "ready" }), failed);
  };
}

onLoadThread();
