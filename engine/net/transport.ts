/**
 * Connections and listeners as every runtime's adapter offers them.
 *
 * There are two ways to use a {@linkcode Connection}. `read` and `write` return promises and are
 * easy to use. `pull` and `push` do the same on the hot path of an event loop. They answer at once
 * if they can, and otherwise call a {@linkcode Sink} back, so a message costs no promise. The first
 * pair is written once, on top of the second.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { DescriptorReserve } from "./accept_policy.ts";
import type { Address } from "../../protocols/effects.ts";

/** Receives what a {@linkcode Connection.pull} or {@linkcode Connection.push} had to wait for. */
export interface Sink {
  /** The awaited bytes, or `null` at the peer's FIN. */
  onRead(chunk: Uint8Array | null): void;
  /** All bytes of the last push were taken. */
  onWritten(): void;
  /** The connection failed, for instance by a reset. */
  onError(error: Error): void;
  /** The peer's FIN came to a connection that is only watched: {@linkcode Connection.watch}. */
  onEnd?(): void;
}

/** What {@linkcode Connection.pull} returns: bytes, `null` at FIN, `undefined` if it must wait. */
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
   * @returns bytes, valid until the next call; `null` after the peer's FIN, as often as it is
   * called; `undefined` if the sink will get them. Another call while one waits only changes the
   * sink
   * @throws {Error} if the connection has failed before
   */
  abstract pull(sink: Sink): Pulled;

  /**
   * Whether bytes have come that were not asked for, as far as that can be told without waiting.
   * To be asked when nobody reads.
   */
  abstract readonly hasUnread: boolean;

  /** Cancels the last pull or watch. Bytes that come now are kept for the next pull. */
  abstract unpull(): void;

  /**
   * Asks to be told when the connection ends, by `onEnd` or `onError`, without asking for its
   * bytes. It holds until the next pull or push. An end that lies behind unread bytes is not seen.
   * After FIN has been told or read, only a reset is told; Deno's own connections do not tell of it.
   *
   * @param sink is called back, at most once
   */
  abstract watch(sink: Sink): void;

  /**
   * Sends all of `bytes`.
   *
   * @param bytes must not change until they are taken
   * @param sink is called back if the write has to wait for the peer
   * @returns whether all of them were taken at once
   */
  abstract push(bytes: Uint8Array, sink: Sink): boolean;

  /**
   * How many bytes of what was pushed the peer has not taken yet, as far as is known: at least those
   * that the system has not taken.
   */
  abstract readonly pending: number;

  /**
   * Whether to close now could destroy what was sent: bytes have come that were not asked for, or the
   * peer may still have to take some of what was pushed. As far as that can be told without waiting;
   * to be asked when nobody reads and nobody writes.
   */
  get mayLose(): boolean {
    return this.hasUnread || this.pending > 0;
  }

  /**
   * Whether whoever has pushed need not wait until that is taken: what is pushed then comes after it. A
   * socket may have taken a part of it.
   */
  get keepsWhole(): boolean {
    return false;
  }

  /** The descriptor of its socket, if that is known here. */
  declare readonly fd?: number;

  /**
   * Which connection this is, if its descriptor is not known here: then {@linkcode Connection.pending}
   * does not say what the kernel has taken and the peer has not. `send_queues.ts` does.
   */
  get ends(): string | undefined {
    return undefined;
  }

  /** Sends FIN (half-close): writing is over, reading goes on. May be called again. */
  abstract closeWrite(): void;

  /** Closes both directions in order, with FIN. May be called again. */
  abstract close(): void;

  /**
   * Closes at once. Bytes that were not sent yet are thrown away, and the peer gets RST, where the
   * runtime can do that. May be called again.
   */
  reset(): void {
    this.close();
  }

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
   * @param bytes must not change until the promise resolves
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

/** When the kernel counts a silent peer as gone: see `keepalive.ts`. */
export interface KeepAlive {
  /** After how long a silence the first probe goes, in milliseconds. */
  readonly idleMs: number;
  /** After how long another probe goes, in milliseconds. */
  readonly intervalMs: number;
  /** How many probes may go unanswered. */
  readonly probes: number;
  /**
   * After how long without an acknowledgement the connection ends, in milliseconds; 0 leaves that to
   * the system.
   */
  readonly userTimeoutMs: number;
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
   * The descriptors that connections leave free, so that the process never runs out of them. A
   * runtime that accepts by itself refuses further connections; the others wait.
   *
   * @default none
   */
  readonly reserve?: DescriptorReserve;
  /**
   * When a connection whose peer has vanished ends. By default it does not. Without foreign calls the
   * times are those of the runtime or the system.
   */
  readonly keepAlive?: KeepAlive | undefined;
  /**
   * For a runtime that does not tell the descriptor of a listener: calls `open`, which listens and
   * returns the address, and finds the descriptor. By default it stays unknown.
   */
  readonly find?: FindDescriptor;
  /**
   * Called for each connection that could not be accepted. Accepting goes on after `waitMs`
   * milliseconds, or at once (0) if the error concerned only that connection.
   */
  readonly onAcceptError?: (error: Error, waitMs: number) => void;
}

/**
 * Finds the descriptor of a listener.
 *
 * @param open opens the listener and returns where it listens; called once
 * @returns the descriptor, or `undefined` if it cannot be told
 */
export type FindDescriptor = (open: () => Address) => number | undefined;

/**
 * What tells a connection from all others.
 *
 * @param local this end
 * @param remote the other end
 */
export function endsOf(local: Address, remote: Address): string {
  return `${formatAddress(local)} ${formatAddress(remote)}`;
}

/** How to connect. */
export interface ConnectOptions {
  /** The name or address of the server. */
  readonly hostname: string;
  /** Its port. */
  readonly port: number;
  /** The numeric address to come from, where {@linkcode Runtime.whyNoSource} has no objection. */
  readonly source?: string | undefined;
  /** Cancels the attempt. */
  readonly signal?: AbortSignal;
}

/** How many connections may wait to be accepted; the kernel may allow fewer (somaxconn). */
export const ACCEPT_QUEUE = 4096;

/**
 * How many bytes TCP sends before the peer has acknowledged any: ten segments (RFC 6928). Whoever has
 * sent more may still hold some of it back.
 */
export const FIRST_FLIGHT = 14_600;

/** How many unread bytes of a connection are kept before its peer is held back. */
export const UNREAD_LIMIT = 64 * 1024;

function unexpected(): void {
  throw new Error("Cannot happen: a read was answered as a write, or a write as a read");
}
