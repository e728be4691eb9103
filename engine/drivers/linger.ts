/**
 * Closing without losing the last words: the one rule, for every driver.
 *
 * `close` on a socket with unread bytes does not send FIN. It sends RST, and so does a closed socket
 * that receives more (RFC 1122, section 4.2.2.13). A reset discards what is still on its way to the
 * peer, and on many systems what the peer has received and not read: the last answer is lost (RFC
 * 2525, section 2.17). So a connection whose conversation is over may have to linger. Its sending
 * side is shut down, which sends FIN, and what the peer still sends is read and thrown away until
 * the peer has sent FIN too. nginx calls that a lingering close.
 *
 * When a conversation ends, its driver decides:
 *
 * - It has written nothing, or the peer's FIN or a reset has been seen: close. Nothing can be lost.
 *   This costs no system call.
 * - It failed, or it wrote after the last bytes that it read: linger. The peer may be in the middle
 *   of saying something.
 * - It ended well and its peer had the last word: linger only if more has come already. The driver
 *   looks once, without waiting. A peer that ends the conversation itself has no more to say.
 *
 * A lingering connection is closed when the peer sends FIN or resets the connection, when it sends
 * nothing for 5 s, and after 30 s in any case. What it sends does not count in bytes: nothing of it
 * is kept, and each turn of a loop reads one piece. The conversation is over and counted when it
 * ends. Only the server as a whole waits for what lingers, and only while it drains.
 *
 * @module
 */

import type { Connection, Pulled, Sink } from "../net/transport.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { LINGER_LIMITS, type LingerLimits } from "./limits.ts";

/** Takes connections that have to linger. */
export interface Lingerer {
  /**
   * Takes a connection over.
   *
   * @param connection its sending side has been shut down; nobody else uses it any more
   */
  add(connection: Connection): void;
}

/** The connections that linger on one thread. */
export class LingerSet implements Lingerer {
  readonly #deadlines: Deadlines;
  readonly #limits: LingerLimits;
  /** The oldest comes first. */
  readonly #lingering = new Set<Lingering>();
  #isClosed = false;
  #waiters: (() => void)[] = [];

  /** @param deadlines keeps the time @param limits how long, and how many at a time */
  constructor(deadlines: Deadlines, limits: LingerLimits = LINGER_LIMITS) {
    this.#deadlines = deadlines;
    this.#limits = limits;
  }

  /** How many connections linger. */
  get size(): number {
    return this.#lingering.size;
  }

  add(connection: Connection): void {
    if (this.#isClosed) return connection.close();
    const lingering = new Lingering(connection, this.#deadlines, this.#limits, () => {
      this.#lingering.delete(lingering);
      if (this.size === 0) { for (const resolve of this.#waiters.splice(0)) resolve(); }
    });
    if (this.size >= this.#limits.most) {
      for (const oldest of this.#lingering) {
        oldest.end();
        break;
      }
    }
    this.#lingering.add(lingering);
    lingering.start();
  }

  /** Resolves when nothing lingers. */
  async empty(): Promise<void> {
    while (this.size > 0) await new Promise<void>((resolve) => this.#waiters.push(resolve));
  }

  /** Closes all, and from now on each that is added. */
  close(): void {
    this.#isClosed = true;
    for (const lingering of this.#lingering) lingering.end();
  }
}

/** One connection that lingers. */
class Lingering implements Sink {
  readonly #connection: Connection;
  readonly #deadlines: Deadlines;
  readonly #limits: LingerLimits;
  readonly #onOver: () => void;
  readonly #total = new Deadline(() => this.end());
  readonly #silence = new Deadline(() => this.end());
  #isOver = false;

  constructor(
    connection: Connection,
    deadlines: Deadlines,
    limits: LingerLimits,
    onOver: () => void,
  ) {
    this.#connection = connection;
    this.#deadlines = deadlines;
    this.#limits = limits;
    this.#onOver = onOver;
  }

  /** Begins to read. */
  start(): void {
    this.#deadlines.set(this.#total, this.#limits.totalMs);
    this.#drain();
  }

  onRead(chunk: Uint8Array | null): void {
    if (chunk === null) this.end();
    else this.#drain();
  }

  onWritten(): void {}

  onError(): void {
    // The peer has gone: there is nobody left to wait for.
    this.end();
  }

  /** Waits no longer. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#total.lift();
    this.#silence.lift();
    this.#connection.unpull();
    this.#connection.close();
    this.#onOver();
  }

  /** Throws away what has come, and waits for more. */
  #drain(): void {
    // Each piece is progress.
    this.#deadlines.set(this.#silence, this.#limits.silenceMs);
    try {
      let pulled: Pulled;
      do {
        pulled = this.#connection.pull(this);
        if (pulled === null) return this.end();
        // What has come already is bounded; what comes later is one piece a turn.
      } while (pulled !== undefined);
    } catch {
      this.end();
    }
  }
}
