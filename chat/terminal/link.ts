/**
 * One connection of the client to the server: lines in both directions at once.
 *
 * @module
 */

import type { Connection } from "../../engine/net/transport.ts";
import { encodeLine } from "../../protocols/text.ts";
import { IncomingLines } from "./incoming_lines.ts";

/** The most bytes that wait to be sent. A flooded server reads at its own pace. */
const QUEUE_BYTES = 1024 * 1024;

/** How many bytes are sent at a time. If sending a piece fails, all its lines count as unsent. */
const PIECE_BYTES = 16 * 1024;

/** How a connection ended. */
export interface LinkEnd {
  /** What it failed with; `undefined` if it was closed in order. */
  readonly error: unknown;
  /** The lines that the system had not taken: they were not sent, or only in part. */
  readonly unsent: readonly string[];
}

/** Takes the lines that came. The next ones are read when it is done. */
export type Hear = (lines: readonly string[]) => Promise<void>;

/** A connection that carries lines. */
export class Link {
  /** Resolves when the connection is over. */
  readonly ended: Promise<LinkEnd>;
  readonly #connection: Connection;
  readonly #hear: Hear;
  readonly #end = Promise.withResolvers<LinkEnd>();
  #queue: string[] = [];
  #queuedBytes = 0;
  #sending: readonly string[] = [];
  #isFinished = false;
  #failure: unknown;

  /** @param connection the connection to the server @param hear takes what the server says */
  constructor(connection: Connection, hear: Hear) {
    this.#connection = connection;
    this.#hear = hear;
    this.ended = this.#end.promise;
    void this.#receive();
  }

  /**
   * Sends a line.
   *
   * @param line the line without its line end
   * @returns whether it will be sent; if not, too much is waiting already
   */
  send(line: string): boolean {
    const { length } = encodeLine(line);
    if (this.#isFinished || this.#queuedBytes + length > QUEUE_BYTES) return false;
    this.#queue.push(line);
    this.#queuedBytes += length;
    if (this.#sending.length === 0) void this.#send();
    return true;
  }

  /** Sends the lines that wait, and then FIN. What the server says is still heard. */
  finish(): void {
    this.#isFinished = true;
    if (this.#sending.length === 0) this.#connection.closeWrite();
  }

  /** Cuts the connection. May be called twice. */
  close(): void {
    this.#over();
  }

  async #send(): Promise<void> {
    try {
      while (this.#queue.length > 0) {
        const piece = this.#takePiece();
        await this.#connection.write(piece);
        this.#queuedBytes -= piece.length;
      }
      this.#sending = [];
      if (this.#isFinished) this.#connection.closeWrite();
    } catch (error) {
      // What the server said before it left is still to be read, above all why it left. Reading
      // will also find the end of the connection.
      this.#failure = error;
    }
  }

  /** Takes the next lines to be sent, at least one. */
  #takePiece(): Uint8Array {
    let count = 0;
    for (let bytes = 0; count < this.#queue.length && bytes < PIECE_BYTES; count++) {
      bytes += encodeLine(this.#queue[count] as string).length;
    }
    this.#sending = this.#queue.splice(0, count);
    return encodeLine(this.#sending.join("\n"));
  }

  async #receive(): Promise<void> {
    const lines = new IncomingLines();
    try {
      for (;;) {
        const bytes = await this.#connection.read();
        if (bytes === null) break;
        await this.#hear(lines.add(bytes));
      }
      const last = lines.last();
      if (last !== undefined) await this.#hear([last]);
    } catch (error) {
      this.#failure ??= error;
    }
    this.#over();
  }

  #over(): void {
    this.#connection.close();
    this.#end.resolve({ error: this.#failure, unsent: [...this.#sending, ...this.#queue] });
  }
}
