/**
 * The errors that routers and hosts have reported about a socket's packets: `IP_RECVERR` of ip(7)
 * and ipv6(7). Since Linux 5.8 the queue of a connecting TCP socket has them too, with the address
 * of who sent them, and without root.
 *
 * @module
 */

import { decodeSockaddr } from "../net/address.ts";
import { LINUX } from "../net/constants.ts";
import { MessageBuffer } from "../net/message_buffer.ts";
import type { Sockets } from "../net/sockets.ts";
import {
  IP_RECVERR,
  IP_TTL,
  IPV6_RECVERR,
  IPV6_UNICAST_HOPS,
  MSG_ERRQUEUE,
  SOL_IP,
  SOL_IPV6,
} from "./linux.ts";

/** Where a `sock_extended_err` says that the error came from. */
const ORIGINS: Readonly<Record<number, ReportedError["origin"]>> = {
  1: "local",
  2: "icmp",
  3: "icmp6",
};

/** The size of `struct sock_extended_err`. The sender's address follows it. */
const ERROR_BYTES = 16;

/** An error that was reported about a packet of a socket. */
export interface ReportedError {
  /** Who found it: this machine, or another one by ICMP (RFC 792) or ICMPv6 (RFC 4443). */
  readonly origin: "local" | "icmp" | "icmp6";
  /** The error number that a call on the socket returns for it. */
  readonly errno: number;
  /** The type of the ICMP message. */
  readonly type: number;
  /** The code of the ICMP message. */
  readonly code: number;
  /** The address of the router or host that sent the ICMP message; `undefined` if there is none. */
  readonly by: string | undefined;
}

/**
 * Asks for reports on a socket. From now on, an ICMP error ends an attempt to connect at once, even
 * one that might have been temporary.
 *
 * @param net the calls
 * @param fd a socket
 * @param isSix whether it is of IPv6
 */
export function wantErrors(net: Sockets, fd: number, isSix: boolean): void {
  if (isSix) net.setOption(fd, SOL_IPV6, IPV6_RECVERR, 1);
  else net.setOption(fd, SOL_IP, IP_RECVERR, 1);
}

/**
 * Sets how many routers the packets of a socket may pass: TTL, or the hop limit of IPv6.
 *
 * @param net the calls
 * @param fd a socket
 * @param isSix whether it is of IPv6
 * @param hops from 1 to 255
 */
export function setHops(net: Sockets, fd: number, isSix: boolean, hops: number): void {
  if (isSix) net.setOption(fd, SOL_IPV6, IPV6_UNICAST_HOPS, hops);
  else net.setOption(fd, SOL_IP, IP_TTL, hops);
}

/**
 * Takes the errors that were reported about a socket, without waiting.
 *
 * @param net the calls
 * @param fd a socket on which {@linkcode wantErrors} was called
 * @returns the errors, the oldest first
 */
export function takeErrors(net: Sockets, fd: number): ReportedError[] {
  const { MSG_DONTWAIT, errno } = net.constants;
  const message = new MessageBuffer(512);
  const errors: ReportedError[] = [];
  while (true) {
    const count = net.receiveMessage(fd, message, MSG_ERRQUEUE | MSG_DONTWAIT);
    if (count === -errno.EINTR) continue;
    if (count < 0) return errors;
    for (const { level, type, data } of message.control()) {
      const isReport = (level === SOL_IP && type === IP_RECVERR) ||
        (level === SOL_IPV6 && type === IPV6_RECVERR);
      if (isReport && data.length >= ERROR_BYTES) errors.push(readError(data));
    }
  }
}

function readError(bytes: Uint8Array): ReportedError {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const sockaddr = bytes.slice(ERROR_BYTES);
  const family = sockaddr.length >= 16 ? sockaddr[0] : 0;
  return {
    errno: view.getUint32(0, true),
    origin: ORIGINS[view.getUint8(4)] ?? "local",
    type: view.getUint8(5),
    code: view.getUint8(6),
    by: family === LINUX.AF_INET || family === LINUX.AF_INET6
      ? decodeSockaddr(padded(sockaddr), LINUX).hostname
      : undefined,
  };
}

function padded(sockaddr: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(28);
  bytes.set(sockaddr.subarray(0, 28));
  return bytes;
}
