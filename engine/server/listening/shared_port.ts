/**
 * A port at which a server is to listen later, in place of another process that listens there now.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { readSocketTable } from "../../kernel/proc_net.ts";
import { canonicalHost, isIPv6 } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { ListenError } from "../../net/listen_failure.ts";
import { resolveHost } from "../../net/resolve.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";

/** Where another process listens. */
export interface ToldPlace {
  /** Its host, as a number. Servers of an earlier version do not tell it. */
  readonly hostname?: string | undefined;
  /** Its port. */
  readonly port: number;
}

/** Whether another process listens at the very same address. */
export function isSamePlace(own: Address, other: ToldPlace): boolean {
  if (own.port !== other.port) return false;
  return other.hostname === undefined ||
    canonicalHost(own.hostname) === canonicalHost(other.hostname);
}

/**
 * Whether another process answers those who ask at an address, when nobody else listens there: it
 * listens at the same one, or at all addresses of the machine.
 */
export function isAnsweredBy(own: Address, other: ToldPlace): boolean {
  const all = isIPv6(own.hostname) ? "::" : "0.0.0.0";
  return isSamePlace(own, other) || isSamePlace({ ...own, hostname: all }, other);
}

/** A share of a port at which another process listens. It gets no connections. */
export class PortShare implements Disposable {
  readonly #address: Address;
  readonly #fd: number;

  /** @param address a numeric address @param fd a socket that is bound to it, and does not listen */
  constructor(address: Address, fd: number) {
    this.#address = address;
    this.#fd = fd;
  }

  /**
   * Makes sure that the process that listens there is the one that is taken over. If two that go on
   * listened, the kernel would divide those who come between them.
   *
   * @param predecessor where the process listens that is taken over; `undefined` if it does not, or if
   * no process is taken over
   * @throws {Error} if somebody else listens there
   */
  requireFrom(predecessor: ToldPlace | undefined): void {
    const { port } = this.#address;
    if (predecessor?.port === port) {
      if (isSamePlace(this.#address, predecessor)) return;
      // One of the two addresses may be that of all hosts, and include the other one.
      const listeners = readSocketTable(port).filter(({ state }) => state === "LISTEN");
      const isAlone = listeners.every(({ local }) => isSamePlace(local, predecessor));
      if (isAlone && listeners.length > 0) return;
    }
    throw new Error(`another server of yours listens on port ${port}`);
  }

  /** Gives it back. */
  [Symbol.dispose](): void {
    sockets().close(this.#fd);
  }
}

/**
 * Listens, unless another process of this user listens there and shares the port (SO_REUSEPORT,
 * socket(7)). Then it takes a share that gets no connections: the kernel gives those only to sockets
 * that listen.
 *
 * @param wanted an address, whose host may be a name
 * @param listen listens there, and fails if anybody else does
 * @returns what keeps the share until it is disposed of; `undefined` once `listen` has listened
 * @throws {ListenError} if somebody listens there who does not share the port
 */
export async function listenOrShare(
  wanted: Address,
  listen: () => Promise<void>,
): Promise<PortShare | undefined> {
  const share = await keepSharedPort(wanted);
  if (share !== undefined) return share;
  try {
    await listen();
    return undefined;
  } catch (error) {
    // A server that has started at the same time may have been faster.
    const late = await keepSharedPort(wanted).catch(() => undefined);
    if (late === undefined) throw error;
    return late;
  }
}

/** @returns `undefined` if nobody listens there, or if that cannot be known here */
async function keepSharedPort(wanted: Address): Promise<PortShare | undefined> {
  const isKnown = wanted.port !== 0 && whyNoSockets() === undefined &&
    runtime.whyNoReusePort() === undefined;
  if (!isKnown) return undefined;
  const hostname = await resolveHost(wanted.hostname);
  const address = { hostname, port: wanted.port };
  const net = sockets();
  try {
    net.close(bindTo(address, false));
    return undefined;
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    if (error.code !== "EADDRINUSE") throw new ListenError(wanted, error, hostname);
  }
  try {
    return new PortShare(address, bindTo(address, true));
  } catch (cause) {
    throw new ListenError(wanted, cause, hostname);
  }
}

/** Binds a socket that does not listen. */
function bindTo(address: Address, isShared: boolean): number {
  const net = sockets();
  const { SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR, SO_REUSEPORT } = net.constants;
  const fd = net.socket(net.familyOf(address), SOCK_STREAM);
  try {
    // Connections that linger in TIME_WAIT do not count.
    net.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (isShared) net.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    net.bind(fd, address);
    return fd;
  } catch (error) {
    net.close(fd);
    throw error;
  }
}
