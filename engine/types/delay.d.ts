/** The part of `@std/async/delay` that is used here. */
export function delay(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
