/**
 * The blocking driver: each effect of a protocol is a system call that returns when it is done.
 *
 * Servers were written like this before there were event loops. It is still the plainest way: the
 * thread itself holds the state of the conversation. The driver must run in a Worker, because
 * nothing else on its thread happens meanwhile.
 *
 * @module
 */

import {
  type Effect,
  type Protocol,
  READ,
  type ReadEffect,
  type WriteEffect,
} from "../../protocols/effects.ts";
import type { Tasks } from "../../protocols/catalogue.ts";
import {
  ComputeTimeoutError,
  MessageTimeoutError,
  PeerGoneError,
  SessionTimeoutError,
} from "../../protocols/errors.ts";
import { Pulse } from "./pulse.ts";
import { SocketError } from "../net/socket_error.ts";
import type { Sockets } from "../net/sockets.ts";
import { extensionOf } from "./deadlines.ts";
import {
  abandon,
  checkBytes,
  checkReport,
  failureBy,
  isPlain,
  MOST_LAST,
  nothingToWaitFor,
  runTask,
  unknownEffect,
} from "./conversation.ts";
import {
  betweenMessagesMs,
  checkWithin,
  LOOKS_AT_WRITE,
  silenceError,
  type TimeLimits,
  tookNothing,
} from "./limits.ts";

/** What the blocking driver needs to know. */
export interface BlockingOptions extends TimeLimits {
  /** The `SO_RCVTIMEO` that sockets have at first, in milliseconds; 0 means none. */
  readonly receiveTimeoutMs: number;
  /** The CPU-bound work that the conversation may ask for. It is done in place. */
  readonly tasks?: Tasks | undefined;
  /** Whether these are known to yield every few milliseconds. @default {false} */
  readonly hasSlicedTasks?: boolean | undefined;
  /**
   * Whether the conversation may go on computing and reporting. It is called every few milliseconds
   * if the task has slices.
   */
  readonly mayCompute?: (() => boolean) | undefined;
  /** Called when a write has to wait. */
  readonly onWaits?: (() => void) | undefined;
  /** Called after a write that had to wait, with the `performance.now()` when it began to wait. */
  readonly onWaited?: ((since: number) => void) | undefined;
  /** Called when a signal has ended a call that waited. */
  readonly onInterrupted?: (() => void) | undefined;
  /** Says when the thread is in the conversation's code. By default nobody is told. */
  readonly pulse?: Pulse | undefined;
  /** Receives each message that the conversation reports. */
  readonly onReport?: ((message: string) => void) | undefined;
  /** The most bytes that one `recv` takes. @default {65536} */
  readonly receiveBytes?: number;
}

const NOTHING = new Uint8Array(0);

/** A receive timeout that no option can have, so that one is set before the first `recv`. */
const UNKNOWN = -1;

/** The most bytes that one `recv` takes, if the options do not say it. */
const RECEIVE_BYTES = 64 * 1024;

/**
 * How many times `recv` may throw away what a peer has sent: that is more than a receive buffer
 * usually holds.
 */
const MOST_DISCARDED = 128;

/** The time limit that the next `recv` reaches first. */
type FirstLimit = "read" | "idle" | "message" | "session";

/** What a conversation needs next: a call on its socket, or nothing, because it is over. */
export type Need = "recv" | "send" | "nothing";

/**
 * Holds conversations over connected sockets, one at a time. Each thread has its own driver, with
 * the buffer into which it receives.
 *
 * {@linkcode BlockingDriver.converse} makes all the calls. A mode may also make them itself: it
 * begins a conversation, is told which call that needs, and reports the result of each call.
 */
