/**
 * The events of one server on their way to the others. Talk goes at once. Who comes, goes or takes
 * another name is gathered for a moment if that happens often: a thousand users who come at the
 * same moment need a few packets, not a thousand.
 *
 * @module
 */

import type { BusEvent } from "./bus.ts";

/** How long events are gathered, in milliseconds. */
const GATHER_MS = 50;

/** The most events of one packet. */
export const EVENTS_LIMIT = 64;

/** The events that were not sent yet. */
export class OutgoingEvents {
  readonly #send: (events: readonly BusEvent[]) => void;
  #events: BusEvent[] = [];
  #sentAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param send sends one or more events */
  constructor(send: (events: readonly BusEvent[]) => void) {
    this.#send = send;
  }

  /** Something has happened. */
  add(event: BusEvent): void {
    this.#events.push(event);
    const isTalk = event.kind === "say" || event.kind === "announce";
    const waitMs = this.#sentAt + GATHER_MS - performance.now();
    if (isTalk || waitMs <= 0 || this.#events.length >= EVENTS_LIMIT) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Sends what was gathered, if anything. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    if (events.some(({ kind }) => kind !== "say")) this.#sentAt = performance.now();
    this.#send(events);
  }

  /** Forgets what was gathered. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events = [];
  }
}
