/**
 * Closing without losing the last bytes sent: one rule, for every driver.
 *
 * `close` on a socket with unread bytes does not send FIN. It sends RST, and so does a closed
 * socket that receives more bytes (RFC 1122, section 4.2.2.13). A reset discards the bytes that are
 * still on their way to the peer. On many systems it also discards bytes that the peer has received
 * and not read. So the last answer is lost (RFC 2525, section 2.17). Therefore a connection may
 * have to linger when its conversation is over. Its sending side is shut down, which sends FIN.
 * Then the bytes that the peer still sends are read and thrown away, until the peer has sent FIN
 * too. nginx calls this a lingering close.
 *
 * When a conversation ends, its driver decides:
 *
 * - The conversation has written nothing, or the peer's FIN or a reset has been seen: the driver
 *   closes. Nothing can be lost. This costs no system call.
 * - The conversation failed, or it wrote after the last bytes that it read: the connection lingers.
 *   The peer may be in the middle of a message.
 * - The conversation succeeded, and its last bytes came from the peer: the connection lingers only
 *   if more bytes have come already, or if the peer has yet to acknowledge something of what was sent
 *   to it. The driver looks once, without waiting. If the peer has ended the conversation, it has no
 *   more to send. If it sends more all the same, it has at least received what was sent. Where the
 *   runtime keeps the descriptor to itself, nobody knows what was acknowledged. Then the connection
 *   lingers if the conversation has written more than TCP sends at once.
 *
 * A lingering connection is closed when the peer sends FIN or resets the connection. It is closed
 * too when the peer sends nothing for 5 s, or for half a second while the server closes, and after
 * 30 s in any case. It is reset when the peer takes nothing of what was sent to it for longer than
 * one write may wait. There is no limit in bytes: they are not kept, and each turn of a loop reads one
 * piece. A conversation is over, and is counted, when it ends, not when its connection has lingered.
 * Only the server as a whole waits for lingering connections, and only while it drains.
 *
 * @module
 */

import type { Connection, Pulled, Sink } from "../net/transport.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { HASTE_MS, LINGER_LIMITS, type LingerLimits } from "./limits.ts";
import { type SendQueues, type Writer, WriteWatch } from "./write_watch.ts";

/** Takes connections that have to linger. */
export interface Lingerer {
  /**
   * Takes a connection over.
   *
   * @param connection a connection whose sending side has been shut down and that nobody else uses
   */
  add(connection: Connection): void;
}

/** The connections that linger on one thread. */
export class LingerSet implements Lingerer {
  readonly #deadlines: Deadlines;
  readonly #findLimits: () => LingerLimits;
  readonly #queues: SendQueues | undefined;
  /** The limits, once they are needed. */
  #limits: LingerLimits | undefined;
  /** The lingering connections, the oldest first. */
  readonly #lingering = new Set<Lingering>();
  /** Looks after what is still to be sent. */
  #writeWatch: WriteWatch | undefined;
  #isHasty = false;
  #isClosed = false;
  #waiters: (() => void)[] = [];

  /**
   * @param deadlines sets the time limits
   * @param limits how long connections linger, and how many at a time; a function where it costs
   * something to find out, which is called when the first connection lingers
   * @param queues knows what is still to be sent, for limits with a `writeTimeoutMs`: see
   * {@linkcode WriteWatch}
   */
  constructor(
    deadlines: Deadlines,
    limits: LingerLimits | (() => LingerLimits) = LINGER_LIMITS,
    queues?: SendQueues,
  ) {
    this.#deadlines = deadlines;
    this.#queues = queues;
    this.#findLimits = typeof limits === "function" ? limits : () => limits;
  }

  /** How many connections linger. */
  get size(): number {
    return this.#lingering.size;
  }

