/** The part of `@std/text/levenshtein-distance` that is used here. */
export function levenshteinDistance(a: string, b: string): number;
