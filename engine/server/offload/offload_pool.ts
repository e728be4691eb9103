/**
 * The Workers that compute for event loops, and the queue of their jobs.
 *
 * A conversation waits for its computation before it asks for another one, so there are never more
 * jobs than connections. When a client leaves, its job is cancelled: it is taken out of the queue,
 * or it is stopped.
 *
 * @module
 */

import type { Elsewhere, Operation, Peer } from "../../drivers/elsewhere.ts";
import { runtime } from "../../net/runtime.ts";
import { thrownAt } from "../../values/places.ts";
import type { ComputeAnswer, ComputeAssignment, Job } from "./compute_thread.ts";
import type { CounterBlock } from "../core/counters.ts";
import type { CulpritList } from "../core/culprits.ts";
import { hostKey } from "../core/host_key.ts";
import { StrayLog } from "../core/stray_log.ts";
import type { Journal } from "../journal/journal.ts";
import { requireDescriptors } from "../../workers/descriptor_limits.ts";
import { LowestNumbers } from "../../workers/lowest_numbers.ts";
import { requireWorkers, SupervisedWorker } from "../../workers/supervised_worker.ts";
import { computeThreadName } from "../../workers/thread_names.ts";
import { WorkerKeeper } from "../../workers/worker_keeper.ts";
import type { Timeline } from "../trace/timeline.ts";

/**
 * How long a cancelled computation may take to stop before its thread is terminated, in
 * milliseconds. That is done only where it frees the thread's core. Elsewhere the computation goes
 * on until its time is over.
 */
const STUCK_MS = 1_000;

/** What an {@linkcode OffloadPool} needs to know. */
export interface OffloadPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module, which calls `onComputeThread`. */
  readonly url: string;
  /** How many threads there are, at least 1. */
  readonly threads: number;
  /** The location of the protocol: see `protocol_loader.ts`. */
  readonly protocol: string;
  /** How long a computation may take, in milliseconds; 0 means for ever. */
  readonly computeTimeoutMs: number;
  /** The journal for threads that die. */
  readonly journal: Journal;
  /** Counts the threads that die, and the errors that belong to no computation. */
  readonly counters: CounterBlock;
  /** Is told whose jobs threads die of. */
  readonly culprits?: CulpritList | undefined;
  /** The trace, if one is written. */
  readonly timeline?: Timeline | undefined;
}

/** A job whose result a conversation waits for. */
interface Pending extends Omit<Job, "withinMs"> {
  /** When its time is over. */
  readonly endsAt: number;
  /** Whose it is. */
  readonly hostname: string;
  readonly done: (error: unknown, result: unknown) => void;
  /** Whether all other jobs come first. */
  givesWay: boolean;
  /** The thread that runs it; `undefined` while it waits for one. */
  thread: ComputeThread | undefined;
}

interface ComputeThread {
  readonly worker: SupervisedWorker<Job, ComputeAnswer>;
  readonly stop: Int32Array;
  /** The job that it runs, even if that was cancelled. */
  job: Pending | undefined;
  /** The job that it ran last. */
  last: Pending | undefined;
  /** Whether the job was cancelled. */
  isCancelled: boolean;
  /** The timer that terminates a thread whose job does not stop. */
  killer: ReturnType<typeof setTimeout> | undefined;
}

/** The pool, on the main thread. */
export class OffloadPool implements Elsewhere, Disposable {
  readonly #plan: OffloadPlan;
  readonly #threads = new Set<ComputeThread>();
  // Sets keep the order in which jobs came, and jobs can be taken out of the middle.
  readonly #waiting = new Set<Pending>();
  readonly #givingWay = new Set<Pending>();
  readonly #numbers = new LowestNumbers();
  readonly #keeper: WorkerKeeper;
  readonly #strays: StrayLog;
  #nextId = 1;

  private constructor(plan: OffloadPlan) {
    this.#plan = plan;
    this.#keeper = new WorkerKeeper({ journal: plan.journal });
    this.#strays = new StrayLog(plan.journal, plan.counters);
  }

