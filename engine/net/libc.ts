/**
 * The C library of this system: which functions of it are called, how each is declared, and where
 * the library is found. `sockets.ts` makes the calls.
 *
 * @module
 */

import type { ForeignFunctions, ForeignSignatures } from "./adapter.ts";
import { type Constants, DARWIN, LINUX } from "./constants.ts";
import { runtime } from "./runtime.ts";
import { SocketsUnavailableError } from "./socket_error.ts";

// A single 64-bit parameter, such as `size_t`, takes a call off Deno's fast path and halves its
// rate. So lengths are declared as 32 bits, and the calling conventions of x86-64 and arm64 extend
// them.
const SIGNATURES = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  accept: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvfrom: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "buffer"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "u32", "i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dup2: { parameters: ["i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  socketpair: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u32", "i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u32", "buffer"], result: "i32" },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  if_indextoname: { parameters: ["u32", "buffer"], result: "pointer" },
} as const satisfies ForeignSignatures;

const LINUX_SIGNATURES = {
  __errno_location: { parameters: [], result: "pointer" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },
  ppoll: { parameters: ["buffer", "u32", "buffer", "pointer"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "i32"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  write: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  clock_getres: { parameters: ["i32", "buffer"], result: "i32" },
} as const satisfies ForeignSignatures;

const DARWIN_SIGNATURES = {
  __error: { parameters: [], result: "pointer" },
} as const satisfies ForeignSignatures;

/** What differs between the systems. */
interface System {
  readonly constants: Constants;
  readonly signatures: ForeignSignatures;
  readonly errnoLocation: "__errno_location" | "__error";
  readonly libraries: readonly string[];
}

const SYSTEMS: Readonly<Record<string, System>> = {
  linux: {
    constants: LINUX,
    signatures: { ...SIGNATURES, ...LINUX_SIGNATURES },
    errnoLocation: "__errno_location",
    // The name that glibc has, then the two that musl has.
    libraries: ["libc.so.6", `libc.musl-${runtime.arch}.so.1`, "libc.so"],
  },
  darwin: {
    constants: DARWIN,
    signatures: { ...SIGNATURES, ...DARWIN_SIGNATURES },
    errnoLocation: "__error",
    libraries: ["libSystem.B.dylib"],
  },
};

/** The C library of this system. */
export interface Library {
  /** The constants of its system, and how its functions are declared. */
  readonly system: System;
  /** Its functions. */
  readonly libc: ForeignFunctions;
}

let opened: Library | SocketsUnavailableError | undefined;

/**
 * The C library of this system, which is opened once. `Sockets` and its subclasses are made from
 * it.
 *
 * @throws {SocketsUnavailableError} on an unknown system, or without permission for foreign calls
 */
export function library(): Library {
  opened ??= openLibrary(runtime.os, runtime.arch);
  if (opened instanceof SocketsUnavailableError) throw opened;
  return opened;
}

/** Why there are no Berkeley sockets here; `undefined` if there are. Never asks the user. */
export function whyNoSockets(): string | undefined {
  opened ??= openLibrary(runtime.os, runtime.arch);
  return opened instanceof SocketsUnavailableError ? opened.reason : undefined;
}

/**
 * Functions of the C library that only some threads call. All others start faster without them.
 *
 * @param signatures how they are declared
 * @throws {Error} where the library cannot be opened, or a function is missing
 */
export function moreFunctions(signatures: ForeignSignatures): ForeignFunctions {
  return openFirst(library().system.libraries, signatures);
}

/** Opens the first of several libraries that is there. */
function openFirst(
  libraries: readonly string[],
  signatures: ForeignSignatures,
): ForeignFunctions {
  const failures: unknown[] = [];
  for (const library of libraries) {
    try {
      return runtime.openLibrary(library, signatures);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures);
}

/**
 * Opens the C library of a system. {@linkcode library} does it once, for the system of this
 * process.
 *
 * @param os as the runtimes name it: `linux` or `darwin`
 * @param arch `x86_64` or `aarch64`
 * @returns the library, or why it cannot be opened
 */
export function openLibrary(os: string, arch: string): Library | SocketsUnavailableError {
  const system = SYSTEMS[os];
  if (system === undefined || !["x86_64", "aarch64"].includes(arch)) {
    return new SocketsUnavailableError(`${os} on ${arch} is not supported`);
  }
  if (!runtime.mayCallForeign()) {
    return new SocketsUnavailableError("no permission for foreign functions (--allow-ffi)");
  }
  try {
    return { system, libc: openFirst(system.libraries, system.signatures) };
  } catch (cause) {
    const why = `cannot open ${system.libraries.join(" or ")}`;
    return new SocketsUnavailableError(why, { cause });
  }
}
