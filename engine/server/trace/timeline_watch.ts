/**
 * Records from outside what a conversation spends its time on, for `--trace`. It wraps what the
 * conversation receives, sends and computes with. Without a trace the conversation gets the
 * originals, and pays nothing.
 *
 * @module
 */

import { isSliced } from "../../drivers/conversation.ts";
import type { Elsewhere, Operation, Peer } from "../../drivers/elsewhere.ts";
import { readOpenForMs } from "../../kernel/age.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";
import { Connection, type Pulled, type Sink } from "../../net/transport.ts";
import type { Tasks } from "../../../protocols/catalogue.ts";
import type { Address } from "../../../protocols/effects.ts";
import { DOING } from "./under_way.ts";
import { CUT, DONE, EMPTY, outcomeOf, RECORD, TrackWriter } from "./timeline_track.ts";

/** A write that took at least this long had to wait, in milliseconds. */
const WAITED_MS = 1;

/** A connection that records when its conversation runs, and how long it waits to write. */
class RecordedConnection extends Connection implements Sink {
  readonly #connection: Connection;
  readonly #track: TrackWriter;
  readonly #id: number;
  /** Its place among what is under way. */
  readonly #place: number;
  /** The sink of the last request. All requests come from the same conversation. */
  #sink: Sink | undefined;
  #isOver = false;
  #isWriting = false;
  #writingSince = 0;

  /** @param connection the real connection @param track this thread's track @param id its number */
  constructor(connection: Connection, track: TrackWriter, id: number) {
    super();
    this.#connection = connection;
    this.#track = track;
    this.#id = id;
    this.#place = track.placeOf(id);
  }

  override get localAddress(): Address {
    return this.#connection.localAddress;
  }

  override get remoteAddress(): Address {
    return this.#connection.remoteAddress;
  }

  override pull(sink: Sink): Pulled {
    this.#sink = sink;
    return this.#connection.pull(this);
  }

  override get hasUnread(): boolean {
    return this.#connection.hasUnread;
  }

  override unpull(): void {
    this.#connection.unpull();
  }

  override watch(sink: Sink): void {
    this.#sink = sink;
    this.#connection.watch(this);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    this.#sink = sink;
    if (this.#connection.push(bytes, this)) return true;
    this.#isWriting = true;
    this.#writingSince = this.#track.beginsToWait();
    this.#track.waits(this.#place, this.#id, DOING.writing, this.#writingSince);
    return false;
  }

  override get pending(): number {
    return this.#connection.pending;
  }

  override get mayLose(): boolean {
    return this.#connection.mayLose;
  }

  override get keepsWhole(): boolean {
    return this.#connection.keepsWhole;
  }

  override get ends(): string | undefined {
    return this.#connection.ends;
  }

  override reset(): void {
    this.#end();
    this.#connection.reset();
  }

  override closeWrite(): void {
    this.#end();
    this.#connection.closeWrite();
  }

  override close(): void {
    this.#end();
    this.#connection.close();
  }

  /** The conversation is over: what still comes belongs to nobody. */
  #end(): void {
    if (this.#isWriting) this.#endWriting(this.#track.now());
    this.#isOver = true;
  }

  onRead(chunk: Uint8Array | null): void {
    if (this.#isOver) return this.#sink?.onRead(chunk);
    this.#track.enter(this.#id);
    this.#sink?.onRead(chunk);
    this.#track.leave();
  }

  onWritten(): void {
    this.#endWriting(this.#track.enter(this.#id));
    this.#sink?.onWritten();
    this.#track.leave();
  }

  onError(error: Error): void {
    if (this.#isOver) return this.#sink?.onError(error);
    const now = this.#track.enter(this.#id);
    if (this.#isWriting) this.#endWriting(now);
    this.#sink?.onError(error);
    this.#track.leave();
  }

  onEnd(): void {
    this.#sink?.onEnd?.();
  }

  #endWriting(now: number): void {
    this.#isWriting = false;
    const since = this.#writingSince;
    this.#track.goesOn(this.#place, this.#id);
    // A wait that began while nobody read has no time.
    if (since >= 0 && now - since >= WAITED_MS) {
      this.#track.tell(RECORD.writing, this.#id, since, now);
    }
  }
}

/**
 * Wraps tasks to record how long this thread computes them for the connection that it serves.
 *
 * @param tasks the tasks of a protocol
 * @param track this thread's track
 */
function recordTasks(tasks: Tasks | undefined, track: TrackWriter): Tasks | undefined {
  return tasks && Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [name, (argument: unknown) => {
      const from = track.computes(track.current, name);
      const tell = () => {
        track.hasComputed();
        track.tell(RECORD.computing, track.current, from, track.now(), name);
      };
      let work: unknown;
      try {
        work = task(argument);
        return isSliced(work) ? told(work, tell) : work;
      } finally {
        if (!isSliced(work)) tell();
      }
    }]),
  );
}

/** Does work slice by slice, and records it when it is finished or abandoned. */
function* told(work: Generator<unknown, unknown>, tell: () => void): Generator<unknown, unknown> {
  try {
    return yield* work;
  } finally {
    tell();
  }
}

/** Computing elsewhere, of which is written down how long it was waited for. */
class RecordedOffload implements Elsewhere {
  readonly #offload: Elsewhere;
  readonly #track: TrackWriter;

