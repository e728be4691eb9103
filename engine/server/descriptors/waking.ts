/**
 * When threads are woken for the connections that wait in the queue: what {@linkcode WakePolicy}
 * decides, done.
 *
 * @module
 */

import type { Gate } from "../team/team_memory.ts";
import type { DescriptorRing } from "./descriptor_ring.ts";
import { WakePolicy } from "./wake_policy.ts";

/** How long a queue that does not move is watched before more threads are woken, in milliseconds. */
export const STALL_MS = 1;

/** What waking needs to know of its server. */
export interface WakingParts {
  /** The queue of connections. */
  readonly ring: DescriptorRing;
  /** Knows how many connections there are, and is asked for more threads. */
  readonly gate: Gate;
  /** How many processors there are. */
  readonly cores: number;
  /** Whether the main thread starts more threads when it is asked to. */
  readonly elastic: boolean;
  /** Tells the main thread that more threads were asked for. */
  askForThreads(): void;
}

/** Wakes the threads that take connections; used by the one thread that accepts. */
export class Waking {
  readonly #parts: WakingParts;
  readonly #policy: WakePolicy;

  /** @param parts what it needs to know */
  constructor(parts: WakingParts) {
    this.#parts = parts;
    this.#policy = new WakePolicy(parts.ring, parts.cores);
  }

  /** A connection was put into the queue: wakes a thread for it, unless a busy one is free soon. */
  queued(): void {
    const { gate, ring } = this.#parts;
    if (this.#policy.isUrgent(gate.open - ring.length)) this.#wake(1);
  }

  /** Wakes every thread, because the one that accepts has nothing else to do for a while. */
  wakeAll(): void {
    this.#wake(Infinity);
  }

  /**
   * Looks after the queue as long as connections wait in it for a busy thread: the accepting thread
   * must not sleep for longer than it takes to see that none of them is getting on.
   *
   * @param pause sleeps for {@linkcode STALL_MS}; returns whether there is something else to do
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

  /** Whether there is a thread to wake, or there could be one to start. */
  get #canWake(): boolean {
    return this.#parts.ring.idle > 0 || this.#parts.elastic;
  }

  /** Wakes threads, and asks for more where all are busy; returns how many it woke. */
  #wake(count: number): number {
    const { ring, gate, elastic } = this.#parts;
    let woken = 0;
    while (woken < count && ring.wakeTaker()) woken++;
    const isShort = elastic && woken < count && ring.length > ring.idle;
    if (isShort && gate.askForHelp(count - woken)) this.#parts.askForThreads();
    return woken;
  }
}
