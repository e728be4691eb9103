/**
 * Memory that processes have in common, as threads have a `SharedArrayBuffer` (memfd_create(2), Linux).
 *
 * It is a file that no folder knows. One process makes it and hands its descriptor to others: to a
 * program that it starts, or over a Unix domain socket. Each of them maps the same pages, in place of
 * the pages of a `SharedArrayBuffer` of its own. So the memory is a real one: it goes to the Workers of
 * its process, and what `Atomics` does to it is done for all processes, on either runtime.
 *
 * Two things work within a process only. `Atomics.wait` and `Atomics.notify` see the threads of their
 * own process. And a process that dies in the middle of something leaves it as it is: whoever writes
 * for others publishes with its last store.
 *
 * Memory that was mapped once stays mapped until the process ends. The runtime does not know that its
 * pages have been replaced, and would use them for something else. Open it in the main thread.
 *
 * @module
 */

import type { Allocate } from "../values/shared_memory.ts";
import type { ForeignFunctions, ForeignSignatures } from "./adapter.ts";
import { moreFunctions } from "./libc.ts";
import { mapOver } from "./mapped_memory.ts";
import { runtime } from "./runtime.ts";
import { SocketError } from "./socket_error.ts";
import { sockets } from "./sockets.ts";

const SIGNATURES = {
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  ftruncate: { parameters: ["i32", "u32"], result: "i32" },
  lseek: { parameters: ["i32", "u32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
} as const satisfies ForeignSignatures;

const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const SEEK_END = 2;
const F_ADD_SEALS = 1033;
const F_GET_SEALS = 1034;
/** Nobody can make the file shorter: whoever touches a page that is gone dies of SIGBUS. */
const F_SEAL_SHRINK = 2;
/** The seals among which that is the only one. The system may add one against execution. */
const SIZE_AND_CONTENT = 0x1f;

/** The size of a page of `WebAssembly.Memory`. No system has larger ones. */
const PAGE_BYTES = 64 * 1024;

/** How long the file gets at most: its length is a number of 32 bits with a sign. */
const MOST_BYTES = 2 ** 31 - PAGE_BYTES;

/** What of it is one `SharedArrayBuffer`. */
interface Part {
  /** Where it begins, in bytes from the start of the file. */
  readonly sharedAt: number;
  /** How long it is, in bytes. */
  readonly sharedBytes: number;
}

/** Everything that this process has mapped. It is never collected. */
const mapped: SharedArrayBuffer[] = [];

let opened: ForeignFunctions | undefined;

function functions(): ForeignFunctions {
  return opened ??= moreFunctions(SIGNATURES);
}

/**
 * Why processes can have no memory in common here.
 *
 * @returns `undefined` if they can
 */
export function whyNoCommonMemory(): string | undefined {
  return runtime.os === "linux" ? undefined : "processes share memory on Linux only";
}

/** Memory that several processes have in common. It grows as long as somebody asks for more. */
export class CommonMemory {
  /** The descriptor of the file. It is close-on-exec. */
  readonly fd: number;
  /** What is mapped here, by its start. */
  readonly #parts = new Map<number, SharedArrayBuffer>();
  #isClosed = false;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /**
   * Makes it. It is empty.
   *
   * @throws {Error} where there is no such memory
   */
  static create(): CommonMemory {
    const why = whyNoCommonMemory();
    if (why !== undefined) throw new Error(`Cannot make the memory: ${why}`);
    const name = new TextEncoder().encode("handshake\0");
    const fd = check(
      "memfd_create",
      functions().memfd_create!(name, MFD_CLOEXEC | MFD_ALLOW_SEALING),
    );
    check("seal memory", functions().fcntl!(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    return new CommonMemory(fd);
  }

  /**
   * Opens what another process has made.
   *
   * @param fd a descriptor of it, which this process has inherited or received. From now on it belongs
   * to the returned object, and programs that this process starts do not inherit it
   * @throws {TypeError} if it is something else
   */
  static open(fd: number): CommonMemory {
    const seals: number = functions().fcntl!(fd, F_GET_SEALS, 0);
    if ((seals & SIZE_AND_CONTENT) !== F_SEAL_SHRINK) {
      throw new TypeError(`Cannot share memory: descriptor ${fd} is no memory of a server`);
    }
    sockets().keepToSelf(fd);
    return new CommonMemory(fd);
  }

  /** How long the file is, in bytes. */
  get size(): number {
    return check("measure memory", functions().lseek!(this.fd, 0, SEEK_END));
  }

  /**
   * Makes the file longer by a part and maps that. Only the process that has made the memory does so.
   *
   * @param bytes how long the part is at least. Its pages take memory when they are first touched
   * @returns the part, zeroed
   * @throws {RangeError} if all parts together are too long
   */
  readonly allocate: Allocate = (bytes) => {
    const at = this.size;
    const pages = Math.max(1, Math.ceil(bytes / PAGE_BYTES));
    const length = pages * PAGE_BYTES;
    if (at + length > MOST_BYTES) {
      throw new RangeError(`Cannot share ${bytes} bytes more: ${at} of ${MOST_BYTES} are in use`);
    }
    check("extend memory", functions().ftruncate!(this.fd, at + length));
    return this.#map({ sharedAt: at, sharedBytes: length });
  };

  /**
   * Writes down plain data that has parts in it, for another process.
   *
   * @param data what JSON can say, and parts of this memory. Numbers may also be infinite
   * @returns one line of JSON
   * @throws {TypeError} if it has shared memory in it that other processes cannot see
   */
  describe(data: unknown): string {
    return JSON.stringify(data, (_, value: unknown) => {
      if (value === Infinity || value === -Infinity) return { infinite: Math.sign(value) };
      return value instanceof SharedArrayBuffer ? this.#partOf(value) : value;
    });
  }

  /**
   * Reads what another process has written down, and maps the parts that it names.
   *
   * @param text from {@linkcode CommonMemory.describe}
   * @throws {RangeError} if the memory has no such part
   */
  find(text: string): unknown {
    return JSON.parse(text, (_, value: unknown) => {
      if (isInfinite(value)) return value.infinite * Infinity;
      return isPart(value) ? this.#find(value) : value;
    });
  }

  #find(part: Part): SharedArrayBuffer {
    const known = this.#parts.get(part.sharedAt);
    return known?.byteLength === part.sharedBytes ? known : this.#map(part);
  }

  #partOf(memory: SharedArrayBuffer): Part {
    for (const [sharedAt, part] of this.#parts) {
      if (part === memory) return { sharedAt, sharedBytes: part.byteLength };
    }
    throw new TypeError("Cannot share memory with a process: it belongs to this one");
  }

  #map({ sharedAt, sharedBytes }: Part): SharedArrayBuffer {
    if (!(sharedAt >= 0 && sharedBytes > 0 && sharedAt + sharedBytes <= this.size)) {
      throw new RangeError(
        `Cannot share memory: ${sharedBytes} bytes at ${sharedAt} are not within its ${this.size}`,
      );
    }
    const pages = sharedBytes / PAGE_BYTES;
    // It consists of whole pages. That of `SharedArrayBuffer` itself may begin anywhere.
    const { buffer } = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    const memory = buffer as unknown as SharedArrayBuffer;
    mapped.push(memory);
    const address = Number(runtime.addressOf(new Uint8Array(memory)));
    mapOver(address, sharedBytes, this.fd, sharedAt);
    this.#parts.set(sharedAt, memory);
    return memory;
  }

  /** Gives the descriptor back. The parts that are mapped remain; no more can be. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    sockets().close(this.fd);
  }

  /** Does what {@linkcode CommonMemory.close} does. */
  [Symbol.dispose](): void {
    this.close();
  }
}

function isPart(value: unknown): value is Part {
  return typeof value === "object" && value !== null && "sharedAt" in value;
}

function isInfinite(value: unknown): value is { readonly infinite: number } {
  return typeof value === "object" && value !== null && "infinite" in value;
}

function check(call: string, result: number): number {
  if (result < 0) throw new SocketError(call, sockets().errno);
  return result;
}
