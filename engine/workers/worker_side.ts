/**
 * How a Worker begins: its half of the start, for every kind of Worker. The main thread's half is
 * `supervised_worker.ts`.
 *
 * The main thread posts one message first, the assignment. The Worker loads what it needs for it and
 * answers that it is ready, or why it cannot start. A Worker that plays a part says later that it has
 * finished. Everything else that the two tell each other is their own.
 *
 * Every Worker loads this module before it can start: it imports next to nothing.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { describeError } from "../values/thrown.ts";

/** What every Worker says of itself. */
export type StateMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "cannotStart"; readonly why: string }
  | { readonly kind: "finished" };

/** What a Worker does when it has loaded what it needs. */
export interface WorkerPart<ToWorker> {
  /** Takes each message that follows the assignment; without it, none is read. */
  readonly hear?: (message: ToWorker) => void;
  /**
   * Plays a part that ends: the Worker has finished when this returns. It says itself when the Worker
   * is ready. Without it, the Worker is ready at once and only hears messages.
   */
  readonly play?: (sayReady: () => void) => void | Promise<void>;
}

/** What is used of a Worker's global scope. */
interface WorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: unknown): void;
}

/**
 * Waits for the assignment and begins. Nothing happens in any other thread than a Worker of this name:
 * in an executable, and wherever a bundler has made one file of all modules, every Worker runs the
 * code of all the others too.
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
      // The module of a protocol may throw here although it did not in the main thread.
      return say({ kind: "cannotStart", why: describeError(error) });
    }
    const { hear, play } = part;
    scope.onmessage = hear === undefined ? null : ({ data }) => hear(data as ToWorker);
    if (play === undefined) return say({ kind: "ready" });
    // An error from here on is the Worker's death, of which the runtime tells the main thread.
    await play(() => say({ kind: "ready" }));
    say({ kind: "finished" });
  };
}
