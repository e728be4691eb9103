/**
 * What every server decides when it accepts, in every concurrency model: whether enough descriptors
 * are left, what an error means, how long to wait after it, and how to empty the accept queue
 * before the listener closes.
 *
 * How a server waits depends on its model: some block, others set a deadline.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";

/**
 * Errors that concern only the connection that was about to be accepted. It was reset while it
 * waited, or its network failed (accept(2), "Error handling"). The next connection can be accepted
 * at once.
 */
const OF_ONE_CONNECTION: ReadonlySet<string> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINTR",
  "ENETDOWN",
  "ENETUNREACH",
  "ENONET",
  "ENOPROTOOPT",
  "ENOTCONN",
  "EOPNOTSUPP",
  "EPERM",
  "EPROTO",
]);

/**
 * How many more descriptors may be in use after a connection whose descriptor is not known: its own,
 * and some that other threads have taken meanwhile.
 */
const UNSEEN = 8;

/** The most connections that closing takes out of an accept queue. No kernel's queue is longer. */
const MOST_RESCUED = 65_536;

/** The descriptors that are kept free for the server itself, mainly for replacing a dead thread. */
export interface DescriptorReserve {
  /** Descriptors with this number or a higher one are kept free. */
  ceiling(): number;
  /** The number that the next descriptor would get. It is negative if there is none. */
  nextDescriptor(): number;
}

/** No reserve: no descriptors are kept free, or they cannot be counted. */
const NO_RESERVE: DescriptorReserve = { ceiling: () => Infinity, nextDescriptor: () => 0 };

/** The policy of one thread that accepts. */
export class AcceptPolicy {
  readonly #backoff = new Backoff();
  readonly #reserve: DescriptorReserve;
  /** At least so many descriptors are in use, as far as is known; `Infinity` at first. */
  #inUse = Infinity;
  #rescues = 0;

  /** @param reserve the descriptors to keep free; none by default */
  constructor(reserve: DescriptorReserve = NO_RESERVE) {
    this.#reserve = reserve;
  }

  /**
   * Whether so few descriptors are left that accepting has to wait. The kernel gives out the lowest
   * free number. So all numbers below that of the last accepted connection were in use, and if it
   * is low, no call is needed.
   */
  get isShort(): boolean {
    return this.room <= 0;
  }

  /** How many connections can be accepted until accepting has to wait, at least. */
  get room(): number {
    const ceiling = this.#reserve.ceiling();
    if (this.#inUse < ceiling) return ceiling - this.#inUse;
    const next = this.#reserve.nextDescriptor();
    this.#inUse = next >= 0 ? next : Infinity;
    return this.#inUse < ceiling ? ceiling - this.#inUse : 0;
  }

  /**
   * Notes that a connection was accepted.
   *
   * @param fd its descriptor, if it is known
   */
  accepted(fd?: number): void {
    this.#backoff.reset();
    if (fd !== undefined) this.#inUse = fd;
    else this.#inUse += UNSEEN;
  }

  /**
   * How long to wait after accepting has failed. An error that does not concern only one connection
   * means that something is wrong with the machine. Most often it is EMFILE, ENFILE, ENOBUFS or
   * ENOMEM. Then the next attempt would fail too.
   *
   * @param error the error, with the system's name for it in `code`
   * @returns 0 if only that one connection is lost; else milliseconds, twice as many each time
   */
  failed(error: unknown): number {
    const { code } = (error ?? {}) as { code?: unknown };
    return typeof code === "string" && OF_ONE_CONNECTION.has(code) ? 0 : this.#backoff.next();
  }

  /** How long to wait when few descriptors are left, in milliseconds: twice as long each time. */
  pause(): number {
    return this.#backoff.next();
  }

  /**
   * Takes the connections out of an accept queue before its listener closes, because closing would
   * reset them.
   *
   * @param accept accepts without blocking; returns `undefined` when the queue is empty
   * @param hold receives each connection
   * @param onLost called for each connection that was lost while it waited
   * @returns whether the queue is empty; if not, there are too few descriptors, and the caller can
   * try again
   */
  rescue(
    accept: () => number | undefined,
    hold: (fd: number) => void,
    onLost: () => void,
  ): boolean {
    // Clients may come faster than they are accepted. They must not keep the server from closing.
    while (this.#rescues < MOST_RESCUED) {
      if (this.isShort) return false;
      try {
        const fd = accept();
        if (fd === undefined) return true;
        this.accepted(fd);
        this.#rescues++;
        hold(fd);
      } catch (error) {
        if (this.failed(error) > 0) return false;
        onLost();
      }
    }
    return true;
  }
}
