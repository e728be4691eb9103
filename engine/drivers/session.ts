/**
 * The event-driven driver: it never waits. An event on the socket resumes the conversation.
 *
 * One thread holds thousands of conversations. Between two steps a conversation is nothing but its
 * suspended generator.
 *
 * @module
 */

import type { Effect, Protocol, ReadEffect } from "../../protocols/effects.ts";
import type { Tasks } from "../../protocols/catalogue.ts";
import {
  ComputeTimeoutError,
  ConversationError,
  MessageTimeoutError,
  PeerGoneError,
  SessionTimeoutError,
  SlowReaderError,
} from "../../protocols/errors.ts";
import type { Connection, Sink } from "../net/transport.ts";
import { Deadline, type Deadlines, type Limited } from "./deadlines.ts";
import {
  abandon,
  checkBytes,
  checkReport,
  failureBy,
  MOST_LAST,
  nothingToWaitFor,
  runTask,
  unknownEffect,
} from "./conversation.ts";
import type { Elsewhere, IntroducedPeer, Operation, Peer } from "./elsewhere.ts";
import {
  betweenMessagesMs,
  checkWithin,
  silenceError,
  type TimeLimits,
  tookNothing,
} from "./limits.ts";
import type { Lingerer } from "./linger.ts";
import type { Pulse } from "./pulse.ts";
import type { Writer, WriteWatch } from "./write_watch.ts";

/** What the event-driven driver needs besides a connection and a conversation. */
export interface SessionOptions extends TimeLimits {
  /** Sets the time limits. */
  readonly deadlines: Deadlines;
  /** The CPU-bound work that the conversation may ask for. */
  readonly tasks?: Tasks | undefined;
  /** Whether these are known to yield every few milliseconds. @default {false} */
  readonly hasSlicedTasks?: boolean | undefined;
  /** Does that work. Without it, the work is done in place, and all other conversations wait. */
  readonly offload?: Elsewhere | undefined;
  /**
   * Says that work which is done in place is no stuck conversation, because it has a limit of its
   * own. By default nobody is told.
   */
  readonly pulse?: Pulse | undefined;
  /** Has the events that the conversation may wait for. Without it, there are none. */
  readonly events?: Elsewhere | undefined;
  /**
   * Whether the connection stays open for another conversation when this one has succeeded.
   *
   * @default {false}
   */
  readonly keepOpen?: boolean;
  /** Takes connections that have to linger. Without it, connections are closed at once. */
  readonly lingerer?: Lingerer | undefined;
  /** Ends writes whose peer takes nothing. Without it, they wait as long as necessary. */
  readonly writeWatch?: WriteWatch | undefined;
  /** Notes whose turn it is on this loop, if somebody watches that. */
  turns?: TurnMarks | undefined;
  /** Receives each message that the conversation reports. */
  readonly onReport?: ((message: string) => void) | undefined;
}

/** Where a loop notes whose turn it is. */
export interface TurnMarks {
  /**
   * The turn of a conversation begins or ends.
   *
   * @param number its number; 0 for none
   * @returns whose turn it was before
   */
  pass(number: number): number;
}

/**
 * Called once when a conversation is over: with its error if it failed, else with its result, and with
 * the conversation itself.
 */
export type Done<Result> = (
  error: unknown,
  result: Result | undefined,
  session: Session<Result>,
) => void;

type Waiting = "nothing" | "read" | "write" | "compute" | "wait" | "turn" | "over";

/** What a conversation was doing when its peer left, in words for the error. */
const DURING: Readonly<Record<string, string>> = {
  read: "receiving",
  write: "sending",
  compute: "waiting for a computation",
  wait: "waiting for what happens elsewhere",
};

/**
 * How many effects are granted at once, before all other conversations get their turn. Whoever asks
 * for ever, and never has to wait, would hold up everybody.
 */
const MOST_AT_ONCE = 10_000;

// What is true of a conversation, as bits of one number: ten thousand idle ones take less memory.

/** Something was written, and nothing has been received since. */
const WROTE_LAST = 1;
/** Lingering is useless: the peer's FIN or an error was seen, or the session was cut. */
const ENDED = 2;
/** The peer has sent a byte. */
const RECEIVED = 4;
/** The peer left before that. */
const LEFT_EARLY = 8;
/** The last read was for the rest of a message. */
const INSIDE = 16;
/** It was said that the connection ends. */
const PARTED = 32;

