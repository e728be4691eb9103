/**
 * Watches that the event loops of a server turn, from a thread of its own.
 *
 * A protocol that computes in a loop and never yields stops its loop for ever. Then somebody has to
 * say so, and that cannot be the loop. If the loop is that of the main thread, nobody hears signals
 * either: SIGTERM is caught and comes to nothing. So this thread hears them ({@linkcode SignalWatch}).
 * While a loop is stuck, it ends the process in the loop's place.
 *
 * The heartbeat of a loop says when its next beat is due. As long as that does not change, the loop
 * has not turned. Threads that are no loops are watched by the main thread: see `thread_watch.ts`.
 *
 * This file runs twice, as the file of a mode does: in the main thread, and in the Worker that it
 * starts from itself.
 *
 * @module
 */

import { BufferedOutput } from "../../cli/buffered_output.ts";
import { runtime } from "../../net/runtime.ts";
import { DefaultActions } from "../../process/default_actions.ts";
import type { EndingSignal } from "../../process/ending_signals.ts";
import { isWithin } from "../../values/pause.ts";
import { hasRoomForWorker } from "../../workers/descriptor_limits.ts";
import { SupervisedWorker } from "../../workers/supervised_worker.ts";
import { WATCH_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import { CounterBlock } from "../core/counters.ts";
import { sayDraining, type StatisticsShare } from "../core/statistics_share.ts";
import type { LogFormat } from "../journal/logging.ts";
import { readDue, readTurn, readTurnNumber } from "./heartbeat.ts";
import { LOOK_MS, Stalls, Stillness } from "./stillness.ts";

/**
 * For how long a loop must have stood at one conversation when a signal comes, so that its drain is not
 * waited for, in milliseconds. The beat that is counted from may lie a quarter of a second before that.
 */
const DEAF_MS = 1_000;

/**
 * How much longer than its drain a server may be stuck while it closes, or after a signal, in
 * milliseconds.
 */
const GRACE_MS = 1_000;

/** How long an end waits until what was said is written, in milliseconds. */
const FLUSH_MS = 1_000;

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
  /** Whether SIGHUP ends the server too. */
  readonly hearsHangUps: boolean;
}

/** The first message to the thread. */
interface WatchAssignment extends WatchOptions {
  readonly share: StatisticsShare;
  /** One word: 1 when the server closes. No message could be posted by a thread that is stuck. */
  readonly closing: SharedArrayBuffer;
}

/** A further message: the thread has to end. */
interface Order {
  readonly kind: "stop";
}

onAssigned(WATCH_THREAD, (assignment: WatchAssignment) => {
  const stopped = Promise.withResolvers<void>();
  const closing = new Int32Array(assignment.closing);
  return Promise.resolve({
    hear(_order: Order) {
      stopped.resolve();
    },
    async play(sayReady) {
      sayReady();
      await watch(assignment, stopped.promise, () => Atomics.load(closing, 0) === 1);
    },
  });
});

async function watch(
  assignment: WatchAssignment,
  stopped: Promise<void>,
  isClosing: () => boolean,
): Promise<void> {
  const { share, stallMs } = assignment;
  const { beats, loopsOnMain = false } = share;
  if (beats === undefined) return;
  const log = new WatchLog(assignment);
  const signals = loopsOnMain ? SignalWatch.begin(assignment) : undefined;
  const stalls = new Stalls(stallMs);
  stalls.look(readDue(beats));
  while (!await isWithin(LOOK_MS, stopped)) {
    const dues = readDue(beats);
    const stuck = stalls.look(dues);
    const { still, passedMs } = stalls;
    const longestMs = Math.max(...still);
    const action = signals?.look(longestMs, readTurnNumber(beats, 0), passedMs, isClosing());
    // The end should not have to wait until the log is loaded.
    if (longestMs > 0 && (isClosing() || signals?.isHeard === true)) log.prepare();
    if (signals !== undefined && action === "ends") {
      try {
        tellEnd(log, share);
        await log.flush();
      } finally {
        // To write that may take a while, in which the loop may turn after all.
        if (readDue(beats)[0] === dues[0]) signals.endProcess();
      }
    }
    // The loop will close the server when it turns again, or the process ends before that.
    if (signals?.isHeard === true) sayDraining(share.state);
    for (const { index, stillMs } of stuck) {
      const what = still.length === 1 ? "the event loop" : `event loop ${index}`;
      const peer = readTurn(beats, index);
      const whom = peer === undefined ? "" : `: it serves ${peer}`;
      // Then nobody can say any more whom the signal cuts.
      const end = signals === undefined || stillMs < DEAF_MS
        ? ""
        : `; a signal ends the process, and cuts ${describeCut(share)}`;
      const text = `${what} has not turned for ${(stillMs / 1000).toFixed(1)} s${whom}${end}`;
      log.tell(text, { still_ms: Math.round(stillMs), ...(peer !== undefined && { peer }) });
    }
  }
  signals?.end();
  await log.flush();
}

