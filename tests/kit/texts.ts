/**
 * Texts of any characters, for tests with thousands of inputs.
 *
 * @module
 */

import fc from "fast-check";

/** Any character. Those that move a cursor, break a line or are special otherwise are likely. */
const character = fc.oneof(
  fc.integer({ min: 0, max: 0xff }),
  fc.integer({ min: 0x100, max: 0xd7ff }),
  fc.integer({ min: 0xe000, max: 0x10_ffff }),
).map((code) => String.fromCodePoint(code));

/**
 * A text of any characters. The `binary` unit of `fast-check` has the same, but first it makes a table
 * of all of them, which takes a second on Deno, in each file of tests.
 *
 * @param limits how long it may be, in characters
 */
export function anyText(limits: { readonly maxLength?: number } = {}): fc.Arbitrary<string> {
  return fc.string({ unit: character, ...limits });
}
