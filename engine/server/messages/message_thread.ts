/**
 * How a Worker becomes one that serves connections by messages.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { describeError } from "../../values/thrown.ts";
import type { MessageAssignment, StartMessage } from "./message_assignment.ts";
import type { FromThread, ToThread } from "./relay.ts";
import { messageThreadName } from "../core/thread_names.ts";

interface WorkerScope {
  onmessage: ((event: { data: unknown }) => void) | null;
  postMessage(message: FromThread | StartMessage): void;
}

/**
 * The worker half of a mode whose connections come as messages: serves one at a time. Does
 * nothing in any other thread than one that was started for it.
 *
 * @param mode the mode's name
 */
export function onMessageThread(mode: string): void {
  if (runtime.threadName !== messageThreadName(mode)) return;
  const scope = globalThis as unknown as WorkerScope;
  scope.onmessage = async ({ data }) => {
    const assignment = data as MessageAssignment;
    try {
      // Loaded when it is needed: threads that serve by descriptor start faster without.
      const { serveMessages } = await import("./message_session.ts");
      const serve = await serveMessages(
        assignment,
        (message) => scope.postMessage(message),
      );
      scope.onmessage = ({ data }) => serve(data as ToThread);
      scope.postMessage({ kind: "ready" });
    } catch (error) {
      // The module of the protocol may throw here although it did not in the main thread.
      scope.postMessage({ kind: "cannotStart", why: describeError(error) });
    }
  };
}
