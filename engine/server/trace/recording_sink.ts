/**
 * Writes the records of a server's threads into a recording, for `--record`.
 *
 * @module
 */

import type { RecordingFile } from "../../recording/recording_file.ts";
import type { Journal } from "../journal/journal.ts";
import {
  microseconds,
  type OpenConnection,
  TimelineSink,
  type TimelineThread,
} from "./timeline_sink.ts";
import type { Before } from "./foreword.ts";
import { beginEvents, endEvent, spanEvent } from "./record_events.ts";
import type { TrackRecord } from "./timeline_track.ts";

/** The room that the end of a connection needs in the file at most, in bytes. */
const END_BYTES = 160;

/** The server's part of a recording. */
export class RecordingSink extends TimelineSink {
  protected override readonly what = "recording";
  readonly #file: RecordingFile;

  /**
   * @param file the recording, which began when the timeline did; it is closed together with this
   * @param journal is told what was not written
   * @param threads the server's threads, by number
   */
  constructor(
    file: RecordingFile,
    journal: Journal,
    threads: ReadonlyMap<number, TimelineThread>,
  ) {
    super(file, journal, threads);
    this.#file = file;
  }

  override addThread({ number, name, isLoop }: TimelineThread, at: number): void {
    const loop = isLoop && { loop: true };
    this.#file.add({ type: "thread", at: microseconds(at), thread: number, name, ...loop });
  }

  override removeThread({ number, name }: TimelineThread, at: number): void {
    this.#file.add({ type: "thread", at: microseconds(at), thread: number, name, gone: true });
  }

  protected override hasRoom(open: number): boolean {
    this.#file.reserve(open * END_BYTES);
    return this.#file.hasRoom;
  }

  protected override writeBegin(record: TrackRecord, before: Before): void {
    for (const event of beginEvents(record, before)) this.#file.add(event);
  }

  protected override writeEnd(
    connection: number,
    _open: OpenConnection,
    at: number,
    outcome: number | undefined,
  ): void {
    this.#file.addReserved(endEvent(connection, at, outcome));
  }

  protected override writeSpan(record: TrackRecord, isOpen: boolean): void {
    const event = spanEvent(record, this.threads, isOpen);
    if (event !== undefined) this.#file.add(event);
  }

  protected override finish(_at: number, connections: number, spans: number): void {
    this.#file.leaveOut("connections", connections);
    this.#file.leaveOut("spans", spans);
    this.#file[Symbol.dispose]();
  }
}
