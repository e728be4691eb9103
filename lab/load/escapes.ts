/**
 * Bytes as people type them on a command line, with escapes for those that no keyboard has.
 *
 * @module
 */

const encoder = new TextEncoder();

/** The bytes that a letter after a backslash stands for. `escapeBytes` writes the same ones. */
const ESCAPES: Readonly<Record<string, number>> = {
  r: 0x0d,
  n: 0x0a,
  t: 0x09,
  "0": 0x00,
  "\\": 0x5c,
  '"': 0x22,
};

/** What can be written, for the message about something else. */
export const ESCAPE_FORMS = "\\r \\n \\t \\0 \\xNN \\\\";

/** Text holds an escape that there is not. */
export class EscapeError extends Error {
  override readonly name = "EscapeError";

  /**
   * @param position where the escape begins, in characters from 1
   * @param escape the escape, as it was typed
   */
  constructor(position: number, escape: string) {
    super(`expected ${ESCAPE_FORMS} at character ${position}, got ${escape}`);
  }
}

/**
 * Reads text with escapes: `\r`, `\n`, `\t`, `\0`, `\xNN` with two hexadecimal digits, `\\` and `\"`.
 * Everything else stands for itself, in UTF-8.
 *
 * @param text for instance `PING\r\n`, with the backslashes in it
 * @returns the bytes
 * @throws {EscapeError} at the first escape that there is not
 */
export function readEscapes(text: string): Uint8Array {
  const bytes: number[] = [];
  let at = 0;
  while (at < text.length) {
    const end = text.indexOf("\\", at);
    for (const byte of encoder.encode(text.slice(at, end < 0 ? undefined : end))) bytes.push(byte);
    if (end < 0) break;
    const letter = text[end + 1];
    const value = letter === "x"
      ? hexadecimal(text.slice(end + 2, end + 4))
      : ESCAPES[letter ?? ""];
    if (value === undefined) throw new EscapeError(characters(text, end) + 1, wrong(text, end));
    bytes.push(value);
    at = end + (letter === "x" ? 4 : 2);
  }
  return Uint8Array.from(bytes);
}

function hexadecimal(digits: string): number | undefined {
  return /^[\da-f]{2}$/i.test(digits) ? parseInt(digits, 16) : undefined;
}

/** How many characters precede a place: one that takes two units of UTF-16 counts once. */
function characters(text: string, end: number): number {
  return [...text.slice(0, end)].length;
}

/** What stands there in place of an escape. */
function wrong(text: string, at: number): string {
  const [backslash = "", letter = "", ...rest] = text.slice(at);
  if (letter === "") return "a backslash at the end";
  return backslash + letter + (letter === "x" ? rest.slice(0, 2).join("") : "");
}
