/**
 * The system calls of io_uring (io_uring(7), Linux), made through the runtime's foreign-function
 * interface.
 *
 * The C library has no functions for these system calls. They are made with syscall(2), whose
 * parameters are those of the call. Their numbers are the same on x86-64 and arm64.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions } from "../net/libc.ts";
import { sockets } from "../net/sockets.ts";

// The last parameters of io_uring_enter are left out. The kernel reads them only if a flag says so.
const SIGNATURES = {
  setup: { symbol: "syscall", parameters: ["i32", "u32", "buffer"], result: "i32" },
  enter: {
    symbol: "syscall",
    parameters: ["i32", "u32", "u32", "u32", "u32", "pointer"],
    result: "i32",
  },
  register: {
    symbol: "syscall",
    parameters: ["i32", "u32", "u32", "buffer", "u32"],
    result: "i32",
  },
} as const satisfies ForeignSignatures;

const SETUP = 425;
const ENTER = 426;
const REGISTER = 427;

let opened: ForeignFunctions | undefined;

function functions(): ForeignFunctions {
  return opened ??= moreFunctions(SIGNATURES);
}

/**
 * Makes an instance of io_uring (io_uring_setup(2)).
 *
 * @param entries how many operations are submitted at a time at most
 * @param params a `struct io_uring_params`, read and filled
 * @returns its descriptor, or the negated error number
 */
export function setUp(entries: number, params: Uint32Array): number {
  const fd: number = functions().setup!(SETUP, entries, new Uint8Array(params.buffer));
  return fd >= 0 ? fd : -sockets().errno;
}

/**
 * Gives the kernel something for the time in which the instance exists (io_uring_register(2)).
 *
 * @param fd the instance
 * @param what the number of the request
 * @param argument its structure, read and filled
 * @param count how many structures there are
 * @returns what the request returns, or the negated error number
 */
export function register(fd: number, what: number, argument: Uint8Array, count: number): number {
  const result: number = functions().register!(REGISTER, fd, what, argument, count);
  return result >= 0 ? result : -sockets().errno;
}

/** Submits operations, and waits for completions (io_uring_enter(2)). */
export type Enter = (fd: number, submit: number, wait: number, flags: number) => number;

/**
 * The call that a loop makes again and again.
 *
 * @returns a function that returns how many operations were taken, or the negated error number
 */
export function enterCall(): Enter {
  const { enter } = functions();
  const net = sockets();
  return (fd, submit, wait, flags) => {
    const count: number = enter!(ENTER, fd, submit, wait, flags, null);
    return count >= 0 ? count : -net.errno;
  };
}
