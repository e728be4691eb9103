/**
 * The driver that blocks: a protocol's every wish is a system call that returns when it is done.
 *
 * This is how servers were written before there were event loops, and still the plainest way: the
 * thread is the state of the conversation. It must run in a Worker, for nothing else of its
 * thread happens meanwhile.
 *
 * @module
 */

import type { Effect, Protocol, ReadEffect, WriteEffect } from "../../protocols/effects.ts";
import type { Tasks } from "../../protocols/catalogue.ts";
import { PeerGoneError, ReadTimeoutError, SessionTimeoutError } from "../../protocols/errors.ts";
import { type ConnectionCalls, SocketError, type Sockets } from "../net/sockets.ts";
import { checkBytes, failureBy, nothingToWaitFor, runTask, unknownEffect } from "./conversation.ts";
import { checkWithin, LINGER_BYTES, LINGER_MS, type TimeLimits } from "./limits.ts";

/** What the blocking driver needs to know. */
export interface BlockingOptions extends TimeLimits {
  /** The `SO_RCVTIMEO` that sockets have to begin with, in milliseconds; 0 is none. */
  readonly receiveTimeoutMs: number;
  /** The CPU-bound work that the conversation may ask for; it is done in place. */
  readonly tasks?: Tasks | undefined;
  /** Whether a computation may go on; asked every few milliseconds where its task has slices. */
  readonly mayCompute?: (() => boolean) | undefined;
  /** Is told when a write had to wait, since when, on the clock of `performance.now()`. */
  readonly onWaited?: ((since: number) => void) | undefined;
  /** Is told of each message received. */
  readonly onReport?: ((message: string) => void) | undefined;
}

/** A receive timeout that no option can name, so that it is set before the first `recv`. */
const UNKNOWN = -1;

/** How much one `recv` takes at most, in bytes. */
const RECEIVE_BYTES = 64 * 1024;

/**
 * Holds conversations over connected sockets, one at a time. Each thread has one of its own, with
 * the buffer into which it receives.
 */
export class BlockingDriver {
  readonly #sockets: Sockets;
  #calls: ConnectionCalls;
  readonly #options: BlockingOptions;
  readonly #buffer: Uint8Array = new Uint8Array(RECEIVE_BYTES);
  readonly #dontWait: number;
  #view: Uint8Array = this.#buffer;
  #fd = -1;
  #endsAt = Infinity;
  #receiveTimeoutMs = 0;
  /** Whether the next `recv` needs another timeout than the socket has, or may. */
  #isLimited = false;
  #sessionEndsFirst = false;
  #wroteLast = false;
  /** Why nothing can be received or sent any more, and whether the protocol has been told. */
  #fatal: Error | undefined;
  #wasTold = false;

  /** @param sockets the Berkeley calls @param options limits */
  constructor(sockets: Sockets, options: BlockingOptions) {
    this.#sockets = sockets;
    this.#calls = sockets;
    this.#dontWait = sockets.constants.MSG_DONTWAIT;
    this.#options = options;
  }

  /**
   * Holds a conversation, blocking the thread until it is over. The descriptor is left open.
   *
   * @param fd a connected, blocking socket
   * @param conversation the protocol's side of it
   * @param inherits whether the socket has the receive timeout that the options name; if not, it
   * is set
   * @param calls how to receive and send
   * @returns what the conversation returned
   * @throws what the conversation threw, or let pass of what the driver threw into it
   */
  converse<Result>(
    fd: number,
    conversation: Protocol<Result>,
    inherits = true,
    calls: ConnectionCalls = this.#sockets,
  ): Result {
    const { readTimeoutMs, sessionTimeoutMs, receiveTimeoutMs } = this.#options;
    this.#fd = fd;
    this.#calls = calls;
    this.#receiveTimeoutMs = inherits ? receiveTimeoutMs : UNKNOWN;
    this.#wroteLast = false;
    this.#fatal = undefined;
    this.#wasTold = false;
    this.#endsAt = sessionTimeoutMs > 0 ? performance.now() + sessionTimeoutMs : Infinity;
    this.#isLimited = sessionTimeoutMs > 0 || readTimeoutMs !== this.#receiveTimeoutMs;
    try {
      let step = conversation.next();
      while (step.done !== true) {
        const effect = step.value;
        let answer: unknown;
        try {
          // A protocol may yield anything, nothing too.
          if (effect?.kind === "read") answer = this.#read(effect.withinMs);
          else if (effect?.kind === "write") this.#write(effect.bytes);
          else answer = this.#grant(effect);
        } catch (error) {
          // A protocol that goes on after the end is not asked twice.
          if (error === this.#fatal && this.#wasTold) {
            conversation.return(undefined as Result);
            throw error;
          }
          this.#wasTold = error === this.#fatal;
          step = conversation.throw(error);
          continue;
        }
        step = conversation.next(answer);
      }
      return step.value;
    } catch (error) {
      // What the protocol said last must reach the peer: closing with unread bytes would reset
      // the connection and could destroy it on the way (RFC 2525, section 2.17).
      if (this.#wroteLast) this.#linger();
      throw failureBy(error);
    }
  }

  /** Grants what is rare; reading and writing are the hot path. */
  #grant(effect: Exclude<Effect, ReadEffect | WriteEffect>): unknown {
    switch (effect?.kind) {
      case "report":
        return this.#options.onReport?.(effect.message);
      case "compute":
        return this.#compute(effect.task, effect.argument);
      case "wait":
        throw nothingToWaitFor(effect);
      default:
        throw unknownEffect(effect);
    }
  }

