/**
 * The Workers that compute for event loops, and the queue of what they are to compute.
 *
 * A conversation waits for its computation before it asks for another, so the queue is never
 * longer than there are connections. Whose client has left is taken out of it, or stopped.
 *
 * @module
 */

import type { Elsewhere, Operation } from "../../drivers/elsewhere.ts";
import { Backoff } from "../../net/backoff.ts";
import { runtime } from "../../net/runtime.ts";
import { abandonThread } from "../core/abandoned_threads.ts";
import type { ComputeAnswer, ComputeAssignment, ComputeMessage, Job } from "./compute_thread.ts";
import { requireDescriptors } from "../core/descriptor_limits.ts";
import type { Journal } from "../journal/journal.ts";
import { computeThreadName } from "../core/thread_names.ts";
import { requireWorkers } from "../team/thread_team.ts";
import type { Timeline } from "../trace/timeline.ts";

/** How long a computation may take to stop before its thread is ended, in milliseconds. */
const STUCK_MS = 1_000;

/** How many stuck threads are replaced where they compute on for ever, each on a core. */
const MOST_STUCK = 8;

/** How many descriptors must be free beside those of the new threads, which open their modules. */
const RESERVE = 16;

/** What such a pool needs to know. */
export interface OffloadPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module, which calls `onComputeThread`. */
  readonly url: string;
  /** How many threads, at least 1. */
  readonly threads: number;
  /** Where the protocol is found: see `protocol_loader.ts`. */
  readonly protocol: string;
  /** Is told of threads that die. */
  readonly journal: Journal;
  /** The trace, where one is written. */
  readonly timeline?: Timeline | undefined;
}

/** A computation that somebody waits for. */
interface Pending extends Job {
  readonly done: (error: unknown, result: unknown) => void;
  /** Whether everybody else comes first. */
  givesWay: boolean;
  /** Who does it; `undefined` while it waits. */
  thread: ComputeThread | undefined;
}

interface ComputeThread {
  /** Its number among the threads that there are, from 0. */
  readonly index: number;
  readonly worker: Worker;
  /** Resolves when it can compute; rejects if it never will. */
  readonly ready: Promise<void>;
  readonly stop: Int32Array;
  isReady: boolean;
  /** What it is doing, whether or not anybody still wants to know. */
  job: Pending | undefined;
  /** Whether nobody wants to know. */
  isCancelled: boolean;
  /** Ends a thread that does not stop. */
  killer: ReturnType<typeof setTimeout> | undefined;
  /** Is gone, with the error if it died; a thread that was terminated may still run. */
  leave(error?: Error, mayRun?: boolean): void;
}

/** The pool, on the main thread. */
export class OffloadPool implements Elsewhere, Disposable {
  readonly #plan: OffloadPlan;
  readonly #threads = new Set<ComputeThread>();
  // In the order of their coming; what is taken out of the middle leaves no hole.
  readonly #waiting = new Set<Pending>();
  readonly #givingWay = new Set<Pending>();
  readonly #backoff = new Backoff();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  #stuck = 0;
  #hasStarted = false;
  #disposed = false;

  private constructor(plan: OffloadPlan) {
    this.#plan = plan;
  }

