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
  // A descriptor may be a copy of another one that was there before.
  const known = new Set(before.values());
  const own = [...found].filter(([fd, socket]) => !known.has(socket) && listensAt(net, fd, address))
    .map(([fd]) => fd);
  return own.length === 1 ? own[0] : undefined;
}

/**
 * The descriptors of all listeners, and which sockets they are.
 *
 * @param end the number before which to end; by default before a row of unused ones
 */
function listeners(net: Sockets, end = Infinity): { found: Map<number, string>; end: number } {
  const found = new Map<number, string>();
  let unused = 0;
  let fd = 0;
  for (; fd < end && (end < Infinity || unused < UNUSED); fd++) {
    const isListening = net.isListening(fd);
    if (isListening) found.set(fd, nameOf(net, fd));
    unused = isListening === undefined ? unused + 1 : 0;
  }
  return { found, end: fd };
}

/** What only this socket has; the descriptor, where the system gives sockets no numbers. */
function nameOf(net: Sockets, fd: number): string {
  try {
    if (net.constants.SO_COOKIE > 0) return `socket ${net.cookie(fd)}`;
  } catch {
    // It was closed meanwhile, or this is an old kernel.
  }
  return `descriptor ${fd}`;
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
