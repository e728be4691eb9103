/**
 * How shared memory is made: for the threads of a process, or for several processes
 * (`engine/net/common_memory.ts`).
 *
 * @module
 */

/** Makes the memory that something needs. What it makes may be longer than that, and is zeroed. */
export type Allocate = (bytes: number) => SharedArrayBuffer;

/** Makes memory that only the threads of this process share. */
export const ofThisProcess: Allocate = (bytes) => new SharedArrayBuffer(bytes);
