/**
 * A stream of bytes to a server and back, in both directions at once.
 *
 * It is not a protocol, because a protocol does one thing after the other: while it writes, it does
 * not read. Suppose an echo server is sent more than all buffers on the way can hold. It stops
 * reading until its answers are read, and a client that reads only after it has written everything
 * would wait for the server: a deadlock.
 *
 * @module
 */

import { Deadline, TimedDeadlines } from "../drivers/deadlines.ts";
import type { Connection } from "../net/transport.ts";
import { PeerGoneError, ReadTimeoutError } from "../../protocols/errors.ts";

/** A connection that is used in both directions at once. */
export class Stream {
  readonly #connection: Connection;
  readonly #timeoutMs: number;
  readonly #deadlines = new TimedDeadlines();
  readonly #late = Promise.withResolvers<never>();
  readonly #limit: Deadline;
  #isSending = false;
  #isSent = false;
  #isPrinting = false;
  #sentBytes = 0;
  #receivedBytes = 0;

  /**
   * @param connection the connection to the server
   * @param timeoutMs how long the stream waits while the server neither takes nor sends anything,
   * in milliseconds; 0 means for ever
   */
  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#limit = new Deadline(() => this.#late.reject(new ReadTimeoutError(timeoutMs)));
  }

  /** Whether input was read that the server has not taken yet. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /**
   * Sends all the input and then FIN. It hands on what comes back until the server's FIN: the same
   * number of bytes.
   *
   * @param input the input; each piece is sent before the next one is requested
   * @param print takes what comes back; the next piece is read when it is done
   * @throws {PeerGoneError} if the server is gone, or closes before everything has come back
   * @throws {ReadTimeoutError} if the server takes too long
   */
  async echo(
    input: AsyncIterable<Uint8Array>,
    print: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    await this.converse(input, print);
    if (this.#receivedBytes < this.#sentBytes) {
      const missing = this.#sentBytes - this.#receivedBytes;
      throw new PeerGoneError(`waiting for the last ${missing} of ${this.#sentBytes} bytes`);
    }
  }

  /**
   * Does the same with a server that may answer anything.
   *
   * @param input the input; each piece is sent before the next one is requested
   * @param print takes what arrives; the next piece is read when it is done
   * @throws {PeerGoneError} if the server is gone, or closes before the input has ended
   * @throws {ReadTimeoutError} if the server takes too long
   */
  async converse(
    input: AsyncIterable<Uint8Array>,
    print: (bytes: Uint8Array) => Promise<void>,
  ): Promise<void> {
    try {
      const received = this.#receive(print);
      const both = Promise.all([this.#send(input, received), received]);
      await Promise.race([both, this.#late.promise]);
    } finally {
      this.#deadlines[Symbol.dispose]();
      this.#connection.close();
    }
  }

  async #send(input: AsyncIterable<Uint8Array>, received: Promise<void>): Promise<void> {
    for await (const bytes of input) {
      this.#isSending = true;
      this.#watch();
      await this.#connection.write(bytes).catch(async (cause) => {
        // What the server said before it left must still be read, above all its reason.
        await received;
        throw new PeerGoneError("sending", { cause });
      });
      this.#sentBytes += bytes.length;
      this.#isSending = false;
      this.#watch();
    }
    this.#connection.closeWrite();
    this.#isSent = true;
    this.#watch();
  }

  async #receive(print: (bytes: Uint8Array) => Promise<void>): Promise<void> {
    for (;;) {
      const bytes = await this.#connection.read().catch((cause) => {
        throw new PeerGoneError("receiving", { cause });
      });
      if (bytes === null) break;
      this.#receivedBytes += bytes.length;
      this.#isPrinting = true;
      this.#watch();
      await print(bytes);
      this.#isPrinting = false;
      this.#watch();
    }
    if (!this.#isSent) throw new PeerGoneError("sending");
  }

  /** Restarts the limit after progress, or lifts it if the stream is not waiting for the server. */
  #watch(): void {
    const isWaiting = (this.#isSending || this.#isSent) && !this.#isPrinting;
    if (isWaiting && this.#timeoutMs > 0) this.#deadlines.set(this.#limit, this.#timeoutMs);
    else this.#limit.lift();
  }
}
