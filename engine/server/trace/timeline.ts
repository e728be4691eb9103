/**
 * What happens in a server, for `--trace`, `--record` and `--live`: the life of each connection and
 * each computation, as spans by thread.
 *
 * Every thread records what happens in it (`timeline_track.ts`). The main thread collects the
 * records at intervals. It writes them as events that Perfetto opens (`trace_sink.ts`), into a
 * recording (`recording_sink.ts`), gives them to the page that somebody reads (`live_feed.ts`), or
 * does several of these. Where there is nothing but the page, the thread of the page takes them out of
 * the memory that it shares with the others: then a reader costs those who serve next to nothing.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { monotonicAheadMs } from "../../net/monotonic_clock.ts";
import { nowUs } from "../../values/moment.ts";
import { RecordingFile } from "../../recording/recording_file.ts";
import { TextFile } from "../../recording/text_file.ts";
import { moment } from "../../values/moment.ts";
import type { Allocate } from "../../values/shared_memory.ts";
import { type Journal, MainJournal } from "../journal/journal.ts";
import { chooseTold, feedOf, type LiveFeed, type LivePage, type OwnListener } from "./live_feed.ts";
import { acceptsEvent } from "./record_events.ts";
import { RecordingSink } from "./recording_sink.ts";
import type { SocketWatch } from "./socket_watch.ts";
import { microseconds, type TimelineSink, type TimelineThread } from "./timeline_sink.ts";
import {
  createRing,
  CUT,
  LEVEL_OF,
  outcomeOf,
  takeRing,
  TimelineCommon,
  TrackReader,
  type TrackRecord,
  type TrackShare,
  type TrackSize,
} from "./timeline_track.ts";
import { WatchingTrack } from "./timeline_watch.ts";
import { TraceSink } from "./trace_sink.ts";

/** How often the rings are emptied, in milliseconds. */
const PAUSE_MS = 25;

/**
 * How many records the ring of an event loop holds, how many all other threads' rings hold together,
 * and how many each of them holds at least and at most. While the main thread starts a Worker, which
 * takes up to 50 ms on a busy machine, nobody empties the rings. Their memory is committed only where
 * it is used.
 */
const LOOP_RECORDS = 16_384;
const THREAD_RECORDS = 32_768;
const FEWEST_RECORDS = 1024;
const MOST_RECORDS = 4096;

/**
 * For how many open connections a thread has a place, if somebody may read along: one that serves one
 * at a time, and one that serves many. Their memory, too, is committed only where it is used.
 */
const ONE_PLACE = 1;
const MANY_PLACES = 16_384;

/** The files to write, and who reads along. */
export interface TimelineFiles {
  /** The file of the trace. An existing file is overwritten. */
  readonly trace?: string | URL | undefined;
  /** The file of the recording. An existing file is overwritten. */
  readonly record?: string | URL | undefined;
  /** Reads along. */
  readonly live?: LivePage | undefined;
  /**
   * Whether every client has to begin with a PROXY header: see `ServeOptions.proxyProtocol`.
   *
   * @default {false}
   */
  readonly proxyProtocol?: boolean | undefined;
}

/** What a timeline needs to know about its server. */
export interface TimelineOptions {
  /** The server's mode. */
  readonly mode: string;
  /**
   * Whether the main thread is an event loop.
   *
   * @default {false}
   */
  readonly isLoop?: boolean;
  /**
   * The most threads at a time.
   *
   * @default {1}
   */
  readonly threads?: number;
  /**
   * The most descriptors, if connections are queued by descriptor.
   *
   * @default {0}
   */
  readonly descriptors?: number;
  /**
   * The largest size of each file, in bytes.
   *
   * @default {67108864}
   */
  readonly limitBytes?: number;
  /**
   * Whether the server takes over from another one, which may still write into files of these names.
   *
   * @default {false}
   */
  readonly isSuccessor?: boolean;
  /**
   * Makes the memory of the tracks, if other processes write them. By default the threads of this
   * process do.
   */
  readonly allocate?: Allocate | undefined;
}

/** A server that listens. */
export interface ListeningServer {
  readonly mode: string;
  readonly protocol: string;
  /** How it runs, for people. */
  readonly details: readonly string[];
  /** Where its figures lie: its `StatisticsShare`. */
  readonly statistics: object;
  /** Where it listens. */
  readonly address: Address;
  /** Reads its figures. */
  count(): Readonly<Record<string, number>>;
}

