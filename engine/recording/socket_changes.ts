/**
 * Makes events of what has changed between two looks at the kernel's sockets.
 *
 * @module
 */

import type { SocketRow } from "../kernel/sock_diag.ts";
import type { ListenerEvent, SocketEvent } from "./events.ts";
import { listenerEvent, socketEvent } from "./from_kernel.ts";

/** A socket as it was at the last look. */
interface Known {
  readonly event: SocketEvent | ListenerEvent;
  /** What must differ to be told. A timer that runs on, or a new round-trip time, is no news. */
  readonly news: string;
}

/** Remembers sockets by their cookies. */
export class SocketChanges {
  readonly #endOf: (row: SocketRow) => "client" | "server" | undefined;
  #known = new Map<string, Known>();

  /** @param endOf which end of its connection a socket is, if that is known */
  constructor(endOf: (row: SocketRow) => "client" | "server" | undefined = () => undefined) {
    this.#endOf = endOf;
  }

  /**
   * Takes a look.
   *
   * @param rows all sockets that are watched, as they are now
   * @param at when, in microseconds since the recording began
   * @returns an event for each socket that is new or has changed; what is gone is in `CLOSE`
   */
  look(rows: readonly SocketRow[], at: number): (SocketEvent | ListenerEvent)[] {
    const before = this.#known;
    this.#known = new Map();
    const events = this.#note(rows, at, before);
    for (const [cookie, { event }] of before) {
      const isGone = !this.#known.has(cookie) && event.type === "socket";
      if (isGone) events.push(closed(event, at));
    }
    return events;
  }

  /**
   * Takes a look at some of the sockets only: all others are as they were.
   *
   * @param rows these, as they are now @param at when
   * @returns an event for each that is new or has changed
   */
  lookAtSome(rows: readonly SocketRow[], at: number): (SocketEvent | ListenerEvent)[] {
    return this.#note(rows, at, this.#known);
  }

  #note(
    rows: readonly SocketRow[],
    at: number,
    before: ReadonlyMap<string, Known>,
  ): (SocketEvent | ListenerEvent)[] {
    const events: (SocketEvent | ListenerEvent)[] = [];
    for (const row of rows) {
      const event = row.state === "LISTEN"
        ? listenerEvent(row, at)
        : socketEvent(row, at, this.#endOf(row));
      const news = newsIn(event);
      if (before.get(row.cookie)?.news !== news) events.push(event);
      this.#known.set(row.cookie, { event, news });
    }
    return events;
  }
}

function newsIn(event: SocketEvent | ListenerEvent): string {
  if (event.type === "listener") return `${event.waiting} ${event.limit}`;
  const { state, send_queue, receive_queue, timer, retransmissions, waiting } = event;
  return [state, send_queue, receive_queue, timer, retransmissions, waiting].join(" ");
}

/** The kernel's table has no such socket any more. */
function closed({ cookie, local, remote, end }: SocketEvent, at: number): SocketEvent {
  const which = end !== undefined && { end };
  return { type: "socket", at, cookie, local, remote, state: "CLOSE", ...which };
}
