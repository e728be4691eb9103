/**
 * The ways in which a conversation fails, one class for each.
 *
 * `kind` is the short name under which a server counts a failure. The other fields are for programs
 * that react to it, and the message is for people.
 *
 * @module
 */

/** The kinds of failure that a server counts, in the order in which its totals name them. */
export const FAILURE_KINDS = [
  "malformed",
  "out of range",
  "mismatch",
  "too long",
  "rejected",
  "peer gone",
  "read timeout",
  "idle timeout",
  "message timeout",
  "handshake timeout",
  "session timeout",
  "compute timeout",
  "slow reader",
  "other",
] as const;

/** The short name of a kind of failure. */
export type FailureKind = typeof FAILURE_KINDS[number];

/** What every failure of a conversation has in common. */
export abstract class ConversationError extends Error {
  /** The name under which this failure is counted. */
  abstract readonly kind: FailureKind;
}

/** The peer sent something that is not a message of the protocol. */
export class MalformedMessageError extends ConversationError {
  /** The class's name. */
  override readonly name = "MalformedMessageError";
  /** The name under which it is counted. */
  override readonly kind = "malformed";
  /** What a message should have looked like. */
  readonly expected: string;
  /** What came, escaped and shortened. */
  readonly received: string;

  /**
   * Makes the error.
   *
   * @param expected what a message should look like
   * @param received what came, escaped
   */
  constructor(expected: string, received: string) {
    super(`Cannot parse the message: expected ${expected}, got "${received}"`);
    this.expected = expected;
    this.received = received;
  }
}

/** The peer sent a number that is too small or too large. */
export class NumberOutOfRangeError extends ConversationError {
  /** The class's name. */
  override readonly name = "NumberOutOfRangeError";
  /** The name under which it is counted. */
  override readonly kind = "out of range";
  /** What is allowed, for instance `0 to 255`. */
  readonly range: string;
  /** The digits that came, with their sign, shortened. */
  readonly received: string;

  /**
   * Makes the error.
   *
   * @param received the digits that came, shortened
   * @param range what is allowed, for instance `0 to 255`
   */
  constructor(received: string, range: string) {
    super(`Cannot use the number: expected ${range}, got ${received}`);
    this.received = received;
    this.range = range;
  }
}

/** The peer sent a well-formed message with the wrong sequence number. */
export class SequenceMismatchError extends ConversationError {
  /** The class's name. */
  override readonly name = "SequenceMismatchError";
  /** The name under which it is counted. */
  override readonly kind = "mismatch";
  /** The sequence number that should have come. */
  readonly expected: number;
  /** The sequence number that came. */
  readonly received: number;

  /**
   * Makes the error.
   *
   * @param expected the number that should have come
   * @param received the one that came
   */
  constructor(expected: number, received: number) {
    super(`Cannot continue the sequence: expected ${expected}, got ${received}`);
    this.expected = expected;
    this.received = received;
  }
}

/** The peer sent more bytes than a message may have. */
export class MessageTooLongError extends ConversationError {
  /** The class's name. */
  override readonly name = "MessageTooLongError";
  /** The name under which it is counted. */
  override readonly kind = "too long";
  /** The most bytes that a message may have, its line end not counted. */
  readonly limit: number;
  /** How the message began, escaped and shortened. */
  readonly received: string;

  /**
   * Makes the error.
   *
   * @param limit the most bytes a message may have
   * @param received its beginning, escaped
   */
  constructor(limit: number, received: string) {
    super(`Cannot accept the message: expected at most ${limit} bytes, got more: "${received}"`);
    this.limit = limit;
    this.received = received;
  }
}

/** The peer answered that it refuses our message. */
export class RejectedError extends ConversationError {
  /** The class's name. */
  override readonly name = "RejectedError";
  /** The name under which it is counted. */
  override readonly kind = "rejected";
  /** The peer's own words, escaped. */
  readonly reason: string;

  /**
   * Makes the error.
   *
   * @param reason the peer's own words, escaped
   */
  constructor(reason: string) {
    super(`Rejected by the peer: ${reason}`);
    this.reason = reason;
  }
}

/** The peer closed or reset the connection in the middle of the conversation. */
export class PeerGoneError extends ConversationError {
  /** The class's name. */
  override readonly name = "PeerGoneError";
  /** The name under which it is counted. */
  override readonly kind = "peer gone";
  /** What the protocol was doing when the peer left. */
  readonly during: string;