/** How often the counters are recorded, if they have changed, in milliseconds. */
const COUNTERS_MS = 250;

/** A timeline in progress, on the main thread. */
export class Timeline implements Disposable {
  /** Records what happens in the main thread. */
  readonly main: WatchingTrack;
  readonly #common: TimelineCommon;
  readonly #origin: number;
  readonly #records: number;
  readonly #sinks: readonly TimelineSink[];
  /** The tracks, and what empties their rings here; `undefined` where whoever reads along does. */
  readonly #readers = new Map<TrackShare, TrackReader | undefined>();
  /** Makes the memory that processes share, which is never given back. */
  readonly #allocate: Allocate | undefined;
  /** The rings of processes that have ended. Others get them. */
  readonly #unused: SharedArrayBuffer[] = [];
  /** When the timeline began on the machine's clock, if processes take part. */
  readonly #monotonic: { readonly monotonic?: number };
  /** The threads, by number. */
  readonly #threads: Map<number, TimelineThread>;
  /**
   * The numbers of the threads, by name. A thread with the name of an earlier one continues its
   * row.
   */
  readonly #numbers = new Map<string, number>();
  #timer: ReturnType<typeof setInterval> | undefined;
  readonly #recording: RecordingFile | undefined;
  #server: ListeningServer | undefined;
  #counters = "";
  #countedAt = -Infinity;
  #sockets: SocketWatch | undefined;
  readonly #live: LiveFeed | undefined;
  #expectsHeader = false;
  #isRead = false;
  /** See {@linkcode Timeline.ownPort}. */
  #ownPort: Int32Array | undefined;
  /** Ends a worker: see {@linkcode Timeline.offerKill}. */
  #kill: (() => string | undefined) | undefined;
  #isOver = false;

  private constructor(
    origin: number,
    sinks: readonly TimelineSink[],
    recording: RecordingFile | undefined,
    threads: Map<number, TimelineThread>,
    live: LiveFeed | undefined,
    options: TimelineOptions,
  ) {
    const { isLoop = false, threads: most = 1, descriptors = 0 } = options;
    this.#origin = origin;
    this.#sinks = sinks;
    this.#recording = recording;
    this.#threads = threads;
    this.#live = live;
    this.#allocate = options.allocate;
    this.#common = TimelineCommon.create(descriptors, options.allocate);
    this.#monotonic = options.allocate === undefined
      ? {}
      : { monotonic: monotonicAheadMs() + origin - performance.timeOrigin };
    this.#records = 2 ** Math.floor(Math.log2(THREAD_RECORDS / most));
    this.#chooseLevel();
    const track = this.#track("main", isLoop, false, MANY_PLACES);
    const isOurs = this.#readers.get(track) !== undefined;
    this.main = new WatchingTrack(track, isOurs ? () => this.collect() : undefined);
  }

