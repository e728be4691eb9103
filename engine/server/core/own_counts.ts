/**
 * Counters that only one kind of server has, in shared memory, so that any thread can read them.
 *
 * @module
 */

import { type Allocate, ofThisProcess } from "../../values/shared_memory.ts";

/** Where such counters lie. It is plain data, which can be posted to any thread. */
export interface OwnCounts {
  /** Their names, in order. */
  readonly names: readonly string[];
  /** A number of 64 bits for each. Only the thread that counts writes them. */
  readonly memory: SharedArrayBuffer;
}

/**
 * Makes counters that start at zero.
 *
 * @param names their names
 * @param allocate makes the memory; by default only threads share it
 * @returns the counters as an object whose properties are the numbers, and where they lie
 */
export function makeCounts<Name extends string>(
  names: readonly Name[],
  allocate: Allocate = ofThisProcess,
): { readonly counts: Record<Name, number>; readonly own: OwnCounts } {
  const memory = allocate(Math.max(1, names.length) * 8);
  const numbers = new Float64Array(memory);
  const counts = {} as Record<Name, number>;
  names.forEach((name, index) =>
    Object.defineProperty(counts, name, {
      enumerable: true,
      get: () => numbers[index],
      set: (count: number) => numbers[index] = count,
    })
  );
  return { counts, own: { names: [...names], memory } };
}

/**
 * Reads such counters, in any thread.
 *
 * @param own where they lie
 * @returns the numbers by name
 */
export function readCounts({ names, memory }: OwnCounts): Record<string, number> {
  const numbers = new Float64Array(memory);
  return Object.fromEntries(names.map((name, index) => [name, numbers[index] as number]));
}
