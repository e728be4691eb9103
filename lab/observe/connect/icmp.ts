/**
 * The message of ICMP that has ended an attempt.
 *
 * @module
 */

import { takeErrors } from "../../../engine/kernel/error_queue.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import type { Icmp } from "./failure.ts";

/**
 * Takes the message out of a socket's queue of errors.
 *
 * @param net the calls
 * @param fd a socket on which `wantErrors` was called
 * @returns `undefined` if none has come
 */
export function takeIcmp(net: Sockets, fd: number): Icmp | undefined {
  const error = takeErrors(net, fd).findLast(({ origin }) => origin !== "local");
  if (error === undefined) return undefined;
  const { origin, type, code, by } = error;
  let own = false;
  try {
    own = by !== undefined && net.localAddress(fd).hostname === by;
  } catch {
    // The socket has lost its address with the attempt.
  }
  return { origin, type, code, by, own };
}