  add(connection: Connection): void {
    if (this.#isClosed) return connection.close();
    const limits = this.#limits ??= this.#begin();
    const lingering = new Lingering(connection, this.#deadlines, limits.totalMs, () => {
      this.#lingering.delete(lingering);
      if (this.size === 0) { for (const resolve of this.#waiters.splice(0)) resolve(); }
    });
    if (this.size >= limits.most) {
      for (const oldest of this.#lingering) {
        oldest.end();
        break;
      }
    }
    this.#lingering.add(lingering);
    this.#writeWatch?.wake();
    lingering.start(Math.min(limits.silenceMs, this.#isHasty ? HASTE_MS : Infinity));
  }

  /** Finds the limits, when the first connection lingers. */
  #begin(): LingerLimits {
    const limits = this.#findLimits();
    const { writeTimeoutMs = 0 } = limits;
    if (writeTimeoutMs > 0) {
      this.#writeWatch = new WriteWatch(
        this.#deadlines,
        writeTimeoutMs,
        this.#lingering,
        this.#queues,
      );
    }
    return limits;
  }

  /** Hurries, because the server closes: from now on a peer may be silent for half a second only. */
  hasten(): void {
    if (this.#isHasty) return;
    this.#isHasty = true;
    for (const lingering of this.#lingering) lingering.limitSilence(HASTE_MS);
  }

  /** Hurries, and resolves when nothing lingers. */
  empty(): Promise<void> {
    return new Promise((resolve) => this.whenEmpty(resolve));
  }

  /**
   * Hurries.
   *
   * @param done called when nothing lingers, perhaps at once
   */
  whenEmpty(done: () => void): void {
    this.hasten();
    if (this.size === 0) done();
    else this.#waiters.push(() => this.whenEmpty(done));
  }

  /** Closes all of them at once, and each one that is added later. */
  close(): void {
    this.#isClosed = true;
    for (const lingering of this.#lingering) lingering.end();
  }
}

/** One connection that lingers. */
class Lingering implements Sink, Writer {
  /** Nothing is written any more. */
  readonly writes = 0;
  readonly connection: Connection;
  readonly #deadlines: Deadlines;
  readonly #totalMs: number;
  readonly #onOver: () => void;
  readonly #total = new Deadline(() => this.end());
  readonly #silence = new Deadline(() => this.end());
  #silenceMs = Infinity;
  #isOver = false;

  constructor(
    connection: Connection,
    deadlines: Deadlines,
    totalMs: number,
    onOver: () => void,
  ) {
    this.connection = connection;
    this.#deadlines = deadlines;
    this.#totalMs = totalMs;
    this.#onOver = onOver;
  }

  /** Begins to read. @param silenceMs how long the peer may be silent, in milliseconds */
  start(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#deadlines.set(this.#total, this.#totalMs);
    this.#drain();
  }

  /** @param silenceMs how long the peer may be silent from now on, in milliseconds */
  limitSilence(silenceMs: number): void {
    this.#silenceMs = Math.min(silenceMs, this.#silenceMs);
    this.#deadlines.set(this.#silence, this.#silenceMs);
  }

  onRead(chunk: Uint8Array | null): void {
    if (chunk === null) this.end();
    else this.#drain();
  }

  onWritten(): void {}

  onError(): void {
    // The peer has gone, so there is nothing to wait for.
    this.end();
  }

  get isWriting(): boolean {
    return !this.#isOver;
  }

  /** The peer takes nothing of what was sent to it. */
  giveUp(): void {
    this.connection.reset();
    this.end();
  }

  /** Closes the connection now. */
  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#total.lift();
    this.#silence.lift();
    this.connection.unpull();
    this.connection.close();
    this.#onOver();
  }

  /** Throws away the bytes that have come, and waits for more. */
  #drain(): void {
    // Each piece is progress, so the time of silence starts again.
    this.#deadlines.set(this.#silence, this.#silenceMs);
    try {
      let pulled: Pulled;
      do {
        pulled = this.connection.pull(this);
        if (pulled === null) return this.end();
        // This loop ends: the bytes that have come already are bounded. Later bytes come through
        // `onRead`, one piece in each turn of the event loop.
      } while (pulled !== undefined);
    } catch {
      this.end();
    }
  }
}
