/** The part of `@std/async/deadline` that is used here. */
export function deadline<T>(promise: Promise<T>, ms: number): Promise<T>;
