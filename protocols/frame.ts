/**
 * Frames: Eli Bendersky's protocol of "Concurrent Servers", parts 1 to 6.
 *
 * The server says `*`. Then it ignores what the client sends, up to a `^`. From there up to a `$`
 * it answers each byte with the next higher one. A frame that begins with `P` is a question
 * instead: the digits up to `$` are a number, and the answer is `prime` or `composite` and a line
 * feed.
 *
 * @module
 */

import { takeBytes } from "./bytes.ts";
import {
  compute,
  type Context,
  type Protocol,
  READ,
  READ_BEGUN,
  READ_REST,
  type ReadEffect,
} from "./effects.ts";
import {
  type ConversationError,
  MalformedMessageError,
  NumberOutOfRangeError,
  PeerGoneError,
} from "./errors.ts";
import { type Input, readBytes, readLine } from "./input.ts";
import { escapeBytes } from "./text.ts";

/** How to serve frames. */
export interface FrameOptions {
  /**
   * Whether a frame that begins with `P` is a question. If not, it is data, as in the first parts
   * of the series.
   *
   * @default {true}
   */
  readonly prime?: boolean;
}

/** The task that {@linkcode frame} asks for: its argument is the digits, its result a boolean. */
export const PRIME_TASK = "prime";

const GREETING: Uint8Array = new TextEncoder().encode("*");
const PRIME = new TextEncoder().encode("prime\n");
const COMPOSITE = new TextEncoder().encode("composite\n");

const OPENING = 0x5e;
const CLOSING = 0x24;
const QUESTION = 0x50;
const ZERO = 0x30;
const NINE = 0x39;

/** The largest number that a client can ask about. No number has more digits. */
const LARGEST = "18446744073709551615";

/** The most bytes of a frame that the client sends before it reads their answer. */
const PIECE = 16 * 1024;

/** The longest chunk that the server keeps for the next answer, in bytes. */
const KEPT = 1024;

/** The most bytes of a line that answers a question. */
const VERDICT_LIMIT = 64;

/** An answer that looks like data may be the beginning of a line: how long the client waits. */
const VERDICT_GRACE_MS = 20;

/** Where in the stream the next byte belongs. */
type Place = "outside" | "first" | "data" | "question";

/**
 * The server's side.
 *
 * @param _context not used: every peer gets the same answers
 * @param options whether there are questions
 */
export function* frame(_context?: Context, { prime = true }: FrameOptions = {}): Protocol {
  yield { kind: "write", bytes: GREETING };
  const frames = new Frames(prime);
  for (;;) {
    const chunk: Uint8Array | null = yield frames.read;
    if (chunk === null) {
      if (frames.place === "question") throw new PeerGoneError("asking a question");
      return;
    }
    let at = frames.raise(chunk, 0);
    if (frames.length > 0) yield { kind: "write", bytes: frames.answer(chunk) };
    while (at < chunk.length) {
      at = yield* answerQuestion(frames, chunk, at);
      at = frames.raise(chunk, at);
      if (frames.length > 0) yield { kind: "write", bytes: frames.answer(chunk) };
    }
  }
}

/** Reads a question, or the part of it that has come; returns how far it read. */
function* answerQuestion(frames: Frames, chunk: Uint8Array, from: number): Protocol<number> {
  for (let at = from; at < chunk.length; at++) {
    const byte = chunk[at] as number;
    const mistake = mistakeIn(frames.digits, byte);
    if (mistake !== undefined) throw mistake;
    if (byte === CLOSING) {
      const { digits } = frames;
      frames.place = "outside";
      frames.digits = "";
      const isPrime = yield* compute<boolean>(PRIME_TASK, digits);
      yield { kind: "write", bytes: isPrime ? PRIME : COMPOSITE };
      return at + 1;
    }
    frames.digits += String.fromCharCode(byte);
  }
  return chunk.length;
}

/**
 * How far a client is in its frames, and what the answer is. It is apart from the generator,
 * because runtimes compile small functions to machine code long before they compile a generator.
 */
class Frames {
  place: Place = "outside";
  /** The digits of a question that have come so far. */
  digits = "";
  /** How long the answer is. It is written over the bytes that it answers, and never longer. */
  length = 0;
  readonly #prime: boolean;
  /** Whether the rest of the frame was asked for already. */
  #hasBegun = false;
  #chunk = GREETING;
  #answer: Uint8Array | undefined;

  /** @param prime whether there are questions */
  constructor(prime: boolean) {
    this.#prime = prime;
  }

  /** The read that comes next: between two frames, or for the rest of one. */
  get read(): ReadEffect {
    if (this.place === "outside") return READ;
    const effect = this.#hasBegun ? READ_REST : READ_BEGUN;
    this.#hasBegun = true;
    return effect;
  }

  /**
   * Answers everything up to a question.
   *
   * @param chunk what was received; the answer is written over its beginning
   * @param at where to begin
   * @returns where a question goes on; the length of `chunk` if there is none
   */
  raise(chunk: Uint8Array, at: number): number {
    this.length = 0;
    while (at < chunk.length && this.place !== "question") {
      if (this.place === "outside") {
        if (chunk[at++] === OPENING) {
          this.place = "first";
          this.#hasBegun = false;
        }
      } else if (this.place === "first" && this.#prime && chunk[at] === QUESTION) {
        this.place = "question";
        at++;
      } else {
        const end = raise(chunk, at, this.length);
        this.length += end - at;
        this.place = end < chunk.length ? "outside" : "data";
        at = end + 1;
      }
    }
    return Math.min(at, chunk.length);
  }