  /** Says what the threads are to record. The records are collected only if there may be some. */
  #chooseLevel(): void {
    const isFull = this.#sinks.every(({ isFull }) => isFull);
    const level = this.#isRead || !isFull
      ? LEVEL_OF.all
      : this.#sinks.length > 0
      ? LEVEL_OF.ends
      : LEVEL_OF.nothing;
    this.#common.level = level;
    if (level === LEVEL_OF.nothing) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else this.#timer ??= setInterval(() => this.collect(), PAUSE_MS);
  }

  /**
   * Starts a timeline. Open it before the server listens: what a recording says of sockets is complete
   * only if the watch over them runs before the first connection.
   *
   * @param files the files to write
   * @param options describes the server
   * @returns `undefined` if no file is given, and nobody may read along
   * @throws {Error} if a file cannot be written
   */
  static async open(
    { trace, record, live, proxyProtocol = false }: TimelineFiles,
    options: TimelineOptions,
  ): Promise<Timeline | undefined> {
    if (trace === undefined && record === undefined && live === undefined) return undefined;
    const { mode, limitBytes } = options;
    const journal = new MainJournal(mode);
    const threads = new Map<number, TimelineThread>();
    // Both files begin at the same whole microsecond.
    const beganUs = Math.floor(nowUs());
    const sinks: TimelineSink[] = [];
    let recording: RecordingFile | undefined;
    try {
      if (options.isSuccessor === true) {
        moveAside(trace, "trace", journal);
        moveAside(record, "recording", journal);
      }
      if (trace !== undefined) {
        sinks.push(TraceSink.create(trace, { mode, beganUs, limitBytes }, journal, threads));
      }
      if (record !== undefined) {
        recording = RecordingFile.create(record, { by: mode, beganUs, limitBytes });
        sinks.push(new RecordingSink(recording, journal, threads));
      }
    } catch (error) {
      for (const sink of sinks) sink.close(0, { connections: 0, spans: 0 });
      throw error;
    }
    const feed = live && feedOf(live);
    const timeline = new Timeline(beganUs / 1000, sinks, recording, threads, feed, options);
    timeline.#expectsHeader = proxyProtocol;
    if (recording !== undefined) {
      // The module is loaded only when something is recorded.
      const { SocketWatch } = await import("./socket_watch.ts");
      timeline.#sockets = await SocketWatch.start(recording);
    }
    const isWatched = live !== undefined;
    timeline.#ownPort = timeline.#sockets?.ownPort ??
      (isWatched ? new Int32Array(new SharedArrayBuffer(4)) : undefined);
    timeline.#beginLive({ beganUs, by: mode });
    return timeline;
  }

  /** Somebody may read along from now on. */
  #beginLive(beginning: { readonly beganUs: number; readonly by: string }): void {
    const live = this.#live;
    if (live === undefined || this.#ownPort === undefined) return;
    live.begin({ ...beginning, ownPort: this.#ownPort }, {
      want: (isWanted) => {
        if (this.#isOver) return;
        this.#isRead = isWanted;
        this.#chooseLevel();
        // What is left would be no news for the next reader: its end may not be recorded any more.
        if (!isWanted) this.collect();
      },
      collect: () => this.collect(),
      kill: () => this.#kill?.(),
    });
    // The main thread's own track was there before.
    for (const [share, reader] of this.#readers) {
      const thread = this.#threads.get(share.number) as TimelineThread;
      live.addThread(thread, 0, share, reader === undefined);
    }
  }

  /**
   * Says how a worker can be ended, as if it had died: readers may ask for it.
   *
   * @param kill ends one, and returns what was done in words; `undefined` if that is impossible now
   */
  offerKill(kill: () => string | undefined): void {
    this.#kill = kill;
  }

  /**
   * Where the server writes the port of a connection to itself before it connects, so that it is left
   * out; `undefined` if nobody looks at sockets.
   */
  get ownPort(): Int32Array | undefined {
    return this.#ownPort;
  }

  /**
   * The server listens. From now on a recording also has its counters and its sockets.
   *
   * @param server the server
   */
  listening(server: ListeningServer): void {
    const canKill = this.#kill !== undefined;
    this.#live?.serves({ ...server, canKill, expectsHeader: this.#expectsHeader });
    if (this.#recording === undefined) return;
    this.#server = server;
    this.#sockets?.look(server.address);
  }

  /**
   * One of several threads has a listener of its own, and nobody else accepts from it.
   *
   * @param listener the listener
   */
  accepts(listener: OwnListener): void {
    this.#recording?.add(acceptsEvent(listener, microseconds(this.#now())));
    this.#live?.accepts(listener);
  }

  /** The server is told to close. */
  closing(): void {
    this.#recording?.add({ type: "closing", at: microseconds(this.#now()) });
  }

  /**
   * Adds a thread that begins.
   *
   * @param name the name of the thread, for instance `worker 3`
   * @param isLoop whether it is an event loop
   * @param isElsewhere whether it is a thread of another process
   * @param seat its number among the threads that have a pulse
   */
  track(name: string, isLoop = false, isElsewhere = false, seat?: number): TrackShare {
    return this.#track(name, isLoop, isElsewhere, isLoop ? MANY_PLACES : ONE_PLACE, seat);
  }

  #track(
    name: string,
    isLoop: boolean,
    isElsewhere: boolean,
    most: number,
    seat?: number,
  ): TrackShare {
    const known = this.#numbers.get(name);
    const number = known ?? this.#numbers.size + 1;
    const thread = { number, name, isLoop, ...(seat !== undefined && { seat }) };
    this.#numbers.set(name, number);
    this.#threads.set(number, thread);
    const now = this.#now();
    for (const sink of this.#sinks) sink.addThread(thread, now, known !== undefined);
    const records = isLoop
      ? LOOP_RECORDS
      : Math.min(MOST_RECORDS, Math.max(FEWEST_RECORDS, this.#records));
    const places = this.#live === undefined ? 0 : most;
    const size = { records, places };
    const share: TrackShare = {
      number,
      isLoop,
      ring: isElsewhere ? this.#ring(size) : createRing(size),
      places,
      common: this.#common.memory,
      origin: this.#origin,
      ...(isElsewhere && this.#monotonic),
    };
    // The ring of a process is used again when it has ended, so only one may empty it: the main thread.
    const isTheirs = this.#live !== undefined && this.#sinks.length === 0 && !isElsewhere;
    this.#readers.set(share, isTheirs ? undefined : new TrackReader(share));
    if (this.#ownPort !== undefined) this.#live?.addThread(thread, now, share, isTheirs);
    return share;
  }

  /** Finds memory for the ring of a process. */
  #ring(size: TrackSize): SharedArrayBuffer {
    const free = this.#unused.findIndex((ring) => takeRing(ring, size));
    if (free < 0) return createRing(size, this.#allocate);
    return this.#unused.splice(free, 1)[0] as SharedArrayBuffer;
  }

  /**
   * Removes a thread or a process that is gone. A process must not run any more.
   *
   * @param share what {@linkcode Timeline.track} returned for the thread
   * @param error what the thread died of; the conversations that it served died of the same
   * @param wasCut whether the server ended them because it is closing
   */
  release(share: TrackShare, error?: Error, wasCut = false): void {
    this.collect();
    this.#readers.delete(share);
    if (share.monotonic !== undefined) this.#unused.push(share.ring);
    if (this.#isOver) return;
    const outcome = wasCut ? CUT : outcomeOf(error);
    const thread = this.#threads.get(share.number) as TimelineThread;
    const now = this.#now();
    for (const sink of this.#sinks) {
      sink.endAllOf(share.number, now, outcome);
      sink.removeThread(thread, now);
    }
    this.#live?.removeThread(share.number, now, outcome);
  }

  /** Takes the records of the threads and writes them into the files. */
  collect(): void {
    if (this.#isOver) return;
    this.main.flush();
    const records: TrackRecord[] = [];
    // The main thread's own records come last: it has heard of nothing that the others have not
    // recorded.
    for (const reader of [...this.#readers.values()].reverse()) reader?.drain(records);
    records.sort((a, b) => a.to - b.to);
    this.#count();
    for (const sink of this.#sinks) {
      for (const record of records) sink.take(record);
      sink.flush();
    }
    if (this.#isRead) this.#feed(records);
    if (this.#sinks.every(({ isFull }) => isFull)) this.#chooseLevel();
  }

  #feed(records: readonly TrackRecord[]): void {
    if (records.length === 0) return;
    const { told, leftOut } = chooseTold(records, PAUSE_MS);
    this.#live?.take(told, leftOut);
  }

  /** Ends what was begun when the server listened, and writes the ends of the files. */
  async close(): Promise<void> {
    await this.#sockets?.close(this.#server?.count().accepted ?? 0);
    this.#countedAt = -Infinity;
    this[Symbol.dispose]();
    await this.#live?.end();
  }

  /** Writes the ends of the files. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    clearInterval(this.#timer);
    this.#sockets?.abandon();
    this.collect();
    this.#isOver = true;
    const { leftOut: connections, lost: spans } = this.#common;
    const now = this.#now();
    for (const sink of this.#sinks) sink.close(now, { connections, spans });
    void this.#live?.end();
  }

  /** Records the counters, if they have changed. */
  #count(): void {
    const now = this.#now();
    if (this.#server === undefined || now - this.#countedAt < COUNTERS_MS) return;
    this.#countedAt = now;
    const values = this.#server.count();
    const text = JSON.stringify(values);
    if (text === this.#counters) return;
    this.#counters = text;
    this.#recording?.add({ type: "counters", at: microseconds(now), values });
  }

  /** Milliseconds since the beginning, on the clock of all tracks. */
  #now(): number {
    return moment() - this.#origin;
  }
}

/** Leaves a file to the server before this one, which may still write into it. */
function moveAside(path: string | URL | undefined, what: string, journal: Journal): void {
  const moved = path && TextFile.moveAside(path, what);
  if (moved === undefined) return;
  const text = "the {what} of the server before is now {moved}";
  journal.log({ level: "info", text, properties: { what, moved } });
}
