/**
 * How a proxy introduces its client: the part of a connection that comes before its conversation. It
 * is a conversation too, so that every driver can hold it.
 *
 * @module
 */

import { joinBytes } from "../../protocols/bytes.ts";
import { type Effect, type Protocol, READ } from "../../protocols/effects.ts";
import { PeerGoneError, ReadTimeoutError } from "../../protocols/errors.ts";
import { parseProxyHeader, type ProxyHeader } from "../net/proxy_header.ts";

/** What a proxy has said, and what came with it. */
export interface Introduction {
  /** The header. */
  readonly header: ProxyHeader;
  /** The first bytes of the client itself, valid until the next read. */
  readonly rest: Uint8Array;
}

/**
 * Reads the header of the PROXY protocol. It asks for nothing else, and says nothing.
 *
 * @returns what has come; `null` if the peer's FIN came before any byte
 * @throws {MalformedMessageError} if something else has come
 * @throws {MessageTooLongError} if the header is too long
 * @throws {PeerGoneError} if the peer's FIN comes in the middle of it
 */
export function* readIntroduction(): Protocol<Introduction | null> {
  let kept: Uint8Array | undefined;
  for (;;) {
    const chunk: Uint8Array | null = yield READ;
    if (chunk === null) {
      if (kept === undefined) return null;
      throw new PeerGoneError("sending its PROXY header");
    }
    const bytes = kept === undefined ? chunk : joinBytes([kept, chunk]);
    const found = parseProxyHeader(bytes);
    if (found !== undefined) return { header: found.header, rest: bytes.subarray(found.length) };
    // They are only borrowed until the next read.
    kept = bytes === chunk ? bytes.slice() : bytes;
  }
}

/**
 * The error of a proxy that has not sent its header in time.
 *
 * @param headerMs how long it had, in milliseconds
 */
export function lateIntroduction(headerMs: number): ReadTimeoutError {
  return new ReadTimeoutError(headerMs, "no whole PROXY header came within");
}

/**
 * A conversation whose first read is answered with bytes that have come already.
 *
 * @param conversation a generator that has not been started
 * @param first the bytes
 */
export function precede<Result>(
  conversation: Protocol<Result>,
  first: Uint8Array,
): Protocol<Result> {
  return new Preceded(conversation, first) as unknown as Protocol<Result>;
}

/** A driver resumes a conversation, throws into it and ends it, and does nothing else with it. */
class Preceded<Result> implements Iterator<Effect, Result, unknown> {
  readonly #conversation: Protocol<Result>;
  #first: Uint8Array | undefined;

  constructor(conversation: Protocol<Result>, first: Uint8Array) {
    this.#conversation = conversation;
    this.#first = first;
  }

  next(answer?: unknown): IteratorResult<Effect, Result> {
    return this.#answered(this.#conversation.next(answer));
  }

  throw(error: unknown): IteratorResult<Effect, Result> {
    return this.#answered(this.#conversation.throw(error));
  }

  return(value: Result): IteratorResult<Effect, Result> {
    return this.#conversation.return(value);
  }

  /** Answers a read, if it is the first. A protocol may yield anything, even `undefined`. */
  #answered(step: IteratorResult<Effect, Result>): IteratorResult<Effect, Result> {
    const first = this.#first;
    if (first === undefined || step.done === true || step.value?.kind !== "read") return step;
    this.#first = undefined;
    return this.#conversation.next(first);
  }
}
