/**
 * How a thread can still be lost: our threads go on after errors that nothing catches, unless
 * somebody in them takes away what would catch these.
 *
 * @module
 */

/**
 * Ends the present thread, by an error a moment later.
 *
 * @param reason the error's message
 */
export function loseThread(reason: string): void {
  const { process } = globalThis as unknown as {
    process: { removeAllListeners(event: string): void };
  };
  if ("Bun" in globalThis) process.removeAllListeners("uncaughtException");
  else Event.prototype.preventDefault = () => {};
  setTimeout(() => {
    throw new Error(reason);
  }, 0);
}