  /**
   * Starts the threads.
   *
   * @param plan how many, and for what
   * @throws {Error} if Workers cannot be started, or not so many, or cannot import the protocol
   */
  static async start(plan: OffloadPlan): Promise<OffloadPool> {
    requireWorkers(plan.url);
    requireDescriptors(plan.threads, "computing threads", RESERVE);
    const pool = new OffloadPool(plan);
    try {
      await Promise.all(Array.from({ length: plan.threads }, () => pool.#add().ready));
    } catch (error) {
      pool[Symbol.dispose]();
      throw error;
    }
    pool.#hasStarted = true;
    return pool;
  }

  /** @param connection the number of the connection in the trace, where one is written */
  begin(
    task: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
    connection: number | undefined = this.#plan.timeline?.main.current,
  ): Operation {
    const id = this.#nextId;
    this.#nextId = id === 0x7fff_ffff ? 1 : id + 1;
    const job: Pending = {
      id,
      task,
      argument,
      connection,
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
    // A task without slices does not notice.
    thread.killer = setTimeout(() => this.#giveUp(thread, job), STUCK_MS);
  }

  /** Has another thread take the place of one that is stuck, as often as can be afforded. */
  #giveUp(thread: ComputeThread, { task }: Pending): void {
    const what = `The computation "${task}" did not stop`;
    if (runtime.stopsBusyThreads || this.#stuck < MOST_STUCK) {
      this.#stuck++;
      return thread.leave(new Error(`${what}: its thread was given up`), true);
    }
    const properties = { error: `${what}: too many threads were given up to start another` };
    this.#plan.journal.log({ level: "error", text: "{error}", properties });
  }

  #giveWay(job: Pending): void {
    job.givesWay = true;
    if (this.#waiting.delete(job)) this.#givingWay.add(job);
    this.#dispatch();
  }

  #stop(thread: ComputeThread, job: Pending): void {
    Atomics.store(thread.stop, 0, job.id);
  }

  /** Gives what waits to threads that are free, and takes threads from those who give way. */
  #dispatch(): void {
    for (const thread of this.#threads) {
      // One whose argument cannot be sent leaves the thread free for the next.
      while (thread.isReady && thread.job === undefined) {
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
      // It begins anew when there is a thread to spare.
      this.#stop(thread, job);
      wanted--;
    }
  }

  #give(thread: ComputeThread, job: Pending): void {
    const { id, task, argument, connection } = job;
    // It may be this very job that had to stop before.
    Atomics.store(thread.stop, 0, 0);
    try {
      thread.worker.postMessage({ id, task, argument, connection } satisfies Job);
    } catch (error) {
      // It cannot be cloned. Whoever asked is told when it can wait for the answer.
      queueMicrotask(() => job.done(error, undefined));
      return;
    }
    thread.job = job;
    thread.isCancelled = false;
    job.thread = thread;
  }

  #add(): ComputeThread {
    const { mode, url, protocol, timeline } = this.#plan;
    const index = this.#freeIndex();
    const track = timeline?.track(`computing ${index}`);
    const stop = new SharedArrayBuffer(4);
    const worker = runtime.startThread(url, computeThreadName(mode));
    const ready = Promise.withResolvers<void>();
    ready.promise.catch(() => {});
    const thread: ComputeThread = {
      index,
      worker,
      ready: ready.promise,
      stop: new Int32Array(stop),
      isReady: false,
      job: undefined,
      isCancelled: false,
      killer: undefined,
      leave: (error, mayRun = false) => {
        if (!this.#threads.delete(thread)) return;
        clearTimeout(thread.killer);
        if (track !== undefined) timeline?.release(track, error);
        if (mayRun) abandonThread(worker);
        else worker.terminate();
        ready.reject(error);
        if (error !== undefined) this.#bury(thread, error);
      },
    };
    this.#threads.add(thread);
    worker.onmessage = ({ data: message }: MessageEvent<ComputeMessage>) => {
      if (message.kind === "ready") {
        thread.isReady = true;
        ready.resolve();
        this.#backoff.reset();
        this.#dispatch();
      } else if (message.kind === "cannotStart") {
        thread.leave(new Error(`Cannot start a computing thread: ${message.why}`));
      } else this.#handle(thread, message);
    };
    worker.onerror = (event) => {
      // On Deno an error that nobody prevents ends the main thread too.
      event.preventDefault();
      thread.leave(new Error(`A computing thread died: ${event.message}`));
    };
    worker.postMessage({ protocol, stop, track } satisfies ComputeAssignment);
    return thread;
  }

  /** The lowest number that no thread has. */
  #freeIndex(): number {
    const taken = new Set([...this.#threads].map(({ index }) => index));
    let index = 0;
    while (taken.has(index)) index++;
    return index;
  }

  #handle(thread: ComputeThread, message: ComputeAnswer): void {
    const { job, isCancelled } = thread;
    thread.job = undefined;
    clearTimeout(thread.killer);
    thread.killer = undefined;
    if (job !== undefined && !isCancelled) {
      if (message.kind === "stopped") this.#givingWay.add(job);
      else if (message.kind === "done") job.done(undefined, message.result);
      else job.done(new Error(message.message), undefined);
    }
    this.#dispatch();
  }

  #bury({ job, isCancelled }: ComputeThread, error: Error): void {
    // Before, the error is what the server fails to start with.
    if (!this.#hasStarted) return;
    const properties = { error: error.message };
    this.#plan.journal.log({ level: "error", text: "{error}", properties });
    if (!this.#disposed) this.#addLater();
    if (!isCancelled) job?.done(error, undefined);
  }

  /** One that cannot live is not brought back to life without end. */
  #addLater(): void {
    this.#retry ??= setTimeout(() => {
      this.#retry = undefined;
      const { threads } = this.#plan;
      while (this.#threads.size < threads) {
        // Starting a Worker without descriptors would end the process of Deno.
        if (!runtime.hasDescriptors(runtime.descriptorsPerThread + RESERVE)) {
          return this.#addLater();
        }
        this.#add();
      }
    }, this.#backoff.next());
  }

  /** Ends the threads; what is under way is not answered. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    clearTimeout(this.#retry);
    for (const thread of this.#threads) thread.leave(undefined, thread.job !== undefined);
  }
}

function first<T>(set: ReadonlySet<T>): T | undefined {
  for (const value of set) return value;
  return undefined;
}
