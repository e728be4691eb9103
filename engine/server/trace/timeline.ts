/**
 * The trace of a server, for `--trace`: the life of each connection and each computation, as spans
 * by thread.
 *
 * Every thread records what happens in it (`timeline_track.ts`). The main thread collects the
 * records at intervals and writes them as events that Perfetto opens (`trace_file.ts`). A
 * connection has a row of its own. It shows the time in a queue, the thread that serves the
 * connection, and what the connection waits for. A thread's row shows the connection that the
 * thread serves, the turns of an event loop, and what the thread computes.
 *
 * @module
 */

import { describeSystemError } from "../../net/constants.ts";
import { runtime } from "../../net/runtime.ts";
import { TextFile } from "../../recording/text_file.ts";
import { MainJournal } from "../journal/journal.ts";
import {
  createRing,
  CUT,
  describeOutcome,
  outcomeOf,
  RECORD,
  TimelineCommon,
  TrackReader,
  type TrackRecord,
  type TrackShare,
} from "./timeline_track.ts";
import { WatchingTrack } from "./timeline_watch.ts";
import { TraceFile } from "./trace_file.ts";

/** The largest size of a trace, in bytes: already more than Perfetto opens with ease. */
const LIMIT_BYTES = 64 * 1024 * 1024;

/** The room that the end of a connection needs in the file at most, in bytes. It is reserved. */
const END_BYTES = 512;

/** How often the rings are emptied, in milliseconds. */
const PAUSE_MS = 25;

/**
 * How many records the ring of an event loop holds, and how many all other threads' rings hold
 * together.
 */
const LOOP_RECORDS = 16_384;
const THREAD_RECORDS = 32_768;
const FEWEST_RECORDS = 64;
const MOST_RECORDS = 4096;

/** The details of an event, in a word or two each. */
type Details = Readonly<Record<string, unknown>>;

/** What a trace needs to know about its server. */
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
   * The largest size of the file, in bytes.
   *
   * @default {67108864}
   */
  readonly limitBytes?: number;
}

/** A recorded connection that is not over. */
interface Open {
  readonly peer: string;
  readonly servedAt: number;
  readonly servedBy: number;
  /** The thread that records its life. */
  readonly toldBy: number;
}

/** A trace in progress, on the main thread. */
export class Timeline implements Disposable {
  /** Records what happens in the main thread. */
  readonly main: WatchingTrack;
  readonly #file: TraceFile;
  readonly #journal: MainJournal;
  readonly #common: TimelineCommon;
  readonly #origin = performance.timeOrigin + performance.now();
  readonly #records: number;
  readonly #limitBytes: number;
  readonly #readers = new Map<TrackShare, TrackReader>();
  /**
   * The numbers of the threads, by name. A thread with the name of an earlier one continues its
   * row.
   */
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [""];
  readonly #loops = new Set<number>();
  readonly #open = new Map<number, Open>();
  readonly #timer: ReturnType<typeof setInterval>;
  #isFull = false;
  #isOver = false;

  private constructor(file: TraceFile, options: TimelineOptions) {
    const { mode, isLoop = false, threads = 1, descriptors = 0 } = options;
    this.#file = file;
    this.#journal = new MainJournal(mode);
    this.#limitBytes = options.limitBytes ?? LIMIT_BYTES;
    this.#common = TimelineCommon.create(descriptors);
    this.#records = 2 ** Math.floor(Math.log2(THREAD_RECORDS / threads));
    const name = `${mode} · ${runtime.name} ${runtime.version}`;
    this.#file.add({ name: "process_name", ph: "M", tid: 1, args: { name } });
    this.main = new WatchingTrack(this.track("main", isLoop), () => this.collect());
    this.#timer = setInterval(() => this.collect(), PAUSE_MS);
  }

  /**
   * Starts a trace.
   *
   * @param path the file; an existing file is overwritten
   * @param options describes the server
   * @returns `undefined` if no path is given
   * @throws {Error} if the file cannot be written
   */
  static open(path: string | URL | undefined, options: TimelineOptions): Timeline | undefined {
    if (path === undefined) return undefined;
    return new Timeline(new TraceFile(TextFile.create(path, "trace")), options);
  }