  /**
   * Starts the threads.
   *
   * @param plan how many threads to start, and for what
   * @throws {Error} if Workers cannot be started, or too few of them, or if they cannot import the
   * protocol
   */
  static async start(plan: OffloadPlan): Promise<OffloadPool> {
    requireWorkers(plan.url);
    requireDescriptors(plan.threads, "computing thread");
    const pool = new OffloadPool(plan);
    try {
      const keepOne = () => pool.#keeper.keepRunning(() => pool.#add().worker);
      await Promise.all(Array.from({ length: plan.threads }, keepOne));
      plan.timeline?.offerKill(() => pool.#killOne());
    } catch (error) {
      pool[Symbol.dispose]();
      throw error;
    }
    return pool;
  }

  /** @param connection the number of the connection in the trace, if one is written */
  begin(
    task: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
    peer?: Peer,
    connection: number | undefined = this.#plan.timeline?.main.current,
  ): Operation {
    const id = this.#nextId;
    this.#nextId = id === 0x7fff_ffff ? 1 : id + 1;
    const { computeTimeoutMs } = this.#plan;
    const job: Pending = {
      id,
      endsAt: computeTimeoutMs > 0 ? performance.now() + computeTimeoutMs : Infinity,
      task,
      argument,
      connection,
      hostname: peer?.remoteAddress.hostname ?? "",
      done,
      givesWay: false,
      thread: undefined,
    };
    this.#waiting.add(job);
    this.#dispatch();
    return {
      cancel: () => this.#cancel(job),
      giveWay: () => this.#giveWay(job),
    };
  }

  #cancel(job: Pending): void {
    if (this.#waiting.delete(job) || this.#givingWay.delete(job)) return;
    const { thread } = job;
    if (thread?.job !== job || thread.isCancelled) return;
    thread.isCancelled = true;
    this.#stop(thread, job);
    // A task that is not cut into slices does not notice the request.
    if (runtime.stopsBusyThreads) {
      thread.killer = setTimeout(() => this.#giveUp(thread, job), STUCK_MS);
    }
  }

  /** Ends a thread as if it had died: one that has nothing to do, if there is one. */
  #killOne(): string | undefined {
    const threads = [...this.#threads].filter(({ worker }) => worker.isReady);
    const thread = threads.find(({ job }) => job === undefined) ?? threads[0];
    if (thread === undefined) return undefined;
    const isBusy = thread.job !== undefined;
    // Nobody is to blame for it.
    thread.last = undefined;
    thread.worker.end(new Error("It was ended from the live page"), isBusy);
    return `a computing thread was ended${isBusy ? " in the middle of a computation" : ""}`;
  }

  /** Ends a stuck thread, and lets another one take its place. */
  #giveUp(thread: ComputeThread, { task }: Pending): void {
    const error = new Error(`The computation "${task}" did not stop: its thread was ended`);
    thread.worker.end(error, true);
  }

  #giveWay(job: Pending): void {
    job.givesWay = true;
    if (this.#waiting.delete(job)) this.#givingWay.add(job);
    this.#dispatch();
  }

  #stop(thread: ComputeThread, job: Pending): void {
    Atomics.store(thread.stop, 0, job.id);
  }

  /** Gives waiting jobs to free threads, and preempts jobs that give way to others. */
  #dispatch(): void {
    for (const thread of this.#threads) {
      // If a job's argument cannot be sent, the thread is still free for the next job.
      while (thread.worker.isReady && thread.job === undefined) {
        const job = first(this.#waiting) ?? first(this.#givingWay);
        if (job === undefined) return;
        this.#waiting.delete(job);
        this.#givingWay.delete(job);
        this.#give(thread, job);
      }
    }
    let wanted = this.#waiting.size;
    for (const thread of this.#threads) {
      if (wanted === 0) return;
      const { job } = thread;
      if (job === undefined || !job.givesWay || thread.isCancelled) continue;
      // The preempted job starts again when a thread is free for it.
      this.#stop(thread, job);
      wanted--;
    }
  }

  #give(thread: ComputeThread, job: Pending): void {
    const { id, task, argument, connection, endsAt } = job;
    const withinMs = endsAt === Infinity ? 0 : Math.max(1, endsAt - performance.now());
    // The word may still hold the number of this very job, if it was preempted before.
    Atomics.store(thread.stop, 0, 0);
    try {
      thread.worker.post({ id, task, argument, connection, withinMs });
    } catch (error) {
      // The argument cannot be cloned. The caller is not waiting yet: it gets the error later.
      queueMicrotask(() => job.done(error, undefined));
      return;
    }
    thread.job = thread.last = job;
    thread.isCancelled = false;
    job.thread = thread;
  }

  #add(): ComputeThread {
    const { mode, url, protocol, timeline } = this.#plan;
    const index = this.#numbers.take();
    const track = timeline?.track(`computing ${index}`);
    const stop = new SharedArrayBuffer(4);
    const worker = SupervisedWorker.start<Job, ComputeAnswer>({
      url,
      name: computeThreadName(mode),
      assignment: { protocol, stop, track } satisfies ComputeAssignment,
      cannotStart: "Cannot start a computing thread",
      died: "A computing thread died",
      onReady: () => this.#dispatch(),
      onStray: this.#strays.tell,
      onMessage: (answer) => this.#handle(thread, answer),
      onGone: (error) => {
        this.#threads.delete(thread);
        this.#numbers.giveBack(index);
        clearTimeout(thread.killer);
        if (track !== undefined) timeline?.release(track, error);
        if (error !== undefined) {
          this.#plan.counters.lostThread();
          this.#blame(error, thread.last);
        }
        if (error !== undefined && !thread.isCancelled) thread.job?.done(error, undefined);
      },
    });
    const thread: ComputeThread = {
      worker,
      stop: new Int32Array(stop),
      job: undefined,
      last: undefined,
      isCancelled: false,
      killer: undefined,
    };
    this.#threads.add(thread);
    return thread;
  }

  /** Blames the host for whose job a thread has died. */
  #blame(error: Error, job: Pending | undefined): void {
    if (job === undefined) return;
    if (this.#plan.culprits?.blame(hostKey(job.hostname)) === true) this.#keeper.excuse(error);
  }

  #handle(thread: ComputeThread, message: ComputeAnswer): void {
    const { job, isCancelled } = thread;
    thread.job = undefined;
    clearTimeout(thread.killer);
    thread.killer = undefined;
    if (job !== undefined && !isCancelled) {
      if (message.kind === "stopped") this.#givingWay.add(job);
      else if (message.kind === "done") job.done(undefined, message.result);
      // The conversation that waits has the same limit, and needs no answer.
      else if (message.kind === "failed") {
        job.done(thrownAt(new Error(message.message), message.place), undefined);
      }
    }
    this.#dispatch();
  }

  /** Ends the threads. Jobs that are under way are not answered. */
  [Symbol.dispose](): void {
    this.#keeper.stop();
    for (const { worker, job } of this.#threads) worker.end(undefined, job !== undefined);
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const value of set) return value;
  return undefined;
}