  #read(withinMs: number | undefined): Uint8Array | null | undefined {
    if (this.#fatal !== undefined) throw this.#fatal;
    this.#wroteLast = false;
    const isLimited = this.#isLimited || withinMs !== undefined;
    if (isLimited && !this.#limitReceive(withinMs)) return undefined;
    const count = this.#calls.recv(this.#fd, this.#buffer, 0);
    return count > 0 ? this.#head(count) : this.#received(count);
  }

  /** The first bytes of the buffer. Messages are often as long as the one before. */
  #head(count: number): Uint8Array {
    if (this.#view.length !== count) this.#view = this.#buffer.subarray(0, count);
    return this.#view;
  }

  /** What it means that no bytes were received. */
  #received(count: number): Uint8Array | null | undefined {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    if (count === 0) return null;
    if (count === -EINTR) return this.#read(undefined);
    throw count === -EAGAIN ? this.#timeout() : this.#gone("recv", -count);
  }

  /** Sees to it that the next `recv` ends in time; returns false if nothing came within that. */
  #limitReceive(withinMs: number | undefined): boolean {
    const limitMs = this.#receiveLimit();
    if (withinMs !== undefined && checkWithin(withinMs) < limitMs) {
      return this.#isReadable(withinMs);
    }
    this.#setReceiveTimeout(limitMs);
    return true;
  }

  /** How long the next `recv` may block, in milliseconds; `Infinity` is for ever. */
  #receiveLimit(): number {
    const readMs = this.#options.readTimeoutMs > 0 ? this.#options.readTimeoutMs : Infinity;
    if (this.#endsAt === Infinity) return readMs;
    const leftMs = this.#endsAt - performance.now();
    if (leftMs <= 0) throw this.#sessionTimeout();
    this.#sessionEndsFirst = leftMs < readMs;
    return Math.min(readMs, leftMs);
  }

  /** Mostly it is what the last one had, and costs nothing. */
  #setReceiveTimeout(limitMs: number): void {
    const ms = limitMs === Infinity ? 0 : limitMs;
    if (ms === this.#receiveTimeoutMs) return;
    this.#sockets.setReceiveTimeout(this.#fd, ms);
    this.#receiveTimeoutMs = ms;
  }

  #timeout(): Error {
    if (this.#sessionEndsFirst) return this.#sessionTimeout();
    return new ReadTimeoutError(this.#options.readTimeoutMs);
  }

  #sessionTimeout(): Error {
    return this.#fatal = new SessionTimeoutError(this.#options.sessionTimeoutMs);
  }

  #isReadable(withinMs: number): boolean {
    const { POLLIN, errno } = this.#sockets.constants;
    const until = performance.now() + withinMs;
    for (;;) {
      const left = Math.max(0, until - performance.now());
      const ready = this.#sockets.poll(this.#fd, POLLIN, left);
      if (ready !== -errno.EINTR) return ready !== 0;
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#fatal !== undefined) throw this.#fatal;
    checkBytes(bytes);
    this.#wroteLast = true;
    const count = this.#calls.send(this.#fd, bytes, this.#dontWait);
    if (count !== bytes.length) this.#writeRest(bytes, count);
  }

  /** Goes on after a `send` that did not take everything. */
  #writeRest(bytes: Uint8Array, taken: number): void {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    const since = performance.now();
    let rest = bytes;
    try {
      for (let count = taken;; count = this.#calls.send(this.#fd, rest, this.#dontWait)) {
        if (count >= 0) rest = rest.subarray(count);
        else if (count !== -EAGAIN && count !== -EINTR) throw this.#gone("send", -count);
        if (rest.length === 0) return;
        this.#waitForRoom();
      }
    } finally {
      this.#options.onWaited?.(since);
    }
  }

  /** Waits until the peer has taken some of what was sent. */
  #waitForRoom(): void {
    const left = this.#endsAt === Infinity ? -1 : this.#endsAt - performance.now();
    if (left <= 0 && left !== -1) throw this.#sessionTimeout();
    const ready = this.#sockets.poll(this.#fd, this.#sockets.constants.POLLOUT, left);
    if (ready === 0) throw this.#sessionTimeout();
  }

  /** Computes in place, unless the time is over, the peer has left or somebody objects. */
  #compute(task: string, argument: unknown): unknown {
    const { tasks, mayCompute, computeTimeoutMs } = this.#options;
    const { POLLERR, POLLHUP } = this.#sockets.constants;
    return runTask(tasks, task, argument, computeTimeoutMs, () => {
      if (performance.now() >= this.#endsAt) throw this.#sessionTimeout();
      // A peer that has only sent FIN may still want the answer; one that has reset does not.
      const events = this.#sockets.poll(this.#fd, 0, 0);
      const isGone = events > 0 && (events & (POLLERR | POLLHUP)) !== 0;
      if (isGone || mayCompute?.() === false) {
        throw this.#fatal = new PeerGoneError("waiting for a computation");
      }
    });
  }

  #gone(syscall: string, errno: number): Error {
    this.#wroteLast = false;
    const cause = new SocketError(syscall, errno);
    const during = syscall === "recv" ? "receiving" : "sending";
    return this.#fatal = new PeerGoneError(during, { cause });
  }

  #linger(): void {
    const { constants } = this.#sockets;
    if (this.#calls.shutdown(this.#fd, constants.SHUT_WR) < 0) return;
    const until = performance.now() + LINGER_MS;
    for (let bytes = 0; bytes < LINGER_BYTES;) {
      const left = until - performance.now();
      if (left <= 0 || !this.#isReadable(left)) return;
      const count = this.#calls.recv(this.#fd, this.#buffer, constants.MSG_DONTWAIT);
      if (count <= 0) return;
      bytes += count;
    }
  }
}
