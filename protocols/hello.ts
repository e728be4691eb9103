/**
 * The three-step handshake: `HELLO X`, `HELLO X+1`, `HELLO X+2`.
 *
 * It is TCP's own three-way handshake played one layer up: each side shows by the number it sends
 * that it has received the other's. Sequence numbers are 32 bits wide and wrap, as TCP's do
 * (RFC 9293, section 3.4).
 *
 * A message is `HELLO`, spaces or tabs, an optional sign and digits, at most 64 bytes, and ends
 * with `\n`, `\r\n` or `\0`. The side that receives a wrong message answers it with one line that
 * begins with `ERROR`, and the conversation is over.
 *
 * @module
 */

import { type Context, type Protocol, report, write } from "./effects.ts";
import {
  type ConversationError,
  HandshakeTimeoutError,
  MalformedMessageError,
  MessageTooLongError,
  NumberOutOfRangeError,
  RejectedError,
  SequenceMismatchError,
  SessionTimeoutError,
} from "./errors.ts";
import { Input, readLine, type ReadLineOptions } from "./input.ts";
import { encodeLine, escapeBytes, shorten } from "./text.ts";

/** How long a message without a line end waits for more if nobody says otherwise, in milliseconds. */
export const HELLO_GRACE_MS = 20;

/** How both sides of the handshake treat a peer that sends no line ends. */
export interface HelloOptions {
  /**
   * Some peers send a whole message without its line end. This is how long to wait, in
   * milliseconds, for the rest of a first read that could be such a message. With 0 every message
   * needs its line end.
   *
   * @default {20}
   */
  readonly graceMs?: number;
}

/**
 * The server's side of the handshake.
 *
 * @param _context not used: the handshake is the same with every peer
 * @param options how to treat a peer that sends no line ends
 */
export function* hello(_context?: Context, options: HelloOptions = {}): Protocol {
  const input = new Input();
  try {
    const x = parseHello(yield* readLine(input, line("waiting for the first HELLO", options)));
    yield* report(formatHello(x));
    yield* write(encodeLine(formatHello(successor(x))));
    const z = parseHello(yield* readLine(input, line("waiting for the last HELLO", options)));
    yield* report(formatHello(z));
    const expected = successor(successor(x));
    if (z !== expected) throw new SequenceMismatchError(expected, z);
  } catch (error) {
    yield* answerMistake(error);
  }
}

/**
 * The client's side of the handshake.
 *
 * @param x the initial sequence number, a 32-bit signed integer
 * @param options how to treat a server that sends no line ends
 * @returns a generator that returns the sequence number from the server's answer
 * @throws {RangeError} if `x` is no 32-bit signed integer
 */
export function* helloClient(x: number, options: HelloOptions = {}): Protocol<number> {
  if (!isSequence(x)) {
    throw new RangeError(`Cannot begin with this sequence number: current value is "${x}"`);
  }
  const input = new Input();
  try {
    yield* write(encodeLine(formatHello(x)));
    const y = parseHello(yield* readLine(input, line("waiting for the server's HELLO", options)));
    yield* report(formatHello(y));
    const expected = successor(x);
    if (y !== expected) throw new SequenceMismatchError(expected, y);
    yield* write(encodeLine(formatHello(successor(y))));
    return y;
  } catch (error) {
    return yield* answerMistake(error);
  }
}

/** Tells the peer what it did wrong, and throws the error on. */
function* answerMistake(error: unknown): Protocol<never> {
  if (error instanceof SessionTimeoutError) throw new HandshakeTimeoutError(error.timeoutMs);
  const complaint = describeMistake(error);
  if (complaint !== undefined) yield* write(encodeLine(`ERROR ${complaint}`));
  throw error;
}

/** The most bytes that a message may have, its line end not counted. */
export const HELLO_LIMIT = 64;

const MIN = -0x8000_0000;
const MAX = 0x7fff_ffff;
const RANGE = `${MIN} to ${MAX}`;
const EXPECTED = "HELLO <number>";

/** White space around the message is ignored; between its two words, spaces and tabs only. */
const HELLO = /^[\t-\r ]*HELLO[\t ]+([+-]?[0-9]+)[\t-\r ]*$/;

type LineOptions = ReadLineOptions & { readonly during: string };

/** How lines were read before: ten thousand who wait for one do it in the same way. */
const LINES = new Map<string, LineOptions>();

/** How to read the line of a message. */
function line(during: string, { graceMs = HELLO_GRACE_MS }: HelloOptions): LineOptions {
  const known = LINES.get(during);
  if (known?.graceMs === graceMs) return known;
  const options = { limit: HELLO_LIMIT, graceMs, isComplete, during };
  LINES.set(during, options);
  return options;
}

/**
 * The sequence number after this one.
 *
 * @param sequence a 32-bit signed integer
 * @returns the next one; after 2147483647 comes -2147483648
 */
export function successor(sequence: number): number {
  return (sequence + 1) | 0;
}

/**
 * The text of a message.
 *
 * @param sequence a 32-bit signed integer
 * @returns `HELLO <sequence>`, without a line end
 */
export function formatHello(sequence: number): string {
  return `HELLO ${sequence}`;
}

/**
 * Reads a message: `HELLO`, one or more spaces or tabs, an optional sign, digits. White space
 * around it is ignored.
 *
 * @param message the bytes, without a line end
 * @returns the sequence number
 * @throws {MalformedMessageError} if it is no such message
 * @throws {NumberOutOfRangeError} if the number is no 32-bit signed integer
 * @throws {MessageTooLongError} if it has more than {@linkcode HELLO_LIMIT} bytes
 * @throws {RejectedError} if the peer says that it refuses our message
 */
export function parseHello(message: Uint8Array): number {
  if (message.length > HELLO_LIMIT) {
    throw new MessageTooLongError(HELLO_LIMIT, escapeBytes(message, 24));
  }
  const match = HELLO.exec(latin1(message));
  if (match === null) throw notHello(message);
  const digits = match[1] as string;
  const value = Number(digits);
  if (value < MIN || value > MAX) {
    throw new NumberOutOfRangeError(digits.length > 16 ? shorten(digits, 16) : digits, RANGE);
  }
  return value | 0;
}

function notHello(message: Uint8Array): ConversationError {
  const text = escapeBytes(message);
  return text.startsWith("ERROR")
    ? new RejectedError(text)
    : new MalformedMessageError(EXPECTED, escapeBytes(message, 24));
}

/** The text of at most {@linkcode HELLO_LIMIT} bytes, a character for each. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode.apply(null, bytes as unknown as number[]);
}

function isSequence(value: number): boolean {
  return Number.isInteger(value) && value >= MIN && value <= MAX;
}

function isComplete(message: Uint8Array): boolean {
  try {
    parseHello(message);
    return true;
  } catch (error) {
    // A number out of range is a whole message too, although it will be refused.
    return error instanceof NumberOutOfRangeError;
  }
}

/** What to tell the peer; nothing if it made no mistake, has gone, or complained itself. */
function describeMistake(error: unknown): string | undefined {
  if (error instanceof MalformedMessageError) {
    return `expected ${error.expected}, got "${error.received}"`;
  }
  if (error instanceof NumberOutOfRangeError) {
    return `expected ${error.range}, got ${error.received}`;
  }
  if (error instanceof SequenceMismatchError) {
    return `expected ${formatHello(error.expected)}, got ${formatHello(error.received)}`;
  }
  if (error instanceof MessageTooLongError) {
    return `expected at most ${error.limit} bytes, got "${error.received}"`;
  }
  return undefined;
}
