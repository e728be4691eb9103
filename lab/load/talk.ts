/**
 * Requests that are bytes as they were typed, and answers of which only the end is known: the load
 * on any TCP server, without a module for its protocol.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../protocols/catalogue.ts";
import { type Effect, type Protocol, READ } from "../../protocols/effects.ts";
import {
  MalformedMessageError,
  MessageTooLongError,
  PeerGoneError,
} from "../../protocols/errors.ts";
import { joinBytes } from "../../protocols/bytes.ts";
import type { Input } from "../../protocols/input.ts";
import type { LoadContext } from "../../protocols/load.ts";
import { escapeBytes } from "../../protocols/text.ts";
import type { LoadProtocol } from "./load_protocol.ts";

/** What is sent, and what comes back: plain data that can be posted to Workers. */
export interface Talk {
  /** Its name, for people: the beginning of the request. */
  readonly name: string;
  /** What every request sends. */
  readonly request: Uint8Array;
  /** The SHA-256 of the request, in hexadecimal digits. */
  readonly digest: string;
  /** What every answer ends with, the first time that it occurs in it. */
  readonly until?: Uint8Array;
  /** How many bytes every answer has. */
  readonly bytes?: number;
  /** Every answer, to its end. */
  readonly expect?: Uint8Array;
  /** What the server says first ends with this; without it, the client speaks first. */
  readonly greetingUntil?: Uint8Array;
  /** The most bytes that an answer or a greeting may have, its end included. */
  readonly maxAnswer: number;
}

/** Where an answer ends. An expected answer ends where it ends, whatever else was said of its end. */
type Ending = Pick<Talk, "until" | "bytes" | "expect">;

const ANSWERING = "waiting for the answer";
const GREETED = "waiting for the greeting";

/** How much of an answer is shown, in characters. */
const SHOWN = 80;

/** How many bytes of an answer are kept to be shown. */
const KEPT = 128;

/** How many bytes before the first wrong one are shown, where that comes late. */
const BEFORE = 8;

/** The most bytes of a request and of an answer in a rehearsal. */
const REHEARSED = 1024;

const NOTHING = new Uint8Array(0);

/**
 * The client's side.
 *
 * @param talk what is sent, and what comes back
 */
export function protocolOf(talk: Talk): LoadProtocol {
  const { name, request, greetingUntil, maxAnswer, expect, until, bytes } = talk;
  const ending: Ending = expect !== undefined
    ? { expect }
    : until !== undefined
    ? { until }
    : bytes !== undefined
    ? { bytes }
    : {};
  const write: Effect = { kind: "write", bytes: request };
  return {
    name,
    longestAnswer: maxAnswer,
    *exchange({ input }: LoadContext): Protocol {
      yield write;
      yield* receive(input, ending, maxAnswer, ANSWERING);
    },
    ...(greetingUntil !== undefined && {
      greeting: ({ input }) => receive(input, { until: greetingUntil }, maxAnswer, GREETED),
    }),
  };
}

/** Receives an answer. What has come beyond it is left in `input`. */
function* receive(input: Input, ending: Ending, most: number, during: string): Protocol {
  const answer = new Answer(ending, most);
  for (;;) {
    const chunk: Uint8Array | null = yield READ;
    if (chunk === null) {
      if (answer.endsWithConnection) return;
      throw new PeerGoneError(during);
    }
    const end = answer.take(chunk);
    if (end === chunk.length) return;
    if (end >= 0) return input.add(chunk.subarray(end));
  }
}

/** An answer that comes in pieces. None of them is kept, however long the answer is. */
class Answer {
  readonly #ending: Ending;
  readonly #most: number;
  /** How many bytes have come. */
  #length = 0;
  /** How much of the delimiter the last bytes are. */
  #matched = 0;
  /** How it began, if it came in several pieces. */
  #beginning: Uint8Array = NOTHING;

  constructor(ending: Ending, most: number) {
    this.#ending = ending;
    this.#most = most;
  }

  /** Whether the end of the connection is the end of this answer. */
  get endsWithConnection(): boolean {
    const { until, bytes, expect } = this.#ending;
    return until === undefined && bytes === undefined && expect === undefined && this.#length > 0;
  }

