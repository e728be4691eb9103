/**
 * What a reader knows to be there, by the lines that it was told.
 *
 * @module
 */

import type {
  DoingEvent,
  Event,
  Header,
  SocketEvent,
  ThreadEvent,
} from "../../recording/events.ts";

/** A line of a recording. */
export type Line = Header | Event;

/** What a reader knows to be there. */
export interface Known {
  /** Connections, by their numbers. */
  readonly connections: ReadonlySet<number>;
  /** Sockets, by their cookies. */
  readonly sockets: ReadonlyMap<string, SocketEvent>;
  /** Threads, by their numbers. */
  readonly threads: ReadonlyMap<number, ThreadEvent>;
  /** What goes on, by {@linkcode whoseDoing}. */
  readonly doings: ReadonlyMap<string, DoingEvent>;
}

/** Whose doing an event tells of. What is told next of the same takes its place. */
export function whoseDoing({ thread, connection, peer }: DoingEvent): string {
  if (thread !== undefined) return `thread ${thread}`;
  return connection === undefined ? `peer ${peer}` : `connection ${connection}`;
}

/** The event that something does not go on any more. @param doing it @param at when */
export function overDoing({ thread, connection, peer }: DoingEvent, at: number): DoingEvent {
  if (thread !== undefined) return { type: "doing", at, thread };
  if (connection !== undefined) return { type: "doing", at, connection };
  return { type: "doing", at, ...(peer !== undefined && { peer }) };
}

/** What somebody knows who is told line after line. At first that is nothing. */
export class Knowledge implements Known {
  readonly connections = new Set<number>();
  readonly sockets = new Map<string, SocketEvent>();
  readonly threads = new Map<number, ThreadEvent>();
  readonly doings = new Map<string, DoingEvent>();

  /** Takes note of a line. */
  learn(line: Line): void {
    switch (line.type) {
      case "begun":
        this.connections.add(line.connection);
        return;
      case "over":
        this.connections.delete(line.connection);
        this.doings.delete(`connection ${line.connection}`);
        return;
      case "socket":
        if (line.state === "CLOSE") this.sockets.delete(line.cookie);
        else this.sockets.set(line.cookie, line);
        return;
      case "thread":
        if (line.gone !== true) this.threads.set(line.thread, line);
        else {
          this.threads.delete(line.thread);
          this.doings.delete(`thread ${line.thread}`);
        }
        return;
      case "doing":
        if (line.what === undefined) this.doings.delete(whoseDoing(line));
        else this.doings.set(whoseDoing(line), line);
    }
  }
}
