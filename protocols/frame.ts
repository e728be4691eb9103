/**
 * Frames: Eli Bendersky's protocol of "Concurrent Servers", parts 1 to 6.
 *
 * The server says `*`. What the client then sends is ignored up to a `^`, and from there on
 * answered byte by byte with the next higher one, up to a `$`. A frame that begins with `P` is a
 * question instead: the digits up to `$` are a number, and the answer is `prime` or `composite`
 * and a line feed.
 *
 * @module
 */

import { compute, type Context, type Protocol, READ } from "./effects.ts";
import {
  type ConversationError,
  MalformedMessageError,
  NumberOutOfRangeError,
  PeerGoneError,
} from "./errors.ts";
import { escapeBytes } from "./text.ts";

/** How to serve frames. */
export interface FrameOptions {
  /**
   * Whether a frame that begins with `P` is a question; if not it is data, as in the first parts
   * of the series.
   *
   * @default {true}
   */
  readonly prime?: boolean;
}

/** The task that {@linkcode frame} asks for: its argument is the digits, its result a boolean. */
export const PRIME_TASK = "prime";

const GREETING = new TextEncoder().encode("*");
const PRIME = new TextEncoder().encode("prime\n");
const COMPOSITE = new TextEncoder().encode("composite\n");

const OPENING = 0x5e;
const CLOSING = 0x24;
const QUESTION = 0x50;
const ZERO = 0x30;
const NINE = 0x39;

/** The largest number that can be asked for; none has more digits. */
const LARGEST = "18446744073709551615";

/** Where in the stream the next byte is. */
type Place = "outside" | "first" | "data" | "question";

/**
 * The server's side.
 *
 * @param _context not used: every peer is answered alike
 * @param options whether there are questions
 */
export function* frame(_context?: Context, { prime = true }: FrameOptions = {}): Protocol {
  yield { kind: "write", bytes: GREETING };
  let place: Place = "outside";
  let digits = "";
  for (;;) {
    const chunk: Uint8Array | null = yield READ;
    if (chunk === null) {
      if (place === "question") throw new PeerGoneError("asking a question");
      return;
    }
    // The answer is never longer than what it answers, and is written over it.
    let length = 0;
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] as number;
      if (place === "data" && byte !== CLOSING) {
        chunk[length++] = byte + 1;
      } else if (place === "outside") {
        if (byte === OPENING) place = "first";
      } else if (place === "first" && byte === QUESTION && prime) {
        place = "question";
        digits = "";
      } else if (place === "question") {
        const mistake = mistakeIn(digits, byte);
        // What was answered before comes before; and a conversation whose last word is a write,
        // if only an empty one, is ended in such a way that the word arrives.
        if (length > 0 || mistake !== undefined) {
          yield { kind: "write", bytes: chunk.subarray(0, length) };
          length = 0;
        }
        if (mistake !== undefined) throw mistake;
        if (byte === CLOSING) {
          place = "outside";
          const isPrime = yield* compute<boolean>(PRIME_TASK, digits);
          yield { kind: "write", bytes: isPrime ? PRIME : COMPOSITE };
        } else digits += String.fromCharCode(byte);
      } else if (byte === CLOSING) {
        place = "outside";
      } else {
        place = "data";
        chunk[length++] = byte + 1;
      }
    }
    if (length > 0) {
      yield { kind: "write", bytes: length === chunk.length ? chunk : chunk.subarray(0, length) };
    }
  }
}

/** Why this byte cannot follow these digits of a question. */
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
