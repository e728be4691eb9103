/**
 * Threads that were ended while they were busy.
 *
 * On Deno `terminate` does not stop a Worker that computes: it computes on, for ever if its task
 * does, and the process does not end by itself before it.
 *
 * @module
 */

let count = 0;

/**
 * Ends a Worker that is busy.
 *
 * @param worker which
 */
export function abandonThread(worker: Worker): void {
  worker.terminate();
  count++;
}

/** Whether threads of this process may run that nobody waits for. */
export function hasAbandonedThreads(): boolean {
  return count > 0;
}
