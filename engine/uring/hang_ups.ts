/**
 * Finds the ends of connections of which the kernel does not tell.
 *
 * A receive that repeats is woken when bytes come, and when the peer resets the connection. If both
 * come before the kernel gets to it, they are one wake-up. It receives the bytes, finds nothing more
 * of them, and waits for the next one, which never comes. FIN over TCP has a hint that prevents that,
 * but a reset has none, and neither has the end of a Unix domain socket. So a while after bytes have
 * come, if no more have, the socket itself is asked, many of them with one poll(2).
 *
 * After FIN nothing is received any more, but a reset may still follow, and whoever computes for that
 * peer computes in vain. The kernel cannot be asked to tell: a poll of io_uring always includes
 * POLLRDHUP, and after FIN that is there for good. So such a socket is asked again and again.
 *
 * @module
 */

import { Deadline, type Deadlines } from "../drivers/deadlines.ts";
import { PollSet } from "../net/poll_sets.ts";
import type { Sockets } from "../net/sockets.ts";
import type { RingConnection } from "./ring_connection.ts";

/** After how long a connection is looked at, in milliseconds. */
const LOOK_MS = 50;

/** How many are asked with one call. */
const AT_ONCE = 256;

/** Looks after the connections of one ring. */
export class HangUps {
  readonly #sockets: Sockets;
  readonly #deadlines: Deadlines;
  readonly #limit = new Deadline(() => this.#look(), true);
  // All of this is used again and again: it would be much garbage with ten thousand connections.
  readonly #set = new PollSet(AT_ONCE);
  readonly #asked: RingConnection[] = [];
  #connections: RingConnection[] = [];
  #others: RingConnection[] = [];

  /** @param sockets the Berkeley calls @param deadlines keeps time */
  constructor(sockets: Sockets, deadlines: Deadlines) {
    this.#sockets = sockets;
    this.#deadlines = deadlines;
  }

  /** A connection is to be looked at, after a while. It is added once until then. */
  add(connection: RingConnection): void {
    if (this.#connections.push(connection) === 1) this.#deadlines.set(this.#limit, LOOK_MS);
  }

  #look(): void {
    const connections = this.#connections;
    this.#connections = this.#others;
    for (const connection of connections) {
      if (connection.isLookedAtLater()) this.add(connection);
      else if (connection.isLookedAt() && this.#asked.push(connection) === AT_ONCE) this.#ask();
    }
    connections.length = 0;
    this.#others = connections;
    this.#ask();
  }

  #ask(): void {
    const asked = this.#asked;
    if (asked.length === 0) return;
    // POLLERR and POLLHUP are told in any case.
    for (let at = 0; at < asked.length; at++) {
      this.#set.watch(at, (asked[at] as RingConnection).fd, 0);
    }
    const { EINTR } = this.#sockets.constants.errno;
    while (this.#sockets.pollAll(this.#set, 0, asked.length) === -EINTR);
    for (let at = 0; at < asked.length; at++) {
      (asked[at] as RingConnection).onLook(this.#set.eventsAt(at) !== 0);
    }
    asked.length = 0;
  }
}
