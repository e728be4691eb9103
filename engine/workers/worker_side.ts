/**
 * The Worker's half of its start, for every kind of Worker. The main thread's half is
 * `supervised_worker.ts`.
 *
 * The first message from the main thread is the assignment. The Worker loads what it needs for
 * that. Then it answers that it is ready, or why it cannot start. If its work has an end, it says
 * later that it has finished. All other messages are up to the two of them.
 *
 * Every Worker loads this module before it can start, so the module imports next to nothing.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { describeError } from "../values/thrown.ts";
import { beginProfile, isProfiled, PROFILE_END } from "./profile_request.ts";
import { type StrayReport, ThreadGuard } from "./strays.ts";

/** The messages in which every Worker reports its state. */
export type StateMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "cannotStart"; readonly why: string }
  | { readonly kind: "stray"; readonly report: StrayReport }
  | { readonly kind: "finished" };

/** What a Worker does when it has loaded what it needs. */
export interface WorkerPart<ToWorker> {
  /** Handles each message that follows the assignment. Without it, such messages are ignored. */
  readonly hear?: (message: ToWorker) => void;
  /**
   * Does work that has an end: the Worker has finished when this returns. It says itself when the
   * Worker is ready. Without it, the Worker is ready at once and only handles messages.
   */
  readonly play?: (sayReady: () => void) => void | Promise<void>;
}

/** The members of a Worker's global scope that are used here. */
interface WorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
}

/**
 * Waits for the assignment and begins. In a thread of another name it does nothing. That matters in
 * an executable, and in any bundle of all modules in one file: there every Worker also runs the
 * code of all the others.
 *
 * @param name the Worker's name
 * @param load loads what the assignment needs; if it throws, the Worker cannot start
 */
export function onAssigned<Assignment, ToWorker, FromWorker>(
  name: string,
  load: (
    assignment: Assignment,
    post: (message: FromWorker) => void,
  ) => Promise<WorkerPart<ToWorker>>,
): void {
  if (runtime.threadName !== name) return;
  const scope = globalThis as unknown as WorkerScope;
  const say = (message: StateMessage) => scope.postMessage(message);
  scope.onmessage = async ({ data: assignment }) => {
    let part: WorkerPart<ToWorker>;
    try {
      part = await load(assignment as Assignment, (message) => scope.postMessage(message));
    } catch (error) {
      // A protocol's module may throw in this thread although it did not in the main thread.
      return say({ kind: "cannotStart", why: describeError(error) });
    }
    const { hear, play } = part;
    // The globals of this thread are ours. What a protocol does beside its conversations ends none.
    runtime.refuseExit(() => {
      throw new Error("Cannot exit: this thread serves others too");
    });
    const guard = new ThreadGuard((report) => say({ kind: "stray", report }));
    const profile = await beginProfile();
    const isHeard = hear !== undefined || isProfiled();
    scope.onmessage = !isHeard ? null : ({ data }) => {
      if (data === PROFILE_END) {
        return void Promise.resolve(profile?.end()).then(() => scope.postMessage(PROFILE_END));
      }
      if (hear === undefined) return;
      try {
        hear(data as ToWorker);
      } catch (error) {
        guard.end();
        throw error;
      }
    };
    if (play === undefined) return say({ kind: "ready" });
    try {
      await play(() => say({ kind: "ready" }));
    } catch (error) {
      // An error of our own ends the Worker, and the runtime reports it to the main thread.
      guard.end();
      throw error;
    }
    guard.flush();
    await profile?.end();
    say({ kind: "finished" });
  };
}
