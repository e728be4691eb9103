/**
 * Keepalive: how a peer that has vanished without a word is found.
 *
 * A peer whose machine lost power, or whose network was unplugged, sends no FIN. The connection then
 * looks idle for ever. With keepalive the kernel asks an idle peer for a sign of life (RFC 9293,
 * section 3.8.4), and with a user timeout (RFC 5482) it gives up on bytes that nobody acknowledges.
 * Both end the connection with ETIMEDOUT.
 *
 * @module
 */

import type { Constants } from "./constants.ts";
import { SocketError } from "./socket_error.ts";
import type { KeepAlive } from "./transport.ts";

/** What sets the options: `Sockets` does. */
export interface OptionCalls {
  /** The numbers of this system. */
  readonly constants: Constants;
  /** Sets an option that is an `int`. */
  setOption(fd: number, level: number, option: number, value: number): void;
}

/** How many probes go unanswered before the peer counts as gone, if there is time for so many. */
const PROBES = 3;

/**
 * The times of the kernel for a time within which a vanished peer is to be found. The kernel counts
 * whole seconds, and one of silence and one probe is the least: so 2 seconds are the shortest time.
 *
 * @param withinMs the time, in milliseconds; 12 hours at most; 0 turns all of it off
 * @param writeTimeoutMs how long a peer may take nothing of what is written to it, in milliseconds;
 * the kernel does not give up on unsent bytes earlier. 0 means for ever
 * @returns for 15 s: 6 s of silence, then up to 3 probes, one every 3 s
 */
export function keepAliveTimes(withinMs: number, writeTimeoutMs: number): KeepAlive | undefined {
  if (withinMs === 0) return undefined;
  const seconds = Math.max(2, Math.round(withinMs / 1000));
  const probes = Math.min(PROBES, seconds - 1);
  const interval = Math.max(1, Math.floor(seconds / 5));
  const idle = seconds - probes * interval;
  // It overrules the number of probes (tcp(7)), so it must not be shorter than they take.
  const userTimeoutMs = writeTimeoutMs === 0 ? 0 : Math.max(writeTimeoutMs, seconds * 1000);
  return { idleMs: idle * 1000, intervalMs: interval * 1000, probes, userTimeoutMs };
}

/**
 * Sets the options of keepalive on a socket. Connections inherit those of their listener. What a
 * system does not have is left out.
 *
 * @param net the Berkeley calls
 * @param fd the descriptor of a connection, or of a listener
 * @param times when to probe and when to give up
 */
export function keepAlive(net: OptionCalls, fd: number, times: KeepAlive): void {
  const { SOL_SOCKET, SO_KEEPALIVE, IPPROTO_TCP } = net.constants;
  const { TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT } = net.constants;
  const set = (option: number, value: number) => {
    if (option === 0 || value === 0) return;
    try {
      net.setOption(fd, IPPROTO_TCP, option, value);
    } catch (error) {
      // A kernel in user space, such as that of gVisor, may not know all of them.
      if (!(error instanceof SocketError) || error.code !== "ENOPROTOOPT") throw error;
    }
  };
  net.setOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(TCP_KEEPIDLE, times.idleMs / 1000);
  set(TCP_KEEPINTVL, times.intervalMs / 1000);
  set(TCP_KEEPCNT, times.probes);
  set(TCP_USER_TIMEOUT, times.userTimeoutMs);
}
