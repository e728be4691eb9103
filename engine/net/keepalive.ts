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

/**
 * Up to this time, in seconds, the first probe goes early, and the others follow every second.
 *
 * Between programs of one machine no peer vanishes, but probes do. The kernel runs all timers that are
 * due in one of its ticks before it delivers a packet, and each processor then keeps no more than
 * `netdev_max_backlog` packets, a thousand, and drops those of the rest of a crowd. So a probe has to
 * be repeated soon, and more often than the crowd has thousands.
 */
const SHORT = 30;

/**
 * The silence before the first probe then, in seconds. The kernel's timers are the coarser the later
 * they are due: up to 2 s ahead they keep most of the distance at which the connections came, and from
 * about 4 s on they gather those of a quarter or half of a second in one tick.
 */
const SILENCE = 2;

/** How many probes go unanswered in a longer time before the peer counts as gone. */
const PROBES = 20;

/** The share of that time in which they go, or 20 s if that is more. */
const PROBING = 0.6;

/**
 * The times of the kernel for a time within which a vanished peer is to be found. The kernel counts
 * whole seconds, and one of silence and one probe is the least: so 2 seconds are the shortest time.
 *
 * @param withinMs the time, in milliseconds; 12 hours at most; 0 turns all of it off
 * @param writeTimeoutMs how long a peer may take nothing of what is written to it, in milliseconds;
 * the kernel does not give up on unsent bytes earlier. 0 means for ever
 * @returns for 15 s: 2 s of silence, then up to 13 probes, one every second
 */
export function keepAliveTimes(withinMs: number, writeTimeoutMs: number): KeepAlive | undefined {
  if (withinMs === 0) return undefined;
  const seconds = Math.max(2, Math.round(withinMs / 1000));
  const silence = seconds < 5 ? 1 : SILENCE;
  const probes = seconds <= SHORT ? seconds - silence : PROBES;
  const interval = Math.max(1, Math.floor(seconds * PROBING / PROBES));
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
