/**
 * Threads that were terminated while they were busy.
 *
 * On Deno, `terminate` does not stop a Worker that is computing. The Worker computes on, for ever
 * if its task never ends, and until then the process does not end by itself.
 *
 * @module
 */

let count = 0;

/**
 * Terminates a Worker that is busy.
 *
 * @param worker the Worker
 */
export function abandonThread(worker: Worker): void {
  worker.terminate();
  count++;
}

/** Whether this process may have terminated threads that still run. */
export function hasAbandonedThreads(): boolean {
  return count > 0;
}
