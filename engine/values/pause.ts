/**
 * Waits, and nothing else.
 *
 * Modules of a server do not take `delay` from a package for that. On Deno the package of each module
 * that may be loaded on demand is looked for when the server starts, whether the module is loaded or
 * not. Ten such modules cost ten milliseconds.
 *
 * @module
 */

/**
 * Waits for a time.
 *
 * @param ms how long, in milliseconds
 */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
