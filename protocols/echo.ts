/**
 * Echo: every byte comes back as it was sent (RFC 862).
 *
 * @module
 */

import { type Context, type Protocol, READ } from "./effects.ts";
import { MalformedMessageError } from "./errors.ts";
import { type Input, readBytes } from "./input.ts";
import { escapeBytes } from "./text.ts";

/** The most bytes that the client sends before it reads them back. */
const PIECE = 16 * 1024;

/**
 * The server's side. It sends back what it receives, until the peer's FIN.
 *
 * @param _context not used: every peer gets the same answers
 */
export function* echo(_context?: Context): Protocol {
  for (;;) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) return;
    yield { kind: "write", bytes };
  }
}

/**
 * The server's side of one datagram. It sends it back.
 *
 * @param _context not used: every peer gets the same answers
 * @param bytes what the datagram holds
 */
export function* echoDatagram(_context: Context, bytes: Uint8Array): Protocol<boolean> {
  yield { kind: "write", bytes };
  return false;
}

/**
 * The client's side of one message. It sends the message and reads it back piece by piece, so that
 * the two sides never wait for each other to read.
 *
 * @param input the connection's unread bytes, the same object for all of its messages
 * @param message what to send
 * @returns what came back: the same bytes
 * @throws {MalformedMessageError} if other bytes come back
 * @throws {PeerGoneError} if the server closes before all came back
 */
export function* echoClient(input: Input, message: Uint8Array): Protocol<Uint8Array> {
  for (let at = 0; at < message.length; at += PIECE) {
    const bytes = at === 0 && message.length <= PIECE ? message : message.subarray(at, at + PIECE);
    yield { kind: "write", bytes };
    expectEcho(bytes, yield* readBytes(input, bytes.length, "waiting for the echo"), at);
  }
  return message;
}

/**
 * Compares what came back with what was sent.
 *
 * @param sent the message
 * @param received its echo
 * @param offset how much of the message came before
 * @throws {MalformedMessageError} if they differ
 */
export function expectEcho(sent: Uint8Array, received: Uint8Array, offset = 0): void {
  const length = Math.max(sent.length, received.length);
  for (let at = 0; at < length; at++) {
    if (sent[at] === received[at]) continue;
    // The place where they differ, and a few bytes before it.
    const from = Math.max(0, at - 8);
    const show = (bytes: Uint8Array) => escapeBytes(bytes.subarray(from), 24);
    throw new MalformedMessageError(
      `"${show(sent)}" from byte ${offset + from + 1}`,
      show(received),
    );
  }
}
