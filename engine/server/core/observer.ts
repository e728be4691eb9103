/**
 * Counts and tells what becomes of each connection, the same way in every mode.
 *
 * @module
 */

import type { Connection } from "../../net/transport.ts";
import type { Address } from "../../../protocols/effects.ts";
import { failureKind } from "../../../protocols/errors.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { CounterBlock } from "./counters.ts";
import { describeError } from "../../values/thrown.ts";
import type { Journal } from "../journal/journal.ts";
import { CUT, DONE, outcomeOf, type TrackWriter } from "../trace/timeline_track.ts";
import { RecordedConnection } from "../trace/timeline_watch.ts";

/** Watches the connections of one thread. */
export class Observer {
  readonly #counters: CounterBlock;
  readonly #journal: Journal;
  readonly #track: TrackWriter | undefined;
  /** Counts only, and so is the same for every connection. */
  readonly #silent: Observation;
  /** To be given to a driver as it is; `undefined` when nobody wants to hear. */
  readonly onReport: ((message: string) => void) | undefined;

  /** @param counters this thread's @param journal this thread's @param track this thread's */
  constructor(counters: CounterBlock, journal: Journal, track?: TrackWriter) {
    this.#counters = counters;
    this.#journal = journal;
    this.#track = track;
    this.#silent = new Observation(counters, undefined, "");
    this.onReport = journal.wantsReports ? (message) => journal.report(message) : undefined;
  }

  /**
   * A connection begins.
   *
   * @param context knows the peer; it is asked only if somebody wants to read it
   * @param transport what stands before the peer's address; nothing for TCP
   * @param more what is known of it where a trace is written
   */
  begin(
    context: { readonly peer: Address },
    transport = "",
    more: ObservedLife = {},
  ): Observation {
    this.#counters.accepted();
    // A sender of datagrams has no life of its own.
    const track = transport === "" ? this.#track : undefined;
    const journal = this.#journal.wantsLog ? this.#journal : undefined;
    if (journal === undefined && track === undefined) return this.#silent;
    const peer = transport + formatAddress(context.peer);
    journal?.log({ level: "info", text: "accepted {peer}", properties: { peer } });
    return track === undefined
      ? new Observation(this.#counters, journal, peer)
      : new RecordedObservation(this.#counters, journal, peer, track, more);
  }

  /**
   * A conversation that began before, perhaps on another thread.
   *
   * @param context knows the peer
   * @param transport as it was given to {@linkcode Observer.begin}
   * @param ageMs how long ago it began, in milliseconds
   */
  resume(context: { readonly peer: Address }, transport: string, ageMs: number): Observation {
    if (!this.#journal.wantsLog) return this.#silent;
    const peer = transport + formatAddress(context.peer);
    return new Observation(this.#counters, this.#journal, peer, performance.now() - ageMs);
  }
}

/** What is known of a connection's life where a trace is written. */
export interface ObservedLife {
  /** Since when it has waited to be served, as the trace has it; 0 if it has not. */
  readonly queuedAt?: number | undefined;
  /** The number of the thread that serves it in the trace, if not this one; 0 for none. */
  readonly servedBy?: number | undefined;
}

/** The server ended the connection, because it is closing. */
export class CutError extends Error {
  override readonly name = "CutError";

  constructor() {
    super("Cut: the server is closing");
  }
}

/** Watches one connection. */
export class Observation {
  /** The connection's number in the trace; 0 where it is in none. */
  readonly id: number = 0;
  readonly #counters: CounterBlock;
  readonly #journal: Journal | undefined;
  readonly #peer: string;
  readonly #startedAt: number;

  /**
   * @param counters counts
   * @param journal tells, if anybody listens
   * @param peer whom of
   * @param startedAt when the conversation began, as `performance.now()` tells it
   */
  constructor(
    counters: CounterBlock,
    journal: Journal | undefined,
    peer: string,
    startedAt = journal === undefined ? 0 : performance.now(),
  ) {
    this.#counters = counters;
    this.#journal = journal;
    this.#peer = peer;
    this.#startedAt = startedAt;
  }

  /**
   * The connection over which an event loop is to hold the conversation.
   *
   * @param connection the real one
   * @returns the same, or one that tells when its conversation runs
   */
  watch(connection: Connection): Connection {
    return connection;
  }

  /** The conversation begins to run on its event loop. */
  enter(): void {}

  /** It waits, or is over. */
  leave(): void {}

  /**
   * The conversation is over. To be called once.
   *
   * @param error what it failed with; `undefined` when it ended as its protocol wants
   */
  over(error: unknown): void {
    if (error === undefined) {
      this.#counters.completed();
      this.#tell("info", "done {peer} in {ms} ms");
    } else if (error instanceof CutError) {
      this.#counters.cut();
      this.#tell("warning", "cut {peer} after {ms} ms: the server is closing");
    } else {
      const kind = failureKind(error);
      this.#counters.failed(kind);
      this.#tell("warning", "failed {peer} after {ms} ms: {kind}: {error}", {
        kind,
        error: describeError(error),
      });
    }
  }

  #tell(level: "info" | "warning", text: string, more?: Record<string, unknown>): void {
    if (this.#journal === undefined) return;
    const ms = Math.round((performance.now() - this.#startedAt) * 10) / 10;
    this.#journal.log({ level, text, properties: { peer: this.#peer, ms, ...more } });
  }
}

/** Watches one connection of a trace. */
class RecordedObservation extends Observation {
  readonly #track: TrackWriter;
  override readonly id: number;

  constructor(
    counters: CounterBlock,
    journal: Journal | undefined,
    peer: string,
    track: TrackWriter,
    { queuedAt, servedBy }: ObservedLife,
  ) {
    super(counters, journal, peer);
    this.#track = track;
    this.id = track.begin(peer, queuedAt, servedBy);
  }

  override watch(connection: Connection): Connection {
    return this.id === 0 ? connection : new RecordedConnection(connection, this.#track, this.id);
  }

  override enter(): void {
    this.#track.enter(this.id);
  }

  override leave(): void {
    this.#track.leave();
  }

  override over(error: unknown): void {
    const isCut = error instanceof CutError;
    this.#track.end(this.id, error === undefined ? DONE : isCut ? CUT : outcomeOf(error));
    super.over(error);
  }
}

/**
 * Tells that no connections are accepted for a while.
 *
 * @param journal whose
 * @param ms how long
 * @param reason why
 */
export function tellWait(journal: Journal, ms: number, reason: string): void {
  const text = "accepting waits {ms} ms: {reason}";
  journal.log({ level: "warning", text, properties: { ms, reason } });
}
