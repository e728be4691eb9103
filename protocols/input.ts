/**
 * Messages out of a stream of bytes: where one ends, however the network has cut the stream.
 *
 * @module
 */

import { askedHere, stepMade, tracedSteps } from "./asked_here.ts";
import { joinBytes } from "./bytes.ts";
import {
  type Effect,
  type Protocol,
  READ,
  READ_BEGUN,
  READ_REST,
  type ReadAnswer,
  type ReadEffect,
  type Step,
} from "./effects.ts";
import { MessageTooLongError, PeerGoneError } from "./errors.ts";
import { escapeBytes } from "./text.ts";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const NUL = 0x00;
const NOTHING = new Uint8Array(0);

/** How to tell where a message ends. */
export interface ReadLineOptions {
  /** The most bytes that a message may have, its line end not counted. */
  readonly limit: number;
  /**
   * Some peers send no line ends: they take one `send` for one message. This is how long to wait,
   * in milliseconds, for more after a first read that `isComplete`. 0 turns it off.
   *
   * @default {0}
   */
  readonly graceMs?: number;
  /** Whether these bytes are a whole message, although no line end came. */
  readonly isComplete?: (bytes: Uint8Array) => boolean;
  /**
   * What the protocol is doing, for the error if the peer's FIN comes before the message. Without
   * these words the FIN is no error, and the result is `null`.
   */
  readonly during?: string;
}

/** The bytes of one connection that were received and not yet taken. */
export class Input {
  #unread: Uint8Array = NOTHING;
  /** How many reads the unread bytes came in. */
  #reads = 0;
  #sawLineEnd = false;
  /** Whether the last message was taken without its line end, so that it may still come. */
  #owesLineEnd = false;

  /** How many bytes are unread. */
  get length(): number {
    return this.#unread.length;
  }

  /**
   * Takes the next message, if it has come as a whole.
   *
   * @param limit the most bytes it may have, its line end not counted
   * @returns the message without its end, valid until the next read; `undefined` if there is none
   * @throws {MessageTooLongError} as soon as more than `limit` bytes came without a line end
   */
  takeLine(limit: number): Uint8Array | undefined {
    if (this.#owesLineEnd) this.#skipLineEnd();
    const bytes = this.#unread;
    if (bytes.length === 0) return undefined;
    const end = findEnd(bytes, limit);
    if (end < 0) {
      if (exceeds(bytes, limit)) throw tooLong(bytes, limit);
      return undefined;
    }
    // Telnet writes a carriage return as `\r\0` (RFC 854), and that is what Enter is there.
    const length = bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end;
    if (length > limit) throw tooLong(bytes, limit);
    this.#unread = end + 1 === bytes.length ? NOTHING : bytes.subarray(end + 1);
    this.#sawLineEnd = true;
    return bytes.subarray(0, length);
  }

  /**
   * Takes a number of bytes, if that many are there. Line ends are bytes like any other.
   *
   * @param count how many
   * @returns the bytes, valid until the next read; `undefined` if there are fewer
   */
  take(count: number): Uint8Array | undefined {
    const bytes = this.#unread;
    if (bytes.length < count) return undefined;
    if (bytes.length === count) {
      this.#unread = NOTHING;
      return bytes;
    }
    this.#unread = bytes.subarray(count);
    return bytes.subarray(0, count);
  }

  /** Takes all unread bytes as a message, valid until the next read. */
  takeAll(): Uint8Array {
    const bytes = this.#unread;
    this.#unread = NOTHING;
    this.#owesLineEnd = true;
    return bytes;
  }

  /** A line end that comes late ends the message before it. It is no message of its own. */
  #skipLineEnd(): void {
    const [first, second] = this.#unread;
    if (first === undefined || (first === CARRIAGE_RETURN && second === undefined)) return;
    this.#owesLineEnd = false;
    const length = first === CARRIAGE_RETURN && second === LINE_FEED
      ? 2
      : first === LINE_FEED || first === NUL
      ? 1
      : 0;
    if (length === 0) return;
    this.#unread = this.#unread.subarray(length);
    this.#sawLineEnd = true;
  }

