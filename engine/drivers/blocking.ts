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
import { SocketError } from "../net/socket_error.ts";
import type { Sockets } from "../net/sockets.ts";
import {
  checkBytes,
  checkReport,
  failureBy,
  nothingToWaitFor,
  runTask,
  unknownEffect,
} from "./conversation.ts";
import { checkWithin, type TimeLimits } from "./limits.ts";

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

const NOTHING = new Uint8Array(0);

/** A receive timeout that no option can name, so that it is set before the first `recv`. */
const UNKNOWN = -1;

/** How much one `recv` takes at most, in bytes. */
const RECEIVE_BYTES = 64 * 1024;

/** What a conversation needs next: a call on its socket, or nothing because it is over. */
export type Need = "recv" | "send" | "nothing";

/**
 * Holds conversations over connected sockets, one at a time. Each thread has one of its own, with
 * the buffer into which it receives.
 *
 * {@linkcode BlockingDriver.converse} makes all the calls. Those who want to make them themselves
 * begin a conversation, ask what it needs, and tell what became of each call.
 */
export class BlockingDriver {
  /** Where bytes are received: for `recv`. */
  readonly buffer: Uint8Array = new Uint8Array(RECEIVE_BYTES);
  /** What is to be sent and has not been taken yet: for `send`. */
  unsent: Uint8Array = NOTHING;
  readonly #sockets: Sockets;
  readonly #options: BlockingOptions;
  readonly #dontWait: number;
  #conversation: Protocol<unknown> = over();
  /** The call that was asked for and not yet made in full. */
  #need: Need = "nothing";
  /** What the conversation is resumed with: an answer, or an error. */
  #answer: unknown;
  #error: unknown;
  #result: unknown;
  #view: Uint8Array = this.buffer;
  #fd = -1;
  #endsAt = Infinity;
  #receiveTimeoutMs = 0;
  /** Whether the next `recv` needs another timeout than the socket has, or may. */
  #isLimited = false;
  #sessionEndsFirst = false;
  /** Since when a `send` has to be gone on with; `undefined` while none has to. */
  #waitingSince: number | undefined;
  /** Whether anything was written, and whether nothing has come since. */
  #hasWritten = false;
  #wroteLast = false;
  /** Whether nothing more can come: the peer's FIN or a reset has been seen. */
  #hasEnded = false;
  /** Why nothing can be received or sent any more, and whether the protocol has been told. */
  #fatal: Error | undefined;
  #wasTold = false;
  #hasGivenUp = false;

