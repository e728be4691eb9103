/**
 * What the client sends: its arguments, or standard input, or a file, as it is read.
 *
 * @module
 */

import { joinBytes } from "../protocols/bytes.ts";
import { escapeText, shorten } from "../protocols/text.ts";
import { UsageError } from "../engine/cli/flags.ts";
import { readInput } from "../engine/cli/standard_input.ts";
import { messageOf } from "../engine/dial/failures.ts";

/** The most bytes that a line of standard input may have. */
const LINE_LIMIT = 1024 * 1024;

/** How many characters of an argument are repeated in an error. */
const SHOWN = 40;

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Returns what is wrong with a message; `undefined` if it can be sent. */
export type Check = (message: Uint8Array) => string | undefined;

/** Messages that are all there already, or that come one by one. */
export type Messages = AsyncIterable<Uint8Array> | readonly Uint8Array[];

/**
 * The messages to send: the arguments, or if there are none, the lines of standard input as they
 * come.
 *
 * @param args the arguments that were typed
 * @param check checks each message
 * @returns the messages; an invalid line ends them with a {@linkcode UsageError}
 * @throws {UsageError} if an argument is invalid, before any is sent
 */
export function readMessages(args: readonly string[] | undefined, check: Check): Messages {
  if (args === undefined) return inputLines(check);
  const encoder = new TextEncoder();
  return args.map((argument) => {
    const message = encoder.encode(argument);
    const mistake = check(message);
    if (mistake === undefined) return message;
    const shown = argument.length > SHOWN ? shorten(argument, SHOWN) : argument;
    throw new UsageError(`cannot send "${escapeText(shown)}": ${mistake}`);
  });
}

/** The lines of standard input without their line ends. The last line need not have one. */
async function* inputLines(check: Check): AsyncGenerator<Uint8Array> {
  let number = 0;
  const checked = (line: Uint8Array) => {
    number++;
    const mistake = line.length > LINE_LIMIT ? `more than ${LINE_LIMIT} bytes` : check(line);
    if (mistake === undefined) return line;
    throw new UsageError(`cannot send line ${number} of standard input: ${mistake}`);
  };
  let unread: Uint8Array[] = [];
  let unreadBytes = 0;
  for await (const piece of readInput()) {
    let from = 0;
    for (let end = piece.indexOf(LINE_FEED); end >= 0; end = piece.indexOf(LINE_FEED, from)) {
      const line = joinBytes([...unread, piece.subarray(from, end)]);
      unread = [];
      unreadBytes = 0;
      from = end + 1;
      yield checked(line.at(-1) === CARRIAGE_RETURN ? line.subarray(0, -1) : line);
    }
    unread.push(piece.slice(from));
    unreadBytes += piece.length - from;
    // A line that never ends must be refused before its end comes. One byte may be its `\r`.
    if (unreadBytes > LINE_LIMIT + 1) checked(joinBytes(unread));
  }
  const last = joinBytes(unread);
  if (last.length > 0) yield checked(last);
}

/**
 * Opens a file and reads it piece by piece, never all of it at once.
 *
 * @param path where the file is
 * @param pieceBytes how many bytes to read at a time
 * @returns pieces of that length, except for the last; each is valid until the next is asked for
 * @throws {UsageError} if the file cannot be opened
 */
export async function openFile(
  path: string,
  pieceBytes: number,
): Promise<AsyncIterable<Uint8Array>> {
  const { open } = await import("node:fs/promises");
  const cannot = (what: string, cause: unknown) =>
    `cannot ${what} ${escapeText(path)}: ${messageOf(cause)}`;
  const file = await open(path, "r").catch((cause) => {
    throw new UsageError(cannot("open", cause));
  });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    const buffer = new Uint8Array(pieceBytes);
    try {
      for (let filled = 0;;) {
        const { bytesRead } = await file.read(buffer, filled, pieceBytes - filled, null);
        filled += bytesRead;
        if (bytesRead > 0 && filled < pieceBytes) continue;
        if (filled > 0) yield buffer.subarray(0, filled);
        if (bytesRead === 0) return;
        filled = 0;
      }
    } catch (cause) {
      throw new Error(cannot("read", cause), { cause });
    } finally {
      await file.close();
    }
  }
  return pieces();
}