  /** The bytes of the answer. */
  answer(chunk: Uint8Array): Uint8Array {
    // Drivers reuse the memory of a read, and a frame is often as long as the one before. But a driver
    // may have hundreds of buffers that take turns: an answer is kept when its chunk comes again.
    if (chunk !== this.#chunk) {
      // A large chunk would stay in memory for as long as the connection is silent.
      this.#chunk = chunk.length <= KEPT ? chunk : GREETING;
      this.#answer = undefined;
      return chunk.subarray(0, this.length);
    }
    if (this.#answer?.length === this.length) return this.#answer;
    return this.#answer = chunk.subarray(0, this.length);
  }
}

/**
 * Raises each byte from `at` up to the end of the frame by one, 255 to 0, and writes it from `to`
 * on.
 *
 * @returns where the frame ends; the length of `bytes` if it does not end there
 */
function raise(bytes: Uint8Array, at: number, to: number): number {
  for (; at < bytes.length; at++, to++) {
    const byte = bytes[at] as number;
    if (byte === CLOSING) break;
    bytes[to] = byte + 1;
  }
  return at;
}

/** Why this byte cannot follow these digits of a question; `undefined` if it can. */
function mistakeIn(digits: string, byte: number): ConversationError | undefined {
  const isDigit = byte >= ZERO && byte <= NINE;
  if (digits === "" ? !isDigit : !isDigit && byte !== CLOSING) {
    const received = `P${digits}${escapeBytes(Uint8Array.of(byte))}`;
    return new MalformedMessageError("P and 1 to 20 digits and $", received);
  }
  if (!isDigit) return undefined;
  const more = digits + String.fromCharCode(byte);
  const isTooLarge = more.length > LARGEST.length ||
    (more.length === LARGEST.length && more > LARGEST);
  return isTooLarge ? new NumberOutOfRangeError(more, `0 to ${LARGEST}`) : undefined;
}

/**
 * The client's side of the beginning: it waits for the server's `*`.
 *
 * @param input the connection's unread bytes, the same object for all of its frames
 * @throws {MalformedMessageError} if the server says something else
 * @throws {PeerGoneError} if it closes
 */
export function* frameGreeting(input: Input): Protocol {
  const greeting = yield* readBytes(input, GREETING.length, "waiting for *");
  if (greeting[0] !== GREETING[0]) throw new MalformedMessageError("*", escapeBytes(greeting));
}

/**
 * The client's side of one frame. It sends the frame in pieces of 16 KiB, and reads the answer to
 * each piece before it sends the next. If it only wrote, both sides would wait for ever: the server
 * until the client reads its answers, and the client until the server takes its frame.
 *
 * @param input the connection's unread bytes, the same object for all of its frames
 * @param frame what stands between `^` and `$`
 * @param options whether there are questions
 * @returns the answer: as many bytes as the frame has, or the line that answers a question
 * @throws {RangeError} if the frame holds `^` or `$`
 * @throws {PeerGoneError} if the server closes, as it does when it refuses a question
 * @throws {MalformedMessageError} if the server takes a question for data
 */
export function* frameClient(
  input: Input,
  frame: Uint8Array,
  { prime = true }: FrameOptions = {},
): Protocol<Uint8Array> {
  if (!isFrame(frame)) {
    throw new RangeError(`Cannot send the frame: current value is "${escapeBytes(frame)}"`);
  }
  const isQuestion = prime && frame[0] === QUESTION;
  const wire = wrapFrame(frame);
  const answer = takeBytes(isQuestion ? 0 : frame.length);
  let answered = 0;
  for (let at = 0; at < wire.length; at += PIECE) {
    const bytes = wire.subarray(at, at + PIECE);
    yield { kind: "write", bytes };
    // Everything but the marks is answered.
    const due = Math.min(at + bytes.length - 1, answer.length);
    answer.set(yield* readBytes(input, due - answered, "waiting for the answer"), answered);
    answered = due;
  }
  return isQuestion ? yield* readVerdict(input, frame) : answer;
}

/**
 * Whether bytes can be sent as a frame. They must not hold a mark.
 *
 * @param bytes what is to stand between `^` and `$`
 */
export function isFrame(bytes: Uint8Array): boolean {
  return !bytes.includes(OPENING) && !bytes.includes(CLOSING);
}

/**
 * Puts a frame between its marks.
 *
 * @param frame what is to stand between them; it is not checked with {@linkcode isFrame}
 * @returns the bytes to send
 */
export function wrapFrame(frame: Uint8Array): Uint8Array {
  const wire = takeBytes(frame.length + 2);
  wire[0] = OPENING;
  wire.set(frame, 1);
  wire[frame.length + 1] = CLOSING;
  return wire;
}

/** Reads the answer to a question. */
function* readVerdict(input: Input, question: Uint8Array): Protocol<Uint8Array> {
  const isData = (bytes: Uint8Array) => {
    return bytes.length === question.length &&
      bytes.every((byte, at) => byte === ((question[at] as number) + 1) % 256);
  };
  // A server without questions sends no line end: do not wait for one.
  const options = { limit: VERDICT_LIMIT, graceMs: VERDICT_GRACE_MS, isComplete: isData };
  const verdict = yield* readLine(input, options);
  if (verdict === null) throw new PeerGoneError("waiting for prime or composite");
  if (isData(verdict)) throw new MalformedMessageError("prime or composite", escapeBytes(verdict));
  return verdict.slice();
}
