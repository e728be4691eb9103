/**
 * The table of the recordings that the figures play. `deno task record-lessons` makes all of them
 * anew: each is what a real server has written with `--record` while real clients came, or what a
 * lesson of `observe` has recorded on real sockets.
 *
 * @module
 */

import type { ModeName } from "../modes/catalogue.ts";
import { COMPANIES, type CompanyName } from "../lab/simulator/companies.ts";
import { labelOf } from "./elements/names.ts";

/** A recording, and how it is made. */
export type LessonRecording = ServerRecording | SceneRecording | ChatRecording;

/** What every recording has. */
interface Named {
  /** Its name: the file is `site/public/recordings/NAME.jsonl`. */
  readonly name: string;
}

/** A server, and clients that come to it. Both speak `frame`. */
export interface ServerRecording extends Named {
  readonly kind: "server";
  /** The mode of the server. */
  readonly mode: ModeName;
  /** The flags of the server, besides the port and where to record. */
  readonly flags: readonly string[];
  /** Who comes. */
  readonly clients: CompanyName;
  /** The same for the simulator: what the flags and the protocol's defaults say. */
  readonly knobs: LessonKnobs;
  /** After how many clients the server is told to close; absent if it is when all have gone. */
  readonly closesAfter?: number;
}

/** A lesson of `observe`: its segments, and the states of its sockets. */
export interface SceneRecording extends Named {
  readonly kind: "scene";
  /** The name of the lesson. */
  readonly scene: "handshake" | "close";
}

/** A chat whose users talk in turn: which line has reached whom. */
export interface ChatRecording extends Named {
  readonly kind: "chat";
  /** Users who read and talk. */
  readonly readers: number;
  /** Users who never read. */
  readonly stalled: number;
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
  closesAfter?: number,
): ServerRecording {
  const flags = Object.entries(knobs).flatMap(([flag, value]) => [`--${flag}`, String(value)]);
  const closing = closesAfter === undefined ? {} : { closesAfter };
  return { kind: "server", name, mode, flags, clients, knobs, ...closing };
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
  { kind: "scene", name: "segments", scene: "handshake" },
  { kind: "scene", name: "closing", scene: "close" },
  recorded("blocking", "sequential", {}, "slow first"),
  recorded("readiness", "nonblocking", { offload: 0 }, "slow first"),
  recorded("back-pressure", "event", { offload: 0 }, "much first"),
  recorded("off-loading-one", "event", { offload: 1 }, "crowd"),
  recorded("threads-for-a-crowd", "threaded", { spare: 0 }, "crowd"),
  recorded("pool-for-a-crowd", "threadpool", { workers: 2 }, "crowd"),
  recorded("closing-a-server", "threadpool", { workers: 1, queue: 2 }, "crowd", 8),
  recorded("measuring", "event", { offload: 0 }, "crowd"),
  { kind: "chat", name: "chat", readers: 4, stalled: 1 },
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

/**
 * What the clients of a recording are called, in the order in which they come.
 *
 * @param recording the recording
 */
export function clientNamesOf(recording: LessonRecording): readonly string[] {
  switch (recording.kind) {
    case "server":
      return COMPANIES[recording.clients].map(({ name }) => labelOf(name));
    case "scene":
      return [];
    case "chat":
      return userNames(recording);
  }
}

/**
 * What the users of a chat are called, in the order in which they come.
 *
 * @param chat how many read, and how many never do
 */
export function userNames(
  { readers, stalled }: Pick<ChatRecording, "readers" | "stalled">,
): string[] {
  return [
    ...Array.from({ length: readers }, (_, index) => `${index + 1} reads`),
    ...Array.from({ length: stalled }, (_, index) => `${readers + index + 1} never reads`),
  ];
}
