/**
 * The first message to a Worker that serves by messages. It comes before the first connection.
 *
 * @module
 */

import type { ServiceSettings } from "../core/options.ts";
import type { TrackShare } from "../trace/timeline_track.ts";

/** The first message from the main thread. */
export interface MessageAssignment {
  /** The protocol and its limits. */
  readonly settings: ServiceSettings;
  /** Whether the main thread wants a report of each message received. */
  readonly wantsReports: boolean;
  /** The word of its pulse: see `pulse.ts`. */
  readonly pulse: Int32Array;
  /** The memory of this thread's track, if a trace is written. */
  readonly track: TrackShare | undefined;
}
