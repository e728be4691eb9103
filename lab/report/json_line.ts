/**
 * JSON for standard output, which may be a terminal.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";

/**
 * Writes a value as one line of JSON that no terminal obeys. JSON itself escapes only some control
 * characters, and none of those that reorder a line.
 *
 * @param value what `JSON.stringify` takes
 */
export function jsonLine(value: object): string {
  return JSON.stringify(value).replace(/[^ -~]/g, (character) => {
    if (escapeText(character) === character) return character;
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}
