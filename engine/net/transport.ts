/**
 * Connections and listeners as every runtime's adapter offers them.
 *
 * There are two ways to use a {@linkcode Connection}. `read` and `write` return promises and are
 * for people. `pull` and `push` are the same calls for an event loop's hot path: they answer at
 * once where the answer is at hand, call a {@linkcode Sink} back where it is not, and so cost no
 * promise for each message. The first pair is written once, on top of the second.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";

/** Receives what a {@linkcode Connection.pull} or {@linkcode Connection.push} had to wait for. */
export interface Sink {
  /** The bytes that were waited for, or `null` at the peer's FIN. */
  onRead(chunk: Uint8Array | null): void;
  /** All bytes of the last push were taken. */
  onWritten(): void;
  /** The connection failed, for instance by a reset. */
  onError(error: Error): void;
  /** The peer's FIN came while the connection was only watched: see {@linkcode Connection.watch}. */
  onEnd?(): void;
}

/** The answer of {@linkcode Connection.pull}: bytes, `null` at FIN, `undefined`: not yet. */
export type Pulled = Uint8Array | null | undefined;

/** One TCP connection. At most one read and one write may be waiting at a time. */
export abstract class Connection implements AsyncDisposable {
  /** This end. */
  abstract readonly localAddress: Address;
  /** The other end. */
  abstract readonly remoteAddress: Address;

  /**
   * Asks for the next bytes.
   *
   * @param sink is called back if there are none yet
   * @returns bytes, valid until the next call; `null` after the peer's FIN, however often asked;
   * `undefined` if the sink will get them. Asked again while waiting, it only changes the sink.
   * @throws {Error} if the connection has failed before
   */
  abstract pull(sink: Sink): Pulled;

  /**
   * Whether bytes have come that were not asked for, as far as that can be told without waiting.
   * To be asked when nobody reads.
   */
  abstract readonly hasUnread: boolean;

  /** Takes the last pull or watch back: what comes now is kept for the next pull. */
  abstract unpull(): void;

  /**
   * Asks to be told of the end of the connection, by `onEnd` or `onError`, without asking for its
   * bytes: until the next pull or push. As far as it can be seen: not behind bytes that wait.
   *
   * @param sink is called back, at most once
   */
  abstract watch(sink: Sink): void;

  /**
   * Sends all of `bytes`.
   *
   * @param bytes left alone until they are taken
   * @param sink is called back if the peer must be waited for
   * @returns whether all of them were taken at once
   */
  abstract push(bytes: Uint8Array, sink: Sink): boolean;

  /** Sends FIN: nothing more is written, reading goes on (half-close). May be called again. */
  abstract closeWrite(): void;

  /** Closes both directions in order, with FIN. May be called again. */
  abstract close(): void;

  /**
   * Waits for the next bytes.
   *
   * @returns bytes, valid until the next read; `null` at the peer's FIN
   */
  read(): Promise<Uint8Array | null> {
    return new Promise((resolve, reject) => {
      const pulled = this.pull({ onRead: resolve, onWritten: unexpected, onError: reject });
      if (pulled !== undefined) resolve(pulled);
    });
  }

  /**
   * Sends all of `bytes`, however slow the peer is.
   *
   * @param bytes left alone until the promise resolves
   */
  write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.push(bytes, { onRead: unexpected, onWritten: resolve, onError: reject })) resolve();
    });
  }

  /** Closes the connection. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}

/** How to listen. */
export interface ListenOptions {
  /** The name or address to listen on. */
  readonly hostname: string;
  /** The port; 0 picks a free one. */
  readonly port: number;
  /**
   * Lets several listeners of this process share the port; the kernel spreads connections over
   * them (`SO_REUSEPORT`, socket(7)).
   *
   * @default {false}
   */
  readonly reusePort?: boolean;
  /**
   * Where the runtime accepts by itself: connections with this descriptor or a higher one are
   * closed, so that some are left for other things.
   *
   * @default {Infinity}
   */
  readonly descriptorCeiling?: number;
  /**
   * Called for each connection that could not be accepted. Accepting goes on after `waitMs`
   * milliseconds, 0 where the error was of that one connection.
   */
  readonly onAcceptError?: (error: Error, waitMs: number) => void;
}

/** How to connect. */
export interface ConnectOptions {
  /** The name or address of the server. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** Gives the attempt up. */
  readonly signal?: AbortSignal;
}

/** How many connections may wait to be accepted; the kernel may allow fewer (somaxconn). */
export const ACCEPT_QUEUE = 4096;

/** The most bytes of one connection that are kept unread before its peer is held back. */
export const UNREAD_LIMIT = 64 * 1024;

function unexpected(): void {
  throw new Error("Cannot happen: a read was answered as a write, or a write as a read");
}
