/**
 * What has happened in a simulation, in the form of a recording: the same events that a server with
 * `--record` writes.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import {
  type Event,
  type Header,
  type ListenerEvent,
  type Outcome,
  roundUs,
  type SocketEvent,
  VERSION,
  VIRTUAL_TIME,
} from "../../engine/recording/events.ts";
import { ConversationError } from "../../protocols/errors.ts";
import type { Conversation } from "./conversation.ts";
import type { End, Last, Listener } from "./network.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** What is to be told of a listener. */
export type ListenerFigures = Required<Pick<ListenerEvent, "cookie" | "waiting" | "limit">>;

/** Collects the events of a simulated server. */
export class History {
  /** The events, in the order in which they became known. */
  readonly events: Event[] = [];
  readonly #time: VirtualTime;
  readonly #numbers = new Map<End, number>();
  /** The cookies of the server's sockets. */
  readonly #sockets = new Map<End, string>();
  readonly #listeners = new Map<Listener, string>();
  #threads = 0;
  #cookies = 0;

  /** @param time the clock */
  constructor(time: VirtualTime) {
    this.#time = time;
  }

  /** The present. */
  get nowUs(): number {
    return roundUs(this.#time.nowUs);
  }

  /** A thread begins. Returns its number. */
  thread(name: string, isLoop: boolean): number {
    const thread = ++this.#threads;
    this.events.push({
      type: "thread",
      at: this.nowUs,
      thread,
      name,
      ...(isLoop && { loop: true }),
    });
    return thread;
  }

  /** The server is told to close. */
  closing(): void {
    this.events.push({ type: "closing", at: this.nowUs });
  }

  /**
   * A line of a chat was said, or has been read.
   *
   * @param atUs when, in microseconds
   * @param line the number of the line, from 1
   * @param member the address of the one who says or hears it
   * @param does which of these
   */
  line(atUs: number, line: number, member: Address, does: "says" | "hears"): void {
    const at = roundUs(atUs);
    this.events.push({ type: "line", at, line, peer: formatAddress(member), does });
  }

  /** A socket is made. Returns its cookie. */
  cookie(): string {
    return String(++this.#cookies);
  }

  /** Notes from now on who waits in a listener's accept queue, and how its connections end. */
  watch(listener: Listener): void {
    const cookie = this.cookie();
    this.#listeners.set(listener, cookie);
    listener.onQueue = (end, isWaiting) => {
      if (isWaiting) end.onEnded = (how, first) => this.ended(end, how, first);
      const { waiting, backlog: limit } = listener;
      this.acceptQueue(end, isWaiting, { cookie, waiting, limit });
    };
  }

  /** A thread begins to accept from a listener, and is the only one that does. */
  accepts(thread: number, listener: Listener): void {
    const cookie = this.#listeners.get(listener);
    if (cookie === undefined) return;
    const local = formatAddress(listener.address);
    const { waiting, backlog: limit } = listener;
    this.events.push({ type: "listener", at: this.nowUs, local, cookie, waiting, limit, thread });
  }

  /** A connection has come into the accept queue, or was taken out of it. */
  acceptQueue(end: End, isWaiting: boolean, listener: ListenerFigures): void {
    if (isWaiting) this.#sockets.set(end, this.cookie());
    // Who was reset in the queue is gone, and is taken out of it all the same.
    if (this.#sockets.has(end)) {
      this.events.push({
        ...this.#socket(end, "ESTABLISHED"),
        ...(isWaiting && { waiting: true }),
      });
    }
    const local = formatAddress(end.local);
    this.events.push({ type: "listener", at: this.nowUs, local, ...listener });
  }

  /** The kernel has done with a connection of the server. */
  ended(end: End, how: Last, first: "local" | "remote"): void {
    const socket = this.#socket(end, "CLOSE");
    const { at, cookie, local, remote } = socket;
    this.#sockets.delete(end);
    this.events.push(socket, {
      type: "connection",
      at,
      cookie,
      local,
      remote,
      opened_by: "remote",
      closed_first: first,
      ended_with: how,
    });
  }

  #socket(end: End, state: "ESTABLISHED" | "CLOSE"): SocketEvent {
    return {
      type: "socket",
      at: this.nowUs,
      cookie: this.#sockets.get(end) as string,
      local: formatAddress(end.local),
      remote: formatAddress(end.remote),
      state,
      end: "server",
    };
  }

  /** The server has taken a connection. */
  begun(end: End): void {
    const connection = this.#numbers.size + 1;
    this.#numbers.set(end, connection);
    const [peer, local] = [formatAddress(end.remote), formatAddress(end.local)];
    this.events.push({ type: "begun", at: this.nowUs, connection, peer, local });
  }

  /** A connection has waited in a queue of the server's own. */
  queued(end: End, fromUs: number): void {
    this.events.push({
      type: "queued",
      at: roundUs(fromUs),
      connection: this.#numberOf(end),
      to: this.nowUs,
    });
  }

  /** A thread begins to serve a connection. */
  served(end: End, thread: number): void {
    this.events.push({ type: "served", at: this.nowUs, connection: this.#numberOf(end), thread });
  }

  /** Something took a span of time. */
  span(
    name: "computing" | "waiting for computing" | "writing" | "turn",
    fromUs: number,
    about: { readonly end?: End; readonly thread?: number; readonly task?: string },
  ): void {
    const { end, thread, task } = about;
    this.events.push({
      type: "span",
      at: roundUs(fromUs),
      to: this.nowUs,
      name,
      ...(thread !== undefined && { thread }),
      ...(end !== undefined && { connection: this.#numberOf(end) }),
      ...(task !== undefined && { task }),
    });
  }

  /**
   * A conversation is over.
   *
   * @param conversation what is known about it
   * @param isCut whether the server has ended it, because it closes
   */
  over(
    { end, error, wasEmpty }: Pick<Conversation, "end" | "error" | "wasEmpty">,
    isCut = false,
  ): void {
    const outcome: Outcome = isCut
      ? "cut"
      : error !== undefined && !wasEmpty
      ? "failed"
      : wasEmpty
      ? "empty"
      : "done";
    const failure = error instanceof ConversationError ? error.kind : undefined;
    this.events.push({
      type: "over",
      at: this.nowUs,
      connection: this.#numberOf(end),
      outcome,
      ...(outcome === "failed" && failure !== undefined && { failure }),
    });
  }

  /**
   * The recording: its first line, then all events in the order of time, then its end.
   *
   * @param by what was simulated
   */
  recording(by: string): readonly (Header | Event)[] {
    const header: Header = {
      type: "recording",
      version: VERSION,
      began_us: 0,
      by,
      runtime: VIRTUAL_TIME,
      os: "none",
    };
    const events = this.events.toSorted((one, other) => one.at - other.at);
    return [header, ...events, { type: "end", at: this.nowUs }];
  }

  #numberOf(end: End): number {
    return this.#numbers.get(end) as number;
  }
}