export class BlockingDriver {
  /** The buffer into which `recv` receives. */
  readonly buffer: Uint8Array;
  /** The bytes for the next `send`: those that the kernel has not taken yet. */
  unsent: Uint8Array = NOTHING;
  readonly #sockets: Sockets;
  readonly #options: BlockingOptions;
  readonly #dontWait: number;
  readonly #pulse: Pulse;
  #conversation: Protocol<unknown> = over();
  #result: unknown;
  #view: Uint8Array;
  #fd = -1;
  #endsAt = Infinity;
  /** How often a limit was extended. */
  #extensions = 0;
  #receiveTimeoutMs = 0;
  /** Whether a `recv` between two messages needs, or may need, another timeout than the socket has. */
  #isLimited = false;
  #firstLimit: FirstLimit = "read";
  /** When the message that is coming must be whole; `Infinity` if its time has not begun. */
  #messageEndsAt = Infinity;
  /** When the present write began to wait for room; `undefined` while none waits. */
  #waitingSince: number | undefined;
  /** How often something was written, and whether nothing has been received since. */
  #writes = 0;
  #wroteLast = false;
  /** Whether the peer's FIN or a reset has been seen, so that nothing more can come. */
  #hasEnded = false;
  /** Whether the peer has sent a byte. */
  #hasReceived = false;
  /** Whether the peer left before that. */
  #leftEarly = false;
  /** The error after which nothing can be received or sent, and whether the protocol has had it. */
  #fatal: Error | undefined;
  #wasTold = false;
  /** How many effects were granted after that error. */
  #lastEffects = 0;

  /**
   * @param sockets the Berkeley calls
   * @param options limits
   */
  constructor(sockets: Sockets, options: BlockingOptions) {
    this.#sockets = sockets;
    this.#dontWait = sockets.constants.MSG_DONTWAIT;
    this.#options = options;
    this.buffer = this.#view = new Uint8Array(options.receiveBytes ?? RECEIVE_BYTES);
    this.#pulse = options.pulse ?? new Pulse();
  }

  /** What the last conversation has returned. */
  get result(): unknown {
    return this.#result;
  }

  /**
   * Holds a conversation. Blocks the thread until it is over. The descriptor stays open.
   *
   * @param fd a connected, blocking socket
   * @param conversation the protocol's side of it
   * @param inherits whether the socket already has the receive timeout of the options; if not, the
   * driver sets it
   * @returns what the conversation returned
   * @throws what the conversation threw; this includes errors that the driver threw into it and
   * that it did not catch
   */
  converse<Result>(fd: number, conversation: Protocol<Result>, inherits = true): Result {
    try {
      this.run(this.begin(fd, conversation, inherits));
    } catch (error) {
      throw failureBy(error);
    }
    return this.#result as Result;
  }

