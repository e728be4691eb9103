/**
 * How a Worker becomes one that serves connections by messages.
 *
 * @module
 */

import { runtime } from "../net/runtime.ts";
import { describeError } from "./observer.ts";
import type { ServiceSettings } from "./options.ts";
import type { FromThread, ToThread } from "./relay.ts";
import { messageThreadName } from "./thread_names.ts";
import type { TrackShare } from "./timeline_track.ts";

/** What the main thread tells such a thread first. */
export interface MessageAssignment {
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether anybody wants to hear of each message received. */
  readonly wantsReports: boolean;
  /** Where it writes down what happens, where a trace is written. */
  readonly track: TrackShare | undefined;
}

/** What the thread says when it can serve, or why it cannot. */
export type StartMessage =
  | { readonly kind: "ready" }
  | { readonly kind: "cannotStart"; readonly why: string };

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