/** What few conversations need, and most of those for a moment. */
class Seldom {
  /** Whom the conversation is with, if that is not the other end of the connection. */
  client: Peer | undefined;
  messageLimit: Deadline | undefined;
  withinLimit: Deadline | undefined;
  turnLimit: Deadline | undefined;
  computeLimit: Deadline | undefined;
  /** What it waits for elsewhere. */
  operation: Operation | undefined;
  /** How many effects were granted after a fatal error. */
  lastEffects = 0;
  /** The error that is thrown into the conversation as soon as it is suspended. */
  aborted: Error | undefined;
  /** Whether the time for the message was over while the conversation was not reading. */
  isMessageLate = false;
}

/** One conversation under way. `linger.ts` explains how its connection is closed. */
export class Session<Result> implements Sink, Writer, Limited {
  /** Its number, by which its turns are noted; 0 if nobody does. */
  turn = 0;
  readonly #connection: Connection;
  readonly #conversation: Protocol<Result>;
  readonly #options: SessionOptions;
  readonly #done: Done<Result>;
  #waiting: Waiting = "nothing";
  /** How often something was written. */
  #writes = 0;
  /** What is true of it: {@linkcode WROTE_LAST} and others. */
  #is = 0;
  #readLimit: Deadline | undefined;
  #sessionLimit: Deadline | undefined;
  /** What most conversations never need: ten thousand idle ones take less memory. */
  #seldom: Seldom | undefined;
  /** The error after which nothing can be received or sent. */
  #fatal: Error | undefined;

  /**
   * @param connection the connection; it is closed when the conversation is over
   * @param conversation a generator that has not been started
   * @param options limits
   * @param done called once when it is over
   */
  constructor(
    connection: Connection,
    conversation: Protocol<Result>,
    options: SessionOptions,
    done: Done<Result>,
  ) {
    this.#connection = connection;
    this.#conversation = conversation;
    this.#options = options;
    this.#done = done;
  }

