/**
 * Listeners that this process has not opened itself: another one opened them, and has passed them on
 * when it started this one (sd_listen_fds(3)), or over a socket.
 *
 * Such a listener is one open file for all who hold it. Whatever one of them does to it, except to
 * close its own descriptor, it does for all.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { isUnix } from "./address.ts";
import { keepAlive } from "./keepalive.ts";
import { runtime } from "./runtime.ts";
import type { Sockets } from "./sockets.ts";
import type { KeepAlive } from "./transport.ts";

/** The first descriptor that systemd passes (sd_listen_fds(3), `SD_LISTEN_FDS_START`). */
const FIRST = 3;

/** The most descriptors that are believed to have been passed. */
const MOST = 1024;

/** The variables by which it tells of them. */
const VARIABLES = ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID"];

// Options of socket(7) on Linux.
const SO_TYPE = 3;
const SO_PROTOCOL = 38;
const SO_DOMAIN = 39;

/** TCP, and TCP over several paths. */
const IPPROTO_TCP = 6;
const IPPROTO_MPTCP = 262;

/** What a service manager has passed to this process. */
export interface PassedDescriptors {
  /** The number of the first one. The others follow it. */
  readonly first: number;
  /** How many there are. */
  readonly count: number;
}

/**
 * What a service manager says that it has passed to this process (sd_listen_fds(3)). The variables
 * that say so are removed: programs that this process starts are not meant.
 *
 * @returns `undefined` if it has passed nothing, or to another process
 * @throws {Error} if it says something that makes no sense
 */
export function takePassedDescriptors(): PassedDescriptors | undefined {
  const count = runtime.variable("LISTEN_FDS");
  const pid = runtime.variable("LISTEN_PID");
  for (const name of VARIABLES) {
    if (runtime.variable(name) !== undefined) runtime.removeVariable(name);
  }
  // A shell or another program in between has left them behind.
  if (count === undefined || pid !== String(runtime.pid)) return undefined;
  if (!/^\d{1,4}$/.test(count) || Number(count) > MOST) {
    throw new Error(`LISTEN_FDS has no number of sockets: current value is "${count}"`);
  }
  return count === "0" ? undefined : { first: FIRST, count: Number(count) };
}

/**
 * Makes sure that a descriptor is that of a listener that can be served, and keeps it from programs
 * that this process starts. The listener stays as it is.
 *
 * @param net the Berkeley calls
 * @param fd any number
 * @returns where it listens
 * @throws {Error} that says what it is instead
 */
export function checkListener(net: Sockets, fd: number): Address {
  const { AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM, SOL_SOCKET } = net.constants;
  const isListening = net.isListening(fd);
  if (isListening === undefined) throw new Error("there is no such descriptor");
  let type: number;
  try {
    type = net.getOption(fd, SOL_SOCKET, SO_TYPE);
  } catch (cause) {
    throw new Error("it is no socket", { cause });
  }
  if (type !== SOCK_STREAM) throw new Error("it is no stream socket");
  if (!isListening) throw new Error("it is a socket that does not listen");
  const family = net.getOption(fd, SOL_SOCKET, SO_DOMAIN);
  const protocol = net.getOption(fd, SOL_SOCKET, SO_PROTOCOL);
  const isTcp = (family === AF_INET || family === AF_INET6) &&
    (protocol === IPPROTO_TCP || protocol === IPPROTO_MPTCP);
  if (!isTcp && family !== AF_UNIX) throw new Error("it is neither TCP nor a Unix domain socket");
  net.keepToSelf(fd);
  return net.localAddress(fd);
}

/**
 * Sets what connections inherit from a listener that was opened elsewhere: small answers go at once,
 * and peers that have vanished are found. The receive timeout is left as it is, for accept(2) obeys
 * it too.
 *
 * @param net the Berkeley calls
 * @param listener the listener
 * @param times when to probe; by default never
 */
export function setInherited(net: Sockets, listener: number, times: KeepAlive | undefined): void {
  const { IPPROTO_TCP, TCP_NODELAY, TCP_USER_TIMEOUT, SOL_SOCKET, SO_KEEPALIVE } = net.constants;
  if (isUnix(net.localAddress(listener).hostname)) return;
  net.setOption(listener, IPPROTO_TCP, TCP_NODELAY, 1);
  // Whoever had it before may have set it.
  net.setOption(listener, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
  if (times === undefined) net.setOption(listener, SOL_SOCKET, SO_KEEPALIVE, 0);
  else keepAlive(net, listener, times);
}
