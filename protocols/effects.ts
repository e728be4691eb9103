/**
 * The vocabulary in which a protocol is written.
 *
 * A protocol is a generator. It does no I/O and knows no runtime. It yields an {@linkcode Effect},
 * which says what it wants from the outside world, and a driver resumes it with the answer. The
 * driver decides how to get the answer: with calls that block a thread, or with events on a loop.
 * That is why one protocol runs under every concurrency model.
 *
 * @module
 */

import { askedHere, stepMade, tracedSteps } from "./asked_here.ts";

/** Asks for the next bytes of the peer; answered with a {@linkcode ReadAnswer}. */
export interface ReadEffect {
  /** What tells it from the other effects. */
  readonly kind: "read";
  /** Wait no longer than this many milliseconds; then the answer is `undefined`. */
  readonly withinMs?: number;
  /**
   * Whether a part of a message has come and the rest is asked for: `begun` for the first time,
   * `rest` from then on. The time that a whole message may take runs from `begun` to the next read
   * that is not `rest`. Absent between two messages, and in a protocol without messages.
   */
  readonly inside?: "begun" | "rest";
}

/** Asks the driver to send all of `bytes`; answered when they may be reused. */
export interface WriteEffect {
  /** What tells it from the other effects. */
  readonly kind: "write";
  /** What to send. */
  readonly bytes: Uint8Array;
}

/** Asks the driver to have CPU-bound work done; answered with the result. */
export interface ComputeEffect {
  /** What tells it from the other effects. */
  readonly kind: "compute";
  /** The name of the work, as its protocol exports it. */
  readonly task: string;
  /** Its argument, a value that can be cloned between threads. */
  readonly argument: unknown;
}

/**
 * Asks to be resumed when something that happens elsewhere is over; answered with what came of it.
 * The server of the conversation says what can be waited for. Where it has said nothing, as in the
 * modes of this project, the effect is refused with a {@linkcode TypeError}.
 */
export interface WaitEffect {
  /** What tells it from the other effects. */
  readonly kind: "wait";
  /** The name of what is waited for, which the server of the conversation knows. */
  readonly event: string;
  /** What it is about. */
  readonly argument: unknown;
}

/** Tells the driver of a received message, which it prints or counts. A protocol never prints. */
export interface ReportEffect {
  /** What tells it from the other effects. */
  readonly kind: "report";
  /** One line of text, without its line end. */
  readonly message: string;
}

/** What a protocol can ask of the outside world. */
export type Effect = ReadEffect | WriteEffect | ComputeEffect | WaitEffect | ReportEffect;

/**
 * The answer to a read: bytes; `null` at the peer's FIN; `undefined` when nothing came within the
 * time. The protocol may write over the bytes. They are valid until it asks for the next read, so
 * it copies what must live longer.
 */
export type ReadAnswer = Uint8Array | null | undefined;

/**
 * A conversation with one peer, from its first byte to its last. It ends by returning (done) or
 * by throwing (failed); the driver then closes the connection, in such a way that what was written
 * last still arrives.
 */
// deno-lint-ignore no-explicit-any -- each kind of effect has its own type of answer
export type Protocol<Result = void> = Generator<Effect, Result, any>;

/**
 * A step of a conversation, for `yield*`: it asks for what it needs, and `yield*` returns its
 * result. A whole {@linkcode Protocol} can be a step of another.
 */
// deno-lint-ignore no-explicit-any -- each kind of effect has its own type of answer
export type Step<Result = void> = Iterable<Effect, Result, any>;

/**
 * A step that asks once and returns the answer. A generator with one `yield` would do the same. But
 * a runtime has to make and to start a generator, and a short conversation feels that.
 */
class SingleStep<Answer> implements Iterator<Effect, Answer, Answer> {
  /** What it has not asked yet. */
  #effect: Effect | undefined;

  /** @param effect what to ask */
  constructor(effect: Effect) {
    this.#effect = effect;
    if (tracedSteps !== 0) stepMade(this);
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(answer?: Answer): IteratorResult<Effect, Answer> {
    const effect = this.#effect;
    if (effect === undefined) return { done: true, value: answer as Answer };
    this.#effect = undefined;
    return { done: false, value: effect };
  }

  throw(error: unknown): never {
    throw askedHere(error);
  }

  return(value?: Answer): IteratorResult<Effect, Answer> {
    return { done: true, value: value as Answer };
  }
}

/** The numeric address of one end of a connection. */
export interface Address {
  /**
   * IPv4 or IPv6 address in its usual text form, without brackets. The zone of an IPv6 address
   * follows it: `fe80::1%eth0`. For a Unix domain socket (unix(7)) it is `unix:` and the path, or
   * `unix:@` and the name of an abstract socket. A client of such a socket usually has neither: then
   * the numbers of its program and its user follow, `unix:pid=4711,uid=1000`, if the system tells
   * them.
   */
  readonly hostname: string;
  /** Port, 0 to 65535; 0 for a Unix domain socket. */
  readonly port: number;
}

/** What a protocol knows about the connection that it serves. */
export interface Context {
  /** The address of the other end. */
  readonly peer: Address;
  /** Aborted when the connection is over or the server cuts it. */
  readonly signal: AbortSignal;
}

/** A read that waits for ever. {@linkcode read} asks for it. */
export const READ: ReadEffect = Object.freeze({ kind: "read" });

/** The first read that asks for the rest of a message. */
export const READ_BEGUN: ReadEffect = Object.freeze({ kind: "read", inside: "begun" });

/** Another read that asks for the rest of the same message. */
export const READ_REST: ReadEffect = Object.freeze({ kind: "read", inside: "rest" });

/**
 * Waits for the next bytes of the peer.
 *
 * @returns the bytes, valid until the next read; `null` at the peer's FIN
 */
export function read(): Step<Uint8Array | null> {
  return new SingleStep(READ);
}

/**
 * Waits for the next bytes of the peer, but not for ever.
 *
 * @param ms how long, in milliseconds
 * @returns the bytes, valid until the next read; `null` at the peer's FIN; `undefined` when
 * nothing came in time
 */
export function readWithin(ms: number): Step<ReadAnswer> {
  return new SingleStep({ kind: "read", withinMs: ms });
}

/**
 * Sends all of `bytes`. It waits for a slow peer as long as necessary.
 *
 * @param bytes what to send; may be reused as soon as this returns
 */
export function write(bytes: Uint8Array): Step {
  return new SingleStep({ kind: "write", bytes });
}

/**
 * Sends a line. It waits for a slow peer as long as necessary.
 *
 * @param line without its line end; may be reused as soon as this returns
 */
export function writeLine(line: Uint8Array): Step {
  const bytes = new Uint8Array(line.length + 1);
  bytes.set(line);
  bytes[line.length] = 0x0a;
  return write(bytes);
}

/**
 * Has CPU-bound work done. A blocking driver does it in place. An event loop hands it to a worker,
 * because it must not be held up.
 *
 * @param task the name of the work, as its protocol exports it
 * @param argument its argument, a value that can be cloned between threads
 * @returns the result
 */
export function compute<Result>(task: string, argument: unknown): Step<Result> {
  return new SingleStep({ kind: "compute", task, argument });
}

/**
 * Tells the driver of a received message.
 *
 * @param message one line of text, without its line end
 */
export function report(message: string): Step {
  return new SingleStep({ kind: "report", message });
}
