/**
 * What reads a timeline while it is made: the page of `--live`. The timeline collects nothing until
 * somebody reads.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import type { TimelineThread } from "./timeline_sink.ts";
import { RECORD, type TrackRecord, type TrackShare } from "./timeline_track.ts";

/** How many turns of loops, and how many other spans, a reader is told of in a second. */
const MOST_TURNS = 2_000;
const MOST_SPANS = 2_000;

/** A page that shows a server, from `openLive`. */
export interface LivePage extends AsyncDisposable {
  /** The address that it listens on. */
  readonly address: Address;
  /** The address of the page, with the token that every request needs. */
  readonly url: string;
  /** Ends it. The end of the server does too. It may be called again. */
  close(): Promise<void>;
}

/**
 * The side of a page that its server's timeline knows.
 *
 * @param page from `openLive`
 * @throws {TypeError} if it is something else
 */
export function feedOf(page: LivePage): LiveFeed {
  if ("addThread" in page) return page as LivePage & LiveFeed;
  throw new TypeError("Cannot show the server live: expected what openLive has returned");
}

/** The beginning of a timeline. */
export interface FeedBeginning {
  /** When it began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** The server's mode. */
  readonly by: string;
  /** The port of a connection of the server to itself, which is none of its clients; 0 for none. */
  readonly ownPort: Int32Array;
}

/** What a reader may ask of a timeline. */
export interface FeedControl {
  /**
   * Begins to collect, or ends it. From the return on, every thread records what begins and what ends.
   *
   * @param isWanted whether somebody reads
   */
  want(isWanted: boolean): void;
  /**
   * Collects what was recorded by now. {@linkcode LiveFeed.take} has had it at the return, or it lies in
   * the rings that the reader empties.
   */
  collect(): void;
  /**
   * Ends a worker, as if it had died.
   *
   * @returns what was done, in words; `undefined` if there is none that can be ended now
   */
  kill(): string | undefined;
}

/** A server that serves. */
export interface FedServer {
  readonly mode: string;
  readonly address: Address;
  readonly protocol: string;
  /** How it runs, for people. */
  readonly details: readonly string[];
  /** Where its figures lie: the `StatisticsShare` of a server. */
  readonly statistics: object;
  /** Whether a worker of it can be ended. */
  readonly canKill: boolean;
  /** Whether it expects a PROXY header from every client. */
  readonly expectsHeader: boolean;
}

/** A listener from which one thread of several accepts, and no other. */
export interface OwnListener {
  /** The number of the thread. */
  readonly thread: number;
  /** The kernel's name of the listener. */
  readonly cookie: string;
  /** Where it listens. */
  readonly address: Address;
}

/** The reader's side. All times are in milliseconds since the beginning. */
export interface LiveFeed {
  /** The timeline begins. */
  begin(beginning: FeedBeginning, control: FeedControl): void;
  /**
   * A thread begins.
   *
   * @param thread the thread @param at when @param share its track: what it has under way lies there
   * @param isYours whether the reader empties its ring, which nobody else does. Else its records come by
   * {@linkcode LiveFeed.take}
   */
  addThread(thread: TimelineThread, at: number, share: TrackShare, isYours: boolean): void;
  /** One of several threads has a listener of its own. */
  accepts(listener: OwnListener): void;
  /** A thread is gone. @param number its number @param at when @param outcome of what it served */
  removeThread(number: number, at: number, outcome: number): void;
  /**
   * Takes records, while somebody reads.
   *
   * @param records in their order @param leftOut how many spans are missing among them
   */
  take(records: readonly TrackRecord[], leftOut: number): void;
  /** The server serves. */
  serves(server: FedServer): void;
  /** The server has closed, and there will be nothing more. It may be called again. */
  end(): Promise<void>;
}

/** Records, as far as a reader is told of them. */
export interface ToldRecords {
  readonly told: readonly TrackRecord[];
  /** How many spans are not among them. */
  readonly leftOut: number;
}

/**
 * Chooses what readers are told of: all beginnings and ends, and so many of the rest.
 *
 * @param records in their order @param ms in how many milliseconds they were collected
 */
export function chooseTold(records: readonly TrackRecord[], ms: number): ToldRecords {
  let turns = MOST_TURNS * ms / 1_000;
  let spans = MOST_SPANS * ms / 1_000;
  const told = records.filter(({ kind }) => {
    if (kind === RECORD.turns) return turns-- > 0;
    return !isSpan(kind) || spans-- > 0;
  });
  return { told, leftOut: records.length - told.length };
}

function isSpan(kind: number): boolean {
  return kind !== RECORD.begin && kind !== RECORD.end && kind !== RECORD.client &&
    kind !== RECORD.connected;
}
