/**
 * What the main thread tells a Worker that serves by messages before the first connection.
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
