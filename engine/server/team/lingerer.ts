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
import { openPoller } from "../../net/poller.ts";
import { ReadyConnection, type ReadyLoop, ReceiveBuffer } from "../../net/ready_connection.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import type { LingerQueue } from "./linger_queue.ts";

/** How often it looks while anything lingers, in milliseconds. */
const LOOK_MS = 5;

/**
 * How many descriptors it reads from at a time, so that a flood leaves time for everything else.
 */
const BATCH = 64;

/** Lets the descriptors linger that threads have put into a queue. */
export class DescriptorLingerer {
  readonly #queue: LingerQueue;
  readonly #deadlines = new PolledDeadlines();
  readonly #lingering: LingerSet;
  readonly #connections = new Map<number, ReadyConnection>();
  readonly #loop: ReadyLoop;
  /**
   * Counts the ready descriptors it has read from, so that the next look goes on where this ends.
   */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param queue where the descriptors come from
   * @param calls the calls that receive and close
   * @param limits how long they linger, and how many
   */
  constructor(queue: LingerQueue, calls: Sockets, limits: LingerLimits = LINGER_LIMITS) {
    this.#queue = queue;
    this.#lingering = new LingerSet(this.#deadlines, limits);
    this.#loop = {
      sockets: calls,
      // These are plain sockets, so `--trace-calls` does not show this poll: it is no part of a
      // connection's life. And poll(2), unlike epoll, needs no descriptor of its own.
      poller: openPoller("poll", sockets()),
      buffer: new ReceiveBuffer(),
      onClose: (fd) => void this.#connections.delete(fd),
    };
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
    const { sockets } = this.#loop;
    const isOpen = sockets.shutdown(fd, sockets.constants.SHUT_WR) >= 0;
    if (isOpen && this.#queue.put(fd)) this.wake();
    else sockets.close(fd);
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
    this.#receive();
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
      const connection = new ReadyConnection(fd, NOBODY, this.#loop);
      this.#connections.set(fd, connection);
      this.#lingering.add(connection);
    }
  }

  #receive(): void {
    const { poller } = this.#loop;
    const count = poller.wait(0);
    for (let left = Math.min(count, BATCH); left > 0; left--) {
      const index = this.#turn++ % count;
      this.#connections.get(poller.fdAt(index))?.onReady(poller.eventsAt(index));
    }
  }
}

/** An empty address: nobody asks who the peer of a lingering connection is. */
const NOBODY = new Uint8Array(SOCKADDR_SIZE);
