/**
 * Print: the server prints what arrives, with its sender, and answers nothing.
 *
 * A first server on Berkeley sockets does just that. A message that contains `!Disconnect` ends the
 * conversation.
 *
 * @module
 */

import { formatAddress } from "./address.ts";
import { type Context, type Protocol, READ, writeLine } from "./effects.ts";

/** The words that end a conversation, anywhere in a message. */
export const DISCONNECT = "!Disconnect";

/** The most bytes that are printed as one message. */
export const PRINT_CHUNK = 1024;

/**
 * The server's side of a connection. It reports what it receives, in chunks of at most
 * {@linkcode PRINT_CHUNK} bytes, each line by itself and with its sender.
 *
 * @param context knows the sender
 */
export function* print(context: Context): Protocol {
  const sender = formatAddress(context.peer);
  // One decoder for the whole connection: the network may cut a character in two.
  const decoder = new TextDecoder();
  const search = new Search(DISCONNECT);
  for (;;) {
    const bytes: Uint8Array | null = yield READ;
    if (bytes === null) return yield* reportLines(sender, decoder.decode());
    for (let at = 0; at < bytes.length; at += PRINT_CHUNK) {
      const chunk = bytes.subarray(at, at + PRINT_CHUNK);
      yield* reportLines(sender, decoder.decode(chunk, { stream: true }));
      if (search.finds(chunk)) return;
    }
  }
}

/**
 * The server's side of one datagram. It reports it.
 *
 * @param context knows the sender
 * @param bytes what the datagram holds
 * @returns whether it ends the sender's conversation
 */
export function* printDatagram(context: Context, bytes: Uint8Array): Protocol<boolean> {
  const sender = formatAddress(context.peer);
  const decoder = new TextDecoder();
  for (let at = 0; at < bytes.length; at += PRINT_CHUNK) {
    const chunk = bytes.subarray(at, at + PRINT_CHUNK);
    yield* reportLines(sender, decoder.decode(chunk, { stream: true }));
  }
  yield* reportLines(sender, decoder.decode());
  if (bytes.length === 0) yield { kind: "report", message: `${sender}: ` };
  return new Search(DISCONNECT).finds(bytes);
}

/**
 * The client's side. It sends messages, each as a line, then {@linkcode DISCONNECT}, and waits for
 * the server to close.
 *
 * @param messages what to send, without line ends. Each gets a line end of its own, because one
 * read of the server may bring two messages
 */
export function* printClient(messages: Iterable<Uint8Array>): Protocol {
  for (const message of messages) yield* writeLine(message);
  yield { kind: "write", bytes: new TextEncoder().encode(DISCONNECT) };
  while ((yield READ) !== null);
}

function* reportLines(sender: string, text: string): Protocol {
  // Nothing but a part of a character has come.
  if (text === "") return;
  const lines = text.split(/\r?\n/);
  // A line end at the end is no line of its own.
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  for (const line of lines) yield { kind: "report", message: `${sender}: ${line}` };
}

/** Finds a text in a stream of bytes, even if the text is cut in two. */
class Search {
  readonly #wanted: Uint8Array;
  #found = 0;

  /** @param text in ASCII; its first character must occur in it only once */
  constructor(text: string) {
    this.#wanted = new TextEncoder().encode(text);
  }

  /** Whether these bytes complete the text. */
  finds(bytes: Uint8Array): boolean {
    const wanted = this.#wanted;
    for (const byte of bytes) {
      if (byte === wanted[this.#found]) this.#found++;
      else this.#found = byte === wanted[0] ? 1 : 0;
      if (this.#found === wanted.length) return true;
    }
    return false;
  }
}