  /**
   * Adds a thread that begins.
   *
   * @param name the name of the thread, for instance `worker 3`
   * @param isLoop whether it is an event loop
   */
  track(name: string, isLoop = false): TrackShare {
    let number = this.#numbers.get(name);
    if (number === undefined) {
      number = this.#names.push(name) - 1;
      this.#numbers.set(name, number);
      if (isLoop) this.#loops.add(number);
      const names = { name: "thread_name", ph: "M", tid: number, args: { name } } as const;
      this.#file.add(names);
      this.#file.add({ ...names, name: "thread_sort_index", args: { sort_index: number } });
    }
    const records = isLoop
      ? LOOP_RECORDS
      : Math.min(MOST_RECORDS, Math.max(FEWEST_RECORDS, this.#records));
    const ring = createRing(records);
    const share = { number, isLoop, ring, common: this.#common.memory, origin: this.#origin };
    this.#readers.set(share, new TrackReader(share));
    return share;
  }

  /**
   * Removes a thread that is gone.
   *
   * @param share what {@linkcode Timeline.track} returned for the thread
   * @param error what the thread died of; the conversations that it served died of the same
   * @param wasCut whether the server ended them because it is closing
   */
  release(share: TrackShare, error?: Error, wasCut = false): void {
    this.collect();
    this.#readers.delete(share);
    const outcome = wasCut ? CUT : outcomeOf(error);
    for (const [id, { toldBy }] of this.#open) {
      if (toldBy === share.number) this.#end(id, this.main.now(), outcome);
    }
  }

  /** Takes the records of all threads and writes them into the file. */
  collect(): void {
    if (this.#isOver) return;
    this.main.flush();
    const records: TrackRecord[] = [];
    // The main thread's own records come last: it has heard of nothing that the others have not
    // recorded.
    for (const reader of [...this.#readers.values()].reverse()) reader.drain(records);
    records.sort((a, b) => a.to - b.to);
    for (const record of records) this.#write(record);
    if (!this.#isFull) this.#checkRoom();
    this.#file.flush();
    if (this.#file.failure !== undefined && !this.#isFull) this.#fail(this.#file.failure);
  }

  /** Writes the end of the file. It may be called again. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    clearInterval(this.#timer);
    this.collect();
    // The ends of these were lost, or nobody waited for them.
    for (const id of [...this.#open.keys()]) this.#end(id, this.main.now(), undefined);
    this.#tellLeftOut();
    this.#isOver = true;
    this.#file.close();
  }

  #write(record: TrackRecord): void {
    const { thread, kind, id, from, to, value, text } = record;
    switch (kind) {
      case RECORD.begin:
        return this.#begin(record);
      case RECORD.end:
        return this.#end(id, to, value);
      case RECORD.computing:
        this.#slice("computing", thread, from, to, { connection: id, task: text });
        return this.#span("computing", id, thread, from, to, { task: text });
      case RECORD.waiting:
        return this.#span("waiting for computing", id, thread, from, to, { task: text });
      case RECORD.writing:
        // A loop serves other connections meanwhile.
        if (!this.#loops.has(thread)) {
          this.#slice("writing", thread, from, to, { connection: id });
        }
        return this.#span("writing", id, thread, from, to);
      case RECORD.turns: {
        const args = value === 1 ? { connection: id } : { turns: value };
        return this.#slice(value === 1 ? "turn" : "turns", thread, from, to, args);
      }
      case RECORD.task:
        return this.#slice("computing", thread, from, to, { connection: id, task: text });
    }
  }

  #begin({ thread, id, from, to, value: servedBy, text: peer }: TrackRecord): void {
    if (this.#isFull) return this.#common.leaveOut();
    this.#open.set(id, { peer, servedAt: to, servedBy, toldBy: thread });
    const args = { connection: id, peer };
    this.#row("b", "connection", id, thread, from, args);
    if (from < to) this.#span("queued", id, thread, from, to);
    if (servedBy !== 0) this.#row("b", this.#served(servedBy), id, servedBy, to);
    this.#checkRoom();
  }

  /** @param outcome `undefined` if it is not known */
  #end(id: number, at: number, outcome: number | undefined): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    const { peer, servedAt, servedBy, toldBy } = open;
    const how = outcome === undefined ? { outcome: "not recorded" } : describeOutcome(outcome);
    if (servedBy !== 0) this.#row("e", this.#served(servedBy), id, servedBy, at);
    this.#row("e", "connection", id, toldBy, at, how);
    if (servedBy === 0 || this.#loops.has(servedBy)) return;
    this.#addSlice("served", servedBy, servedAt, at, { connection: id, peer, ...how });
  }

  #served(by: number): string {
    return `served by ${this.#names[by]}`;
  }

  /** Adds a span to a thread's row, unless the file has no room left for optional events. */
  #slice(name: string, tid: number, from: number, to: number, args: Details): void {
    if (this.#isFull) this.#common.lose();
    else this.#addSlice(name, tid, from, to, args);
  }

  #addSlice(name: string, tid: number, from: number, to: number, args: Details): void {
    // The duration is the difference of the rounded times, so that spans nest to the microsecond.
    const ts = microseconds(from);
    this.#file.add({ name, cat: "thread", ph: "X", ts, dur: microseconds(to) - ts, tid, args });
  }

  /** Adds a span to a connection's row, unless the file has no room left. */
  #span(
    name: string,
    id: number,
    tid: number,
    from: number,
    to: number,
    args?: Details,
  ): void {
    if (this.#isFull || !this.#open.has(id)) return;
    this.#row("b", name, id, tid, from, args);
    this.#row("e", name, id, tid, to);
  }

  /** Adds one end of a span to a connection's row. */
  #row(
    ph: "b" | "e",
    name: string,
    id: number,
    tid: number,
    at: number,
    args?: Details,
  ): void {
    const ts = microseconds(at);
    this.#file.add({ name, cat: "connection", ph, ts, id: `0x${id.toString(16)}`, tid, args });
  }

  /**
   * Checks the room. When it runs out, only the ends of open connections are written: room for them
   * is kept.
   */
  #checkRoom(): void {
    const reserved = (this.#open.size + 2) * END_BYTES;
    if (this.#file.size + reserved >= this.#limitBytes) this.#fill();
  }

  #fill(): void {
    this.#isFull = true;
    this.#common.fill();
  }

  #fail(error: Error): void {
    this.#fill();
    const properties = { error: describeSystemError(error) };
    const text = "the trace ends here, it cannot be written: {error}";
    this.#journal.log({ level: "warning", text, properties });
  }

  #tellLeftOut(): void {
    const { leftOut, lost } = this.#common;
    if (leftOut + lost === 0) return;
    const properties = { connections: leftOut, spans: lost };
    const text = "the trace leaves out {connections} connections, and {spans} spans of others";
    this.#journal.log({ level: "warning", text, properties });
    const ts = microseconds(this.main.now());
    this.#file.add({ name: "left out", ph: "i", s: "p", ts, tid: 1, args: properties });
  }
}

function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
