/**
 * Makes events of recordings out of the records of a server's threads.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import { withoutZone } from "../../net/address.ts";
import type {
  BegunEvent,
  ListenerEvent,
  Outcome,
  OverEvent,
  QueuedEvent,
  ServedEvent,
  SpanEvent,
} from "../../recording/events.ts";
import type { Before } from "./foreword.ts";
import type { OwnListener } from "./live_feed.ts";
import { microseconds, type TimelineThread } from "./timeline_sink.ts";
import { describeOutcome, RECORD, type TrackRecord } from "./timeline_track.ts";

/** What a recorded conversation spends its time on. */
const SPANS: { readonly [kind: number]: SpanEvent["name"] } = {
  [RECORD.computing]: "computing",
  [RECORD.waiting]: "waiting for computing",
  [RECORD.writing]: "writing",
  [RECORD.turns]: "turns",
  [RECORD.task]: "computing",
};

/** How a connection begins: the part of a record that says so. */
export type Beginning = Pick<TrackRecord, "id" | "from" | "to" | "value" | "text">;

/**
 * The events of a connection that begins to be served, or is refused.
 *
 * @param record its beginning
 * @param before what is known of it besides
 */
export function beginEvents(
  { id: connection, from: came, to: taken, value: thread, text }: Beginning,
  { client, connected }: Before = {},
): [BegunEvent, ...(QueuedEvent | ServedEvent)[]] {
  // As the kernel's sockets have it, which it is joined to.
  const peer = withoutZone(text);
  const from = microseconds(came);
  const to = microseconds(taken);
  const more = {
    ...(client !== undefined && { client }),
    ...(connected !== undefined && { connected: microseconds(connected) }),
  };
  return [
    { type: "begun", at: from, connection, peer, ...more },
    ...(came < taken ? [{ type: "queued" as const, at: from, to, connection }] : []),
    ...(thread !== 0 ? [{ type: "served" as const, at: to, connection, thread }] : []),
  ];
}

/**
 * The event that says who accepts from a listener.
 *
 * @param listener the listener
 * @param at when that is told, in microseconds
 */
export function acceptsEvent({ thread, cookie, address }: OwnListener, at: number): ListenerEvent {
  return { type: "listener", at, local: withoutZone(formatAddress(address)), cookie, thread };
}

/**
 * The event of a connection that is over.
 *
 * @param connection its number
 * @param at when, in milliseconds since the beginning
 * @param outcome how it ended; `undefined` if that is not known
 */
export function endEvent(connection: number, at: number, outcome: number | undefined): OverEvent {
  const how = outcome === undefined
    ? { outcome: "unknown" as const }
    : describeOutcome(outcome) as { readonly outcome: Outcome; readonly failure?: string };
  return { type: "over", at: microseconds(at), connection, ...how };
}

/**
 * The event of what took a span of time.
 *
 * @param record the span
 * @param threads the threads by number
 * @param isOpen whether its connection is known
 * @returns `undefined` if it belongs to nobody
 */
export function spanEvent(
  record: TrackRecord,
  threads: ReadonlyMap<number, Pick<TimelineThread, "isLoop">>,
  isOpen: boolean,
): SpanEvent | undefined {
  const { thread, kind, id, value, text: task } = record;
  const name = SPANS[kind];
  if (name === undefined) return undefined;
  // A loop serves other connections while one waits to write.
  const isIdle = kind === RECORD.waiting ||
    kind === RECORD.writing && threads.get(thread)?.isLoop === true;
  if (isIdle && !isOpen) return undefined;
  return {
    type: "span",
    at: microseconds(record.from),
    to: microseconds(record.to),
    name: kind === RECORD.turns && value === 1 ? "turn" : name,
    ...(!isIdle && { thread }),
    ...(id !== 0 && { connection: id }),
    ...(task !== "" && { task }),
    ...(kind === RECORD.turns && value !== 1 && { count: value }),
  };
}