  /**
   * Makes the error.
   *
   * @param during what the protocol was doing
   * @param options the system's error as `cause`
   */
  constructor(during: string, options?: ErrorOptions) {
    const how = options?.cause instanceof Error ? `: ${options.cause.message}` : "";
    super(`Peer gone while ${during}${how}`, options);
    this.during = during;
  }
}

/** The peer sent nothing for too long. */
export class ReadTimeoutError extends ConversationError {
  /** The class's name. */
  override readonly name = "ReadTimeoutError";
  /** The name under which it is counted. */
  override readonly kind = "read timeout";
  /** How long the read waited, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param timeoutMs how long the read waited, in milliseconds
   * @param what what has not come, in words
   */
  constructor(timeoutMs: number, what = "nothing was received for") {
    super(`Timed out: ${what} ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The peer sent nothing for too long between two messages. */
export class IdleTimeoutError extends ConversationError {
  /** The class's name. */
  override readonly name = "IdleTimeoutError";
  /** The name under which it is counted. */
  override readonly kind = "idle timeout";
  /** How long it was silent, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param timeoutMs how long it was silent, in milliseconds
   */
  constructor(timeoutMs: number) {
    super(`Timed out: no message came for ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The peer took too long to send a whole message. */
export class MessageTimeoutError extends ConversationError {
  /** The class's name. */
  override readonly name = "MessageTimeoutError";
  /** The name under which it is counted. */
  override readonly kind = "message timeout";
  /** How long the message was allowed to take, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param timeoutMs how long the message was allowed to take, in milliseconds
   */
  constructor(timeoutMs: number) {
    super(`Timed out: the message was not whole after ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The whole conversation took too long. */
export class SessionTimeoutError extends ConversationError {
  /** The class's name. */
  override readonly name: string = "SessionTimeoutError";
  /** The name under which it is counted. */
  override readonly kind: "session timeout" | "handshake timeout" = "session timeout";
  /** How long the conversation was allowed to take, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param timeoutMs how long it was allowed to take
   * @param what its name in the message
   */
  constructor(timeoutMs: number, what = "session") {
    super(`Timed out: the ${what} was not over after ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** A computation took too long. */
export class ComputeTimeoutError extends ConversationError {
  /** The class's name. */
  override readonly name = "ComputeTimeoutError";
  /** The name under which it is counted. */
  override readonly kind = "compute timeout";
  /** How long it was allowed to take, in milliseconds. */
  readonly timeoutMs: number;

  /**
   * Makes the error.
   *
   * @param task what was computed
   * @param timeoutMs how long it was allowed to take, in milliseconds
   */
  constructor(task: string, timeoutMs: number) {
    super(`Timed out: the computation "${task}" was not over after ${timeoutMs} ms`);
    this.timeoutMs = timeoutMs;
  }
}

/** The handshake took too long: the {@linkcode SessionTimeoutError} of `hello`. */
export class HandshakeTimeoutError extends SessionTimeoutError {
  /** The class's name. */
  override readonly name = "HandshakeTimeoutError";
  /** The name under which it is counted. */
  override readonly kind = "handshake timeout";

  /**
   * Makes the error.
   *
   * @param timeoutMs how long it was allowed to take, in milliseconds
   */
  constructor(timeoutMs: number) {
    super(timeoutMs, "handshake");
  }
}

/** The peer does not read what we send, and more waits for it than we keep. */
export class SlowReaderError extends ConversationError {
  /** The class's name. */
  override readonly name = "SlowReaderError";
  /** The name under which it is counted. */
  override readonly kind = "slow reader";
  /** Which limit it exceeded. */
  readonly limit: string;

  /**
   * Makes the error.
   *
   * @param limit which limit it exceeded, for instance `262144 bytes wait`
   */
  constructor(limit: string) {
    super(`Reads too slowly: ${limit}`);
    this.limit = limit;
  }
}

/**
 * The name under which a server counts what a conversation threw.
 *
 * @param error what was thrown
 * @returns its kind; `other` for an error that this module does not know
 */
export function failureKind(error: unknown): FailureKind {
  return error instanceof ConversationError ? error.kind : "other";
}
