/**
 * What every server decides when it accepts, whatever its concurrency model: whether enough
 * descriptors are left, what an error means, how long to wait after it, and how to empty the accept
 * queue before the listener closes.
 *
 * How a server waits is its model's own affair: one blocks, another watches its deadlines.
 *
 * @module
 */

import { Backoff } from "./backoff.ts";

/**
 * Errors that concern only the connection that was about to be accepted: it was reset while it
 * waited, or its network failed (accept(2), "Error handling"). The next one may be had at once.
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

/** The most connections that are taken out of a queue at closing: no kernel's queue is longer. */
const MOST_RESCUED = 65_536;

/** The descriptors that are kept free for the server itself, above all for a thread's successor. */
export interface DescriptorReserve {
  /** The number from which on descriptors are kept free. */
  readonly ceiling: number;
  /** The number that the next descriptor would get; negative if there is none. */
  nextDescriptor(): number;
}

/** No descriptors are kept free, or nobody can count them. */
const NO_RESERVE: DescriptorReserve = { ceiling: Infinity, nextDescriptor: () => 0 };

/** The policy of one thread that accepts. */
export class AcceptPolicy {
  readonly #backoff = new Backoff();
  readonly #reserve: DescriptorReserve;
  /** A lower bound of the next descriptor; nothing is known of it at first. */
  #lastAccepted = Infinity;
  #rescues = 0;

  /** @param reserve the descriptors to keep free; none by default */
  constructor(reserve: DescriptorReserve = NO_RESERVE) {
    this.#reserve = reserve;
  }

  /**
   * Whether so few descriptors are left that accepting has to wait. The kernel gives out the lowest
   * free number, so the last accepted one tells how many are in use at least.
   */
  get isShort(): boolean {
    const { ceiling } = this.#reserve;
    if (this.#lastAccepted < ceiling) return false;
    const next = this.#reserve.nextDescriptor();
    this.#lastAccepted = next >= 0 ? next : Infinity;
    return this.#lastAccepted >= ceiling;
  }

  /**
   * A connection was accepted.
   *
   * @param fd its descriptor, where it is known
   */
  accepted(fd?: number): void {
    this.#backoff.reset();
    if (fd !== undefined) this.#lastAccepted = fd;
  }

  /**
   * How long to wait after accepting has failed.
   *
   * @param error what accepting threw, with the system's name for it in `code`
   * @returns 0 if only that one connection is lost; else something is wrong with the machine, above
   * all EMFILE, ENFILE, ENOBUFS or ENOMEM, and the next attempt would fail too: milliseconds,
   * twice as many each time
   */
  failed(error: unknown): number {
    const { code } = (error ?? {}) as { code?: unknown };
    return typeof code === "string" && OF_ONE_CONNECTION.has(code) ? 0 : this.#backoff.next();
  }

  /** How long to wait because descriptors are short: milliseconds, twice as many each time. */
  pause(): number {
    return this.#backoff.next();
  }

  /**
   * Takes the connections out of an accept queue before its listener closes: closing would reset
   * them.
   *
   * @param accept accepts without blocking; returns `undefined` when the queue is empty
   * @param hold is given each connection
   * @param onLost is told of each connection that was lost while it waited
   * @returns whether the queue is empty; if not, descriptors are short, and it can be tried again
   */
  rescue(
    accept: () => number | undefined,
    hold: (fd: number) => void,
    onLost: () => void,
  ): boolean {
    // Clients that come faster than they are taken must not hold the server open.
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
