/**
 * Connections by descriptor, for a thread that must not block and that has no loop of its own for
 * them: whoever has them lets them look now and then which of them are ready.
 *
 * @module
 */

import { openPoller } from "./poller.ts";
import { ReadyConnection, type ReadyLoop, ReceiveBuffer } from "./ready_connection.ts";
import { type Sockets, sockets } from "./sockets.ts";

/** How many ready descriptors get their turn at a time, so that a flood leaves time for others. */
const BATCH = 64;

/** A few connections, each with its descriptor. */
export class PolledConnections {
  readonly #connections = new Map<number, ReadyConnection>();
  readonly #loop: ReadyLoop;
  /** Counts the turns, so that the next look goes on where the last one ended. */
  #turn = 0;

  /** @param calls the calls that receive, send and close */
  constructor(calls: Sockets = sockets()) {
    this.#loop = {
      sockets: calls,
      // These are plain sockets, so `--trace-calls` does not show this poll: it is no part of a
      // connection's life. And poll(2), unlike epoll, needs no descriptor of its own.
      poller: openPoller("poll", sockets()),
      buffer: new ReceiveBuffer(),
      onClose: (fd) => void this.#connections.delete(fd),
    };
  }

  /** How many are open. */
  get size(): number {
    return this.#connections.size;
  }

  /**
   * Makes a connection.
   *
   * @param fd an accepted socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) filled it in; it is copied
   */
  add(fd: number, sockaddr: Uint8Array): ReadyConnection {
    const connection = new ReadyConnection(fd, sockaddr, this.#loop);
    this.#connections.set(fd, connection);
    return connection;
  }

  /** Lets those go on that are ready now. It never waits. */
  look(): void {
    const { poller } = this.#loop;
    const count = poller.wait(0);
    // What one of them does may change which descriptors are polled.
    const ready = Array.from({ length: Math.min(count, BATCH) }, () => {
      const index = this.#turn++ % count;
      return [poller.fdAt(index), poller.eventsAt(index)] as const;
    });
    for (const [fd, events] of ready) this.#connections.get(fd)?.onReady(events);
  }
}
