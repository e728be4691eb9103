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
 * @param subjects what is compared; a short name is that without what lies on the way
 * @returns its name; `undefined` if none was given
 * @throws {UsageError} if there is none of that name; the message lists them
 */
export function readReference(
  given: string | undefined,
  subjects: readonly { readonly name: string; readonly short?: string | undefined }[],
): string | undefined {
  if (given === undefined) return undefined;
  const names = subjects.map(({ name }) => name);
  if (names.includes(given)) return given;
  // "event · deno" has a sign in it that few keyboards have.
  const isMeant = (name: string | undefined) =>
    name !== undefined && wordsOf(name) === wordsOf(given);
  const alike = subjects.filter(({ name, short }) => isMeant(name) || isMeant(short));
  if (alike.length === 1) return alike[0]?.name;
  throw new UsageError(
    `wrong value for --reference: expected one of ${names.join(", ")}, got "${given}"`,
  );
}

function wordsOf(name: string): string {
  return name.split(/[\s·,/-]+/).filter(Boolean).join(" ");
}
