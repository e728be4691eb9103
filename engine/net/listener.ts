/**
 * The listener that both adapters build on. It hands the connections that arrive to the loop that
 * iterates over them.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { ACCEPT_QUEUE, type Connection, type KeepAlive } from "./transport.ts";

/** Accepts connections; iterating ends after `stop` or `close`. */
export abstract class Listener implements AsyncIterableIterator<Connection>, AsyncDisposable {
  /** Where it listens. */
  abstract readonly address: Address;

  /**
   * The descriptor of its socket, so that options can be set on it and the kernel can be asked about
   * it; `undefined` if it is not known. Never close it: it belongs to the runtime.
   */
  abstract readonly descriptor: number | undefined;

  /**
   * Called for each connection that was refused, which means closed unserved, with the reason: too
   * many already wait for an owner, or descriptors run short. That happens on Bun, which accepts by
   * itself.
   */
  onOverflow: ((reason: string) => void) | undefined;

  /**
   * Makes the runtime turn keepalive on for each connection, where it could not be set on the
   * listener, from which connections inherit it.
   */
  keepAlive: KeepAlive | undefined;

  /**
   * Whether connections have no Nagle delay already, because the listener has none. Those that came
   * before it was set may have it. They are the first that are accepted, at most a queue of them.
   */
  inheritsNoDelay = false;

  readonly #held: Connection[] = [];
  #waiter: ((result: IteratorResult<Connection, undefined>) => void) | undefined;
  #arrivals = 0;
  #stopping = false;
  #ended = false;

  /** Whether the adapter should accept another connection now. */
  protected get wantsMore(): boolean {
    if (this.#ended) return false;
    return this.#stopping ? this.#held.length < BACKLOG : this.#waiter !== undefined;
  }

  /** Whether the listener is about to close. */
  protected get isStopping(): boolean {
    return this.#stopping;
  }

  /** Whether descriptors are short: then connections may wait although none can be accepted. */
  protected get isShort(): boolean {
    return false;
  }

  /** Tells the adapter that it may accept, if its runtime leaves the choice to it. */
  protected abstract wake(): void;

  /** Closes the socket; called once. */
  protected abstract closeSocket(): void;

  /** Takes a connection that somebody else has accepted from this listener's port. */
  adopt(connection: Connection): void {
    this.arrive(connection);
  }

  /** A connection waits for its owner. An adapter whose runtime reads by itself stops that here. */
  protected held(_connection: Connection): void {}

  /** Takes a connection from the adapter: the caller that waits gets it, or else the next one. */
  protected arrive(connection: Connection): void {
    this.#arrivals++;
    if (this.#waiter !== undefined) {
      const resolve = this.#waiter;
      this.#waiter = undefined;
      resolve({ value: connection, done: false });
    } else if (this.#ended || this.#held.length >= BACKLOG) {
      connection.close();
      this.onOverflow?.(`${BACKLOG} connections wait already`);
    } else {
      // Read the address while it is known: the peer may be gone before its turn comes.
      void connection.remoteAddress;
      this.#held.push(connection);
      this.held(connection);
    }
  }

  /** Waits for the next connection. One caller at a time. */
  next(): Promise<IteratorResult<Connection, undefined>> {
    const held = this.#held.shift();
    if (held !== undefined) return Promise.resolve({ value: held, done: false });
    if (this.#ended) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve) => {
      this.#waiter = resolve;
      this.wake();
    });
  }

  /** Closes the listener when the loop over it is left early. */
  return(): Promise<IteratorResult<Connection, undefined>> {
    this.close();
    return Promise.resolve({ value: undefined, done: true });
  }

  /** Iterates over the connections as they are accepted. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Accepts the connections that already wait in the accept queue, then closes the socket. Closing
   * it first would reset them. Iteration yields them and ends.
   *
   * @param isLate whether there is no time left to wait for descriptors; by default there is none
   * @param isEmpty whether nobody waits and nobody can come any more, from somebody who knows; without
   * it the length of the queue is guessed
   */
  async stop(isLate: () => boolean = () => true, isEmpty?: () => boolean): Promise<void> {
    if (this.#stopping || this.#ended) return;
    this.#stopping = true;
    // The clock decides, not the number of waits: each takes longer when the event loop is busy.
    const endsAt = performance.now() + LONGEST_STOP_MS;
    // No runtime tells the length of its accept queue. If nobody else does, it counts as empty when
    // nobody comes for a while.
    const first = this.#arrivals;
    let wasShort = false;
    while (!this.#ended) {
      const before = this.#arrivals;
      this.wake();
      const pauseMs = isEmpty === undefined ? QUIET_MS : LOOK_MS;
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      if (isEmpty !== undefined) {
        if (isEmpty() || isLate()) break;
        continue;
      }
      // Out of descriptors, the rest is taken as connections end and give theirs back.
      // Those that were given back just now may not have been used yet.
      const { isShort } = this;
      const mayWait = isShort || wasShort;
      wasShort = isShort;
      // The accept queue was no longer than that: those who come later came too late.
      if (mayWait && !isLate() && this.#arrivals - first < ACCEPT_QUEUE) continue;
      if (this.#arrivals === before || this.#held.length >= BACKLOG) break;
      if (performance.now() >= endsAt) break;
    }
    this.#end();
  }

  /** Closes at once and resets the connections in the accept queue. May be called again. */
  close(): void {
    this.#end();
    for (const connection of this.#held.splice(0)) connection.close();
  }

  /** Closes at once. */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.closeSocket();
    this.#waiter?.({ value: undefined, done: true });
    this.#waiter = undefined;
  }
}

/** After how long without a connection the accept queue counts as empty, in milliseconds. */
const QUIET_MS = 15;

/** How often a stopping listener looks whether its accept queue is empty, in milliseconds. */
const LOOK_MS = 4;

/** The longest that a stopping listener accepts while clients keep coming, in milliseconds. */
const LONGEST_STOP_MS = 1_000;

/** How many accepted connections may wait for an owner: the kernel's usual limit for its queue. */
const BACKLOG = 1024;
