/**
 * The table of the recordings that the figures play. `deno task record-lessons` makes all of them
 * anew: each is what a real server has written with `--record` while real clients came.
 *
 * @module
 */

import type { ModeName } from "../modes/catalogue.ts";
import type { CompanyName } from "../lab/simulator/companies.ts";

/** A recording, and how it is made. Servers and clients speak `frame`. */
export interface LessonRecording {
  /** Its name: the file is `site/public/recordings/NAME.jsonl`. */
  readonly name: string;
  /** The mode of the server. */
  readonly mode: ModeName;
  /** The flags of the server, besides the port and where to record. */
  readonly flags: readonly string[];
  /** Who comes. */
  readonly clients: CompanyName;
  /** The same for the simulator: what the flags and the protocol's defaults say. */
  readonly knobs: LessonKnobs;
}

/** The knobs of the simulator that a recording sets. */
export interface LessonKnobs {
  /** Threads of a pool, loops of a cluster, processes. */
  readonly workers?: number;
  /** How many accepted connections may wait for a worker. */
  readonly queue?: number;
  /** Threads that are ready before anybody comes. */
  readonly spare?: number;
  /** Threads that compute for event loops. */
  readonly offload?: number;
}

/** A recording of the three clients, or of others. The knobs are also the flags. */
function recorded(
  name: string,
  mode: ModeName,
  knobs: LessonKnobs = {},
  clients: CompanyName = "three",
): LessonRecording {
  const flags = Object.entries(knobs).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return { name, mode, flags, clients, knobs };
}

/** All recordings. */
export const RECORDINGS: readonly LessonRecording[] = [
  // A model each, with the three clients.
  recorded("sequential", "sequential"),
  recorded("threaded", "threaded", { spare: 0 }),
  recorded("threadpool", "threadpool", { workers: 2 }),
  recorded("threadpool-of-one", "threadpool", { workers: 1 }),
  recorded("berkeley", "berkeley", { workers: 2 }),
  recorded("event-in-place", "event", { offload: 0 }),
  recorded("event", "event", { offload: 2 }),
  recorded("nonblocking", "nonblocking", { offload: 2 }),
  recorded("cluster", "cluster", { workers: 2, offload: 0 }),
  recorded("prefork", "prefork", { workers: 2 }),
  recorded("completion", "completion", { offload: 2 }),
  // What lies beneath them.
  recorded("accept-queue", "sequential", {}, "crowd"),
  recorded("handshake", "sequential", {}, "silent first"),
  recorded("blocking", "sequential", {}, "slow first"),
  recorded("readiness", "nonblocking", { offload: 0 }, "slow first"),
  recorded("back-pressure", "event", { offload: 0 }, "much first"),
  recorded("off-loading-one", "event", { offload: 1 }, "crowd"),
  recorded("threads-for-a-crowd", "threaded", { spare: 0 }, "crowd"),
  recorded("pool-for-a-crowd", "threadpool", { workers: 2 }, "crowd"),
  recorded("measuring", "event", { offload: 0 }, "crowd"),
];

/**
 * Finds a recording.
 *
 * @param name its name
 * @returns `undefined` if there is none
 */
export function recordingOf(name: string): LessonRecording | undefined {
  return RECORDINGS.find((recording) => recording.name === name);
}
