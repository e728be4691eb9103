/**
 * A signal that does nothing but end a system call that waits, with EINTR (signal(7)).
 *
 * A signal that has a handler ends such a call. The handler has nothing to do. A function of the C
 * library serves, which takes a number and does nothing with it but arithmetic: abs(3).
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "./adapter.ts";
import { moreFunctions } from "./libc.ts";
import { runtime } from "./runtime.ts";

/** The highest and the lowest signal that is tried, of the real-time signals that nobody else has. */
const HIGHEST_SIGNAL = 63;
const LOWEST_SIGNAL = 40;

/** `SIG_UNBLOCK` of pthread_sigmask(3). */
const SIG_UNBLOCK = 1;

/** More than `struct sigaction` and `sigset_t` take, in bytes. */
const ACTION_BYTES = 256;
const SET_BYTES = 128;

const SIGNATURES = {
  dlsym: { parameters: ["pointer", "buffer"], result: "pointer" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
} as const satisfies ForeignSignatures;

/** Asks for an action without changing it: Bun takes no `null` for a buffer. */
const ASKING = {
  sigaction: { parameters: ["i32", "pointer", "buffer"], result: "i32" },
} as const satisfies ForeignSignatures;

/**
 * Gives a signal that nobody uses a handler that does nothing, and lets this thread hear it.
 *
 * @returns the number of the signal, the same at each call in a process
 * @throws {Error} if there is no such signal left
 */
export function harmlessSignal(): number {
  const libc = moreFunctions(SIGNATURES);
  const signal = handleSignal(libc);
  const bits = bytesOf(SET_BYTES);
  bits[(signal - 1) >> 3] = 1 << ((signal - 1) & 7);
  libc.pthread_sigmask!(SIG_UNBLOCK, bits, bytesOf(SET_BYTES));
  return signal;
}

function handleSignal(libc: ForeignFunctions): number {
  const { sigaction: ask } = moreFunctions(ASKING);
  const handler = runtime.numberOf(libc.dlsym!(null, new TextEncoder().encode("abs\0")));
  for (let signal = HIGHEST_SIGNAL; signal >= LOWEST_SIGNAL; signal--) {
    const action = bytesOf(ACTION_BYTES);
    if (ask!(signal, null, action) !== 0) continue;
    // The handler comes first in `struct sigaction`; 0 is the default action.
    const view = new DataView(action.buffer);
    const found = view.getBigUint64(0, true);
    // Another thread of ours has been here.
    if (found === handler) return signal;
    if (found !== 0n) continue;
    // There are no flags, above all not `SA_RESTART`.
    action.fill(0);
    view.setBigUint64(0, handler, true);
    if (libc.sigaction!(signal, action, bytesOf(ACTION_BYTES)) === 0) return signal;
  }
  throw new Error("Cannot end calls that wait: there is no free signal");
}

/** Bytes that never move in memory: see `message_buffer.ts`. */
function bytesOf(size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(size));
}
