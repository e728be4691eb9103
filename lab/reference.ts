/**
 * `--reference NAME`: what the others of a comparison are compared with, in place of the best.
 *
 * @module
 */

import { type Flag, UsageError } from "../engine/cli/flags.ts";

/** What the others are compared with. */
export const REFERENCE: Flag = {
  name: "reference",
  kind: "string",
  value: "NAME",
  default: "the best of them",
  help: "what the others are compared with",
};

/**
 * Finds the reference among what is compared.
 *
 * @param given what the user has typed: a name, or its words without what stands between them
 * @param subjects what is compared
 * @returns its name; `undefined` if none was given
 * @throws {UsageError} if there is none of that name; the message lists them
 */
export function readReference(
  given: string | undefined,
  subjects: readonly { readonly name: string }[],
): string | undefined {
  if (given === undefined) return undefined;
  const names = subjects.map(({ name }) => name);
  if (names.includes(given)) return given;
  // "event · deno" has a sign in it that few keyboards have.
  const alike = names.filter((name) => wordsOf(name) === wordsOf(given));
  if (alike.length === 1) return alike[0];
  throw new UsageError(
    `wrong value for --reference: expected one of ${names.join(", ")}, got "${given}"`,
  );
}

function wordsOf(name: string): string {
  return name.split(/[\s·,/-]+/).filter(Boolean).join(" ");
}