  /** Whether the peer left before it had sent a byte, and nothing was sent to it after that. */
  get wasEmpty(): boolean {
    return (this.#is & (LEFT_EARLY | WROTE_LAST)) === LEFT_EARLY;
  }

  /**
   * Begins the conversation.
   *
   * @param client whom it is with, if that is not the other end of the connection
   */
  start(client?: IntroducedPeer): void {
    if (client !== undefined) {
      this.#rarely.client = client;
      if (client.hasSpoken) this.#is |= RECEIVED;
    }
    const { sessionTimeoutMs, deadlines } = this.#options;
    if (sessionTimeoutMs > 0) {
      this.#sessionLimit = new Deadline(this);
      deadlines.set(this.#sessionLimit, sessionTimeoutMs);
    }
    this.#run(undefined, undefined);
  }

  /**
   * Throws an error into the conversation, whatever it is waiting for.
   *
   * @param error the error
   */
  abort(error: Error): void {
    if (this.#waiting === "over") return;
    if (this.#waiting === "nothing") {
      // The conversation is running: it is below us on the stack.
      this.#rarely.aborted = error;
      return;
    }
    const wasWriting = this.#waiting === "write";
    const isSlow = error instanceof SlowReaderError;
    this.#connection.unpull();
    // If the conversation wrote again, its bytes would land in the middle of the waiting ones. So
    // the connection is closed, unless it keeps them whole.
    if (wasWriting && (isSlow || !this.#connection.keepsWhole)) {
      // On Bun, `close` calls the writer back before it returns. The writer must not take that for
      // its reason to end.
      this.#waiting = "nothing";
      this.#is |= ENDED;
      this.#part();
      // Bytes that nobody takes would stay in the kernel's memory.
      if (isSlow) this.#connection.reset();
      else this.#connection.close();
    }
    this.#resume(error, undefined);
  }

  /**
   * Ends the conversation now: throws an error into it and gives it no time to react.
   *
   * @param error the error
   */
  cut(error: Error): void {
    this.#is |= ENDED;
    this.#fatal ??= error;
    this.abort(error);
    if (this.#waiting === "over" || this.#waiting === "nothing") return;
    // The protocol has gone on. Its `finally` still runs, but nothing that it writes is sent.
    this.#waiting = "nothing";
    abandon(this.#conversation);
    this.#end(error, undefined);
  }

  /**
   * The connection is about to be closed, or its sending side. This comes once, before the peer can see
   * it: a peer that sees the end may connect again at once. The conversation may go on for a while.
   */
  protected parting(): void {}

  #part(): void {
    if ((this.#is & PARTED) !== 0) return;
    this.#is |= PARTED;
    this.parting();
  }

  onReached(limit: Deadline): void {
    if (limit === this.#readLimit) return this.abort(this.#silence());
    this.#fatal = new SessionTimeoutError(this.#options.sessionTimeoutMs);
    this.abort(this.#fatal);
  }

  get #rarely(): Seldom {
    return this.#seldom ??= new Seldom();
  }

  /** Whether a write waits for the peer. */
  get isWriting(): boolean {
    return this.#waiting === "write";
  }

  /** How many writes there were. */
  get writes(): number {
    return this.#writes;
  }

  /** The connection on which the conversation is held. */
  get connection(): Connection {
    return this.#connection;
  }

  /**
   * Ends a conversation whose write waits, because its peer takes nothing.
   *
   * @param error the error that the conversation gets
   */
  giveUp(error: Error): void {
    if (this.#waiting !== "write") return;
    this.#fatal = error;
    this.abort(error);
  }

  onRead(chunk: Uint8Array | null): void {
    if (this.#waiting !== "read") return;
    this.#received(chunk);
    this.#resume(undefined, chunk);
  }

  onWritten(): void {
    if (this.#waiting === "write") this.#resume(undefined, undefined);
  }

  onError(error: Error): void {
    const during = DURING[this.#waiting];
    if (during === undefined) return;
    this.#left(this.#waiting === "write" && this.#writes > 1);
    this.#fatal = this.#asTimeout(error) ?? new PeerGoneError(during, { cause: error });
    this.#resume(this.#fatal, undefined);
  }

  onEnd(): void {
    // The peer may have gone, or it may only have no more to send. TCP does not distinguish these.
    this.#seldom?.operation?.giveWay?.();
  }

  /** The error of a connection that was given up because the peer takes nothing. */
  #asTimeout(error: Error): Error | undefined {
    if (this.#waiting !== "write") return undefined;
    if (error instanceof SlowReaderError) return error;
    const { writeTimeoutMs = 0 } = this.#options;
    // The kernel itself may end such a connection (`TCP_USER_TIMEOUT`).
    const isLate = writeTimeoutMs > 0 && (error as { code?: unknown }).code === "ETIMEDOUT";
    return isLate ? tookNothing(writeTimeoutMs) : undefined;
  }

  /** Notes that bytes have come, or the peer's FIN. */
  #received(chunk: Uint8Array | null): void {
    if (chunk === null) this.#left();
    else this.#is = (this.#is & ~WROTE_LAST) | RECEIVED;
  }

  /**
   * The peer's FIN or an error was seen.
   *
   * @param inTheMiddle whether the peer was taking what was sent to it
   */
  #left(inTheMiddle = false): void {
    const leftEarly = (this.#is & RECEIVED) === 0 && !inTheMiddle;
    this.#is = (this.#is & ~(WROTE_LAST | LEFT_EARLY)) | ENDED | (leftEarly ? LEFT_EARLY : 0);
  }

  /** Ends a conversation that does not end by itself. Returns its error. */
  #giveUp(): unknown {
    abandon(this.#conversation);
    return this.#fatal;
  }

  /**
   * Wraps an error that the connection threw. A mistake of the protocol itself is left as it is.
   */
  #asPeerGone(effect: Effect, thrown: unknown): unknown {
    if (thrown instanceof TypeError || thrown instanceof RangeError) return thrown;
    if (thrown instanceof ConversationError) return thrown;
    if (effect.kind !== "read" && effect.kind !== "write") return thrown;
    this.#left(effect.kind === "write" && this.#writes > 1);
    return this.#fatal = new PeerGoneError(DURING[effect.kind] as string, { cause: thrown });
  }

  #resume(error: unknown, answer: unknown): void {
    if (this.#waiting === "compute" || this.#waiting === "wait") this.#endOperation();
    this.#waiting = "nothing";
    if (this.#readLimit !== undefined) this.#readLimit.lift();
    const seldom = this.#seldom;
    if (seldom !== undefined) {
      seldom.withinLimit?.lift();
      seldom.turnLimit?.lift();
    }
    this.#run(error, answer);
  }

  /** Runs the conversation until it has to wait or is over. */
  #run(error: unknown, answer: unknown): void {
    const { turns } = this.#options;
    if (turns === undefined) return this.#take(error, answer);
    const before = turns.pass(this.turn);
    try {
      this.#take(error, answer);
    } finally {
      turns.pass(before);
    }
  }

  #take(error: unknown, answer: unknown): void {
    let step: IteratorResult<Effect, Result>;
    let granted = 0;
    try {
      for (;;) {
        step = error === undefined
          ? this.#conversation.next(answer)
          : this.#conversation.throw(error);
        if (step.done === true) break;
        error = undefined;
        try {
          if (!this.#grant(step.value)) break;
          answer = this.#answer;
          if (++granted === MOST_AT_ONCE) {
            this.#pause(answer);
            break;
          }
        } catch (thrown) {
          // A protocol gets a fatal error once. If it reads or writes again, it is ended.
          if (this.#fatal !== undefined) throw this.#giveUp();
          error = this.#asPeerGone(step.value, thrown);
        }
      }
    } catch (thrown) {
      return this.#end(failureBy(thrown), undefined);
    }
    if (step.done === true) return this.#end(undefined, step.value);
    const aborted = this.#seldom?.aborted;
    if (aborted !== undefined) {
      this.#rarely.aborted = undefined;
      this.abort(aborted);
    }
  }

  /** Lets everybody else have a turn before the conversation goes on. */
  #pause(answer: unknown): void {
    this.#waiting = "turn";
    const limit = new Deadline(() => this.#resume(undefined, answer), true);
    this.#rarely.turnLimit = limit;
    this.#options.deadlines.set(limit, 0);
  }

  /** The answer of an effect that was granted at once. */
  #answer: unknown;

  /** Grants an effect. Returns false if the answer comes later. */
  #grant(effect: Effect): boolean {
    this.#answer = undefined;
    if (this.#fatal !== undefined) {
      if (effect?.kind === "read" || effect?.kind === "write") throw this.#fatal;
      if (++this.#rarely.lastEffects > MOST_LAST) throw this.#fatal;
    }
    // A protocol may yield anything, even `undefined`.
    switch (effect?.kind) {
      case "read": {
        if (effect.withinMs !== undefined) checkWithin(effect.withinMs);
        if (effect.inside === undefined) {
          this.#is &= ~INSIDE;
          this.#seldom?.messageLimit?.lift();
        } else {
          this.#is |= INSIDE;
          this.#timeMessage(effect.inside);
        }
        const pulled = this.#connection.pull(this);
        if (pulled === undefined) {
          this.#waiting = "read";
          this.#limitRead(effect.withinMs);
          return false;
        }
        this.#received(pulled);
        this.#answer = pulled;
        return true;
      }
      case "write":
        return this.#write(checkBytes(effect.bytes));
      case "report":
        checkReport(effect.message);
        this.#options.onReport?.(effect.message);
        return true;
      case "compute":
        return this.#compute(effect.task, effect.argument);
      case "wait": {
        const { events } = this.#options;
        if (events === undefined) throw nothingToWaitFor(effect);
        this.#begin("wait", events, effect.event, effect.argument);
        return false;
      }
      default:
        throw unknownEffect(effect);
    }
  }

  /** Sends bytes. Returns whether the connection has taken all of them. */
  #write(bytes: Uint8Array): boolean {
    this.#writes++;
    this.#is |= WROTE_LAST;
    if (this.#connection.push(bytes, this)) return true;
    this.#waiting = "write";
    this.#options.writeWatch?.wake();
    return false;
  }

  /** Begins the time for a message, or sees whether it is over. */
  #timeMessage(inside: NonNullable<ReadEffect["inside"]>): void {
    const { messageTimeoutMs = 0, deadlines } = this.#options;
    if (messageTimeoutMs === 0) return;
    if (inside === "begun") {
      const seldom = this.#rarely;
      seldom.isMessageLate = false;
      seldom.messageLimit ??= new Deadline(() => {
        if (this.#waiting !== "read" || (this.#is & INSIDE) === 0) seldom.isMessageLate = true;
        else this.abort(new MessageTimeoutError(messageTimeoutMs));
      });
      deadlines.set(seldom.messageLimit, messageTimeoutMs);
    } else if (this.#seldom?.isMessageLate === true) {
      throw new MessageTimeoutError(messageTimeoutMs);
    }
  }

  /** The error of a peer that has sent nothing for too long. */
  #silence(): Error {
    return silenceError(this.#options, (this.#is & INSIDE) !== 0);
  }

  #limitRead(withinMs: number | undefined): void {
    const { deadlines } = this.#options;
    const silenceMs = (this.#is & INSIDE) !== 0
      ? this.#options.readTimeoutMs
      : betweenMessagesMs(this.#options);
    if (withinMs !== undefined) {
      const limit = this.#rarely.withinLimit ??= new Deadline(() => {
        this.#connection.unpull();
        this.#resume(undefined, undefined);
      });
      deadlines.set(limit, withinMs);
    }
    if (silenceMs > 0) {
      this.#readLimit ??= new Deadline(this);
      deadlines.set(this.#readLimit, silenceMs);
    }
  }

  /** Computes in place if there is no off-loading. Returns whether it is done. */
  #compute(task: string, argument: unknown): boolean {
    const { tasks, hasSlicedTasks, offload, computeTimeoutMs, deadlines } = this.#options;
    if (offload === undefined) {
      const limits = { timeoutMs: computeTimeoutMs, isSliced: hasSlicedTasks };
      const { pulse } = this.#options;
      if (computeTimeoutMs > 0) pulse?.rests();
      try {
        this.#answer = runTask(tasks, task, argument, limits);
      } finally {
        pulse?.works();
      }
      return true;
    }
    this.#begin("compute", offload, task, argument);
    if (computeTimeoutMs > 0) {
      const limit = new Deadline(() => this.abort(new ComputeTimeoutError(task, computeTimeoutMs)));
      this.#rarely.computeLimit = limit;
      deadlines.set(limit, computeTimeoutMs);
    }
    return false;
  }

  /** Begins an operation elsewhere and waits for its result. */
  #begin(waiting: "compute" | "wait", where: Elsewhere, what: string, argument: unknown): void {
    this.#rarely.operation = where.begin(what, argument, (error, result) => {
      this.#rarely.operation = undefined;
      if (this.#waiting === waiting) this.#resume(error, result);
    }, this.#seldom?.client ?? this.#connection);
    this.#waiting = waiting;
    this.#connection.watch(this);
  }

  #endOperation(): void {
    this.#connection.unpull();
    const seldom = this.#seldom;
    if (seldom === undefined) return;
    seldom.computeLimit?.lift();
    seldom.computeLimit = undefined;
    seldom.operation?.cancel();
    seldom.operation = undefined;
  }

  #end(error: unknown, result: Result | undefined): void {
    this.#waiting = "over";
    this.#endOperation();
    this.#readLimit?.lift();
    const seldom = this.#seldom;
    if (seldom !== undefined) {
      seldom.withinLimit?.lift();
      seldom.messageLimit?.lift();
      seldom.turnLimit?.lift();
    }
    this.#sessionLimit?.lift();
    this.#connection.unpull();
    if (error !== undefined) this.#letGo(true);
    else if (this.#options.keepOpen !== true) this.#letGo(false);
    this.#done(error, result, this);
  }

  /**
   * Closes the connection. If that could destroy the last bytes sent, the connection lingers first.
   * The rule is explained in `linger.ts`.
   */
  #letGo(hasFailed: boolean): void {
    this.#part();
    const { lingerer } = this.#options;
    const mayLose = lingerer !== undefined && this.#writes > 0 && (this.#is & ENDED) === 0;
    const wroteLast = (this.#is & WROTE_LAST) !== 0;
    if (mayLose && (hasFailed || wroteLast || this.#connection.mayLose)) {
      this.#connection.closeWrite();
      lingerer.add(this.#connection);
    } else this.#connection.close();
  }
}
