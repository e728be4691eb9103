/**
 * The connections of blocking threads that linger: all of a server's, on its main thread.
 *
 * The main thread must not block. So it looks every few milliseconds, and only while something
 * lingers: with poll(2), which returns at once, and with a `recv` for each descriptor that is
 * ready. The rule itself is that of the event-driven modes, and so is the code: see `linger.ts`.
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

/** How often it looks while something lingers, in milliseconds. */
const LOOK_MS = 5;

/** How many descriptors it reads from at a time, so that a flood leaves time for everything else. */
const BATCH = 64;

/** Has descriptors linger that threads have put into a queue. */
export class DescriptorLingerer {
  readonly #queue: LingerQueue;
  readonly #deadlines = new PolledDeadlines();
  readonly #lingering: LingerSet;
  readonly #connections = new Map<number, ReadyConnection>();
  readonly #loop: ReadyLoop;
  /** Where in what is ready the last look has ended. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param queue where descriptors come from
   * @param calls how to receive and close
   * @param limits how they linger
   */
  constructor(queue: LingerQueue, calls: Sockets, limits: LingerLimits = LINGER_LIMITS) {
    this.#queue = queue;
    this.#lingering = new LingerSet(this.#deadlines, limits);
    this.#loop = {
      sockets: calls,
      // To look is no part of a connection's life: where calls are shown, this one is not. And
      // poll(2) needs no descriptor of its own.
      poller: openPoller("poll", sockets()),
      buffer: new ReceiveBuffer(),
      onClose: (fd) => void this.#connections.delete(fd),
    };
  }

  /** How many descriptors linger. */
  get size(): number {
    return this.#lingering.size;
  }

  /** Takes what is in the queue, and looks again as long as anything lingers. */
  wake(): void {
    this.#timer ??= setTimeout(this.#look);
  }

  /** Resolves when nothing lingers. No thread may put anything in any more. */
  async empty(): Promise<void> {
    this.#collect();
    this.wake();
    await this.#lingering.empty();
    clearTimeout(this.#timer);
  }

  /** Closes all, and from now on each that comes. */
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
    // What was put in just before has told nobody.
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

/** Nobody asks any more who the peer is. */
const NOBODY = new Uint8Array(SOCKADDR_SIZE);