  /** @param sockets the Berkeley calls @param options limits */
  constructor(sockets: Sockets, options: BlockingOptions) {
    this.#sockets = sockets;
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
   * @returns what the conversation returned
   * @throws what the conversation threw, or let pass of what the driver threw into it
   */
  converse<Result>(fd: number, conversation: Protocol<Result>, inherits = true): Result {
    this.begin(fd, conversation, inherits);
    this.run();
    return this.#result as Result;
  }

  /**
   * Makes all the calls of the conversation that was begun, blocking the thread until it is over.
   *
   * @throws what the conversation threw
   */
  run(): void {
    for (let need = this.next(); need !== "nothing"; need = this.next()) {
      if (need === "recv") this.received(this.#sockets.recv(this.#fd, this.buffer, 0));
      else this.sent(this.#sockets.send(this.#fd, this.unsent, this.#dontWait));
    }
  }

  /**
   * Begins a conversation whose calls somebody else makes.
   *
   * @param fd a connected, blocking socket
   * @param conversation the protocol's side of it
   * @param inherits as of {@linkcode BlockingDriver.converse}
   */
  begin(fd: number, conversation: Protocol<unknown>, inherits = true): void {
    const { readTimeoutMs, sessionTimeoutMs, receiveTimeoutMs } = this.#options;
    this.#fd = fd;
    this.#conversation = conversation;
    this.#need = "nothing";
    this.#answer = undefined;
    this.#error = undefined;
    this.#receiveTimeoutMs = inherits ? receiveTimeoutMs : UNKNOWN;
    this.#hasWritten = false;
    this.#wroteLast = false;
    this.#hasEnded = false;
    this.#fatal = undefined;
    this.#wasTold = false;
    this.#hasGivenUp = false;
    this.#endsAt = sessionTimeoutMs > 0 ? performance.now() + sessionTimeoutMs : Infinity;
    this.#isLimited = sessionTimeoutMs > 0 || readTimeoutMs !== this.#receiveTimeoutMs;
  }

  /**
   * Runs the conversation until it needs a call.
   *
   * @returns the call that is to be made now: `recv` into {@linkcode BlockingDriver.buffer}, or
   * `send` of {@linkcode BlockingDriver.unsent} with `MSG_DONTWAIT`; `nothing` when it is over
   * @throws what the conversation threw
   */
  next(): Need {
    try {
      return this.#advance();
    } catch (error) {
      throw failureBy(error);
    }
  }

  #advance(): Need {
    if (this.#need !== "nothing") return this.#need;
    const conversation = this.#conversation;
    if (this.#hasGivenUp) return this.#giveUp();
    for (;;) {
      const step = this.#error === undefined
        ? conversation.next(this.#answer)
        : conversation.throw(this.#takeError());
      if (step.done === true) {
        this.#result = step.value;
        return "nothing";
      }
      const effect = step.value;
      this.#answer = undefined;
      try {
        // A protocol may yield anything, nothing too.
        if (effect?.kind === "read") {
          // Where nothing came within the time, that is the answer.
          if (this.#mayReceive(effect.withinMs)) return this.#need = "recv";
        } else if (effect?.kind === "write") {
          this.#write(effect.bytes);
          return this.#need = "send";
        } else this.#answer = this.#grant(effect);
      } catch (error) {
        this.#fail(error);
        if (this.#hasGivenUp) return this.#giveUp();
      }
    }
  }

  /**
   * What `recv` has returned.
   *
   * @param count how many bytes, 0 at the peer's FIN, or the negated error number
   */
  received(count: number): void {
    this.#need = "nothing";
    if (count > 0) {
      this.#wroteLast = false;
      this.#answer = this.#head(count);
    } else if (count === 0) {
      this.#hasEnded = true;
      this.#answer = null;
    } else this.#notReceived(-count);
  }

  /**
   * What `send` has returned.
   *
   * @param count how many bytes the kernel has taken, or the negated error number
   */
  sent(count: number): void {
    if (count === this.unsent.length) {
      this.#need = "nothing";
      if (this.#waitingSince !== undefined) this.#waited();
    } else this.#sentSome(count);
  }

  /** Something failed: the conversation is told of it when it goes on. */
  #fail(error: unknown): void {
    this.#need = "nothing";
    this.#error = error;
    // A protocol that goes on after the end is not asked twice.
    this.#hasGivenUp = error === this.#fatal && this.#wasTold;
    this.#wasTold = error === this.#fatal;
  }

  /** Ends a conversation that does not end by itself. */
  #giveUp(): never {
    const error = this.#takeError();
    this.#conversation.return(undefined);
    throw error;
  }

  #takeError(): unknown {
    const error = this.#error;
    this.#error = undefined;
    return error;
  }

  /**
   * Whether the descriptor has to linger before it is closed, because closing it at once could
   * destroy what was said last. To be asked when the conversation is over. What the rule is stands
   * in `linger.ts`.
   *
   * @param hasFailed whether the conversation failed
   */
  mustLinger(hasFailed: boolean): boolean {
    if (!this.#hasWritten || this.#hasEnded) return false;
    const { POLLIN, POLLERR } = this.#sockets.constants;
    // Mostly nothing has come: then poll(2) costs less than a `recv` that fails.
    const events = this.#sockets.poll(this.#fd, POLLIN, 0);
    if (events <= 0) return hasFailed || this.#wroteLast;
    if ((events & POLLERR) !== 0) return false;
    // FIN: nothing more will come.
    return this.#sockets.recv(this.#fd, this.buffer, this.#dontWait) !== 0;
  }

  /** Grants what is rare; reading and writing are the hot path. */
  #grant(effect: Exclude<Effect, ReadEffect | WriteEffect>): unknown {
    switch (effect?.kind) {
      case "report":
        checkReport(effect.message);
        return this.#options.onReport?.(effect.message);
      case "compute":
        return this.#compute(effect.task, effect.argument);
      case "wait":
        throw nothingToWaitFor(effect);
      default:
        throw unknownEffect(effect);
    }
  }

  /** Whether to receive now; false if nothing came within the time that the protocol gave. */
  #mayReceive(withinMs: number | undefined): boolean {
    if (this.#fatal !== undefined) throw this.#fatal;
    const isLimited = this.#isLimited || withinMs !== undefined;
    return !isLimited || this.#limitReceive(withinMs);
  }

  /** The first bytes of the buffer. Messages are often as long as the one before. */
  #head(count: number): Uint8Array {
    if (this.#view.length !== count) this.#view = this.buffer.subarray(0, count);
    return this.#view;
  }

  /** What it means that nothing could be received. */
  #notReceived(errno: number): void {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    if (errno === EINTR) this.#need = "recv";
    else this.#fail(errno === EAGAIN ? this.#timeout() : this.#gone("recv", errno));
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
    this.unsent = checkBytes(bytes);
    this.#hasWritten = true;
    this.#wroteLast = true;
  }

  /** Goes on after a `send` that did not take everything. */
  #sentSome(count: number): void {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    this.#waitingSince ??= performance.now();
    try {
      if (count >= 0) this.unsent = this.unsent.subarray(count);
      else if (count !== -EAGAIN && count !== -EINTR) throw this.#gone("send", -count);
      this.#waitForRoom();
    } catch (error) {
      this.#waited();
      this.#fail(error);
    }
  }

  /** A write that had to wait is over. */
  #waited(): void {
    const since = this.#waitingSince as number;
    this.#waitingSince = undefined;
    this.#options.onWaited?.(since);
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
      if (isGone) this.#hasEnded = true;
      if (isGone || mayCompute?.() === false) {
        throw this.#fatal = new PeerGoneError("waiting for a computation");
      }
    });
  }

  #gone(syscall: string, errno: number): Error {
    this.#hasEnded = true;
    const cause = new SocketError(syscall, errno);
    const during = syscall === "recv" ? "receiving" : "sending";
    return this.#fatal = new PeerGoneError(during, { cause });
  }
}

/** A conversation that is over, for a driver that holds none. */
function* over(): Protocol<void> {}
