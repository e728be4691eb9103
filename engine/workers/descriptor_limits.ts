/**
 * Divides the process's descriptors among connections, threads, and the process itself.
 *
 * On Deno, starting a Worker without free descriptors panics: the process ends, and nothing can be
 * caught. So code that starts a Worker asks here first, and connections leave room for a Worker.
 *
 * @module
 */

import type { DescriptorReserve } from "../net/accept_policy.ts";
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
 * How many descriptors a process takes that serves connections: two are its mailbox, over one it talks
 * to its parent, and the runtime has one to wait for its end.
 */
const PER_PROCESS = 4;

/** With fewer free descriptors a server does not begin: some for connections, some for itself. */
const LEAST_FREE = 4;

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
  const half = (limit - inUse()) >> 1;
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
 * What listeners of the runtimes leave free. It is found out when it is first asked for: the C
 * library has to be loaded for that.
 */
export function countedReserve(): DescriptorReserve {
  let ceiling: number | undefined;
  return {
    ceiling: () => ceiling ??= countedCeiling(),
    nextDescriptor: () => whyNoSockets() === undefined ? sockets().nextDescriptor() : 0,
  };
}

/**
 * How many threads the limit of descriptors allows, with one connection for each.
 *
 * @returns at least 0
 */
export function threadsThatFit(): number {
  const free = sockets().descriptorLimit() - inUse() - RESERVE;
  return Math.max(0, Math.floor(free / (runtime.descriptorsPerThread + 1)));
}

/**
 * Makes sure that a mode can start its threads, and then has a connection for each of them.
 *
 * @param threads how many threads it starts
 * @throws {Error} if the limit of descriptors does not allow them
 */
export function requireThreads(threads: number): void {
  if (threads <= threadsThatFit()) return;
  const more = RESERVE + threads * (runtime.descriptorsPerThread + 1);
  throw new Error(`Cannot start ${numberOf(threads, "thread")}: ${whyTooFew(more)}`);
}

/**
 * How many processes the limit of descriptors allows, with one connection for each, and a thread that
 * deals with them.
 *
 * @returns at least 0
 */
export function processesThatFit(): number {
  const free = sockets().descriptorLimit() - inUse() - RESERVE - runtime.descriptorsPerThread;
  return Math.max(0, Math.floor(free / (PER_PROCESS + 1)));
}

/**
 * How many connections the limit of descriptors allows beside those that processes have.
 *
 * @param processes how many processes there are at most
 * @returns at least 0
 */
export function connectionsBeside(processes: number): number {
  const needed = RESERVE + runtime.descriptorsPerThread + processes * (PER_PROCESS + 1);
  return Math.max(0, sockets().descriptorLimit() - inUse() - needed);
}

/**
 * Makes sure that a mode can start its processes, and the thread that deals with them.
 *
 * @param processes how many processes it starts
 * @throws {Error} if the limit of descriptors does not allow them
 */
export function requireProcesses(processes: number): void {
  const more = RESERVE + runtime.descriptorsPerThread + processes * PER_PROCESS;
  if (inUse() + more <= sockets().descriptorLimit()) return;
  throw new Error(
    `Cannot start ${numberOf(processes, "process", "processes")}: ${whyTooFew(more)}`,
  );
}

/**
 * Makes sure that Workers can be started. It opens descriptors to try, so it also works on systems
 * where they cannot be counted.
 *
 * @param threads how many Workers
 * @param what the word for one of them in the message
 * @throws {Error} if there are not enough descriptors
 */
export function requireDescriptors(threads: number, what: string): void {
  const more = RESERVE + threads * runtime.descriptorsPerThread;
  if (!runtime.hasDescriptors(more)) {
    throw new Error(`Cannot start ${numberOf(threads, what)}: ${whyTooFew(more)}`);
  }
}

/**
 * Makes sure that a server which has started everything can also serve.
 *
 * @throws {Error} if there are no descriptors for connections
 */
export function requireRoomToServe(): void {
  if (!runtime.hasDescriptors(LEAST_FREE)) {
    throw new Error(`Cannot serve: ${whyTooFew(LEAST_FREE)}`);
  }
}

/** Why {@linkcode hasRoomForWorker} is false. */
export function whyNoRoomForWorker(): string {
  return whyTooFew(RESERVE + runtime.descriptorsPerThread);
}

/** Why something cannot be done that needs more descriptors besides those in use. */
function whyTooFew(more: number): string {
  const limit = "the limit of open files (ulimit -n) is";
  if (whyNoSockets() !== undefined) return `${limit} too low: ${more} more are needed`;
  return `${limit} ${sockets().descriptorLimit()}, and at least ${inUse() + more} are needed`;
}

/** How many descriptors are in use: all below the lowest free number. */
function inUse(): number {
  const next = sockets().nextDescriptor();
  return next < 0 ? sockets().descriptorLimit() : next;
}

/** So many of something, in words: `1 thread`, `2 threads`. */
export function numberOf(count: number, what: string, several = `${what}s`): string {
  return `${count} ${count === 1 ? what : several}`;
}

/**
 * Whether another Worker can be started now.
 *
 * @param reserve how many descriptors must be free besides its own
 */
export function hasRoomForWorker(reserve: number = RESERVE): boolean {
  return runtime.hasDescriptors(runtime.descriptorsPerThread + reserve);
}
