/**
 * Divides the process's descriptors among connections, threads, and the process itself.
 *
 * On Deno, starting a Worker without free descriptors panics: the process ends, and nothing can be
 * caught. So code that starts a Worker asks here first, and connections leave room for a Worker.
 *
 * @module
 */

import { whyNoSockets } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";
import { type Sockets, sockets } from "../net/sockets.ts";

/**
 * How many descriptors are reserved besides those of the threads. The process itself needs some:
 * for a resolver, a file, a pipe. A new thread opens its modules, several at a time. And while the
 * main thread checks whether there is room, other threads accept connections.
 */
export const RESERVE = 24;

/**
 * The number below which the descriptors of connections must stay.
 *
 * @param calls the Berkeley calls
 * @param threads how many threads to reserve descriptors for, so that threads that die can be
 * replaced
 */
export function connectionCeiling(calls: Sockets, threads: number): number {
  const limit = calls.descriptorLimit();
  // With very few descriptors, connections get half of what is left.
  const half = (limit - calls.nextDescriptor()) >> 1;
  return limit - Math.min(RESERVE + threads * runtime.descriptorsPerThread, half);
}

/**
 * The same for servers that do without the Berkeley calls otherwise.
 *
 * @returns `Infinity` where descriptors cannot be counted
 */
export function countedCeiling(): number {
  return whyNoSockets() === undefined ? connectionCeiling(sockets(), 1) : Infinity;
}

/**
 * How many threads the limit of descriptors allows, with one connection for each.
 *
 * @returns at least 0
 */
export function threadsThatFit(): number {
  const calls = sockets();
  const free = calls.descriptorLimit() - calls.nextDescriptor() - RESERVE;
  return Math.max(0, Math.floor(free / (runtime.descriptorsPerThread + 1)));
}

/**
 * Makes sure that a mode can start its threads.
 *
 * @param threads how many threads it starts
 * @throws {Error} if the limit of descriptors does not allow them
 */
export function requireThreads(threads: number): void {
  const fit = threadsThatFit();
  if (threads <= fit) return;
  throw new Error(
    `Cannot start ${threads} ${threads === 1 ? "thread" : "threads"}: ` +
      `the limit of open files (ulimit -n) allows ${fit}`,
  );
}

/**
 * Makes sure that Workers can be started. It opens descriptors to try, so it also works on systems
 * where they cannot be counted.
 *
 * @param threads how many Workers
 * @param what the word for them in the message
 * @throws {Error} if there are not enough descriptors
 */
export function requireDescriptors(threads: number, what: string): void {
  if (runtime.hasDescriptors(threads * runtime.descriptorsPerThread + RESERVE)) return;
  throw new Error(
    `Cannot start ${threads} ${what}: the limit of open files (ulimit -n) is too low`,
  );
}

/**
 * Whether another Worker can be started now.
 *
 * @param reserve how many descriptors must be free besides its own
 */
export function hasRoomForWorker(reserve: number = RESERVE): boolean {
  return runtime.hasDescriptors(runtime.descriptorsPerThread + reserve);
}