/**
 * What this thread writes to the log. It never waits for a reader of standard error who is stuck: the
 * thread has to see meanwhile how long the loops are still, and may have to end the process.
 */
class WatchLog {
  readonly #name: string;
  readonly #format: LogFormat | undefined;
  readonly #output = new BufferedOutput("stderr", () => {});
  /** A thread that has nothing to say does without it, and takes 6 MiB less. */
  #logging: Promise<typeof import("../journal/logging.ts") | undefined> | undefined;
  /** Resolves when all lines so far have been left to the output. */
  #told: Promise<void> = Promise.resolve();

  constructor({ name, format }: WatchOptions) {
    this.#name = name;
    this.#format = format;
    // The main thread writes there too.
    this.#output.share();
  }

  /** Loads what writes lines, if it is not there. */
  prepare(): void {
    if (this.#format !== undefined) void this.#load();
  }

  /** Writes a warning soon. */
  tell(text: string, properties: Readonly<Record<string, unknown>>): void {
    const [name, format] = [this.#name, this.#format];
    if (format === undefined) return;
    this.#told = this.#load().then((logging) => {
      const line = logging?.formatEntry({ format, name, level: "warning", text, properties });
      if (line !== undefined) this.#output.writeLine(line);
    });
  }

  /** Waits until everything is written, but for {@linkcode FLUSH_MS} at most. */
  async flush(): Promise<void> {
    await isWithin(FLUSH_MS, this.#told.then(() => this.#output.flush(FLUSH_MS)));
  }

  /** Without the module nothing can be said. What is to be done does not depend on it. */
  #load(): Promise<typeof import("../journal/logging.ts") | undefined> {
    return this.#logging ??= import("../journal/logging.ts").catch(() => undefined);
  }
}

/**
 * Hears the signals that end a server while the loop is stuck that has to hear them. Some runtimes
 * tell a Worker of every signal. On the others it is only known of signals that come when the loop
 * is late already, because only then it is looked for them ({@linkcode DefaultActions}).
 */
class SignalWatch {
  readonly #actions: DefaultActions;
  /** For how long the server may be stuck while it closes, or after a signal, in milliseconds. */
  readonly #endsAfterMs: number;
  readonly #forget: () => void;
  /** Tells for how long the loop has stood at the same conversation. */
  readonly #turns = new Stillness();
  /** How many signals were heard for which the loop has not turned yet. */
  #heard = 0;
  /** The last one of all. */
  #last: EndingSignal = "SIGTERM";
  /** Whether there was one before the last look. */
  #wasHeard = false;
  /** Whether the loop had stood for {@linkcode DEAF_MS} before that one came. */
  #wasDeaf = false;
  /** For how many looks the server has been closing. */
  #closing = 0;
  #waitedMs = 0;

