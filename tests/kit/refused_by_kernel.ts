/**
 * Makes the kernel refuse something to this process, as if it had none: the sockets of one family, or
 * system calls. It is done with a filter of seccomp(2), as a container's profile does it.
 *
 * @module
 */

import { BPF, encodeFilter, type Filter, programOf } from "../../engine/kernel/socket_filter.ts";
import { runtime } from "../../engine/net/runtime.ts";

const PR_SET_NO_NEW_PRIVS = 38;
const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const ALLOW = 0x7fff_0000;
/** Fails with the error number that is added. */
const REFUSE = 0x0005_0000;
const EAFNOSUPPORT = 97;
/** The number of socket(2). */
const SOCKET = runtime.arch === "aarch64" ? 198 : 41;

// Programs of classic BPF over `struct seccomp_data`.
const { LOAD_WORD, JUMP_IF_EQUAL, RETURN } = BPF;

/**
 * Refuses a family to this thread, and to all that it starts.
 *
 * @param family its number
 */
export function refuseFamily(family: number): void {
  filter([
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_EQUAL, 0, 3, SOCKET],
    [LOAD_WORD, 0, 0, 16],
    [JUMP_IF_EQUAL, 0, 1, family],
    [RETURN, 0, 0, REFUSE + EAFNOSUPPORT],
    [RETURN, 0, 0, ALLOW],
  ]);
}

/**
 * Refuses a system call to this thread, and to all that it starts.
 *
 * @param call its number
 * @param errno the number of the error with which it fails
 */
export function refuseCall(call: number, errno: number): void {
  filter([
    [LOAD_WORD, 0, 0, 0],
    [JUMP_IF_EQUAL, 0, 1, call],
    [RETURN, 0, 0, REFUSE + errno],
    [RETURN, 0, 0, ALLOW],
  ]);
}

function filter(instructions: Filter): void {
  const encoded = encodeFilter(instructions);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, programOf(encoded));
}

/** prctl(2), whose third argument is a number or a structure. */
function prctl(option: number, value: number, argument: Uint8Array | number): void {
  const third = typeof argument === "number" ? "u32" : "buffer";
  const { prctl } = runtime.openLibrary("libc.so.6", {
    prctl: { parameters: ["i32", "u32", third, "u32", "u32"], result: "i32" },
  });
  if (prctl!(option, value, argument, 0, 0) !== 0) throw new Error(`prctl ${option} failed`);
}
