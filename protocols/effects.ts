/**
 * The vocabulary in which a protocol is written.
 *
 * A protocol is a generator. It does no I/O and knows no runtime: it yields an {@linkcode Effect},
 * what it wants from the outside world, and is resumed with the answer. Whoever drives it, with
 * blocking calls on a thread or with events on a loop, decides how the wish is granted. That is
 * why one text of a protocol runs under every concurrency model.
 *
 * @module
 */

/** Asks for the next bytes of the peer; answered with a {@linkcode ReadAnswer}. */
export interface ReadEffect {
  /** What tells it from the other effects. */
  readonly kind: "read";
  /** Wait no longer than this many milliseconds; then the answer is `undefined`. */
  readonly withinMs?: number;
}

/** Asks for all of `bytes` to be sent; answered when they may be reused. */
export interface WriteEffect {
  /** What tells it from the other effects. */
  readonly kind: "write";
  /** What to send. */
  readonly bytes: Uint8Array;
}

/** Asks for CPU-bound work by name; answered with its result. */
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
 * Who serves the conversation says what can be waited for, and happens; where nobody has said
 * anything, as in the modes of this project, the effect is refused with a {@linkcode TypeError}.
 */
export interface WaitEffect {
  /** What tells it from the other effects. */
  readonly kind: "wait";
  /** The name of what is waited for, known to who serves the conversation. */
  readonly event: string;
  /** What it is about. */
  readonly argument: unknown;
}

/** Tells the driver of a message received, to print or to count: a protocol never prints. */
export interface ReportEffect {
  /** What tells it from the other effects. */
  readonly kind: "report";
  /** One line of text, without its line end. */
  readonly message: string;
}

/** What a protocol can ask of the outside world. */
export type Effect = ReadEffect | WriteEffect | ComputeEffect | WaitEffect | ReportEffect;

/**
 * The answer to a read: the bytes that came, the protocol's own to write over, until the next read
 * is asked for (copy what must live longer); `null` at the peer's FIN; `undefined` when nothing came
 * within the time.
 */
export type ReadAnswer = Uint8Array | null | undefined;

/**
 * A conversation with one peer, from its first byte to its last. It ends by returning (done) or
 * by throwing (failed); the driver then closes the connection, in such a way that what was written
 * last still arrives.
 */
// deno-lint-ignore no-explicit-any -- each kind of effect has an answer of its own type
export type Protocol<Result = void> = Generator<Effect, Result, any>;

/** The numeric address of one end of a connection. */
export interface Address {
  /** IPv4 or IPv6 address in its usual text form, without brackets. */
  readonly hostname: string;
  /** Port, 0 to 65535. */
  readonly port: number;
}

/** What a protocol is told about the connection that it serves. */
export interface Context {
  /** The address of the other end. */
  readonly peer: Address;
  /** Aborted when the connection is over or the server cuts it. */
  readonly signal: AbortSignal;
}

/** A read that waits for ever: what {@linkcode read} yields, for protocols on a hot path. */
export const READ: ReadEffect = Object.freeze({ kind: "read" });

/**
 * Waits for the next bytes of the peer.
 *
 * @returns the bytes, valid until the next read; `null` at the peer's FIN
 */
export function* read(): Protocol<Uint8Array | null> {
  return yield READ;
}

/**
 * Waits for the next bytes of the peer, but not for ever.
 *
 * @param ms how long, in milliseconds
 * @returns the bytes, valid until the next read; `null` at the peer's FIN; `undefined` when
 * nothing came in time
 */
export function* readWithin(ms: number): Protocol<ReadAnswer> {
  return yield { kind: "read", withinMs: ms };
}

/**
 * Sends all of `bytes`, waiting for a slow peer as long as need be.
 *
 * @param bytes what to send; may be reused as soon as this returns
 */
export function* write(bytes: Uint8Array): Protocol {
  yield { kind: "write", bytes };
}

/**
 * Sends a line, waiting for a slow peer as long as need be.
 *
 * @param line without its line end; may be reused as soon as this returns
 */
export function* writeLine(line: Uint8Array): Protocol {
  const bytes = new Uint8Array(line.length + 1);
  bytes.set(line);
  bytes[line.length] = 0x0a;
  yield { kind: "write", bytes };
}

/**
 * Has CPU-bound work done: in place by a blocking driver, by a worker where an event loop must
 * not be held up.
 *
 * @param task the name of the work, as its protocol exports it
 * @param argument its argument, a value that can be cloned between threads
 * @returns the result
 */
export function* compute<Result>(
  task: string,
  argument: unknown,
): Protocol<Result> {
  return yield { kind: "compute", task, argument };
}

/**
 * Tells the driver of a message received.
 *
 * @param message one line of text, without its line end
 */
export function* report(message: string): Protocol {
  yield { kind: "report", message };
}
