/**
 * Print: what arrives is printed with its sender, nothing is answered.
 *
 * It is what a first server on Berkeley sockets does. A message that contains `!Disconnect` ends
 * the conversation.
 *
 * @module
 */

import { formatAddress } from "./address.ts";
import { type Context, type Protocol, READ, writeLine } from "./effects.ts";

/** What ends a conversation, wherever in a message it stands. */
export const DISCONNECT = "!Disconnect";

/** The most bytes that are printed as one message. */
export const PRINT_CHUNK = 1024;

/**
 * The server's side of a connection: reports what it receives, in chunks of at most
 * {@linkcode PRINT_CHUNK} bytes, each line by itself and with its sender.
 *
 * @param context knows the sender
 */
export function* print(context: Context): Protocol {
  const sender = formatAddress(context.peer);
  // One for the whole connection: a character may be cut in two by the network.
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
 * The server's side of one datagram: reports it.
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
 * The client's side: sends messages, each as a line, then {@linkcode DISCONNECT}, and waits for the
 * server to close.
 *
 * @param messages what to send, without line ends: a server could not tell two of them apart in
 * what one read brings, and so each is given one
 */
export function* printClient(messages: Iterable<Uint8Array>): Protocol {
  for (const message of messages) yield* writeLine(message);
  yield { kind: "write", bytes: new TextEncoder().encode(DISCONNECT) };
  while ((yield READ) !== null);
}

function* reportLines(sender: string, text: string): Protocol {
  // Only the beginning of a character has come, or the end of one that was waited for has not.
  if (text === "") return;
  const lines = text.split(/\r?\n/);
  // A line end at the end is no line of its own.
  if (lines.length > 1 && lines.at(-1) === "") lines.pop();
  for (const line of lines) yield { kind: "report", message: `${sender}: ${line}` };
}

/** Finds a text in a stream of bytes, also where it is cut in two. */
class Search {
  readonly #wanted: Uint8Array;
  #found = 0;

  /** @param text in ASCII; its first character must not come again in it */
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
