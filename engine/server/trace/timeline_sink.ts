/**
 * What is made of the records of a server's threads: a trace, or a recording. Both know the same
 * connections and keep the same bound; they differ in what they write.
 *
 * @module
 */

import { describeSystemError } from "../../net/constants.ts";
import type { Journal } from "../journal/journal.ts";
import { type Before, Foreword } from "./foreword.ts";
import { RECORD, type TrackRecord } from "./timeline_track.ts";

/** A recorded connection that is not over. */
export interface OpenConnection {
  readonly peer: string;
  /** Its client, if the peer is a proxy that has named it. */
  readonly client?: string;
  /** When its service began, in milliseconds since the beginning. */
  readonly servedAt: number;
  /** The number of the thread that serves it; 0 for none. */
  readonly servedBy: number;
  /** The number of the thread that records its life. */
  readonly toldBy: number;
}

/** A thread of the server. */
export interface TimelineThread {
  /** Its number, from 1. */
  readonly number: number;
  /** Its name, for instance `worker 3`. */
  readonly name: string;
  /** Whether it is an event loop. */
  readonly isLoop: boolean;
  /** Its number among the threads of the server that have a pulse (`pulse.ts`); absent if it has none. */
  readonly seat?: number;
}

/** The file that a sink writes. */
export interface SinkFile {
  /** The error that stopped the writing. */
  readonly failure: Error | undefined;
  /** Writes what was added. */
  flush(): void;
}

/**
 * Where records go. When the room runs out, only the ends of open connections are written: room for
 * them is kept. All times are in milliseconds since the beginning.
 */
export abstract class TimelineSink {
  /** What it writes, in a word: `trace`. */
  protected abstract readonly what: string;
  protected readonly threads: ReadonlyMap<number, TimelineThread>;
  readonly #file: SinkFile;
  readonly #journal: Journal;
  readonly #open = new Map<number, OpenConnection>();
  readonly #foreword = new Foreword();
  #isFull = false;
  #leftOut = 0;
  #lost = 0;

  /**
   * @param file what is written
   * @param journal is told what was not written
   * @param threads the server's threads, by number
   */
  constructor(
    file: SinkFile,
    journal: Journal,
    threads: ReadonlyMap<number, TimelineThread>,
  ) {
    this.#file = file;
    this.#journal = journal;
    this.threads = threads;
  }

  /** Whether it takes nothing but the ends of what has begun. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /**
   * A thread begins, or begins again: then it has a number that is known.
   *
   * @param thread the thread
   * @param at when
   * @param isKnown whether there was one with its name before
   */
  abstract addThread(thread: TimelineThread, at: number, isKnown: boolean): void;

  /** A thread is gone. */
  removeThread(_thread: TimelineThread, _at: number): void {}

  /** Takes a record. */
  take(record: TrackRecord): void {
    const { kind, id, to, value } = record;
    if (kind === RECORD.begin) return this.#begin(record);
    if (kind === RECORD.end) return this.#end(id, to, value);
    if (this.#foreword.take(record)) return;
    if (this.#isFull) this.#lost++;
    else this.writeSpan(record, this.#open.has(id));
  }

  /**
   * Ends the connections whose lives a thread has recorded that is gone.
   *
   * @param thread its number
   * @param at when
   * @param outcome how they ended
   */
  endAllOf(thread: number, at: number, outcome: number): void {
    for (const [id, { toldBy }] of this.#open) if (toldBy === thread) this.#end(id, at, outcome);
  }

  /** Writes what was taken into the file. */
  flush(): void {
    if (!this.#isFull) this.#checkRoom();
    this.#file.flush();
    const { failure } = this.#file;
    if (failure === undefined || this.#isFull) return;
    this.#isFull = true;
    const properties = { error: describeSystemError(failure) };
    const text = `the ${this.what} ends here, it cannot be written: {error}`;
    this.#journal.log({ level: "warning", text, properties });
  }

  /**
   * Writes the end of the file and closes it.
   *
   * @param at when
   * @param missed the connections and the spans that no thread could record
   */
  close(at: number, missed: { readonly connections: number; readonly spans: number }): void {
    // The ends of these were lost, or nobody waited for them.
    for (const id of [...this.#open.keys()]) this.#end(id, at, undefined);
    const connections = missed.connections + this.#leftOut;
    const spans = missed.spans + this.#lost;
    if (connections + spans > 0) {
      const text =
        `the ${this.what} leaves out {connections} connections, and {spans} spans of others`;
      this.#journal.log({ level: "warning", text, properties: { connections, spans } });
    }
    this.finish(at, connections, spans);
  }

  /** Whether there is room. @param open how many ends must still find room */
  protected abstract hasRoom(open: number): boolean;

  /**
   * Writes that a connection begins to be served, or is refused.
   *
   * @param record its beginning
   * @param before what is known of it besides
   */
  protected abstract writeBegin(record: TrackRecord, before: Before): void;

  /** Writes that a connection is over. @param outcome `undefined` if it is not known */
  protected abstract writeEnd(
    id: number,
    open: OpenConnection,
    at: number,
    outcome: number | undefined,
  ): void;

  /** Writes what took a span of time. @param isOpen whether its connection is in the file */
  protected abstract writeSpan(record: TrackRecord, isOpen: boolean): void;

  /** Writes what was left out, and closes the file. */
  protected abstract finish(at: number, connections: number, spans: number): void;

  #begin(record: TrackRecord): void {
    if (this.#isFull) {
      this.#leftOut++;
      return;
    }
    const { id, to, text: peer, value: servedBy, thread: toldBy } = record;
    const before = this.#foreword.of(id);
    const { client } = before;
    const named = client !== undefined && { client };
    this.#open.set(id, { peer, ...named, servedAt: to, servedBy, toldBy });
    this.writeBegin(record, before);
    this.#checkRoom();
  }

  #end(id: number, at: number, outcome: number | undefined): void {
    const open = this.#open.get(id);
    if (open === undefined) return;
    this.#open.delete(id);
    this.writeEnd(id, open, at, outcome);
  }

  #checkRoom(): void {
    if (!this.hasRoom(this.#open.size)) this.#isFull = true;
  }
}

/**
 * A time as the files have it.
 *
 * @param ms in milliseconds
 * @returns in whole microseconds
 */
export function microseconds(ms: number): number {
  return Math.round(ms * 1000);
}
