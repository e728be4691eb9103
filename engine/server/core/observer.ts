/**
 * Counts each connection and logs what becomes of it, in the same way in every mode.
 *
 * @module
 */

import { Backoff } from "../../net/backoff.ts";
import type { Connection } from "../../net/transport.ts";
import type { Address } from "../../../protocols/effects.ts";
import { type FailureKind, failureKind } from "../../../protocols/errors.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { CounterBlock } from "./counters.ts";
import { describeWithPlace } from "../../values/places.ts";
import { describeError } from "../../values/thrown.ts";
import type { Journal, LogEvent } from "../journal/journal.ts";
import type { WatchingTrack } from "../trace/timeline_watch.ts";

/** Watches the connections of one thread. */
export class Observer {
  readonly #counters: CounterBlock;
  readonly #journal: Journal;
  readonly #track: WatchingTrack | undefined;
  /** Only counts, so one object serves every connection. */
  readonly #silent: Observation;
  /** Goes to a driver as it is; `undefined` if nobody listens. */
  readonly onReport: ((message: string) => void) | undefined;

  /** @param counters this thread's @param journal this thread's @param track this thread's */
  constructor(counters: CounterBlock, journal: Journal, track?: WatchingTrack) {
    this.#counters = counters;
    this.#journal = journal;
    this.#track = track;
    this.#silent = new Observation(counters, undefined, "");
    this.onReport = journal.wantsReports ? (message) => journal.report(message) : undefined;
  }

  /** A connection waits for its PROXY header. It is no conversation yet. */
  expects(): void {
    this.#counters.expects();
  }

  /** It has come, or will not come any more. */
  expectsNoMore(): void {
    this.#counters.expectsNoMore();
  }

  /**
   * A conversation begins.
   *
   * @param context knows the peer; it is asked only if somebody wants to read the address
   * @param transport a prefix to the peer's address; empty for TCP
   * @param more what else is known about the connection
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
    if (journal !== undefined) tellBeginning(journal, peer, more);
    const { startedAt } = more;
    return track === undefined
      ? new Observation(this.#counters, journal, peer, startedAt)
      : new RecordedObservation(this.#counters, journal, peer, track, more);
  }

  /**
   * Continues a conversation that began earlier, perhaps on another thread.
   *
   * @param context knows the peer
   * @param transport the same prefix as in {@linkcode Observer.begin}
   * @param ageMs how long ago it began, in milliseconds
   */
  resume(context: { readonly peer: Address }, transport: string, ageMs: number): Observation {
    if (!this.#journal.wantsLog) return this.#silent;
    const peer = transport + formatAddress(context.peer);
    return new Observation(this.#counters, this.#journal, peer, performance.now() - ageMs);
  }
}

/**
 * A wait for service is told if it is longer than this, in milliseconds. For so long a connection may
 * be left to busy threads on purpose (`wake_policy.ts`), and whoever sleeps has been woken by then.
 */
const SHORT_WAIT_MS = 10;

/** Logs that a conversation begins. The line of its end counts from here, so this one tells the wait. */
function tellBeginning(
  journal: Journal,
  peer: string,
  { through, waitedMs = 0 }: ObservedLife,
): void {
  const hasWaited = waitedMs > SHORT_WAIT_MS;
  const text = `accepted {peer}${through === undefined ? "" : " through {proxy}"}${
    hasWaited ? ", waited {waited_ms} ms to be served" : ""
  }`;
  const properties = {
    peer,
    ...(through !== undefined && { proxy: formatAddress(through) }),
    ...(hasWaited && { waited_ms: Math.round(waitedMs) }),
  };
  journal.log({ level: "info", text, properties });
}

/** What is known about a connection's life besides its peer. */
export interface ObservedLife {
  /** The proxy that it comes through, if that has named the peer. */
  readonly through?: Address | undefined;
  /**
   * From when its end counts, in the time of `performance.now()`, if that is before its conversation.
   * A wait to be served comes before it, or is left out: who has such a wait adds it.
   */
  readonly startedAt?: number | undefined;
  /**
   * For how long it has waited to be served, in milliseconds: since it was accepted, or for a process
   * since it began to need one.
   *
   * @default {0}
   */
  readonly waitedMs?: number | undefined;
  /** Since when it has waited for service, on the trace's clock; 0 if it has not waited. */
  readonly queuedAt?: number | undefined;
  /** The trace's number of the thread that serves it, if it is not this one; 0 for none. */
  readonly servedBy?: number | undefined;
  /**
   * The descriptor of its socket, if nothing was sent on it yet: then the kernel tells for how long it
   * has had the connection.
   */
  readonly fd?: number | undefined;
}

/** The server ended the connection because it is closing. */
export class CutError extends Error {
  override readonly name = "CutError";

  constructor() {
    super("Cut: the server is closing");
  }
}

/** Watches one connection. */
export class Observation {
  /** The connection's number in the trace; 0 if it is in no trace. */
  readonly id: number = 0;
  readonly #counters: CounterBlock;
  readonly #journal: Journal | undefined;
  readonly #peer: string;
  readonly #startedAt: number;

  /**
   * @param counters counts the outcome
   * @param journal logs the outcome, if anybody reads the log
   * @param peer the peer in the log
   * @param startedAt when the conversation began, in the time of `performance.now()`
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
   * Gives the connection on which an event loop holds the conversation.
   *
   * @param connection the real connection
   * @returns the same connection, or one that records when its conversation runs
   */
  watch(connection: Connection): Connection {
    return connection;
  }

  /** The conversation begins to run on its event loop. */
  enter(): void {}

  /** It waits or is over. */
  leave(): void {}

  /**
   * The conversation is over. It must be called exactly once.
   *
   * @param error the failure; `undefined` if the conversation ended as its protocol intends
   * @param wasEmpty whether the peer ended the connection before it had sent a byte
   */
  over(error: unknown, wasEmpty = false): void {
    if (wasEmpty && isDeparture(error)) {
      this.#counters.empty();
      this.#tell("info", "empty {peer} after {ms} ms: it has sent nothing");
    } else if (error === undefined) {
      this.#counters.completed();
      this.#tell("info", "done {peer} in {ms} ms");
    } else if (error instanceof CutError) {
      this.#counters.cut();
      this.#tell("warning", "cut {peer} after {ms} ms: the server is closing");
    } else {
      const kind = failureKind(error);
      this.#counters.failed(kind);
      this.#tellFailure(kind, error);
    }
  }

  /**
   * The connection is over, and was none: a proxy has only looked whether the server is there. It is
   * called in place of {@linkcode Observation.over}.
   */
  wasCheck(): void {
    this.#counters.empty();
    this.#tell("info", "empty {peer} after {ms} ms: its proxy speaks for itself (LOCAL)");
  }

  /**
   * What a peer does wrong is a warning. What no protocol has a name for is its mistake or ours, and
   * whoever mends it wants to know where it is. It is the one line of this conversation all the same.
   */
  #tellFailure(kind: FailureKind, error: unknown): void {
    if (this.#journal === undefined) return;
    const isMistake = kind === "other";
    this.#tell(isMistake ? "error" : "warning", "failed {peer} after {ms} ms: {kind}: {error}", {
      kind,
      error: isMistake ? describeWithPlace(error) : describeError(error),
    });
  }

