/**
 * Where the sockets of this machine are read: by netlink, or in the tables of proc(5) where there is
 * no netlink, as in some containers, on WSL 1, and without the permission for foreign functions.
 *
 * @module
 */

import { readSocketTable } from "../../engine/kernel/proc_net.ts";
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
 * @throws {Error} elsewhere than on Linux
 */
export function openSocketSource(): SocketSource {
  if (runtime.os !== "linux") {
    throw new Error(`Cannot see the sockets of this machine: that needs Linux, not ${runtime.os}`);
  }
  let diag: SockDiag;
  try {
    diag = new SockDiag();
  } catch {
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
