/**
 * Where the sockets of this machine are read: by netlink, or in the tables of proc(5) where there is
 * no netlink, as in some containers, on WSL 1, and without foreign functions.
 *
 * @module
 */

import { whyNoKernel } from "../../engine/kernel/linux.ts";
import { hasSocketTable, readSocketTable } from "../../engine/kernel/proc_net.ts";
import { SockDiag, type SocketRow } from "../../engine/kernel/sock_diag.ts";
import { runtime } from "../../engine/net/runtime.ts";

/** A place to read sockets from. */
export interface SocketSource extends Disposable {
  /** What it is, for people. */
  readonly name: string;
  /** The sockets with a local port. */
  read(port: number): SocketRow[];
}

/**
 * Finds the best place there is.
 *
 * @throws {Error} elsewhere than on Linux, and where neither can be read
 */
export function openSocketSource(): SocketSource {
  const cannot = "Cannot see the sockets of this machine";
  if (runtime.os !== "linux") throw new Error(`${cannot}: that needs Linux, not ${runtime.os}`);
  let diag: SockDiag;
  try {
    diag = new SockDiag();
  } catch (cause) {
    if (!hasSocketTable()) {
      const why = whyNoKernel() ?? "there is no netlink here";
      const proc = `/proc/net/tcp cannot be read${runtime.name === "deno" ? " without -A" : ""}`;
      throw new Error(`${cannot}: ${why}, and ${proc}`, { cause });
    }
    return {
      name: "/proc/net/tcp, for there is no netlink",
      read: readSocketTable,
      [Symbol.dispose]() {},
    };
  }
  return {
    name: "netlink",
    read: (port) => diag.sockets({ port }),
    [Symbol.dispose]: () => diag[Symbol.dispose](),
  };
}
