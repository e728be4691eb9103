/**
 * Writes the records of a server's threads into a recording, for `--record`.
 *
 * @module
 */

import { withoutZone } from "../../net/address.ts";
import type { Outcome, SpanEvent } from "../../recording/events.ts";
import type { RecordingFile } from "../../recording/recording_file.ts";
import type { Journal } from "../journal/journal.ts";
import {
  microseconds,
  type OpenConnection,
  TimelineSink,
  type TimelineThread,
} from "./timeline_sink.ts";
import { describeOutcome, RECORD, type TrackRecord } from "./timeline_track.ts";

/** The room that the end of a connection needs in the file at most, in bytes. */
const END_BYTES = 160;

/** What a recorded conversation spends its time on. */
const SPANS: { readonly [kind: number]: SpanEvent["name"] } = {
  [RECORD.computing]: "computing",
  [RECORD.waiting]: "waiting for computing",
  [RECORD.writing]: "writing",
  [RECORD.turns]: "turns",
  [RECORD.task]: "computing",
};

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

  protected override writeBegin(record: TrackRecord, client?: string): void {
    const { id: connection, value: thread, text } = record;
    // As the kernel's sockets have it, which it is joined to.
    const peer = withoutZone(text);
    const from = microseconds(record.from);
    const to = microseconds(record.to);
    const named = client !== undefined && { client };
    this.#file.add({ type: "begun", at: from, connection, peer, ...named });
    if (record.from < record.to) this.#file.add({ type: "queued", at: from, to, connection });
    if (thread !== 0) this.#file.add({ type: "served", at: to, connection, thread });
  }

  protected override writeEnd(
    connection: number,
    _open: OpenConnection,
    at: number,
    outcome: number | undefined,
  ): void {
    const how = outcome === undefined
      ? { outcome: "unknown" as const }
      : describeOutcome(outcome) as { readonly outcome: Outcome; readonly failure?: string };
    this.#file.addReserved({ type: "over", at: microseconds(at), connection, ...how });
  }

  protected override writeSpan(record: TrackRecord, isOpen: boolean): void {
    const { thread, kind, id, value, text: task } = record;
    const name = SPANS[kind];
    if (name === undefined) return;
    // A loop serves other connections while one waits to write.
    const isIdle = kind === RECORD.waiting ||
      kind === RECORD.writing && this.threads.get(thread)?.isLoop;
    if (isIdle && !isOpen) return;
    this.#file.add({
      type: "span",
      at: microseconds(record.from),
      to: microseconds(record.to),
      name: kind === RECORD.turns && value === 1 ? "turn" : name,
      ...(!isIdle && { thread }),
      ...(id !== 0 && { connection: id }),
      ...(task !== "" && { task }),
      ...(kind === RECORD.turns && value !== 1 && { count: value }),
    });
  }

  protected override finish(_at: number, connections: number, spans: number): void {
    this.#file.leaveOut("connections", connections);
    this.#file.leaveOut("spans", spans);
    this.#file[Symbol.dispose]();
  }
}
