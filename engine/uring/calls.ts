/**
 * The system calls of io_uring (io_uring(7), Linux) and memory that is mapped (mmap(2)), made through
 * the runtime's foreign-function interface.
 *
 * The C library has no functions for these system calls. They are made with syscall(2), whose
 * parameters are those of the call. Their numbers are the same on x86-64 and arm64.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "../net/adapter.ts";
import { moreFunctions } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";
import { SocketError } from "../net/socket_error.ts";
import { sockets } from "../net/sockets.ts";

// The last parameters of io_uring_enter are left out. The kernel reads them only if a flag says so.
const SIGNATURES = {
  mmap: { parameters: ["pointer", "u32", "i32", "i32", "i32", "u32"], result: "pointer" },
  munmap: { parameters: ["pointer", "u32"], result: "i32" },
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

/** What a page may be used for: it is read and written. */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** No address is higher than this. A failed mmap returns -1, which is. */
const HIGHEST = 2 ** 48;

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

/**
 * Memory of whole pages that no garbage collector knows. The kernel may read it and write to it at any
 * time: it stays where it is, and nobody else gets it, until {@linkcode Mapping.unmap}.
 */
export class Mapping {
  /** The memory, zeroed if it is not the kernel's own. */
  readonly buffer: ArrayBuffer;
  /** Where it lies. */
  readonly address: number;

  /**
   * Maps memory. Pages that are never touched take none.
   *
   * @param length how many bytes
   * @param fd an instance of io_uring, to see its queues; by default the memory is new
   * @param offset which of its queues
   */
  constructor(length: number, fd = -1, offset = 0) {
    const flags = fd < 0 ? MAP_PRIVATE_ANONYMOUS : MAP_SHARED;
    const pointer = functions().mmap!(null, length, PROT_READ_WRITE, flags, fd, offset);
    this.address = Number(runtime.numberOf(pointer));
    if (!(this.address > 0 && this.address < HIGHEST)) {
      throw new SocketError("map memory", sockets().errno);
    }
    this.buffer = runtime.memoryAt(pointer, length);
  }

  /** Gives the memory back. Neither the kernel nor this thread may use it any more. */
  unmap(): void {
    unmap(this.address, this.buffer.byteLength);
  }
}

/**
 * Gives mapped memory back (munmap(2)).
 *
 * @param address where it lies @param length how many bytes
 */
export function unmap(address: number, length: number): void {
  functions().munmap!(runtime.pointerTo(address), length);
}