  #tell(level: LogEvent["level"], text: string, more?: Record<string, unknown>): void {
    if (this.#journal === undefined) return;
    const ms = Math.round((performance.now() - this.#startedAt) * 10) / 10;
    this.#journal.log({ level, text, properties: { peer: this.#peer, ms, ...more } });
  }
}

/** Whether a conversation ended because its peer left. */
function isDeparture(error: unknown): boolean {
  return error === undefined || failureKind(error) === "peer gone";
}

/** Watches one connection and records it in the trace. */
class RecordedObservation extends Observation {
  readonly #track: WatchingTrack;
  override readonly id: number;

  constructor(
    counters: CounterBlock,
    journal: Journal | undefined,
    peer: string,
    track: WatchingTrack,
    { queuedAt, servedBy, startedAt, through, fd }: ObservedLife,
  ) {
    super(counters, journal, peer, startedAt);
    this.#track = track;
    const openForMs = fd === undefined ? undefined : track.openForMs(fd);
    // The kernel's sockets, to which a recording joins connections, know the proxy.
    this.id = through === undefined
      ? track.begin(peer, queuedAt, servedBy, undefined, openForMs)
      : track.begin(formatAddress(through), queuedAt, servedBy, peer, openForMs);
  }

  override watch(connection: Connection): Connection {
    return this.id === 0 ? connection : this.#track.watchConnection(connection, this.id);
  }

  override enter(): void {
    this.#track.enter(this.id);
  }

  override leave(): void {
    this.#track.leave();
  }

  override over(error: unknown, wasEmpty = false): void {
    const isEmpty = wasEmpty && isDeparture(error);
    this.#track.endOf(this.id, error, isEmpty ? "empty" : error instanceof CutError ? "cut" : "");
    super.over(error, wasEmpty);
  }

  override wasCheck(): void {
    this.#track.endOf(this.id, undefined, "empty");
    super.wasCheck();
  }
}

/**
 * Logs that no connections are accepted for a while.
 *
 * @param journal the journal to log in
 * @param ms how long, in milliseconds
 * @param reason the reason
 */
export function tellWait(journal: Journal, ms: number, reason: string): void {
  const text = "accepting waits {ms} ms: {reason}";
  journal.log({ level: "warning", text, properties: { ms, reason } });
}

/**
 * Logs that connections are refused. Many may be refused in a moment, so there is a line for the
 * first, and then one after a pause that is twice as long each time.
 *
 * @param journal the journal to log in
 * @returns a function to call for each of them, with the reason
 */
export function tellRefusals(journal: Journal): (reason: string) => void {
  const pauses = new Backoff();
  let count = 0;
  let nextAt = 0;
  return (reason) => {
    count++;
    const now = performance.now();
    if (now < nextAt) return;
    // Nobody was refused for a while: this is another flood.
    if (now > nextAt + CALM_MS) pauses.reset();
    nextAt = now + pauses.next();
    const text = "refused {count} more: {reason}";
    journal.log({ level: "warning", text, properties: { count, reason } });
    count = 0;
  };
}

/** After how long without a refusal the next one is told at once, in milliseconds. */
const CALM_MS = 5_000;
