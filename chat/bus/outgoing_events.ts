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

/** How many packets go at once in that time. Only what comes beyond them is gathered. */
const AT_ONCE = 16;

/** The most events of one packet. */
export const EVENTS_LIMIT = 64;

/** The events that were not sent yet. */
export class OutgoingEvents {
  readonly #send: (events: readonly BusEvent[]) => void;
  #events: BusEvent[] = [];
  /** When the time began in which packets are counted, and how many there were. */
  #since = -Infinity;
  #packets = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param send sends one or more events */
  constructor(send: (events: readonly BusEvent[]) => void) {
    this.#send = send;
  }

  /** Something has happened. */
  add(event: BusEvent): void {
    this.#events.push(event);
    const isTalk = event.kind === "say" || event.kind === "announce";
    if (isTalk || this.#events.length >= EVENTS_LIMIT || this.#mayGoAtOnce()) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  /** Sends what was gathered, if anything. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#events.length === 0) return;
    const events = this.#events;
    this.#events = [];
    this.#send(events);
  }

  #mayGoAtOnce(): boolean {
    // What came before it is still waiting.
    if (this.#timer !== undefined) return false;
    const now = performance.now();
    if (now - this.#since > GATHER_MS) {
      this.#since = now;
      this.#packets = 0;
    }
    return ++this.#packets <= AT_ONCE;
  }

  /** Forgets what was gathered. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#events = [];
  }
}
