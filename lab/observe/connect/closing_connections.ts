/**
 * Connections that this end has closed, until the other end has closed too.
 *
 * Bytes that nobody has read, or that come when the descriptor is gone, turn a FIN into a RST
 * (RFC 1122, section 4.2.2.13), and servers log that. So what comes is read, for a moment.
 *
 * @module
 */

import { PollSet } from "../../../engine/net/poll_sets.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";

/** How long a closed connection waits for the peer's FIN, in milliseconds. */
const CLOSE_MS = 250;

/** How many connections may wait for that at a time. */
const MOST_CLOSING = 64;

/** How many bytes are read from a connection while it closes. */
const MOST_DISCARDED = 1024 * 1024;

interface Closing {
  readonly fd: number;
  readonly until: number;
  discarded: number;
}

/** The connections that are closing. */
export class ClosingConnections {
  readonly #net: Sockets;
  readonly #buffer = new Uint8Array(16 * 1024);
  #closing: Closing[] = [];

  /** @param net the calls */
  constructor(net: Sockets) {
    this.#net = net;
  }

  /**
   * Closes a connection.
   *
   * @param fd its descriptor, which must not be used any more
   * @param rst whether to send a RST and not a FIN
   */
  close(fd: number, rst: boolean): void {
    if (rst) return this.#net.closeWithReset(fd);
    if (this.#net.shutdown(fd, this.#net.constants.SHUT_WR) < 0) return this.#net.close(fd);
    this.#closing.push({ fd, until: performance.now() + CLOSE_MS, discarded: 0 });
    this.drain(0);
    if (this.#closing.length > MOST_CLOSING) this.#net.close(this.#closing.shift()!.fd);
  }

  /**
   * Reads what has come, and gives the descriptors back over which nothing more will come.
   *
   * @param waitMs how long to wait for something, in milliseconds
   */
  drain(waitMs: number): void {
    if (this.#closing.length === 0) return;
    const set = new PollSet(this.#closing.length);
    this.#closing.forEach(({ fd }, index) => set.watch(index, fd, this.#net.constants.POLLIN));
    const endsFirst = Math.min(...this.#closing.map(({ until }) => until)) - performance.now();
    this.#net.pollFine(set, Math.max(0, Math.min(waitMs, endsFirst)));
    const now = performance.now();
    this.#closing = this.#closing.filter((closing, index) => {
      const isOver = (set.eventsAt(index) !== 0 && this.#discard(closing)) || now >= closing.until;
      if (isOver) this.#net.close(closing.fd);
      return !isOver;
    });
  }

  /**
   * Reads what comes until all peers have closed, or have had their time.
   *
   * @param until when to stop, on the clock of `performance.now()`
   */
  linger(until = Infinity): void {
    while (this.#closing.length > 0) {
      const leftMs = until - performance.now();
      if (leftMs <= 0) return;
      this.drain(leftMs);
    }
  }

  /** Reads what has come over a connection, and returns whether it is over. */
  #discard(closing: Closing): boolean {
    const { MSG_DONTWAIT, errno } = this.#net.constants;
    for (;;) {
      const count = this.#net.recv(closing.fd, this.#buffer, MSG_DONTWAIT);
      if (count === -errno.EAGAIN) return false;
      if (count === -errno.EINTR) continue;
      if (count <= 0) return true;
      closing.discarded += count;
      // A peer that never stops must not hold the thread.
      if (closing.discarded > MOST_DISCARDED) return true;
    }
  }
}
