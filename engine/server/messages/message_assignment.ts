/**
 * What the main thread and a Worker that serves by messages tell each other before the first
 * connection.
 *
 * @module
 */

import type { ServiceSettings } from "../core/options.ts";
import type { TrackShare } from "../trace/timeline_track.ts";

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
