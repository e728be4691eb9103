/**
 * A stream of bytes to a server and back, both at once.
 *
 * It is no protocol, for a protocol wants one thing after the other: one that writes does not read
 * meanwhile. An echo server that is sent more than all buffers on the way hold waits until its
 * answers are read, and a client that only reads after it has written would wait for the server.
 *
 * @module
 */

import { Deadline, TimedDeadlines } from "../drivers/deadlines.ts";
import type { Connection } from "../net/transport.ts";
import { PeerGoneError, ReadTimeoutError } from "../../protocols/errors.ts";

/** A connection in both directions at once. */
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
   * @param connection to whom
   * @param timeoutMs how long the server may neither take nor send anything while it is waited for,
   * in milliseconds; 0 is for ever
   */
  constructor(connection: Connection, timeoutMs: number) {
    this.#connection = connection;
    this.#timeoutMs = timeoutMs;
    this.#limit = new Deadline(() => this.#late.reject(new ReadTimeoutError(timeoutMs)));
  }

  /** Whether something was taken from the input that the server has not taken yet. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /**
   * Sends all there is, then FIN, and hands on what comes back, to the server's FIN: as many bytes.
   *
   * @param input what to send; each piece is sent before the next is asked for
   * @param print takes what comes back; the next is read when it is done
   * @throws {PeerGoneError} if the server is gone, or closes before all came back
   * @throws {ReadTimeoutError} if it is waited for too long
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
   * The same with a server that says what it likes.
   *
   * @param input what to send; each piece is sent before the next is asked for
   * @param print takes what comes; the next is read when it is done
   * @throws {PeerGoneError} if the server is gone, or closes before the input has ended
   * @throws {ReadTimeoutError} if it is waited for too long
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
        // What the server said before it left is still to be read, above all why.
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

  /** Something has gone on: the limit begins anew, where it is the server that is waited for. */
  #watch(): void {
    const isWaiting = (this.#isSending || this.#isSent) && !this.#isPrinting;
    if (isWaiting && this.#timeoutMs > 0) this.#deadlines.set(this.#limit, this.#timeoutMs);
    else this.#limit.lift();
  }
}
