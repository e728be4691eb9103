/**
 * Looks after lingering connections on the main thread: those of a server with blocking threads, and
 * those that a thread has left when it died.
 *
 * The main thread must not block. So while anything lingers, it looks every few milliseconds: it
 * calls poll(2), which returns at once, and then `recv` for each descriptor that is ready. The rule
 * and its code are those of the event-driven modes: see `linger.ts`.
 *
 * @module
 */

import { PolledDeadlines } from "../../drivers/deadlines.ts";
import { LINGER_LIMITS, type LingerLimits } from "../../drivers/limits.ts";
import { LingerSet } from "../../drivers/linger.ts";
import { SOCKADDR_SIZE } from "../../net/address.ts";
import { PolledConnections } from "../../net/polled_connections.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { LingerQueue } from "./linger_queue.ts";

/** How often it looks while anything lingers, in milliseconds. */
const LOOK_MS = 5;

/** Lets the descriptors linger that threads have put into a queue. */
export class DescriptorLingerer {
  readonly #queue: LingerQueue;
  readonly #deadlines = new PolledDeadlines();
  readonly #lingering: LingerSet;
  readonly #calls: Sockets;
  readonly #connections: PolledConnections;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param queue where the descriptors come from
   * @param calls the calls that receive and close
   * @param limits how long they linger, and how many
   */
  constructor(queue: LingerQueue, calls: Sockets, limits: LingerLimits = LINGER_LIMITS) {
    this.#queue = queue;
    // These are descriptors: each knows for itself what its peer has not taken.
    this.#lingering = new LingerSet(this.#deadlines, limits);
    this.#calls = calls;
    this.#connections = new PolledConnections(calls);
  }

  /** How many descriptors linger. */
  get size(): number {
    return this.#lingering.size;
  }

  /**
   * Takes a connection over from a thread that has died. Its peer gets FIN. If the connection were
   * closed at once, a peer that is still sending would get RST.
   *
   * @param fd the descriptor; nobody else uses it any more
   */
  takeOver(fd: number): void {
    const calls = this.#calls;
    const isOpen = calls.shutdown(fd, calls.constants.SHUT_WR) >= 0;
    if (isOpen && this.#queue.put(fd)) this.wake();
    else calls.close(fd);
  }

  /** Takes the descriptors out of the queue, and keeps looking while anything lingers. */
  wake(): void {
    this.#timer ??= setTimeout(this.#look);
  }

  /** Resolves when nothing lingers. The threads must have stopped putting descriptors in. */
  async empty(): Promise<void> {
    this.#collect();
    this.wake();
    await this.#lingering.empty();
    clearTimeout(this.#timer);
  }

  /** Closes all of them at once, and each one that comes later. */
  close(): void {
    this.#lingering.close();
  }

  readonly #look = (): void => {
    this.#collect();
    this.#connections.look();
    this.#deadlines.expire();
    if (this.size > 0) {
      this.#timer = setTimeout(this.#look, LOOK_MS);
      return;
    }
    this.#timer = undefined;
    this.#queue.rest();
    // A descriptor that was put in just before `rest` has woken nobody.
    this.#collect();
    if (this.size > 0) this.wake();
  };

  #collect(): void {
    for (const fd of this.#queue.take()) {
      this.#lingering.add(this.#connections.add(fd, NOBODY));
    }
  }
}

/** An empty address: nobody asks who the peer of a lingering connection is. */
const NOBODY = new Uint8Array(SOCKADDR_SIZE);
