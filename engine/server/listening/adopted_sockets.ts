/**
 * Connections that were accepted by descriptor, for a thread with the runtime's own event loop.
 *
 * No runtime takes a descriptor that somebody else has accepted. The thread must not block either. So
 * while there are such connections, it looks every few milliseconds which of them are ready, as
 * `lingerer.ts` does. There are only few, and only for a while: those who came through a listener
 * that is about to close.
 *
 * @module
 */

import { openPoller } from "../../net/poller.ts";
import { ReadyConnection, type ReadyLoop, ReceiveBuffer } from "../../net/ready_connection.ts";
import { sockets } from "../../net/sockets.ts";
import type { Connection } from "../../net/transport.ts";

/** How often it looks while there are any, in milliseconds. */
const LOOK_MS = 2;

/** How many ready descriptors get their turn at a time, so that others have theirs too. */
const BATCH = 64;

/** Makes connections from descriptors. */
export class AdoptedSockets {
  readonly #connections = new Map<number, ReadyConnection>();
  readonly #loop: ReadyLoop = {
    sockets: sockets(),
    // poll(2), unlike epoll, needs no descriptor of its own.
    poller: openPoller("poll", sockets()),
    buffer: new ReceiveBuffer(),
    onClose: (fd) => void this.#connections.delete(fd),
  };
  /** Counts the turns, so that the next look goes on where the last one ended. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes a connection.
   *
   * @param fd an accepted socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) filled it in; it is copied
   */
  adopt(fd: number, sockaddr: Uint8Array): Connection {
    const connection = new ReadyConnection(fd, sockaddr, this.#loop);
    this.#connections.set(fd, connection);
    this.#timer ??= setTimeout(this.#look);
    return connection;
  }

  readonly #look = (): void => {
    const { poller } = this.#loop;
    const count = poller.wait(0);
    const ready = Array.from({ length: Math.min(count, BATCH) }, () => {
      const index = this.#turn++ % count;
      return [poller.fdAt(index), poller.eventsAt(index)] as const;
    });
    for (const [fd, events] of ready) this.#connections.get(fd)?.onReady(events);
    this.#timer = this.#connections.size > 0 ? setTimeout(this.#look, LOOK_MS) : undefined;
  };
}
