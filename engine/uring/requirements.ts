/**
 * Whether io_uring can be used here, and if not, what forbids it and what allows it.
 *
 * @module
 */

import { errorName, SocketError } from "../net/socket_error.ts";
import { whyNoSockets } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";
import { readSystemFile } from "../net/system_file.ts";
import { ReceiveBuffers } from "./receive_buffers.ts";
import { Ring } from "./ring.ts";

/** The first version of Linux that has all that is used: `IORING_SETUP_DEFER_TASKRUN`. */
const LEAST: readonly [number, number] = [6, 1];

/** The mode of seccomp(2) in which a filter decides about system calls. */
const FILTERED = "2";

/** The number of the capability `CAP_SYS_ADMIN`. */
const SYS_ADMIN = 21n;

/** io_uring cannot be used here. */
export class RingUnavailableError extends Error {
  /** The class's name. */
  override readonly name = "RingUnavailableError";
  /** Why, and what allows it, in a few words. */
  readonly reason: string;

  /** @param reason why, and what allows it */
  constructor(reason: string) {
    super(`Cannot use io_uring: ${reason}`);
    this.reason = reason;
  }
}

/**
 * Why io_uring cannot be used here, and what allows it. It tries everything that is needed.
 *
 * @returns `undefined` if it can be used
 */
export function whyNoRing(): string | undefined {
  if (runtime.os !== "linux") return `only Linux has it, and this is ${runtime.os}`;
  const noSockets = whyNoSockets();
  if (noSockets !== undefined) return noSockets;
  try {
    const ring = new Ring({ entries: 4, completions: 8 });
    try {
      const buffers = new ReceiveBuffers(ring, { waiting: 1, most: 1 });
      ring.try();
      ring.dispose();
      buffers.dispose();
    } catch (error) {
      ring.dispose();
      throw error;
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    return explain(error);
  }
}

/**
 * Makes sure that io_uring can be used.
 *
 * @throws {RingUnavailableError} that says what forbids it, and what allows it
 */
export function requireRing(): void {
  const why = whyNoRing();
  if (why !== undefined) throw new RingUnavailableError(why);
}

function explain({ code, syscall, errno }: SocketError): string {
  const isOld = isOlder(kernelVersion());
  switch (code) {
    case "EPERM":
    case "EACCES":
      return whoForbids(syscall);
    case "ENOSYS":
      // A filter may also say that there is no such call.
      if (isOld !== true && isFiltered()) return FILTER;
      return isOld === false ? "this kernel was built without it (CONFIG_IO_URING)" : tooOld();
    case "EINVAL":
      return isOld === false && isFiltered() ? FILTER : tooOld();
    case "ENOMEM":
      return "the kernel has no memory for it, or the limit of locked memory (ulimit -l) is too low";
    case "EMFILE":
    case "ENFILE":
      return "there are no free descriptors: the limit of open files (ulimit -n) is too low";
    default:
      return `${syscall} fails: ${errorName(errno)}`;
  }
}

function tooOld(): string {
  const [major, minor] = LEAST;
  const release = readSystemFile("/proc/sys/kernel/osrelease")?.trim();
  const found = release === undefined ? "" : `, and this is ${release}`;
  return `it needs Linux ${major}.${minor} or newer${found}`;
}

const FILTER =
  "a seccomp filter forbids it, as Docker's own does: allow io_uring_setup, io_uring_enter and " +
  "io_uring_register in its profile, or start the container with --security-opt seccomp=unconfined";

function whoForbids(syscall: string): string {
  const disabled = readSystemFile("/proc/sys/kernel/io_uring_disabled")?.trim();
  if (disabled === "2") {
    return "the system forbids it: `sysctl kernel.io_uring_disabled=0` allows it";
  }
  if (disabled === "1" && !mayAdminister()) {
    return "the system allows it to root and to one group only: " +
      "`sysctl kernel.io_uring_disabled=0` allows it to all, kernel.io_uring_group names the group";
  }
  if (isFiltered()) return FILTER;
  return `the system forbids ${syscall}: look at kernel.io_uring_disabled, and at security modules`;
}

/** Whether a filter of seccomp(2) decides about the system calls of this process. */
function isFiltered(): boolean {
  const status = readSystemFile("/proc/self/status") ?? "";
  return /^Seccomp:\s*(\d)/m.exec(status)?.[1] === FILTERED;
}

/** Whether this process has the capability that root has (`CAP_SYS_ADMIN`, capabilities(7)). */
function mayAdminister(): boolean {
  const set = /^CapEff:\s*([0-9a-f]+)/m.exec(readSystemFile("/proc/self/status") ?? "")?.[1];
  return set !== undefined && (BigInt(`0x${set}`) >> SYS_ADMIN & 1n) === 1n;
}

function kernelVersion(): readonly [number, number] | undefined {
  const found = /^(\d+)\.(\d+)/.exec(readSystemFile("/proc/sys/kernel/osrelease") ?? "");
  return found === null ? undefined : [Number(found[1]), Number(found[2])];
}

function isOlder(version: readonly [number, number] | undefined): boolean | undefined {
  if (version === undefined) return undefined;
  return version[0] < LEAST[0] || (version[0] === LEAST[0] && version[1] < LEAST[1]);
}
