/**
 * How an event loop refuses a connection: it tells the client why, if the protocol has words for
 * that, and closes in such a way that they arrive.
 *
 * @module
 */

import type { Deadlines } from "../../drivers/deadlines.ts";
import type { LingerLimits } from "../../drivers/limits.ts";
import { LingerSet } from "../../drivers/linger.ts";
import type { Connection, Sink } from "../../net/transport.ts";

/**
 * How refused connections linger. A flood of them must not take the places of those that were
 * served, so they are few and have little time.
 */
export const REFUSED_LIMITS: LingerLimits = { totalMs: 2_000, silenceMs: 1_000, most: 64 };

/** The connections that this thread refuses. */
export class Refusals {
  readonly #lingering: LingerSet;

  /** @param deadlines keeps the time limits */
  constructor(deadlines: Deadlines) {
    this.#lingering = new LingerSet(deadlines, REFUSED_LIMITS);
  }

  /** How many connections still linger. */
  get size(): number {
    return this.#lingering.size;
  }

  /**
   * Refuses a connection.
   *
   * @param connection the connection; it is closed when the client has read the words
   * @param words what the client is told; without them the connection is closed at once
   */
  refuse(connection: Connection, words: Uint8Array | undefined): void {
    if (words === undefined) return connection.close();
    const part = () => {
      connection.closeWrite();
      this.#lingering.add(connection);
    };
    const sink: Sink = { onRead() {}, onWritten: part, onError: () => connection.close() };
    try {
      if (connection.push(words, sink)) part();
    } catch {
      // The client has gone already.
      connection.close();
    }
  }

  /** Hurries them, because the server closes. */
  hasten(): void {
    this.#lingering.hasten();
  }

  /** Resolves when none of them lingers. */
  async lingered(): Promise<void> {
    await this.#lingering.empty();
  }

  /** Closes all of them at once. */
  close(): void {
    this.#lingering.close();
  }
}
