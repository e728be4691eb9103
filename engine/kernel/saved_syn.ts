/**
 * The SYN that opened a connection, as the kernel has kept it for the server (`TCP_SAVE_SYN` and
 * `TCP_SAVED_SYN`, since Linux 4.2). Any user may read it.
 *
 * @module
 */

import type { Sockets } from "../net/sockets.ts";
import { parsePacket, type TcpSegment } from "./packet.ts";

/**
 * The longest headers that there can be: those of IPv6 with three extensions of at most 2048 bytes
 * each, and of TCP with 60. The kernel gives nothing to a program that has less room than it needs.
 */
const MOST_BYTES = 8192;

/**
 * Makes a listener keep the SYN of each connection that it accepts from now on.
 *
 * @param net the calls
 * @param listener a listening socket
 * @throws {SocketError} if this kernel cannot
 */
export function saveSyns(net: Sockets, listener: number): void {
  net.setOption(listener, net.constants.IPPROTO_TCP, net.constants.TCP_SAVE_SYN, 1);
}

/**
 * Takes the SYN of an accepted connection. The kernel gives it once.
 *
 * @param net the calls
 * @param fd an accepted connection of a listener that keeps them
 * @returns the SYN; `undefined` if it was taken before, or not kept
 */
export function takeSavedSyn(net: Sockets, fd: number): TcpSegment | undefined {
  const { IPPROTO_TCP, TCP_SAVED_SYN } = net.constants;
  const bytes = new Uint8Array(MOST_BYTES);
  try {
    const length = net.getOptionBytes(fd, IPPROTO_TCP, TCP_SAVED_SYN, bytes);
    return parsePacket(bytes.subarray(0, length));
  } catch {
    // The peer has already gone, or the option is not known here.
    return undefined;
  }
}
