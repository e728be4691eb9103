/**
 * Closing without destroying what was said last.
 *
 * @module
 */

import type { Connection, Pulled, Sink } from "../net/transport.ts";
import { Deadline, type Deadlines } from "./deadlines.ts";
import { LINGER_BYTES, LINGER_MS } from "./limits.ts";

/**
 * Sends FIN and reads what the peer still sends, within bounds, until its own FIN: closing with
 * unread bytes would reset the connection, and could destroy on the way what was said last (RFC
 * 2525, section 2.17).
 */
export class Lingering implements Sink {
  readonly #connection: Connection;
  readonly #onOver: () => void;
  readonly #limit = new Deadline(() => this.end());
  #bytes = 0;
  #isOver = false;

  /** @param connection is left open in the end @param onOver called once, when it can be closed */
  constructor(connection: Connection, onOver: () => void) {
    this.#connection = connection;
    this.#onOver = onOver;
  }

  /** @param deadlines keeps the time limit */
  start(deadlines: Deadlines): void {
    deadlines.set(this.#limit, LINGER_MS);
    this.#connection.closeWrite();
    this.#drain(new Uint8Array(0));
  }

  onRead(chunk: Uint8Array | null): void {
    this.#drain(chunk);
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
    this.#limit.lift();
    this.#connection.unpull();
    this.#onOver();
  }

  /** Throws away what came. */
  #drain(chunk: Pulled): void {
    try {
      for (; chunk !== undefined; chunk = this.#connection.pull(this)) {
        this.#bytes += chunk?.length ?? Infinity;
        if (this.#bytes >= LINGER_BYTES || this.#isOver) return this.end();
      }
    } catch {
      this.end();
    }
  }
}
