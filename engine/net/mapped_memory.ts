/**
 * Memory of whole pages that is mapped (mmap(2)), through the runtime's foreign-function interface.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "./adapter.ts";
import { moreFunctions } from "./libc.ts";
import { runtime } from "./runtime.ts";
import { SocketError } from "./socket_error.ts";
import { sockets } from "./sockets.ts";

const SIGNATURES = {
  mmap: { parameters: ["pointer", "u32", "i32", "i32", "i32", "u32"], result: "pointer" },
  munmap: { parameters: ["pointer", "u32"], result: "i32" },
  madvise: { parameters: ["pointer", "u32", "i32"], result: "i32" },
  sysconf: { parameters: ["i32"], result: "i32" },
} as const satisfies ForeignSignatures;

/** What a page may be used for: it is read and written. */
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_PRIVATE_ANONYMOUS = 0x22;
/** The memory lies where the caller says, in place of what lay there. */
const MAP_FIXED = 0x10;
/** What is said of pages that nobody needs: they are zeroed when they are touched again. */
const MADV_DONTNEED = 4;
/** What is asked for: how many bytes a page has. */
const SC_PAGESIZE = 30;
/** No address is higher than this. A failed mmap returns -1, which is. */
const HIGHEST = 2 ** 48;

let opened: ForeignFunctions | undefined;

function functions(): ForeignFunctions {
  return opened ??= moreFunctions(SIGNATURES);
}

/**
 * Memory of whole pages that no garbage collector knows. The kernel may read it and write to it at any
 * time: it stays where it is, and nobody else gets it, until {@linkcode Mapping.unmap}.
 */
export class Mapping {
  /** The memory, zeroed if it is not the kernel's own. */
  readonly buffer: ArrayBuffer;
  /** All of it. */
  readonly bytes: Uint8Array;
  /** Where it lies. */
  readonly address: number;

  /**
   * Maps memory. Pages that are never touched take none.
   *
   * @param length how many bytes
   * @param fd what is mapped, for instance an instance of io_uring; by default the memory is new
   * @param offset where in it the memory begins
   */
  constructor(length: number, fd = -1, offset = 0) {
    const pointer = map(null, length, fd, offset);
    this.address = Number(runtime.numberOf(pointer));
    this.buffer = runtime.memoryAt(pointer, length);
    this.bytes = new Uint8Array(this.buffer);
  }

  /**
   * Says that nobody needs a part of the memory any more. The whole pages in it take none until they
   * are touched again, and then they are zeroed (madvise(2), `MADV_DONTNEED`).
   *
   * @param at where the part begins @param length how many bytes it has
   */
  forget(at: number, length: number): void {
    const page = functions().sysconf!(SC_PAGESIZE);
    const first = Math.ceil(at / page) * page;
    const end = Math.floor((at + length) / page) * page;
    if (end <= first) return;
    functions().madvise!(runtime.pointerTo(this.address + first), end - first, MADV_DONTNEED);
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

/**
 * Makes a file's pages appear in place of others.
 *
 * @param address where those lie: the start of a page
 * @param length how many bytes: whole pages
 * @param fd the file
 * @param offset where in it the pages begin
 */
export function mapOver(address: number, length: number, fd: number, offset: number): void {
  map(runtime.pointerTo(address), length, fd, offset);
}

/** @param where `null` is anywhere */
function map(where: unknown, length: number, fd: number, offset: number): unknown {
  const flags = (fd < 0 ? MAP_PRIVATE_ANONYMOUS : MAP_SHARED) | (where === null ? 0 : MAP_FIXED);
  const pointer = functions().mmap!(where, length, PROT_READ_WRITE, flags, fd, offset);
  const address = Number(runtime.numberOf(pointer));
  if (!(address > 0 && address < HIGHEST)) throw new SocketError("map memory", sockets().errno);
  return pointer;
}
