/**
 * A Worker as the main thread sees it: it starts, or cannot start; it is ready; it is gone, because it
 * has finished, was ended or died.
 *
 * The runtimes set traps here, and each is dealt with once, in this folder:
 *
 * - An error in a Worker ends the main thread too on Deno, unless `onerror` calls `preventDefault`.
 * - To start a Worker without descriptors panics on Deno: the process ends and nothing can be caught.
 *   On Bun the Worker has an error event. So descriptors are counted first: `descriptor_limits.ts`.
 * - `terminate` does not stop a Worker that computes on Deno. It runs on, and nobody else may close
 *   the descriptors that it uses. Whoever ends a busy Worker says so: `mayRun`.
 * - A live Worker keeps the process of Deno up until `terminate`, even if it has finished. So a Worker
 *   is terminated however it ends.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { abandonThread } from "./abandoned_threads.ts";
import type { StateMessage } from "./worker_side.ts";

/**
 * Makes sure that Workers can be started.
 *
 * @param url the module that they run
 * @throws {Error} if the runtime does not allow it
 */
export function requireWorkers(url: string): void {
  const why = runtime.whyNoThreads(url);
  if (why !== undefined) throw new Error(`Cannot start threads: ${why}`);
}

/** What its user needs to know of a Worker that was started. */
export interface WorkerHandle {
  /** Resolves when it is ready; rejects if it never was. */
  readonly ready: Promise<void>;
  /** Resolves when it is gone, with the error if it died. */
  readonly gone: Promise<Error | undefined>;
}

/** What a Worker is, and who hears of it. */
export interface WorkerPlan<FromWorker> {
  /** The module that it runs, which calls `onAssigned`. */
  readonly url: string;
  /** Its name, by which it knows what it is for. */
  readonly name: string;
  /** What it is told first. */
  readonly assignment: unknown;
  /** What of it changes its owner. */
  readonly transfer?: readonly Transferable[];
  /** What its errors begin with if it cannot start. @default {"Cannot start a thread"} */
  readonly cannotStart?: string;
  /** What its errors begin with if it dies. @default {"A thread died"} */
  readonly died?: string;
  /** Hears that it is ready. */
  readonly onReady?: () => void;
  /** Hears what else it says. */
  readonly onMessage?: (message: FromWorker) => void;
  /**
   * Hears first that it is gone, before the promises do: with the error if it died, and whether it may
   * still run.
   */
  readonly onGone?: (error: Error | undefined, mayRun: boolean) => void;
}

/** A Worker, from its start to its end. */
export class SupervisedWorker<ToWorker, FromWorker extends { readonly kind: string }>
  implements WorkerHandle {
  readonly ready: Promise<void>;
  readonly gone: Promise<Error | undefined>;
  readonly #worker: Worker;
  readonly #plan: WorkerPlan<FromWorker>;
  readonly #whenReady = Promise.withResolvers<void>();
  readonly #whenGone = Promise.withResolvers<Error | undefined>();
  #isReady = false;
  #isGone = false;

  private constructor(plan: WorkerPlan<FromWorker>) {
    const { cannotStart = "Cannot start a thread", died = "A thread died" } = plan;
    this.#plan = plan;
    this.ready = this.#whenReady.promise;
    this.gone = this.#whenGone.promise;
    // Those who wait for it are told.
    this.ready.catch(() => {});
    const worker = this.#worker = runtime.startThread(plan.url, plan.name);
    worker.onmessage = ({ data }: MessageEvent<StateMessage | FromWorker>) => {
      const message = data as StateMessage;
      if (message.kind === "ready") this.#becomeReady();
      else if (message.kind === "finished") this.end();
      else if (message.kind === "cannotStart") {
        this.end(new Error(`${cannotStart}: ${message.why}`));
      } else plan.onMessage?.(data as FromWorker);
    };
    worker.onerror = (event) => {
      // On Deno an error that nobody prevents ends the main thread too.
      event.preventDefault();
      this.end(new Error(`${died}: ${event.message}`, { cause: event.error }));
    };
    try {
      worker.postMessage(plan.assignment, [...plan.transfer ?? []]);
    } catch (error) {
      // It cannot be cloned. The Worker would wait for it, and keep the process up.
      worker.terminate();
      throw error;
    }
  }

  /**
   * Starts a Worker. The caller has made sure that there are descriptors for it.
   *
   * @param plan what it is
   */
  static start<ToWorker, FromWorker extends { readonly kind: string }>(
    plan: WorkerPlan<FromWorker>,
  ): SupervisedWorker<ToWorker, FromWorker> {
    return new SupervisedWorker<ToWorker, FromWorker>(plan);
  }

  /** Whether it has said that it is ready; it may be gone since. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Tells it something.
   *
   * @throws {Error} if the message cannot be cloned
   */
  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /**
   * Ends it. May be called again.
   *
   * @param error what it is said to have died of
   * @param mayRun whether it is busy: then it may run on although it was terminated
   */
  end(error?: Error, mayRun = false): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (mayRun) abandonThread(this.#worker);
    else this.#worker.terminate();
    this.#plan.onGone?.(error, mayRun);
    // Before it is ready, this is for those who wait for that; later it changes nothing.
    this.#whenReady.reject(error ?? new Error("Cannot start a thread: it ended at once"));
    this.#whenGone.resolve(error);
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#whenReady.resolve();
    this.#plan.onReady?.();
  }
}