  /**
   * Copies the unread bytes, so that they survive the next read. They are only borrowed: the driver
   * may receive the next ones into the same buffer.
   */
  keep(): void {
    if (this.#unread.length > 0) this.#unread = this.#unread.slice();
  }

  /** Adds the bytes of a read. */
  add(chunk: Uint8Array): void {
    const { length } = this.#unread;
    this.#reads = length === 0 ? 1 : this.#reads + 1;
    this.#unread = length === 0 ? chunk : joinBytes([this.#unread, chunk]);
  }

  /** Whether the first read of a message may have brought all of it, without a line end. */
  mayBeWhole({ graceMs = 0, isComplete }: ReadLineOptions): boolean {
    return graceMs > 0 && this.#reads === 1 && !this.#sawLineEnd && this.#unread.length > 0 &&
      isComplete?.(this.#unread) === true;
  }
}

/**
 * Reads one message that must come. It ends with `\n`, `\r\n`, `\0` or `\r\0`.
 *
 * @param input the connection's unread bytes, the same object for every call
 * @param options the limit, the words for the error, and how to treat a peer that sends no line
 * ends
 * @returns the message without its end, valid until the next read
 * @throws {MessageTooLongError} as soon as more than `limit` bytes came without a line end
 * @throws {PeerGoneError} if the peer's FIN comes before all of it
 */
export function readLine(
  input: Input,
  options: ReadLineOptions & { readonly during: string },
): Step<Uint8Array>;
/**
 * Reads one message, or finds that there are no more. A message ends with `\n`, `\r\n`, `\0` or
 * `\r\0`.
 *
 * @param input the connection's unread bytes, the same object for every call
 * @param options the limit, and how to treat a peer that sends no line ends
 * @returns the message without its end, valid until the next read; `null` when the peer's FIN
 * came first, whether or not an unfinished message preceded it
 * @throws {MessageTooLongError} as soon as more than `limit` bytes came without a line end
 */
export function readLine(input: Input, options: ReadLineOptions): Step<Uint8Array | null>;
export function readLine(input: Input, options: ReadLineOptions): Step<Uint8Array | null> {
  return new LineStep(input, options);
}

/**
 * The step of {@linkcode readLine}. It would be a loop in a generator: take a line, or else read
 * and try again. Mostly one read brings one whole message, and making a generator for that costs
 * more than the reading. So this is the same loop without one: each call of `next` is one turn.
 */
class LineStep implements Iterator<Effect, Uint8Array | null, ReadAnswer> {
  readonly #input: Input;
  readonly #options: ReadLineOptions;
  #isReading = false;
  /** Whether the rest of the message was asked for already. */
  #hasBegun = false;
  /** Whether the unread bytes are a message if nothing more comes. */
  #mayBeWhole = false;

  constructor(input: Input, options: ReadLineOptions) {
    this.#input = input;
    this.#options = options;
    if (tracedSteps !== 0) stepMade(this);
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(chunk?: ReadAnswer): IteratorResult<Effect, Uint8Array | null> {
    const input = this.#input;
    if (this.#isReading) {
      if (!chunk) return { done: true, value: this.#atEnd() };
      input.add(chunk);
    }
    const line = input.takeLine(this.#options.limit);
    if (line !== undefined) return { done: true, value: line };
    this.#isReading = true;
    this.#mayBeWhole = input.mayBeWhole(this.#options);
    input.keep();
    const effect = readFor(input, this.#hasBegun);
    this.#hasBegun = input.length > 0;
    return { done: false, value: this.#mayBeWhole ? this.#withinGrace(effect) : effect };
  }

  throw(error: unknown): never {
    throw askedHere(error);
  }

  return(value?: Uint8Array | null): IteratorResult<Effect, Uint8Array | null> {
    return { done: true, value: value as Uint8Array | null };
  }

  #withinGrace(effect: ReadEffect): Effect {
    return { ...effect, withinMs: this.#options.graceMs as number };
  }

  /** Nothing more came. After a FIN nothing can, and the next read is told of the FIN again. */
  #atEnd(): Uint8Array | null {
    if (this.#mayBeWhole) return this.#input.takeAll();
    const { during } = this.#options;
    if (during !== undefined) throw new PeerGoneError(during);
    return null;
  }
}

/**
 * Reads a number of bytes.
 *
 * @param input the connection's unread bytes, the same object for every call
 * @param count how many
 * @param during what the protocol is doing, for the error
 * @returns the bytes, valid until the next read
 * @throws {PeerGoneError} if the peer's FIN comes before all of them
 */
export function* readBytes(input: Input, count: number, during: string): Protocol<Uint8Array> {
  let hasBegun = false;
  for (;;) {
    const bytes = input.take(count);
    if (bytes !== undefined) return bytes;
    input.keep();
    const effect = readFor(input, hasBegun);
    hasBegun = input.length > 0;
    const chunk: Uint8Array | null = yield effect;
    if (chunk === null) throw new PeerGoneError(during);
    input.add(chunk);
  }
}

/** The read for a message of which the unread bytes have come. */
function readFor(input: Input, hasBegun: boolean): ReadEffect {
  return input.length === 0 ? READ : hasBegun ? READ_REST : READ_BEGUN;
}

/**
 * The index of the first line end, or -1 if there is none where a message of this length could have
 * one. No byte behind that is looked at: where thousands of messages have come at once, each would
 * look at all of the others.
 */
function findEnd(bytes: Uint8Array, limit: number): number {
  const head = bytes.length > limit + 2 ? bytes.subarray(0, limit + 2) : bytes;
  const lineFeed = head.indexOf(LINE_FEED);
  const nul = head.indexOf(NUL);
  return nul >= 0 && (nul < lineFeed || lineFeed < 0) ? nul : lineFeed;
}

/** Whether an unfinished message is already too long; one more byte may be the `\r` of `\r\n`. */
function exceeds(bytes: Uint8Array, limit: number): boolean {
  return bytes.length > limit + 1 ||
    (bytes.length === limit + 1 && bytes[limit] !== CARRIAGE_RETURN);
}

function tooLong(bytes: Uint8Array, limit: number): MessageTooLongError {
  return new MessageTooLongError(limit, escapeBytes(bytes.subarray(0, limit), 24));
}
