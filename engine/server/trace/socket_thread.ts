/**
 * Watches the sockets of a server for its recording, in a Worker: the kernel may have ten thousand of
 * them to tell about, and the server's own threads must not wait for that.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { DestroyEvents } from "../../kernel/sock_diag.ts";
import type { Event } from "../../recording/events.ts";
import { SOCKETS_THREAD } from "../../workers/thread_names.ts";
import { onAssigned } from "../../workers/worker_side.ts";
import { SocketLooks } from "./socket_looks.ts";

/** The module of this thread. */
export const SOCKETS_THREAD_URL: string = import.meta.url;

/** The first message from the main thread. */
export interface WatchAssignment {
  /** When the recording began, in microseconds since 1970. */
  readonly beganUs: number;
  /** The port of a connection of the server to itself, which is none of its clients; 0 for none. */
  readonly ownPort: Int32Array;
}

/** The other messages from the main thread. */
export type ToWatch =
  /** The server listens. */
  | { readonly kind: "listening"; readonly address: Address }
  /** It has taken a batch. */
  | { readonly kind: "taken" }
  /** It wants the last batch. The server has accepted this many connections. */
  | { readonly kind: "stop"; readonly accepted: number };

/** What the thread has seen since its last message. */
export interface WatchBatch {
  readonly kind: "seen";
  readonly events: readonly Event[];
  /** How many events had no room. */
  readonly leftOut: number;
}

/**
 * How often it asks between two looks how many wait to be accepted and what has ended, in milliseconds.
 * That takes the kernel some microseconds, and a look takes it milliseconds.
 */
const GLANCE_MS = 10;

/** How many events may wait for the main thread. */
const MOST_EVENTS = 4096;

/** Gathers what was seen, until the main thread has taken the last batch. */
class Batches {
  readonly #post: (batch: WatchBatch) => void;
  #events: Event[] = [];
  #leftOut = 0;
  #mayPost = true;

  constructor(post: (batch: WatchBatch) => void) {
    this.#post = post;
  }

  add(events: readonly Event[]): void {
    for (const event of events) {
      if (this.#events.length < MOST_EVENTS) this.#events.push(event);
      else this.#leftOut++;
    }
    this.#send();
  }

  /** The main thread has taken a batch, or takes whatever is left. */
  taken(): void {
    this.#mayPost = true;
    this.#send();
  }

  #send(): void {
    if (!this.#mayPost || this.#events.length === 0) return;
    this.#mayPost = false;
    this.#post({ kind: "seen", events: this.#events, leftOut: this.#leftOut });
    this.#events = [];
    this.#leftOut = 0;
  }
}

onAssigned(SOCKETS_THREAD, async (
  assignment: WatchAssignment,
  post: (batch: WatchBatch) => void,
) => {
  // The server does not listen yet, so the end of none of its connections is missed.
  const events = new DestroyEvents();
  const batches = new Batches(post);
  let looks: SocketLooks | undefined;
  const end = Promise.withResolvers<void>();
  return await Promise.resolve({
    hear(message: ToWatch) {
      if (message.kind === "listening") {
        const { address } = message;
        const onSeen = (seen: readonly Event[]) => batches.add(seen);
        const plan = { ...assignment, address, onSeen, glanceMs: GLANCE_MS };
        looks = new SocketLooks(plan, events);
      } else if (message.kind === "taken") batches.taken();
      else {
        const stopped = Promise.resolve(looks?.stop(message.accepted));
        stopped.then(() => batches.taken()).then(end.resolve, end.reject);
      }
    },
    async play(sayReady: () => void) {
      sayReady();
      await end.promise;
    },
  });
});
