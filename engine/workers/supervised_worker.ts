/**
 * The main thread's view of a Worker. A Worker starts or cannot start. Then it is ready. At last it
 * is gone: it has finished, was ended, or died.
 *
 * The runtimes have some traps here. Each is dealt with once, in this folder:
 *
 * - On Deno, an error in a Worker ends the main thread too, unless `onerror` calls
 *   `preventDefault`.
 * - On Deno, starting a Worker without free descriptors panics: the process ends, and nothing can
 *   be caught. On Bun the Worker has an error event. So free descriptors are checked for first, in
 *   `descriptor_limits.ts`.
 * - On Deno, `terminate` does not stop a Worker that computes. It runs on, and no other thread may
 *   close the descriptors that it uses. So the caller that ends a busy Worker says so: `mayRun`.
 * - On Deno, a Worker that has finished keeps the process running until `terminate`. So every
 *   Worker is terminated, however it ends.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { abandonThread } from "./abandoned_threads.ts";
import { messageOfDeath } from "./death.ts";
import { isProfiled, terminateAfterProfile } from "./profile_request.ts";
import type { StrayReport } from "./strays.ts";
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

/** What the code that has started a Worker needs to know about it. */
export interface WorkerHandle {
  /** Resolves when the Worker is ready. Rejects if it ends before that. */
  readonly ready: Promise<void>;
  /** Resolves when the Worker is gone, with the error if it died. */
  readonly gone: Promise<Error | undefined>;
}

/** How to start a Worker, and what to call when something happens to it. */
export interface WorkerPlan<FromWorker> {
  /** The URL of the module that it runs, which calls `onAssigned`. */
  readonly url: string;
  /** Its name, which tells it what it is for. */
  readonly name: string;
  /** How large its young generation may become: see `ThreadOptions`. */
  readonly youngMiB?: number | undefined;
  /** The first message to it. */
  readonly assignment: unknown;
  /** The objects in the assignment that are transferred, not copied. */
  readonly transfer?: readonly Transferable[];
  /** The beginning of its error if it cannot start. @default {"Cannot start a thread"} */
  readonly cannotStart?: string;
  /** The beginning of its error if it dies. @default {"A thread died"} */
  readonly died?: string;
  /** Called when it is ready. */
  readonly onReady?: () => void;
  /** Is told of errors that belong to none of its conversations: see `strays.ts`. */
  readonly onStray?: (report: StrayReport) => void;
  /** Receives its other messages. */
  readonly onMessage?: (message: FromWorker) => void;
  /**
   * Called when it is gone, before the promises are settled: with the error if it died, and with
   * whether it may still run.
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
    // Nobody may be waiting for `ready`. Then its rejection must not end the process.
    this.ready.catch(() => {});
    const worker = this.#worker = runtime.startThread(plan.url, plan.name, {
      youngMiB: plan.youngMiB,
    });
    worker.onmessage = ({ data }: MessageEvent<StateMessage | FromWorker>) => {
      const message = data as StateMessage;
      if (message.kind === "ready") this.#becomeReady();
      else if (message.kind === "finished") this.end();
      else if (message.kind === "stray") plan.onStray?.(message.report);
      else if (message.kind === "cannotStart") {
        this.end(new Error(`${cannotStart}: ${message.why}`));
      } else plan.onMessage?.(data as FromWorker);
    };
    worker.onerror = (event) => {
      // Without this, the error would end the main thread too on Deno.
      event.preventDefault();
      const message = messageOfDeath(event.message);
      this.end(new Error(`${died}: ${message}`, { cause: event.error }));
    };
    try {
      worker.postMessage(plan.assignment, [...plan.transfer ?? []]);
    } catch (error) {
      // The assignment cannot be cloned. The Worker would wait for it and keep the process running.
      worker.terminate();
      throw error;
    }
  }

  /**
   * Starts a Worker. The caller must have made sure that there are descriptors for it.
   *
   * @param plan how to start it
   */
  static start<ToWorker, FromWorker extends { readonly kind: string }>(
    plan: WorkerPlan<FromWorker>,
  ): SupervisedWorker<ToWorker, FromWorker> {
    return new SupervisedWorker<ToWorker, FromWorker>(plan);
  }

  /** Whether it has said that it is ready. It may be gone by now. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Sends it a message.
   *
   * @throws {Error} if the message cannot be cloned
   */
  post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  /**
   * Ends it. This may be called again.
   *
   * @param error the error that it died of, if it did not end well
   * @param mayRun whether it is busy: then it may run on although it was terminated
   */
  end(error?: Error, mayRun = false): void {
    if (this.#isGone) return;
    this.#isGone = true;
    if (mayRun) abandonThread(this.#worker);
    else if (error === undefined && isProfiled()) terminateAfterProfile(this.#worker);
    else this.#worker.terminate();
    this.#plan.onGone?.(error, mayRun);
    // If it was not ready yet, this rejects `ready`. Otherwise it changes nothing.
    this.#whenReady.reject(error ?? new Error("Cannot start a thread: it ended at once"));
    this.#whenGone.resolve(error);
  }

  /**
   * Waits for the end of a thread that was told to end. If it does not end in time, it is given up,
   * and may run on.
   *
   * @param withinMs how long to wait, in milliseconds
   */
  async endWithin(withinMs: number): Promise<void> {
    const late = setTimeout(() => this.end(undefined, true), withinMs);
    await this.gone;
    clearTimeout(late);
  }

  #becomeReady(): void {
    this.#isReady = true;
    this.#whenReady.resolve();
    this.#plan.onReady?.();
  }
}
