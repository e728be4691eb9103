/**
 * Wakes threads for the connections that wait in the queue, as {@linkcode WakePolicy} decides.
 *
 * @module
 */

import type { Gate } from "../team/team_memory.ts";
import type { DescriptorRing } from "./descriptor_ring.ts";
import { WakePolicy } from "./wake_policy.ts";

/** How often a queue with connections in it is looked at, in milliseconds. */
export const STALL_MS = 1;

/** What {@linkcode Waking} needs from its server. */
export interface WakingParts {
  /** The queue of connections. */
  readonly ring: DescriptorRing;
  /** Knows how many connections there are, and passes on requests for more threads. */
  readonly gate: Gate;
  /** How many processors there are. */
  readonly cores: number;
  /** Whether the main thread starts more threads on request. */
  readonly elastic: boolean;
  /** Tells the main thread that more threads are requested. */
  askForThreads(): void;
  /** Tells the time, in milliseconds. @default {performance.now} */
  readonly clock?: () => number;
}

/** How {@linkcode Waking.accept} accepts. */
export interface Accepting {
  /** Whether the listener does not wait, so that it may be asked at any time. */
  readonly mayAsk: boolean;
  /** Accepts a connection: the descriptor, or the negated error number. */
  accept(): number;
  /** Waits until there is a connection. Returns whether there is one. */
  wait(): boolean;
  /** Waits for {@linkcode STALL_MS} at most. Returns whether there is a connection. */
  pause(): boolean;
  /** Whether the server is closing. */
  isOver(): boolean;
  /** What `accept` returns when there is none: the negated `EAGAIN`. */
  readonly again: number;
}

/** Wakes the threads that take connections. The one thread that accepts uses it. */
export class Waking {
  readonly #parts: WakingParts;
  readonly #policy: WakePolicy;

  /** @param parts what it needs from its server */
  constructor(parts: WakingParts) {
    this.#parts = parts;
    this.#policy = new WakePolicy(parts.ring, parts.cores, parts.clock);
  }

  /** Wakes a thread for a connection that was just queued, unless a busy one will be free soon. */
  queued(): void {
    const { gate, ring } = this.#parts;
    if (this.#policy.isUrgent(gate.open - ring.length)) this.#wake(1);
  }

  /** Wakes every idle thread, because the accepting thread will not look after them for a while. */
  wakeAll(): void {
    this.#wake(Infinity);
  }

  /**
   * Watches the queue while connections wait in it for a busy thread. So the accepting thread never
   * sleeps for so long that it overlooks a queue that stands still.
   *
   * @param pause sleeps for {@linkcode STALL_MS}, and returns whether there is something else to do
   * @param isOver whether the server is closing
   */
  watchQueue(pause: () => boolean, isOver: () => boolean): void {
    const { gate } = this.#parts;
    while (this.mustWatch && !isOver()) {
      if (gate.full) this.wakeAll();
      if (pause()) return;
      this.#policy.woke(this.#wake(this.#policy.wakeAfterPause()));
    }
  }

  /**
   * Whether connections wait for a busy thread while another one could be woken or started. Then nobody
   * but the accepting thread looks after them, and it may not sleep for longer than a pause.
   */
  get mustWatch(): boolean {
    const { ring, elastic } = this.#parts;
    return ring.length > 0 && (ring.idle > 0 || elastic);
  }

  /**
   * Accepts a connection, and waits for one if there is none. While the queue has to be watched, it
   * waits for a pause only: a connection that was there may be gone when it is accepted, to another
   * process that has the same listener, and the next one may not come for hours. Where the listener
   * blocks and nothing bounds `accept`, it waits for that one all the same.
   *
   * @param parts how connections come, and whether it is over
   * @returns the descriptor or the negated error number; `EAGAIN` if the queue has to be watched, or if
   * it is over
   */
  accept({ mayAsk, accept, wait, pause, isOver, again }: Accepting): number {
    let result = mayAsk ? accept() : again;
    while (result === again && !isOver()) {
      const mustWatch = this.mustWatch;
      if (mustWatch ? pause() : wait()) result = accept();
      if (mustWatch) break;
    }
    return result;
  }

  /** Wakes threads, and asks for more if all are busy. Returns how many it woke. */
  #wake(count: number): number {
    const { ring, gate, elastic } = this.#parts;
    let woken = 0;
    // In an empty queue there is nothing to wake for: a thread that finds none falls asleep again
    // while this loop still wakes others, and would be woken again and again.
    while (woken < count && ring.length > 0 && ring.wakeTaker()) woken++;
    const isShort = elastic && woken < count && ring.length > ring.idle;
    if (isShort && gate.askForThreads(count - woken)) this.#parts.askForThreads();
    return woken;
  }
}
