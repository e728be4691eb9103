/**
 * JSON that is safe to print on a terminal.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";

/**
 * Writes a value as JSON on one line, without characters that a terminal could take for commands.
 *
 * @param value any value that JSON can hold
 */
export function encodeJson(value: unknown): string {
  // JSON itself writes the first 32 characters as escapes. `escapeText` writes the others so that JSON
  // understands them, but for this one.
  return escapeText(JSON.stringify(value).replaceAll("\x7f", "\\u007f"));
}
