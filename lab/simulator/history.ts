/**
 * What has happened in a simulation, in the form of a recording: the same events that a server with
 * `--record` writes.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import {
  type Event,
  type Header,
  type Outcome,
  roundUs,
  VERSION,
} from "../../engine/recording/events.ts";
import { ConversationError } from "../../protocols/errors.ts";
import type { Conversation } from "./conversation.ts";
import type { End } from "./network.ts";
import type { VirtualTime } from "./virtual_time.ts";

/** Collects the events of a simulated server. */
export class History {
  /** The events, in the order in which they became known. */
  readonly events: Event[] = [];
  readonly #time: VirtualTime;
  readonly #numbers = new Map<End, number>();
  readonly #waiting = new Map<End, string>();
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

  /** A connection has come into the accept queue, or was taken out of it. */
  acceptQueue(local: End, isWaiting: boolean, waiting: number, limit: number): void {
    const { nowUs: at } = this;
    const cookie = this.#waiting.get(local) ?? String(++this.#cookies);
    this.#waiting.set(local, cookie);
    this.events.push({
      type: "socket",
      at,
      cookie,
      local: formatAddress(local.local),
      remote: formatAddress(local.remote),
      state: "ESTABLISHED",
      end: "server",
      ...(isWaiting && { waiting: true }),
    }, { type: "listener", at, local: formatAddress(local.local), waiting, limit });
    if (!isWaiting) this.#waiting.delete(local);
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

  /** A conversation is over. */
  over({ end, error, wasEmpty }: Conversation): void {
    const outcome: Outcome = error !== undefined && !wasEmpty
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
      runtime: "virtual time",
      os: "none",
    };
    const events = this.events.toSorted((one, other) => one.at - other.at);
    return [header, ...events, { type: "end", at: this.nowUs }];
  }

  #numberOf(end: End): number {
    return this.#numbers.get(end) as number;
  }
}