  /** @param offload who computes @param track the waiting thread's */
  constructor(offload: Elsewhere, track: TrackWriter) {
    this.#offload = offload;
    this.#track = track;
  }

  begin(
    task: string,
    argument: unknown,
    done: (error: unknown, result: unknown) => void,
    peer?: Peer,
  ): Operation {
    const track = this.#track;
    const id = track.current;
    const from = track.now();
    const place = track.placeOf(id);
    track.waits(place, id, DOING.waiting, from);
    const tell = () => {
      const now = track.now();
      track.goesOn(place, id);
      track.tell(RECORD.waiting, id, from, now, task);
    };
    const computation = this.#offload.begin(task, argument, (error, result) => {
      tell();
      track.enter(id);
      done(error, result);
      track.leave();
    }, peer);
    return {
      cancel() {
        tell();
        computation.cancel();
      },
      giveWay: () => computation.giveWay?.(),
    };
  }
}

/**
 * The track of a thread that serves connections. It wraps what their conversations work with, so that
 * it records what they spend their time on.
 *
 * A Worker imports this module only if a trace is written: it starts faster without.
 */
export class WatchingTrack extends TrackWriter {
  /**
   * For how long the kernel has had a connection open at least that nobody has answered yet. It is
   * asked only while that is recorded.
   *
   * @param fd its socket @returns in milliseconds; `undefined` if that is no time, or not known
   */
  openForMs(fd: number): number | undefined {
    if (!this.recordsBeginnings || runtime.os !== "linux") return undefined;
    try {
      return readOpenForMs(sockets(), fd);
    } catch (error) {
      // A Unix domain socket has no such figures.
      if (error instanceof SocketError) return undefined;
      throw error;
    }
  }

  /** Wraps a connection. @param connection the real one @param id its number in the trace */
  watchConnection(connection: Connection, id: number): Connection {
    return new RecordedConnection(connection, this, id);
  }

  /** Wraps the tasks of a protocol, which this thread computes. @param tasks the real ones */
  watchTasks(tasks: Tasks | undefined): Tasks | undefined {
    return recordTasks(tasks, this);
  }

  /** Wraps the computing of other threads. @param offload the real one */
  watchOffload(offload: Elsewhere): Elsewhere {
    return new RecordedOffload(offload, this);
  }

  /**
   * Records that this thread computed for a conversation of another thread.
   *
   * @param id the number of the other thread's connection; 0 if it has none
   * @param from when it began, on the clock of {@linkcode TrackWriter.now}
   * @param task the name of the task
   */
  computed(id: number, from: number, task: string): void {
    this.hasComputed();
    this.tell(RECORD.task, id, from, this.now(), task);
  }

  /**
   * Records the end of a conversation.
   *
   * @param id the number of its connection
   * @param error the error that it failed with, if it failed
   * @param how whether the server cut it, or it ended before its first byte
   */
  endOf(id: number, error: unknown, how: "" | "cut" | "empty"): void {
    if (how !== "") this.end(id, how === "cut" ? CUT : EMPTY);
    else this.end(id, error === undefined ? DONE : outcomeOf(error));
  }
}
