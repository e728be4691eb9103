/**
 * Writes the records of a server's threads as a trace, for `--trace`: events that Perfetto opens. A
 * connection has a row of its own. It shows the time in a queue, the thread that serves the
 * connection, and what the connection waits for. A thread's row shows the connection that the thread
 * serves, the turns of an event loop, and what the thread computes.
 *
 * @module
 */

import { runtime } from "../../net/runtime.ts";
import { TextFile } from "../../recording/text_file.ts";
import type { Journal } from "../journal/journal.ts";
import {
  microseconds,
  type OpenConnection,
  TimelineSink,
  type TimelineThread,
} from "./timeline_sink.ts";
import type { Before } from "./foreword.ts";
import { describeOutcome, RECORD, type TrackRecord } from "./timeline_track.ts";
import { TraceFile } from "./trace_file.ts";

/** The largest size of a trace, in bytes: already more than Perfetto opens with ease. */
const LIMIT_BYTES = 64 * 1024 * 1024;

/** The room that the end of a connection needs in the file at most, in bytes. */
const END_BYTES = 512;

/** The details of an event, in a word or two each. */
type Details = Readonly<Record<string, unknown>>;

/** What a trace needs to know about its server. */
export interface TraceOptions {
  /** The server's mode. */
  readonly mode: string;
  /** When the trace begins, in microseconds since 1970. */
  readonly beganUs: number;
  /**
   * The largest size of the file, in bytes.
   *
   * @default {67108864}
   */
  readonly limitBytes?: number | undefined;
}

/** A trace in progress. */
export class TraceSink extends TimelineSink {
  protected override readonly what = "trace";
  readonly #file: TraceFile;
  readonly #limitBytes: number;

  private constructor(
    file: TraceFile,
    { mode, beganUs, limitBytes = LIMIT_BYTES }: TraceOptions,
    journal: Journal,
    threads: ReadonlyMap<number, TimelineThread>,
  ) {
    super(file, journal, threads);
    this.#file = file;
    this.#limitBytes = limitBytes;
    const name = `${mode} · ${runtime.name} ${runtime.version}`;
    // A viewer shows the name only. `observe convert` needs the rest.
    const args = { name, began_us: beganUs, os: runtime.os };
    this.#file.add({ name: "process_name", ph: "M", tid: 1, args });
  }

  /**
   * Begins a trace.
   *
   * @param path the file; an existing file is overwritten
   * @param options describes it
   * @param journal is told what was not written
   * @param threads the server's threads, by number
   * @throws {Error} if the file cannot be written
   */
  static create(
    path: string | URL,
    options: TraceOptions,
    journal: Journal,
    threads: ReadonlyMap<number, TimelineThread>,
  ): TraceSink {
    const file = new TraceFile(TextFile.create(path, "trace"));
    return new TraceSink(file, options, journal, threads);
  }

  override addThread(
    { number, name, isLoop }: TimelineThread,
    at: number,
    isKnown: boolean,
  ): void {
    if (isKnown) return;
    const args = { name, at: microseconds(at), ...(isLoop && { loop: true }) };
    const names = { name: "thread_name", ph: "M", tid: number, args } as const;
    this.#file.add(names);
    this.#file.add({ ...names, name: "thread_sort_index", args: { sort_index: number } });
  }

  protected override hasRoom(open: number): boolean {
    return this.#file.size + (open + 2) * END_BYTES < this.#limitBytes;
  }

  protected override writeBegin(record: TrackRecord, { client, connected }: Before): void {
    const { thread, id, from, to, value: servedBy, text: peer } = record;
    const came = connected ?? from;
    // Its row begins when it was open.
    const more = {
      ...(client !== undefined && { client }),
      ...(came < from && { accepted: microseconds(from) }),
    };
    this.#row("b", "connection", id, thread, came, { connection: id, peer, ...more });
    if (came < from) this.#span("accept queue", { ...record, from: came, to: from });
    if (from < to) this.#span("queued", record);
    if (servedBy !== 0) this.#row("b", this.#served(servedBy), id, servedBy, to);
  }

  protected override writeEnd(
    id: number,
    { peer, client, servedAt, servedBy, toldBy }: OpenConnection,
    at: number,
    outcome: number | undefined,
  ): void {
    const how = outcome === undefined ? { outcome: "not recorded" } : describeOutcome(outcome);
    if (servedBy !== 0) this.#row("e", this.#served(servedBy), id, servedBy, at);
    this.#row("e", "connection", id, toldBy, at, how);
    if (servedBy === 0 || this.threads.get(servedBy)?.isLoop) return;
    const named = client !== undefined && { client };
    this.#slice("served", servedBy, servedAt, at, { connection: id, peer, ...named, ...how });
  }

  protected override writeSpan(record: TrackRecord, isOpen: boolean): void {
    const { thread, kind, id, from, to, value, text: task } = record;
    switch (kind) {
      case RECORD.computing:
        this.#slice("computing", thread, from, to, { connection: id, task });
        if (isOpen) this.#span("computing", record, { task });
        return;
      case RECORD.waiting:
        if (isOpen) this.#span("waiting for computing", record, { task });
        return;
      case RECORD.writing:
        // A loop serves other connections meanwhile.
        if (!this.threads.get(thread)?.isLoop) {
          this.#slice("writing", thread, from, to, { connection: id });
        }
        if (isOpen) this.#span("writing", record);
        return;
      case RECORD.turns: {
        const args = value === 1 ? { connection: id } : { turns: value };
        return this.#slice(value === 1 ? "turn" : "turns", thread, from, to, args);
      }
      case RECORD.task:
        return this.#slice("computing", thread, from, to, { connection: id, task });
    }
  }

  protected override finish(at: number, connections: number, spans: number): void {
    if (connections + spans > 0) {
      const args = { connections, spans };
      this.#file.add({ name: "left out", ph: "i", s: "p", ts: microseconds(at), tid: 1, args });
    }
    this.#file.close();
  }

  #served(by: number): string {
    return `served by ${this.threads.get(by)?.name}`;
  }

  /** Adds a span to a thread's row. */
  #slice(name: string, tid: number, from: number, to: number, args: Details): void {
    // The duration is the difference of the rounded times, so that spans nest to the microsecond.
    const ts = microseconds(from);
    this.#file.add({ name, cat: "thread", ph: "X", ts, dur: microseconds(to) - ts, tid, args });
  }

  /** Adds a span to a connection's row. */
  #span(name: string, { id, thread, from, to }: TrackRecord, args?: Details): void {
    this.#row("b", name, id, thread, from, args);
    this.#row("e", name, id, thread, to);
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
}
