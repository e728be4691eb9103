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
 * Waits for something, but not for longer than a time. What comes later is not waited for.
 *
 * @param ms how long at most, in milliseconds
 * @param awaited what is waited for
 * @returns whether it has come
 * @throws whatever it is rejected with in that time
 */
export async function isWithin(ms: number, awaited: Promise<unknown>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([awaited.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Waits for a time.
 *
 * @param ms how long, in milliseconds
 */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