  /**
   * Takes the next bytes.
   *
   * @returns how many of them belong to the answer, if it ends there; -1 if it goes on
   * @throws {MalformedMessageError} if it is not the expected answer
   * @throws {MessageTooLongError} if it is longer than allowed
   */
  take(chunk: Uint8Array): number {
    const { until, bytes, expect } = this.#ending;
    if (expect !== undefined) this.#compare(expect, chunk);
    const end = until !== undefined
      ? this.#find(until, chunk)
      : lengthWithin(chunk, (bytes ?? expect?.length ?? Infinity) - this.#length);
    const length = this.#length + (end < 0 ? chunk.length : end);
    // An answer whose delimiter is not there yet goes on.
    if (length > this.#most || (end < 0 && until !== undefined && length >= this.#most)) {
      throw new MessageTooLongError(this.#most, this.#shown(chunk));
    }
    if (end < 0) this.#keep(chunk);
    this.#length = length;
    return end;
  }

  /** Compares the bytes with those that should have come. */
  #compare(expect: Uint8Array, chunk: Uint8Array): void {
    const count = Math.min(chunk.length, expect.length - this.#length);
    for (let at = 0; at < count; at++) {
      if (chunk[at] === expect[this.#length + at]) continue;
      throw this.#wrong(expect, chunk, at);
    }
  }

  #wrong(expect: Uint8Array, chunk: Uint8Array, at: number): Error {
    // What came before is all there while it is short. Later only what came last is.
    const isAllThere = this.#length + at < KEPT;
    const from = isAllThere ? 0 : Math.max(0, at - BEFORE);
    const received = isAllThere ? this.#shown(chunk) : escapeBytes(chunk.subarray(from), SHOWN);
    const offset = isAllThere ? 0 : this.#length + from;
    const expected = escapeBytes(expect.subarray(offset, offset + SHOWN + 1), SHOWN);
    const where = offset === 0 ? "" : ` from byte ${offset + 1}`;
    return new MalformedMessageError(`"${expected}"${where}`, received);
  }

  /**
   * Finds the first end of a delimiter that may have begun in an earlier piece (Knuth, Morris and
   * Pratt, 1977).
   */
  #find(until: Uint8Array, chunk: Uint8Array): number {
    const first = until[0] as number;
    let matched = this.#matched;
    for (let at = 0; at < chunk.length; at++) {
      if (matched === 0 && chunk[at] !== first) {
        at = chunk.indexOf(first, at);
        if (at < 0) break;
      }
      while (matched > 0 && chunk[at] !== until[matched]) {
        matched = bordersOf(until)[matched - 1] as number;
      }
      if (chunk[at] === until[matched]) matched++;
      if (matched === until.length) return at + 1;
    }
    this.#matched = matched;
    return -1;
  }

  /** Keeps how the answer begins, for the case that it is wrong. */
  #keep(chunk: Uint8Array): void {
    if (this.#beginning.length >= KEPT) return;
    this.#beginning = joinBytes([this.#beginning, chunk.subarray(0, KEPT)]);
  }

  #shown(chunk: Uint8Array): string {
    return escapeBytes(joinBytes([this.#beginning, chunk.subarray(0, KEPT)]), SHOWN);
  }
}

function lengthWithin(chunk: Uint8Array, left: number): number {
  return chunk.length >= left ? left : -1;
}

/** The borders of delimiters: see {@linkcode bordersOf}. */
const borders = new WeakMap<Uint8Array, Int32Array>();

/**
 * For each beginning of a delimiter, how long the longest part is that it both begins and ends with.
 * So much of it is matched still when the next byte does not go on with it.
 */
function bordersOf(delimiter: Uint8Array): Int32Array {
  let found = borders.get(delimiter);
  if (found !== undefined) return found;
  found = new Int32Array(delimiter.length);
  for (let at = 1, length = 0; at < delimiter.length; at++) {
    while (length > 0 && delimiter[at] !== delimiter[length]) length = found[length - 1] as number;
    if (delimiter[at] === delimiter[length]) length++;
    found[at] = length;
  }
  borders.set(delimiter, found);
  return found;
}

/**
 * The same with messages that are no longer than those of a rehearsal.
 *
 * @param talk what is sent, and what comes back
 */
export function shortTalk(talk: Talk): Talk {
  const { request, bytes, expect } = talk;
  return {
    ...talk,
    request: request.subarray(0, REHEARSED),
    ...(bytes !== undefined && { bytes: Math.min(bytes, REHEARSED) }),
    ...(expect !== undefined && { expect: expect.subarray(0, REHEARSED) }),
  };
}

/**
 * A server that answers to this talk, for the rehearsal.
 *
 * @param talk what it receives, and what it answers
 */
export function serverOf(talk: Talk): ProtocolDefinition {
  const { name, request, until, bytes, expect, greetingUntil } = talk;
  const answer = expect ?? until ?? new Uint8Array(bytes ?? 1);
  const endsWithConnection = (expect ?? until ?? bytes) === undefined;
  return {
    name,
    summary: "a server for the rehearsal",
    readTimeoutMs: 0,
    sessionTimeoutMs: 0,
    *serve(): Protocol {
      if (greetingUntil !== undefined) yield { kind: "write", bytes: greetingUntil };
      for (let received = 0;;) {
        const chunk: Uint8Array | null = yield READ;
        if (chunk === null) return;
        received += chunk.length;
        for (; received >= request.length; received -= request.length) {
          yield { kind: "write", bytes: answer };
          if (endsWithConnection) return;
        }
      }
    },
  };
}