  /**
   * Makes all the calls of a conversation that was begun, blocking the thread until it is over.
   *
   * @param first the first call that it needs
   * @throws what the conversation threw
   */
  run(first: Need): void {
    for (let need = first; need !== "nothing";) {
      need = need === "recv"
        ? this.#exchange()
        : this.sent(this.#sockets.send(this.#fd, this.unsent, this.#dontWait));
    }
  }

  /**
   * Receives, and sends what the conversation answers, as long as it does nothing else. Fifty threads
   * that take turns on a few cores find little of what they run in the caches. So what nearly every
   * message needs is here, in one place, and it does what {@linkcode BlockingDriver.received} and
   * {@linkcode BlockingDriver.sent} do, which are for everything else.
   *
   * @returns the call to make after the first thing that is different
   */
  #exchange(): Need {
    const conversation = this.#conversation;
    const sockets = this.#sockets;
    const pulse = this.#pulse;
    const fd = this.#fd;
    for (;;) {
      const count = sockets.recv(fd, this.buffer, 0);
      if (count <= 0) return this.received(count);
      pulse.works();
      this.#wroteLast = false;
      this.#hasReceived = true;
      const received = this.#head(count);
      let step: IteratorResult<Effect, unknown> = conversation.next(received);
      if (step.done !== true && step.value?.kind === "write") {
        const { bytes } = step.value;
        // An echo sends what has come, and to compare its length costs less than to look at all.
        if (bytes === received ? bytes.length === count : isPlain(bytes)) {
          this.#writes++;
          this.#wroteLast = true;
          pulse.rests();
          const sent = sockets.send(fd, bytes, this.#dontWait);
          if (sent !== bytes.length) {
            this.unsent = bytes;
            return this.sent(sent);
          }
          pulse.works();
          step = conversation.next();
          if (step.done !== true && step.value === READ && !this.#isLimited) {
            pulse.rests();
            continue;
          }
        }
      }
      const need = this.#advance(step);
      pulse.rests();
      return need;
    }
  }

  /**
   * Begins a conversation whose calls the caller makes, and runs it until it needs a call.
   *
   * @param fd a connected, blocking socket
   * @param conversation the protocol's side of it
   * @param inherits see {@linkcode BlockingDriver.converse}
   * @param hasReceived whether bytes of the peer have come before
   * @returns the call to make now: `recv` into {@linkcode BlockingDriver.buffer}, or `send` of
   * {@linkcode BlockingDriver.unsent} with `MSG_DONTWAIT`; `nothing` when the conversation is over
   * @throws what the conversation threw
   */
  begin(
    fd: number,
    conversation: Protocol<unknown>,
    inherits = true,
    hasReceived = false,
  ): Need {
    const { sessionTimeoutMs, receiveTimeoutMs } = this.#options;
    this.#fd = fd;
    this.#conversation = conversation;
    this.#receiveTimeoutMs = inherits ? receiveTimeoutMs : UNKNOWN;
    this.#writes = 0;
    this.#wroteLast = false;
    this.#hasEnded = false;
    this.#hasReceived = hasReceived;
    this.#leftEarly = false;
    this.#fatal = undefined;
    this.#wasTold = false;
    this.#lastEffects = 0;
    this.#endsAt = sessionTimeoutMs > 0 ? performance.now() + sessionTimeoutMs : Infinity;
    this.#extensions = 0;
    this.#messageEndsAt = Infinity;
    this.#firstLimit = "idle";
    this.#seeLimits();
    this.#pulse.works();
    const need = this.#advance(conversation.next());
    this.#pulse.rests();
    return need;
  }

  /**
   * Takes the result of `recv`, and runs the conversation until it needs another call.
   *
   * @param count how many bytes came, 0 at the peer's FIN, or the negated error number
   * @returns the call to make now: see {@linkcode BlockingDriver.begin}
   * @throws what the conversation threw
   */
  received(count: number): Need {
    this.#pulse.works();
    let need: Need;
    if (count > 0) {
      this.#wroteLast = false;
      this.#hasReceived = true;
      need = this.#advance(this.#conversation.next(this.#head(count)));
    } else need = this.#receivedNothing(-count);
    this.#pulse.rests();
    return need;
  }

  /**
   * Takes the result of `send`, and runs the conversation until it needs another call.
   *
   * @param count how many bytes the kernel has taken, or the negated error number
   * @returns the call to make now: see {@linkcode BlockingDriver.begin}
   * @throws what the conversation threw
   */
  sent(count: number): Need {
    this.#pulse.works();
    let need: Need;
    if (count === this.unsent.length) {
      if (this.#waitingSince !== undefined) this.#waited();
      need = this.#advance(this.#conversation.next());
    } else need = this.#sentSome(count);
    this.#pulse.rests();
    return need;
  }

  /** The conversation has thrown: the thread is not in its code any more. */
  rest(): void {
    this.#pulse.rests();
  }

  /** Grants effects until one needs a call. */
  #advance(step: IteratorResult<Effect, unknown>): Need {
    while (step.done !== true) {
      const effect = step.value;
      let answer: unknown;
      try {
        // A protocol may yield anything, even `undefined`.
        if (effect?.kind === "read") {
          // If nothing came within the time, the answer is `undefined`.
          if (this.#mayReceive(effect)) return "recv";
        } else if (effect?.kind === "write") {
          this.#write(effect.bytes);
          return "send";
        } else answer = this.#grant(effect);
      } catch (error) {
        step = this.#throw(error);
        continue;
      }
      step = this.#conversation.next(answer);
    }
    this.#result = step.value;
    return "nothing";
  }

  /** Throws an error into the conversation. */
  #throw(error: unknown): IteratorResult<Effect, unknown> {
    // A protocol gets a fatal error once. If it reads or writes again, its conversation is ended.
    if (error === this.#fatal && this.#wasTold) {
      abandon(this.#conversation);
      throw error;
    }
    this.#wasTold = error === this.#fatal;
    return this.#conversation.throw(error);
  }

  /** Whether the peer left before it had sent a byte, and nothing was sent to it after that. */
  get wasEmpty(): boolean {
    return this.#leftEarly && !this.#wroteLast;
  }

  /**
   * Whether the descriptor has to linger before it is closed, because closing it at once could
   * destroy the last bytes sent. Call this when the conversation is over. The rule is explained in
   * `linger.ts`.
   *
   * @param hasFailed whether the conversation failed
   */
  mustLinger(hasFailed: boolean): boolean {
    if (this.#writes === 0 || this.#hasEnded) return false;
    const { POLLIN, POLLERR } = this.#sockets.constants;
    // In most cases nothing has come. Then poll(2) costs less than a `recv` that fails.
    const events = this.#sockets.poll(this.#fd, POLLIN, 0);
    if (events <= 0) {
      return hasFailed || this.#wroteLast || this.#sockets.unacknowledged(this.#fd) > 0;
    }
    if ((events & POLLERR) !== 0) return false;
    // 0 is the peer's FIN: nothing more will come.
    return this.#sockets.recv(this.#fd, this.buffer, this.#dontWait) !== 0;
  }

  /**
   * Sends FIN and throws away what has come so far. It is for callers that have to close a descriptor
   * although {@linkcode BlockingDriver.mustLinger} is true, and that have nobody to leave it to. It
   * never waits.
   */
  part(): void {
    const { SHUT_WR } = this.#sockets.constants;
    if (this.#sockets.shutdown(this.#fd, SHUT_WR) < 0) return;
    // A peer that never stops must not hold the thread.
    for (let left = MOST_DISCARDED; left > 0; left--) {
      if (this.#sockets.recv(this.#fd, this.buffer, this.#dontWait) <= 0) return;
    }
  }

  /** Grants the rare effects. Reading and writing, the hot path, are in `#advance`. */
  #grant(effect: Exclude<Effect, ReadEffect | WriteEffect>): unknown {
    if (this.#fatal !== undefined && ++this.#lastEffects > MOST_LAST) throw this.#fatal;
    if (this.#options.mayCompute?.() === false) {
      throw this.#fatal ??= new PeerGoneError("waiting for the server");
    }
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

  /** Whether to receive now. It is false if nothing came within the time that the protocol gave. */
  #mayReceive(effect: ReadEffect): boolean {
    if (this.#fatal !== undefined) throw this.#fatal;
    const isLimited = this.#isLimited || effect.withinMs !== undefined ||
      effect.inside !== undefined;
    return !isLimited || this.#limitReceive(effect);
  }

  /** Finds out whether a `recv` between two messages has its timeout already. */
  #seeLimits(): void {
    this.#isLimited = this.#endsAt !== Infinity || this.#idleMs !== this.#receiveTimeoutMs;
  }

  /** How long a `recv` between two messages may block, in milliseconds; 0 means for ever. */
  get #idleMs(): number {
    return betweenMessagesMs(this.#options);
  }

  /**
   * The first bytes of the buffer. The view is kept: a message is often as long as the last one.
   */
  #head(count: number): Uint8Array {
    if (this.#view.length !== count) this.#view = this.buffer.subarray(0, count);
    return this.#view;
  }

  /** Takes the peer's FIN, or an error of `recv`. */
  #receivedNothing(errno: number): Need {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    if (errno === EINTR) {
      this.#options.onInterrupted?.();
      return "recv";
    }
    if (errno === 0) {
      this.#left();
      return this.#advance(this.#conversation.next(null));
    }
    const error = errno === EAGAIN ? this.#timeout() : this.#gone("recv", errno);
    return this.#advance(this.#throw(error));
  }

  /**
   * Makes the next `recv` end in time. Returns false if nothing came within the protocol's time.
   */
  #limitReceive({ withinMs, inside }: ReadEffect): boolean {
    const limitMs = this.#receiveLimit(inside);
    if (withinMs !== undefined && checkWithin(withinMs) < limitMs) {
      return this.#isReadable(withinMs);
    }
    this.#setReceiveTimeout(limitMs);
    return true;
  }

  /** How long the next `recv` may block, in milliseconds; `Infinity` means for ever. */
  #receiveLimit(inside: ReadEffect["inside"]): number {
    const { readTimeoutMs, messageTimeoutMs = 0 } = this.#options;
    const isInside = inside !== undefined;
    let limitMs = (isInside ? readTimeoutMs : this.#idleMs) || Infinity;
    this.#firstLimit = isInside ? "read" : "idle";
    const isTimed = isInside && messageTimeoutMs > 0;
    if (!isTimed && this.#endsAt === Infinity) return limitMs;
    if (isTimed) {
      const leftMs = this.#messageLeft(inside === "begun");
      if (leftMs <= 0) throw this.#messageTimeout();
      if (leftMs < limitMs) {
        limitMs = leftMs;
        this.#firstLimit = "message";
      }
    }
    const leftMs = this.#sessionLeft();
    if (leftMs <= 0) throw this.#sessionTimeout();
    if (leftMs < limitMs) {
      limitMs = leftMs;
      this.#firstLimit = "session";
    }
    return limitMs;
  }

  /**
   * How long the message that is coming may still take, in milliseconds. It is extended as the limit
   * of the session is.
   *
   * @param hasBegun whether it has just begun
   */
  #messageLeft(hasBegun: boolean): number {
    const { messageTimeoutMs = 0 } = this.#options;
    const now = performance.now();
    const leftMs = this.#messageEndsAt - now;
    if (hasBegun || leftMs === Infinity) {
      this.#messageEndsAt = now + messageTimeoutMs;
      return messageTimeoutMs;
    }
    if (leftMs > 0) return leftMs;
    const extraMs = this.#extension(-leftMs, messageTimeoutMs);
    if (extraMs === 0) return leftMs;
    this.#messageEndsAt = now + extraMs;
    return extraMs;
  }

  /** By how much a limit is extended that has been reached: see `deadlines.ts`. */
  #extension(lateMs: number, limitMs: number): number {
    const extraMs = extensionOf(lateMs, limitMs, this.#extensions);
    if (extraMs > 0) this.#extensions++;
    return extraMs;
  }

  /**
   * How long the session may still take, in milliseconds; `Infinity` means for ever. If its limit was
   * reached while this thread could not look, because the process was stopped, it is extended.
   */
  #sessionLeft(): number {
    if (this.#endsAt === Infinity) return Infinity;
    const now = performance.now();
    const leftMs = this.#endsAt - now;
    if (leftMs > 0) return leftMs;
    const extraMs = this.#extension(-leftMs, this.#options.sessionTimeoutMs);
    if (extraMs === 0) return leftMs;
    this.#endsAt = now + extraMs;
    return extraMs;
  }

  /** Sets the socket's receive timeout. Most often it is the same as before, and costs nothing. */
  #setReceiveTimeout(limitMs: number): void {
    const ms = limitMs === Infinity ? 0 : limitMs;
    if (ms === this.#receiveTimeoutMs) return;
    this.#sockets.setReceiveTimeout(this.#fd, ms);
    this.#receiveTimeoutMs = ms;
    this.#seeLimits();
  }

  #timeout(): Error {
    if (this.#firstLimit === "session") return this.#sessionTimeout();
    if (this.#firstLimit === "message") return this.#messageTimeout();
    return silenceError(this.#options, this.#firstLimit === "read");
  }

  #messageTimeout(): Error {
    return new MessageTimeoutError(this.#options.messageTimeoutMs as number);
  }

  #sessionTimeout(): Error {
    return this.#fatal = new SessionTimeoutError(this.#options.sessionTimeoutMs);
  }

  #isReadable(withinMs: number): boolean {
    const { POLLIN, errno } = this.#sockets.constants;
    const until = performance.now() + withinMs;
    for (;;) {
      const left = Math.max(0, until - performance.now());
      const ready = this.#wait(POLLIN, left);
      if (ready !== -errno.EINTR) return ready !== 0;
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#fatal !== undefined) throw this.#fatal;
    this.unsent = checkBytes(bytes);
    this.#writes++;
    this.#wroteLast = true;
  }

  /** Goes on after a `send` that did not take everything. */
  #sentSome(count: number): Need {
    const { EAGAIN, EINTR } = this.#sockets.constants.errno;
    if (this.#waitingSince === undefined) {
      this.#waitingSince = performance.now();
      this.#options.onWaits?.();
    }
    try {
      if (count >= 0) this.unsent = this.unsent.subarray(count);
      else if (count !== -EAGAIN && count !== -EINTR) throw this.#gone("send", -count);
      this.#waitForRoom();
      return "send";
    } catch (error) {
      this.#waited();
      return this.#advance(this.#throw(error));
    }
  }

  /** Reports that a write had to wait. */
  #waited(): void {
    const since = this.#waitingSince as number;
    this.#waitingSince = undefined;
    this.#options.onWaited?.(since);
  }

  /** Waits until the peer has taken some of what was sent. */
  #waitForRoom(): void {
    const { writeTimeoutMs = 0 } = this.#options;
    const lookMs = writeTimeoutMs > 0 ? writeTimeoutMs / LOOKS_AT_WRITE : Infinity;
    let pending = Infinity;
    // The socket has room again when a good part of its buffer is empty. Its peer has acknowledged
    // something long before that.
    for (let looks = 0; looks < LOOKS_AT_WRITE; looks++) {
      const leftMs = this.#sessionLeft();
      if (leftMs <= 0) throw this.#sessionTimeout();
      const waitMs = Math.min(leftMs, lookMs);
      const timeoutMs = waitMs === Infinity ? -1 : waitMs;
      if (this.#wait(this.#sockets.constants.POLLOUT, timeoutMs) !== 0) return;
      const left = this.#sockets.unacknowledged(this.#fd);
      if (left < pending) looks = pending === Infinity ? looks : -1;
      pending = left;
    }
    // There is nobody to linger for.
    this.#hasEnded = true;
    this.#sockets.resetOnClose(this.#fd);
    throw this.#fatal = tookNothing(writeTimeoutMs);
  }

  /** Waits for the socket, see `Sockets.poll`. */
  #wait(events: number, timeoutMs: number): number {
    this.#pulse.rests();
    const ready = this.#sockets.poll(this.#fd, events, timeoutMs);
    if (ready === -this.#sockets.constants.errno.EINTR) this.#options.onInterrupted?.();
    this.#pulse.works();
    return ready;
  }

  /** Computes in place, until the time is over, the peer has left or `mayCompute` refuses. */
  #compute(task: string, argument: unknown): unknown {
    const { tasks, hasSlicedTasks: isSliced, mayCompute, computeTimeoutMs } = this.#options;
    const { POLLERR, POLLHUP } = this.#sockets.constants;
    const timeoutMs = this.#limitOfTask(computeTimeoutMs);
    const onSlice = () => {
      if (this.#sessionLeft() <= 0) throw this.#sessionTimeout();
      // A peer that has only sent FIN may still want the answer. A peer that has reset does not.
      const events = this.#sockets.poll(this.#fd, 0, 0);
      const isGone = events > 0 && (events & (POLLERR | POLLHUP)) !== 0;
      if (isGone) this.#left();
      if (isGone || mayCompute?.() === false) {
        throw this.#fatal = new PeerGoneError("waiting for a computation");
      }
    };
    // A task has a limit of its own, unless there is none.
    if (timeoutMs > 0) this.#pulse.rests();
    try {
      return runTask(tasks, task, argument, { timeoutMs, isSliced, onSlice });
    } catch (error) {
      if (!(error instanceof ComputeTimeoutError) || timeoutMs === computeTimeoutMs) throw error;
      throw this.#sessionTimeout();
    } finally {
      this.#pulse.works();
    }
  }

  /** How long a task may take: not longer than the conversation. */
  #limitOfTask(computeTimeoutMs: number): number {
    const leftMs = this.#sessionLeft();
    if (leftMs <= 0) throw this.#sessionTimeout();
    if (leftMs === Infinity) return computeTimeoutMs;
    return computeTimeoutMs > 0 ? Math.min(leftMs, computeTimeoutMs) : leftMs;
  }

  /**
   * The peer's FIN or a reset has been seen.
   *
   * @param inTheMiddle whether the peer was taking what was sent to it
   */
  #left(inTheMiddle = false): void {
    this.#hasEnded = true;
    this.#leftEarly = !this.#hasReceived && !inTheMiddle;
    this.#wroteLast = false;
  }

  #gone(syscall: string, errno: number): Error {
    this.#left(syscall === "send" && this.#writes > 1);
    const { writeTimeoutMs = 0 } = this.#options;
    // The kernel itself may end a connection whose peer takes nothing (`TCP_USER_TIMEOUT`).
    if (syscall === "send" && writeTimeoutMs > 0 && isTimeout(this.#sockets, errno)) {
      return this.#fatal = tookNothing(writeTimeoutMs);
    }
    const cause = new SocketError(syscall, errno);
    const during = syscall === "recv" ? "receiving" : "sending";
    return this.#fatal = new PeerGoneError(during, { cause });
  }
}

/** Whether the kernel has given a peer up that acknowledges nothing. */
function isTimeout({ constants }: Sockets, errno: number): boolean {
  return errno === constants.errno.ETIMEDOUT;
}

/** An ended conversation, for a driver that holds none. */
function* over(): Protocol<void> {}
