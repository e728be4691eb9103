/** The part of `@std/text/closest-string` that is used here. */
export function closestString(
  givenWord: string,
  possibleWords: readonly string[],
): string;
