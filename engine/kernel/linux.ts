/**
 * The numbers of Linux that only the observation of TCP needs: netlink(7), sock_diag(7), packet(7),
 * tcp(7), ip(7). They are the same on every architecture that is supported here.
 *
 * @module
 */

import { whyNoSockets } from "../net/libc.ts";
import { runtime } from "../net/runtime.ts";

/** Families and types of sockets. */
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_RAW = 3;

/** Levels of options. */
export const SOL_IP = 0;
export const SOL_TCP = 6;
export const SOL_IPV6 = 41;
export const SOL_PACKET = 263;

/** Options of all sockets. */
export const SO_RCVBUF = 8;
export const SO_SNDBUF = 7;
export const SO_RCVBUFFORCE = 33;
export const SO_TIMESTAMPNS = 35;
export const SO_ATTACH_FILTER = 26;
export const SO_DETACH_FILTER = 27;

/** Options of TCP. */
export const TCP_MAXSEG = 2;
export const TCP_SYNCNT = 7;
export const TCP_LINGER2 = 8;
export const TCP_DEFER_ACCEPT = 9;
export const TCP_INFO = 11;
export const TCP_QUICKACK = 12;
export const TCP_CONGESTION = 13;
export const TCP_REPAIR = 19;
export const TCP_REPAIR_QUEUE = 20;
export const TCP_QUEUE_SEQ = 21;
/** The value of `TCP_REPAIR` that ends it without a packet (`TCP_REPAIR_OFF_NO_WP`). */
export const TCP_REPAIR_OFF = -1;

/** Options of IP. */
export const IP_TTL = 2;
export const IP_RECVERR = 11;
export const IPV6_UNICAST_HOPS = 16;
export const IPV6_RECVERR = 25;

/** Flags of recvmsg(2). */
export const MSG_ERRQUEUE = 0x2000;
export const MSG_TRUNC = 0x20;

/**
 * Why the kernel cannot be asked about sockets here; `undefined` if it can. Never asks the user.
 *
 * @returns a few words, for instance `darwin has no netlink`
 */
export function whyNoKernel(): string | undefined {
  return runtime.os === "linux" ? whyNoSockets() : `${runtime.os} has no netlink`;
}
