/**
 * Finds a port for a server that must be told one and cannot choose it itself.
 *
 * @module
 */

import { readSetting } from "../engine/kernel/proc_net.ts";
import { listen } from "../engine/net/tcp.ts";
import type { Address } from "../protocols/effects.ts";

/** The ports that are tried first: below those that systems give to clients, by default. */
const FIRST = 10_000;
const LAST = 32_767;

/** How often one is tried. */
const TRIES = 64;

/**
 * Finds a port on which nobody listens.
 *
 * It is none of those from which the kernel takes the ports of clients (`ip_local_port_range`, ip(7)).
 * One of those may be taken by any client of this machine before the server has started.
 *
 * @param hostname the address on which it is free
 */
export async function findFreePort(hostname: string): Promise<Address> {
  const [from = LAST + 1] = readSetting("net/ipv4/ip_local_port_range")?.split(/\s+/).map(Number) ??
    [];
  const end = Math.min(from, LAST + 1);
  for (let left = TRIES; left > 0 && end > FIRST; left--) {
    const port = FIRST + Math.floor(Math.random() * (end - FIRST));
    if (await isFree({ hostname, port })) return { hostname, port };
  }
  // The system gives nearly all ports to clients, or this user may not choose.
  const listener = await listen({ hostname, port: 0 });
  listener.close();
  return listener.address;
}

/**
 * Finds several ports.
 *
 * @param hostname the address on which they are free
 * @param count how many
 */
export async function findFreePorts(hostname: string, count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add((await findFreePort(hostname)).port);
  return [...ports];
}

async function isFree(address: Address): Promise<boolean> {
  try {
    (await listen(address)).close();
    return true;
  } catch {
    return false;
  }
}
