/**
 * Watches that the event loops of a server turn, from a thread of its own.
 *
 * A protocol that computes in a loop and never yields stops its loop for ever. Then somebody has to
 * say so, and that cannot be the loop. If the loop is that of the main thread, nobody hears signals
 * either: SIGTERM is caught and comes to nothing. So while such a loop is late, this thread gives
 * the signals their default actions, and the next one ends the process at once. A loop that stops
 * while its server closes is waited for as long as its connections are, and a little longer.
 *
 * The heartbeat of a loop says when its next beat is due. As long as that does not change, the loop
 * has not turned. The thread counts only time in which it could run itself: after SIGCONT, or when
 * the machine wakes up, no loop is late.
 *
 * This file runs twice, as the file of a mode does: in the main thread, and in the Worker that it
 * starts from itself.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { DefaultActions } from "../../process/default_actions.ts";
import { hasRoomForWorker } from "../../workers/descriptor_limits.ts";
import { SupervisedWorker } from "../../workers/supervised_worker.ts";
import { WATCH_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import type { StatisticsShare } from "../core/statistics_share.ts";
import { formatEntry, type LogFormat } from "../journal/logging.ts";
import { readDue } from "./heartbeat.ts";

/** How often the thread looks, in milliseconds. */
const LOOK_MS = 250;

/**
 * After how long without a turn a loop hears no signals any more, in milliseconds. A signal before
 * that waits for the loop.
 */
const DEAF_MS = 1_000;

/** How much longer than its drain a server may be stuck while it closes, in milliseconds. */
const GRACE_MS = 1_000;

/** What is watched, and what is said of it. */
export interface WatchOptions {
  /** The name of the server, for the log in JSON. */
  readonly name: string;
  /** Whether people or programs read the log; `undefined` if nobody does. */
  readonly format: LogFormat | undefined;
  /** After how long without a turn a loop is logged, in milliseconds. */
  readonly stallMs: number;
  /** How long connections may take to finish, in milliseconds. */
  readonly drainMs: number;
}

/** The message to the thread. */
interface WatchAssignment extends WatchOptions {
  readonly share: StatisticsShare;
  /** The words {@linkcode STATE} and {@linkcode CLOSING}. */
  readonly control: SharedArrayBuffer;
}

// The words that the main thread writes: whether the thread has to end, and whether the server
// closes.
const STATE = 0;
const CLOSING = 1;
const RUNNING = 0;

onAssigned(WATCH_THREAD, (assignment: WatchAssignment) =>
  Promise.resolve({
    play(sayReady) {
      sayReady();
      watch(assignment);
    },
  }));

/** A loop as the thread has seen it. */
interface SeenLoop {
  due: number;
  /** For how long it has not turned, in milliseconds. */
  stillMs: number;
  isTold: boolean;
}

function watch({ share, control: memory, stallMs, drainMs, ...log }: WatchAssignment): void {
  const { beats, loopsOnMain = false } = share;
  if (beats === undefined) return;
  const control = new Int32Array(memory);
  const actions = loopsOnMain ? DefaultActions.open() : undefined;
  const loops = readDue(beats).map((due): SeenLoop => ({ due, stillMs: 0, isTold: false }));
  let closingMs = 0;
  for (let before = performance.now();;) {
    Atomics.wait(control, STATE, RUNNING, LOOK_MS);
    if (Atomics.load(control, STATE) !== RUNNING) break;
    const now = performance.now();
    const passedMs = Math.min(now - before, 2 * LOOK_MS);
    before = now;
    look(loops, readDue(beats), passedMs);
    if (actions !== undefined) {
      const isDeaf = loops.some(({ stillMs }) => stillMs >= DEAF_MS);
      closingMs += Atomics.load(control, CLOSING) === 0 ? 0 : passedMs;
      if (!isDeaf) actions.takeBack();
      else if (closingMs < drainMs + GRACE_MS) actions.give();
      else actions.endProcess();
    }
    loops.forEach((loop, index) => {
      if (loop.stillMs < stallMs || loop.isTold) return;
      loop.isTold = true;
      tell(log, loops.length === 1 ? "the event loop" : `event loop ${index}`, loop.stillMs);
    });
  }
  actions?.takeBack();
}

/** Notes which loops have turned. */
function look(loops: readonly SeenLoop[], dues: readonly number[], passedMs: number): void {
  loops.forEach((loop, index) => {
    const due = dues[index]!;
    if (due === 0 || due !== loop.due) Object.assign(loop, { due, stillMs: 0, isTold: false });
    else loop.stillMs += passedMs;
  });
}

function tell(
  { name, format }: Pick<WatchOptions, "name" | "format">,
  what: string,
  stillMs: number,
): void {
  if (format === undefined) return;
  const text = `${what} has not turned for ${(stillMs / 1000).toFixed(1)} s`;
  const properties = { still_ms: Math.round(stillMs) };
  try {
    runtime.printNow(
      "stderr",
      `${formatEntry({ format, name, level: "warning", text, properties })}\n`,
    );
  } catch {
    // The reader of the log has gone.
  }
}

/** The main thread's side. */
export class LoopWatch {
  readonly #worker: SupervisedWorker<never, never>;
  readonly #control: Int32Array;

  private constructor(options: WatchOptions, share: StatisticsShare) {
    const control = new SharedArrayBuffer(8);
    this.#control = new Int32Array(control);
    this.#worker = SupervisedWorker.start<never, never>({
      url: import.meta.url,
      name: WATCH_THREAD,
      assignment: { ...options, share, control } satisfies WatchAssignment,
    });
  }

  /**
   * Starts the thread, and does not wait for it.
   *
   * @param options what is watched, and what is said of it
   * @param share the server's statistics
   * @returns `undefined` if the server has no event loop, or if no thread can be started
   */
  static start(options: WatchOptions, share: StatisticsShare): LoopWatch | undefined {
    const isPossible = share.beats !== undefined && hasRoomForWorker() &&
      runtime.whyNoThreads(import.meta.url) === undefined;
    return isPossible ? new LoopWatch(options, share) : undefined;
  }

  /** Says that the server closes. */
  closing(): void {
    Atomics.store(this.#control, CLOSING, 1);
  }

  /**
   * Ends the thread.
   *
   * @param withinMs how long to wait for it, in milliseconds
   */
  async stop(withinMs: number): Promise<void> {
    Atomics.store(this.#control, STATE, 1);
    Atomics.notify(this.#control, STATE);
    const late = setTimeout(() => this.#worker.end(undefined, true), withinMs);
    await this.#worker.gone;
    clearTimeout(late);
  }
}
