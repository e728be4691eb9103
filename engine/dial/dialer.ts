/**
 * The two ways in which the client calls a server, behind one small interface: with events on the
 * runtime's loop, or with system calls that block. The conversation is the same generator in both.
 *
 * @module
 */

import type { Address, Protocol } from "../../protocols/effects.ts";
import { BlockingDriver } from "../drivers/blocking.ts";
import { Deadline, TimedDeadlines } from "../drivers/deadlines.ts";
import { LINGER_LIMITS, type TimeLimits } from "../drivers/limits.ts";
import { LingerSet } from "../drivers/linger.ts";
import { Session, type SessionOptions } from "../drivers/session.ts";
import { sockets } from "../net/sockets.ts";
import type { Connection } from "../net/transport.ts";
import { openEventConnection } from "./event_connection.ts";
import { ConnectTimeoutError, InterruptedError, refuseSelfByDescriptor } from "./failures.ts";

/** A connection to a server, for one conversation. */
export interface Call {
  /** The address of this end. */
  readonly localAddress: Address;
  /**
   * Holds the conversation and closes the connection.
   *
   * @param conversation the client's side of the protocol
   * @returns what the conversation returned; fails with what it threw
   */
  converse<Result>(conversation: Protocol<Result>): Result | Promise<Result>;
}

/** A connection for more than one conversation. */
export interface EventCall extends Call {
  /**
   * The connection itself, for callers that read and write at the same time. A protocol cannot do
   * that, because it does one thing after the other.
   */
  readonly connection: Connection;
  /**
   * Holds a part of the conversation. It leaves the connection open for the next part, unless this
   * one fails.
   *
   * @param part the client's side of this part
   * @param limits the limits that differ from the dialer's
   * @returns what the part returned; fails with what it threw
   */
  exchange<Result>(part: Protocol<Result>, limits?: Partial<TimeLimits>): Promise<Result>;
}

/** A way to call servers. */
export interface Dialer<Made extends Call = Call> extends Disposable {
  /**
   * Connects.
   *
   * @param address a numeric address
   * @param withinMs how long connecting may take, in milliseconds; 0 means as long as the system
   * tries
   */
  dial(address: Address, withinMs: number): Made | Promise<Made>;
  /** Ends everything under way with an {@linkcode InterruptedError}, if that is possible. */
  interrupt(): void;
}

/** Makes calls with the runtime's own sockets, any number at a time. */
export class EventDialer implements Dialer<EventCall> {
  readonly #limits: TimeLimits;
  readonly #deadlines = new TimedDeadlines();
  /** A caller has few descriptors to spare, and most servers close as soon as they read FIN. */
  readonly #lingering = new LingerSet(this.#deadlines, { ...LINGER_LIMITS, most: 64 });
  readonly #underWay = new Set<(why: Error) => void>();
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.interrupt();

  /**
   * @param limits the limits of every conversation
   * @param signal interrupts all calls that are under way
   */
  constructor(limits: TimeLimits, signal?: AbortSignal) {
    this.#limits = limits;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort);
  }

  /** Connects. Once the signal has come, nobody is called any more. */
  async dial(address: Address, withinMs: number): Promise<EventCall> {
    if (this.#signal?.aborted === true) throw new InterruptedError();
    const attempt = new AbortController();
    const giveUp = (why: Error) => attempt.abort(why);
    const limit = new Deadline(() => giveUp(new ConnectTimeoutError(withinMs)));
    this.#underWay.add(giveUp);
    if (withinMs > 0) this.#deadlines.set(limit, withinMs);
    try {
      const connection = await openEventConnection(address, attempt.signal);
      return {
        get localAddress() {
          return connection.localAddress;
        },
        connection,
        converse: (conversation) => this.#converse(connection, conversation, {}),
        exchange: (part, limits) => this.#converse(connection, part, { ...limits, keepOpen: true }),
      };
    } finally {
      limit.lift();
      this.#underWay.delete(giveUp);
    }
  }

  #converse<Result>(
    connection: Connection,
    conversation: Protocol<Result>,
    own: Partial<SessionOptions>,
  ): Promise<Result> {
    if (this.#signal?.aborted === true) {
      connection.close();
      return Promise.reject(new InterruptedError());
    }
    return new Promise((resolve, reject) => {
      const [deadlines, lingerer] = [this.#deadlines, this.#lingering];
      const options = { ...this.#limits, ...own, deadlines, lingerer };
      const session = new Session(connection, conversation, options, (error, result) => {
        this.#underWay.delete(cut);
        if (error === undefined) resolve(result as Result);
        else reject(error);
      });
      const cut = (why: Error) => session.cut(why);
      this.#underWay.add(cut);
      session.start();
    });
  }

  /** Ends all calls. */
  interrupt(): void {
    for (const end of [...this.#underWay]) end(new InterruptedError());
  }

  /** Closes what still lingers, and stops its timers: whoever calls does not wait for a server. */
  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#lingering.close();
    this.#deadlines[Symbol.dispose]();
  }
}

/**
 * Makes calls with system calls that block this thread, as a C program does. There is one call at a
 * time, and nothing else happens meanwhile, not even a signal handler. That is why the socket
 * itself limits the time for connecting and for every read.
 */
export class BlockingDialer implements Dialer {
  readonly #sockets = sockets();
  readonly #driver: BlockingDriver;

  /**
   * @param limits the limits of every conversation
   * @throws {SocketsUnavailableError} if there are no Berkeley sockets
   */
  constructor(limits: TimeLimits) {
    this.#driver = new BlockingDriver(this.#sockets, { ...limits, receiveTimeoutMs: 0 });
  }

  /** Connects. */
  dial(address: Address, withinMs: number): Call {
    const net = this.#sockets;
    const driver = this.#driver;
    const fd = this.#open(address, withinMs);
    return {
      get localAddress() {
        return net.localAddress(fd);
      },
      converse(conversation) {
        let hasFailed = true;
        try {
          const result = driver.converse(fd, conversation);
          hasFailed = false;
          return result;
        } finally {
          // The thread that calls is the only one there is, and it does not wait for a server.
          if (driver.mustLinger(hasFailed)) driver.part();
          net.close(fd);
        }
      },
    };
  }

  #open(address: Address, withinMs: number): number {
    let fd: number | undefined;
    try {
      fd = this.#sockets.openConnection(address, withinMs);
      refuseSelfByDescriptor(this.#sockets, fd, address);
      return fd;
    } catch (error) {
      if (fd !== undefined) this.#sockets.close(fd);
      const isLate = withinMs > 0 && (error as { code?: unknown }).code === "ETIMEDOUT";
      throw isLate ? new ConnectTimeoutError(withinMs) : error;
    }
  }

  /** When this can run at all, nothing is under way. */
  interrupt(): void {}

  /** It has no timers. */
  [Symbol.dispose](): void {}
}
