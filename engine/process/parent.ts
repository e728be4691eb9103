/**
 * What a process does that serves another one: it ends with it, and leaves the signals to it.
 *
 * @module
 */

import type { ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions } from "../net/libc.ts";
import { SIGKILL } from "./send_signal.ts";

/** `PR_SET_PDEATHSIG` of prctl(2), Linux. */
const PR_SET_PDEATHSIG = 1;

/**
 * SIGHUP, SIGINT, SIGUSR2 and SIGTERM on Linux: signal(7). SIGUSR1 is not among them: engines
 * use it among their own threads. Of a hundred processes of Bun that ignored it, one did not start: it
 * waited for ever on a futex.
 */
const LEFT_TO_PARENT = [1, 2, 12, 15] as const;

/** The handler `SIG_IGN`. */
const SIG_IGN = 1;

/** More than `struct sigaction` takes, in bytes. It begins with the handler. */
const ACTION_BYTES = 256;

const SIGNATURES = {
  prctl: { parameters: ["i32", "u32", "u32", "u32", "u32"], result: "i32" },
  getppid: { parameters: [], result: "i32" },
  sigaction: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  _exit: { parameters: ["i32"], result: "void" },
} as const satisfies ForeignSignatures;

/**
 * Lets this process end with its parent, whatever it is doing then: the kernel kills it. The kernel
 * does so at the end of the thread that has started this process, which must be the parent's main
 * thread.
 *
 * @param parent the number of the parent's process
 * @returns whether the parent is still there; if not, nobody will end this process
 */
export function endWithParent(parent: number): boolean {
  const libc = moreFunctions(SIGNATURES);
  if (libc.prctl!(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) !== 0) return false;
  // It may have ended before that call. Then this process has another parent by now.
  return libc.getppid!() === parent;
}

/**
 * Ignores the signals that ask a program to end. A service manager sends them to all processes of a
 * service: the parent decides what becomes of this one.
 */
export function leaveSignalsToParent(): void {
  const libc = moreFunctions(SIGNATURES);
  for (const signal of LEFT_TO_PARENT) {
    const action = new Uint8Array(new ArrayBuffer(ACTION_BYTES));
    action[0] = SIG_IGN;
    libc.sigaction!(signal, action, new Uint8Array(new ArrayBuffer(ACTION_BYTES)));
  }
}

/**
 * Ends this process at once, even where its protocol may not (`Runtime.refuseExit`).
 *
 * @param status the exit status
 */
export function endNow(status: number): never {
  moreFunctions(SIGNATURES)._exit!(status);
  throw new Error("Cannot end this process");
}
