/**
 * Connections that were accepted by descriptor, for a thread with the runtime's own event loop.
 *
 * No runtime takes a descriptor that somebody else has accepted. The thread must not block either. So
 * while there are such connections, it looks every few milliseconds which of them are ready. There are
 * only few, and only for a while: those who came through a listener that is about to close.
 *
 * @module
 */

import { PolledConnections } from "../../net/polled_connections.ts";
import type { Connection } from "../../net/transport.ts";

/** How often it looks while there are any, in milliseconds. */
const LOOK_MS = 2;

/** Makes connections from descriptors. */
export class AdoptedSockets {
  readonly #connections = new PolledConnections();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Makes a connection.
   *
   * @param fd an accepted socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) filled it in; it is copied
   */
  adopt(fd: number, sockaddr: Uint8Array): Connection {
    this.#timer ??= setTimeout(this.#look);
    return this.#connections.add(fd, sockaddr);
  }

  readonly #look = (): void => {
    this.#connections.look();
    this.#timer = this.#connections.size > 0 ? setTimeout(this.#look, LOOK_MS) : undefined;
  };
}
