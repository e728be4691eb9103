/**
 * Finds the descriptor of a listener that the runtime has opened. A runtime may not tell it.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { withoutZone } from "./address.ts";
import { whyNoSockets } from "./libc.ts";
import { type Sockets, sockets } from "./sockets.ts";

/**
 * After how many unused numbers in a row the search ends. The kernel gives out the lowest unused
 * number, so that of the new listener is among these at the latest.
 */
const UNUSED = 64;

/**
 * Finds the descriptor of a listener among all numbers, by its address. Listeners that share a port
 * have the same address, so those that were there before do not count. If other threads have opened
 * some at the same moment, nobody can tell which is which, and none is returned.
 *
 * @param open opens the listener and returns where it listens; called once
 * @returns the descriptor; `undefined` without permission for foreign calls, or if it cannot be told
 */
export function findListener(open: () => Address): number | undefined {
  if (whyNoSockets() !== undefined) {
    open();
    return undefined;
  }
  const net = sockets();
  const { found: before, end } = listeners(net);
  const address = open();
  const { found } = listeners(net, end);
  const own = [...found.keys()].filter((fd) =>
    before.get(fd) !== found.get(fd) && listensAt(net, fd, address)
  );
  return own.length === 1 ? own[0] : undefined;
}

/**
 * The descriptors of all listeners, and what tells each from a later one with its number.
 *
 * @param end the number before which to end; by default before a row of unused ones
 */
function listeners(net: Sockets, end = Infinity): { found: Map<number, bigint>; end: number } {
  const found = new Map<number, bigint>();
  let unused = 0;
  let fd = 0;
  for (; fd < end && (end < Infinity || unused < UNUSED); fd++) {
    const isListening = net.isListening(fd);
    if (isListening) found.set(fd, cookieOf(net, fd));
    unused = isListening === undefined ? unused + 1 : 0;
  }
  return { found, end: fd };
}

/** The number that only this socket has; 0 where the system gives none. */
function cookieOf(net: Sockets, fd: number): bigint {
  try {
    return net.constants.SO_COOKIE > 0 ? net.cookie(fd) : 0n;
  } catch {
    // It was closed meanwhile, or this is an old kernel.
    return 0n;
  }
}

function listensAt(net: Sockets, fd: number, { hostname, port }: Address): boolean {
  try {
    const own = net.localAddress(fd);
    return own.port === port && withoutZone(own.hostname) === withoutZone(hostname);
  } catch {
    // It was closed meanwhile, or its address is of another family.
    return false;
  }
}
