/**
 * The table of the recordings that the figures play. `deno task record-lessons` makes all of them
 * anew: each is what a real server has written with `--record` while real clients came.
 *
 * @module
 */

import type { ModeName } from "../modes/catalogue.ts";
import type { CompanyName } from "../lab/simulator/companies.ts";

/** A recording, and how it is made. */
export interface LessonRecording {
  /** Its name: the file is `site/public/recordings/NAME.jsonl`. */
  readonly name: string;
  /** The mode of the server. */
  readonly mode: ModeName;
  /** The flags of the server, besides the port and where to record. */
  readonly flags: readonly string[];
  /** What the server speaks, and the clients with it. */
  readonly protocol: "frame";
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

/** A recording of the three clients, which speak `frame`. */
function three(
  name: string,
  mode: ModeName,
  knobs: LessonKnobs = {},
  clients: CompanyName = "three",
): LessonRecording {
  const flags = Object.entries(knobs).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  return { name, mode, flags, protocol: "frame", clients, knobs };
}

/** All recordings. */
export const RECORDINGS: readonly LessonRecording[] = [
  // A model each, with the three clients.
  three("sequential", "sequential"),
  three("threaded", "threaded", { spare: 0 }),
  three("threadpool", "threadpool", { workers: 2 }),
  three("threadpool-of-one", "threadpool", { workers: 1 }),
  three("berkeley", "berkeley", { workers: 2 }),
  three("event-in-place", "event", { offload: 0 }),
  three("event", "event", { offload: 2 }),
  three("nonblocking", "nonblocking", { offload: 2 }),
  three("cluster", "cluster", { workers: 2, offload: 0 }),
  three("prefork", "prefork", { workers: 2 }),
  three("completion", "completion", { offload: 2 }),
  // What lies beneath them.
  three("accept-queue", "sequential", {}, "crowd"),
  three("handshake", "sequential", {}, "silent first"),
  three("blocking", "sequential", {}, "slow first"),
  three("readiness", "nonblocking", { offload: 0 }, "slow first"),
  three("back-pressure", "event", { offload: 0 }, "much first"),
  three("off-loading-one", "event", { offload: 1 }, "crowd"),
  three("threads-for-a-crowd", "threaded", { spare: 0 }, "crowd"),
  three("pool-for-a-crowd", "threadpool", { workers: 2 }, "crowd"),
  three("measuring", "event", { offload: 0 }, "crowd"),
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
