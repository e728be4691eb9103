/**
 * How to show bytes of a peer on a person's terminal, and how to send lines.
 *
 * @module
 */

const encoder = new TextEncoder();

/**
 * Writes bytes as printable ASCII, in the manner of C string literals.
 *
 * @param bytes what came from a peer
 * @param limit how many characters the result may have; a longer one ends in `...`
 * @returns the text, every byte outside printable ASCII as `\n`, `\t`, `\r` or `\xNN`
 */
export function escapeBytes(bytes: Uint8Array, limit = Infinity): string {
  let text = "";
  /** The longest beginning that leaves room for `...` and ends with no half of an escape. */
  let beginning = "";
  for (const byte of bytes) {
    text += escapeByte(byte);
    if (text.length > limit) return `${beginning}...`;
    if (text.length <= limit - 3) beginning = text;
  }
  return text;
}

/** Control characters, and the invisible ones that reorder or split a line. */
const CONTROLS =
  // deno-lint-ignore no-control-regex -- the pattern is about control characters
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/**
 * What a terminal takes for a command (ECMA-48): a sequence that begins with CSI and ends with a
 * letter; a string that begins with DCS, SOS, OSC, PM or APC and ends with ST or BEL; ESC and the
 * characters that belong to it. Some characters stand for ESC and another one, so they count too.
 */
const SEQUENCES =
  // deno-lint-ignore no-control-regex -- the pattern is about escape sequences
  /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|(?:\u001b[PX\]^_]|[\u0090\u0098\u009d-\u009f])[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c)|\u001b[ -/]*[0-~]/g;

/**
 * Makes text safe to print on one line of a terminal, and shows what was in it. It writes two kinds
 * of characters as escapes: control characters, which could move the cursor or forge another line,
 * and the invisible characters that reorder or split a line.
 *
 * @param text any text, for instance a message of a peer
 * @returns the text on one line
 */
export function escapeText(text: string): string {
  return text.replace(CONTROLS, (character) => {
    const code = character.charCodeAt(0);
    return code < 0x80 ? escapeByte(code) : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/**
 * Makes text safe to print on one line of a terminal, and leaves out what {@linkcode escapeText}
 * would show: whole escape sequences, and control characters. A tab becomes a space.
 *
 * @param text any text, for instance what a person has typed, with the arrow keys
 * @returns the text on one line
 */
export function stripControls(text: string): string {
  return text.replaceAll("\t", " ").replace(SEQUENCES, "").replace(CONTROLS, "");
}

function escapeByte(byte: number): string {
  switch (byte) {
    case 0x09:
      return "\\t";
    case 0x0a:
      return "\\n";
    case 0x0d:
      return "\\r";
    case 0x22:
      return '\\"';
    case 0x5c:
      return "\\\\";
  }
  return byte >= 0x20 && byte < 0x7f
    ? String.fromCharCode(byte)
    : `\\x${byte.toString(16).padStart(2, "0")}`;
}

/**
 * Cuts text that is too long and marks the cut.
 *
 * @param text the text
 * @param limit how many characters the result may have, at least 3
 * @returns the text, or its beginning and `...`
 */
export function shorten(text: string, limit: number): string {
  return text.slice(0, Math.max(0, limit - 3)) + "...";
}

/**
 * The bytes of a line that our side sends.
 *
 * @param text the line, without its end
 * @returns its UTF-8 bytes and `\n`
 */
export function encodeLine(text: string): Uint8Array {
  return encoder.encode(text + "\n");
}
