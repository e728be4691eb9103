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
}

/** Wakes the threads that take connections. The one thread that accepts uses it. */
export class Waking {
  readonly #parts: WakingParts;
  readonly #policy: WakePolicy;

  /** @param parts what it needs from its server */
  constructor(parts: WakingParts) {
    this.#parts = parts;
    this.#policy = new WakePolicy(parts.ring, parts.cores);
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
    const { gate, ring } = this.#parts;
    while (ring.length > 0 && this.#canWake && !isOver()) {
      if (gate.full) this.wakeAll();
      if (pause()) return;
      this.#policy.woke(this.#wake(this.#policy.wakeAfterPause()));
    }
  }

  /** Whether there is a thread that can be woken or one that can be started. */
  get #canWake(): boolean {
    return this.#parts.ring.idle > 0 || this.#parts.elastic;
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