  private constructor(
    actions: DefaultActions,
    signals: readonly EndingSignal[],
    drainMs: number,
  ) {
    this.#actions = actions;
    this.#endsAfterMs = drainMs + GRACE_MS;
    const forget = runtime.hearsSignalsInThreads
      ? signals.map((signal) => runtime.onSignal(signal, () => this.#hear(signal)))
      : [];
    this.#forget = () => forget.forEach((stop) => stop());
  }

  /** Begins to hear signals. Returns `undefined` where foreign functions cannot be called. */
  static begin({ drainMs, hearsHangUps }: WatchOptions): SignalWatch | undefined {
    const signals: EndingSignal[] = ["SIGINT", "SIGTERM"];
    // Of those that come between two looks the order is not known. A hang-up is taken for the last.
    if (hearsHangUps) signals.push("SIGHUP");
    const actions = DefaultActions.open(signals);
    return actions && new SignalWatch(actions, signals, drainMs);
  }

  /** Whether a signal was heard for which the loop has not turned yet. */
  get isHeard(): boolean {
    return this.#heard > 0;
  }

  #hear(signal: EndingSignal): void {
    // The first signal has just made the server close, and may be heard here later than there.
    const isSecond = this.#heard > 0 || this.#closing > 1;
    // When a terminal closes, the kernel and the shell may both say so.
    if (isSecond && signal === "SIGHUP") return;
    this.#heard = isSecond ? 2 : 1;
    this.#last = signal;
  }

  /**
   * Does what is to be done now.
   *
   * @param stillMs for how long the loop has not turned, in milliseconds
   * @param turn the number of the conversation whose turn it is; 0 for none
   * @param passedMs the time since the last look, in milliseconds
   * @param isClosing whether the server closes
   * @returns `ends` if it is time to end the process
   */
  look(
    stillMs: number,
    turn: number,
    passedMs: number,
    isClosing: boolean,
  ): "ends" | undefined {
    const actions = this.#actions;
    // Several conversations may have their turns before the loop itself has one. 0 would not count.
    const [sameMs = 0] = this.#turns.look([turn + 1], passedMs);
    const standsMs = Math.min(stillMs, sameMs);
    for (const signal of actions.take()) this.#hear(signal);
    if (stillMs === 0) {
      // The loop has turned, and has heard what came before the last look. But of a hang-up it may
      // have been told only now. And after what came since then it may be stuck again.
      if (actions.takeBack()) this.#wasHeard = false;
      else if (this.#wasHeard) this.#heard = 0;
      if (!this.isHeard && !isClosing) this.#waitedMs = 0;
    }
    if (!this.#wasHeard) this.#wasDeaf = standsMs - passedMs >= DEAF_MS;
    // A loop that has just turned may not have beaten yet. One that is stuck is still so a look later.
    const isOver = this.#heard > 1 || (this.#wasHeard && this.#wasDeaf);
    this.#wasHeard = this.isHeard;
    if (this.isHeard || isClosing) this.#waitedMs += passedMs;
    this.#closing = isClosing ? this.#closing + 1 : 0;
    if (stillMs === 0) return undefined;
    if (!runtime.hearsSignalsInThreads) actions.arm();
    const isLate = stillMs >= DEAF_MS && this.#waitedMs >= this.#endsAfterMs;
    return isOver || isLate ? "ends" : undefined;
  }

  /** Ends the process in the place of its loop. */
  endProcess(): void {
    this.#actions.endProcess(this.#last);
  }

  /** Hears signals no more, and leaves them to the loop. */
  end(): void {
    this.#forget();
    this.#actions.takeBack();
  }
}

/** Says that the process ends, and whom that cuts: the loop cannot. */
function tellEnd(log: WatchLog, share: StatisticsShare): void {
  const peer = share.beats && readTurn(share.beats, 0);
  const whom = peer === undefined ? "" : `, which serves ${peer},`;
  const text = `the process ends without its event loop${whom} and cuts ${describeCut(share)}`;
  log.tell(text, { ...(peer !== undefined && { peer }) });
}

/** Those whom the end of the process cuts. */
function describeCut({ counters }: StatisticsShare): string {
  const { active } = CounterBlock.sum(CounterBlock.allIn(counters));
  return active === 1 ? "1 connection" : `${active} connections`;
}

/** The main thread's side. */
export class LoopWatch {
  readonly #worker: SupervisedWorker<Order, never>;
  readonly #closing = new SharedArrayBuffer(4);

  private constructor(options: WatchOptions, share: StatisticsShare) {
    this.#worker = SupervisedWorker.start<Order, never>({
      url: import.meta.url,
      name: WATCH_THREAD,
      assignment: { ...options, share, closing: this.#closing } satisfies WatchAssignment,
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
    Atomics.store(new Int32Array(this.#closing), 0, 1);
  }

  /**
   * Ends the thread.
   *
   * @param withinMs how long to wait for it, in milliseconds
   */
  async stop(withinMs: number): Promise<void> {
    // A thread that is not ready has nothing to put back, and would not hear the order.
    if (!this.#worker.isReady) return this.#worker.end();
    this.#worker.post({ kind: "stop" });
    await this.#worker.endWithin(withinMs);
  }
}
