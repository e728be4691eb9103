/**
 * Whom a server counts as one host.
 *
 * @module
 */

import {
  hostBytesIn,
  isUnix,
  isUnixSockaddr,
  type SockaddrLayout,
  toAddress,
  userIn,
} from "../../net/address.ts";
import { type Host, parseHost, toHost } from "../../net/networks.ts";

/** A host as it is counted: what kind of address it has, and 64 bits of it. */
export interface HostKey {
  /** 4 or 6 for IPv4 and IPv6, 1 for a user of this machine; never 0. */
  readonly kind: number;
  readonly high: number;
  readonly low: number;
}

/** The user in the address of a peer over a Unix domain socket. */
const USER = /^unix:pid=\d+,uid=(\d+)$/;

/**
 * Finds out which host an address belongs to. A host with an IPv6 address is its whole /64: whoever
 * has one address there usually has all of them. Over a Unix domain socket, a user is a host.
 *
 * @param hostname the numeric address
 * @returns `undefined` if it is nobody's
 */
export function hostKey(hostname: string): HostKey | undefined {
  const user = isUnix(hostname) ? USER.exec(hostname) : null;
  if (user !== null) return keyOfUser(Number(user[1]));
  const host = parseHost(hostname);
  return host && keyOfHost(host);
}

/**
 * The same for a peer's address as accept(2) fills it in. This makes no text, so it costs little.
 *
 * @param sockaddr at least 28 bytes
 * @param layout the system's layout
 */
export function hostKeyIn(sockaddr: Uint8Array, layout: SockaddrLayout): HostKey | undefined {
  if (!isUnixSockaddr(sockaddr, layout)) return keyOfHost(toHost(hostBytesIn(sockaddr, layout)));
  const user = userIn(sockaddr);
  return user === undefined ? undefined : keyOfUser(user);
}

function keyOfUser(user: number): HostKey {
  return { kind: 1, high: 0, low: user | 0 };
}

function keyOfHost(host: Host): HostKey {
  const view = new DataView(host.buffer, host.byteOffset, host.byteLength);
  if (host.length === 4) return { kind: 4, high: 0, low: view.getInt32(0) };
  return { kind: 6, high: view.getInt32(0), low: view.getInt32(4) };
}

/**
 * Writes a host for people.
 *
 * @param key whom
 * @returns for instance `192.0.2.1`, `2001:db8::/64` or `user 1000`
 */
export function describeHost({ kind, high, low }: HostKey): string {
  if (kind === 1) return `user ${low >>> 0}`;
  const bytes = new Uint8Array(kind === 4 ? 4 : 16);
  const view = new DataView(bytes.buffer);
  if (kind === 4) view.setInt32(0, low);
  else {
    view.setInt32(0, high);
    view.setInt32(4, low);
  }
  return `${toAddress(bytes, 0).hostname}${kind === 4 ? "" : "/64"}`;
}
