/**
 * The trace of a server, for `--trace`: the life of each connection and each computation, as spans
 * by thread.
 *
 * Every thread writes down what happens there (`timeline_track.ts`); the main thread collects that
 * now and then, and writes it as events that Perfetto opens (`trace_file.ts`). A connection has a
 * row of its own, on which are its time in a queue, the thread that serves it, and what it waits
 * for. A thread's row shows which connection it serves, the turns of an event loop, and what it
 * computes.
 *
 * @module
 */

import { describeSystemError } from "../../net/constants.ts";
import { runtime } from "../../net/runtime.ts";
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
  TrackWriter,
} from "./timeline_track.ts";
import { TraceFile } from "./trace_file.ts";

/** How large a trace becomes at most, in bytes: more than Perfetto likes to open at once. */
const LIMIT_BYTES = 64 * 1024 * 1024;

/** What the end of a connection takes in the file at most, in bytes: that room is kept. */
const END_BYTES = 512;

/** How often the rings are emptied, in milliseconds. */
const PAUSE_MS = 25;

/** How many records the ring of an event loop holds, and those of all other threads together. */
const LOOP_RECORDS = 16_384;
const THREAD_RECORDS = 32_768;
const FEWEST_RECORDS = 64;
const MOST_RECORDS = 4096;

/** What an event is about, in a word or two for each. */
type Details = Readonly<Record<string, unknown>>;

/** What a trace needs to know of its server. */
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
   * How many threads there may be at a time.
   *
   * @default {1}
   */
  readonly threads?: number;
  /**
   * How many descriptors there may be, where they are queued.
   *
   * @default {0}
   */
  readonly descriptors?: number;
  /**
   * How large the file becomes at most, in bytes.
   *
   * @default {67108864}
   */
  readonly limitBytes?: number;
}

/** A connection that was written down and is not over. */
interface Open {
  readonly peer: string;
  readonly servedAt: number;
  readonly servedBy: number;
  /** The thread that tells of it. */
  readonly toldBy: number;
}

/** A trace under way, on the main thread. */
export class Timeline implements Disposable {
  /** What the main thread writes down itself. */
  readonly main: TrackWriter;
  readonly #file: TraceFile;
  readonly #journal: MainJournal;
  readonly #common: TimelineCommon;
  readonly #origin = performance.timeOrigin + performance.now();
  readonly #records: number;
  readonly #limitBytes: number;
  readonly #readers = new Map<TrackShare, TrackReader>();
  /** The threads by name; the second of a name follows the first on its row. */
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
    this.main = new TrackWriter(this.track("main", isLoop), () => this.collect());
    this.#timer = setInterval(() => this.collect(), PAUSE_MS);
  }

  /**
   * Begins a trace.
   *
   * @param path the file; one that is there is written over
   * @param options what the server is
   * @returns `undefined` when no path is given
   * @throws {Error} if the file cannot be written
   */
  static open(path: string | URL | undefined, options: TimelineOptions): Timeline | undefined {
    if (path === undefined) return undefined;
    try {
      return new Timeline(new TraceFile(runtime.createFile(path)), options);
    } catch (cause) {
      throw new Error(`Cannot write the trace ${path}: ${describeSystemError(cause)}`, { cause });
    }
  }

  /**
   * A thread begins.
   *
   * @param name what it is called, for instance `worker 3`
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
   * A thread is gone.
   *
   * @param share what {@linkcode Timeline.track} returned for it
   * @param error what it died of: so did the conversations that it was serving
   * @param wasCut whether they were ended by the server, because it is closing
   */
  release(share: TrackShare, error?: Error, wasCut = false): void {
    this.collect();
    this.#readers.delete(share);
    const outcome = wasCut ? CUT : outcomeOf(error);
    for (const [id, { toldBy }] of this.#open) {
      if (toldBy === share.number) this.#end(id, this.main.now(), outcome);
    }
  }

  /** Takes what all threads have written down and writes it into the file. */
  collect(): void {
    if (this.#isOver) return;
    this.main.flush();
    const records: TrackRecord[] = [];
    // Last what this thread has written down: it has heard of nothing that others have not.
    for (const reader of [...this.#readers.values()].reverse()) reader.drain(records);
    records.sort((a, b) => a.to - b.to);
    for (const record of records) this.#write(record);
    if (!this.#isFull) this.#checkRoom();
    this.#file.flush();
    if (this.#file.failure !== undefined && !this.#isFull) this.#fail(this.#file.failure);
  }

  /** Writes the end of the file. May be called again. */
  [Symbol.dispose](): void {
    if (this.#isOver) return;
    clearInterval(this.#timer);
    this.collect();
    // Of these the end was lost, or nobody waited for it.
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
        // A loop goes on meanwhile.
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

  /** @param outcome `undefined` if nobody knows */
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

  /** A span on a thread's row, unless there is no room any more for what may be left out. */
  #slice(name: string, tid: number, from: number, to: number, args: Details): void {
    if (this.#isFull) this.#common.lose();
    else this.#addSlice(name, tid, from, to, args);
  }

  #addSlice(name: string, tid: number, from: number, to: number, args: Details): void {
    // The difference of what is written, so that spans nest to the microsecond.
    const ts = microseconds(from);
    this.#file.add({ name, cat: "thread", ph: "X", ts, dur: microseconds(to) - ts, tid, args });
  }

  /** A span on a connection's row, unless there is no room any more. */
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

  /** An end of a span on a connection's row. */
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

  /** From now on only the ends are written of what has begun, for which there is room. */
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
