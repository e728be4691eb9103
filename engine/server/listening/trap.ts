/**
 * A trap for newcomers: a second listener on a port that drops every SYN it gets.
 *
 * A listener that closes resets all connections in its accept queue, and nobody can empty the queue
 * as fast as clients fill it. So new connections are kept out first. The kernel refuses nobody for
 * that and resets nobody: it drops each SYN in silence, as it does when a queue is full. The client
 * asks again a second later, and then nobody listens any more.
 *
 * 1. The listeners become a group, and the trap joins it. The trap takes only packets that have
 *    crossed no router and were sent with the largest time to live, 255 (`IP_MINTTL`, ip(7)).
 *    Hardly anybody sends those. The kernel drops the SYNs of all others.
 * 2. A program steers every SYN to the trap.
 * 3. The trap has room for one connection. A connection of our own takes it, the plug. So the trap
 *    is closed for everybody.
 *
 * Whoever is faster than the plug is accepted and given to the caller, and another plug follows.
 *
 * @module
 */

import { pause } from "../../values/pause.ts";
import type { Address } from "../../../protocols/effects.ts";
import { IP_TTL, IPV6_UNICAST_HOPS, SOL_IP, SOL_IPV6 } from "../../kernel/linux.ts";
import { isIPv6, SOCKADDR_SIZE } from "../../net/address.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import { queueOf } from "./accept_queue.ts";
import { attachSteering, steerNothing, steerSyns } from "./steering.ts";

const IP_MINTTL = 21;
const IPV6_V6ONLY = 26;
const IPV6_MINHOPCOUNT = 73;
const MOST_HOPS = 255;

/** How often a plug is tried. Only those who are faster and nearby can make it fail. */
const PLUGS = 16;

/** How long a plug may take to connect to its own machine, in milliseconds. */
const PLUG_MS = 50;

/** A group of listeners. */
export interface TrappedGroup {
  /** The descriptors of the own listeners, all on the same address; at least one. */
  readonly listeners: readonly number[];
  /** How many listeners there are on the address, those of others included. */
  readonly size: number;
  /** Is told the port of the plug before that connects. */
  readonly ownPort?: Int32Array | undefined;
}

/** A trap that is set. */
export class Trap {
  readonly #calls: Sockets;
  readonly #fd: number;
  #plug: number;

  private constructor(calls: Sockets, fd: number, plug: number) {
    this.#calls = calls;
    this.#fd = fd;
    this.#plug = plug;
  }

  /**
   * Sets a trap. From then on no new connection comes into the queues of the listeners.
   *
   * @param calls the Berkeley calls
   * @param group the listeners
   * @param onConnection receives a connection that was faster than the trap, with its peer's address
   * @throws {Error} if the kernel has no such way; then the listeners are as they were
   */
  static async set(
    calls: Sockets,
    { listeners, size, ownPort }: TrappedGroup,
    onConnection: (fd: number, sockaddr: Uint8Array) => void,
  ): Promise<Trap> {
    const { SOL_SOCKET, SO_REUSEPORT } = calls.constants;
    const [first] = listeners as [number, ...number[]];
    for (const listener of listeners) calls.setOption(listener, SOL_SOCKET, SO_REUSEPORT, 1);
    const address = calls.localAddress(first);
    const fd = openTrap(calls, address, first);
    let plug: number | undefined;
    // The trap is the last that has joined the group.
    const steer = (port?: number) => attachSteering(calls, first, steerSyns([size], 0, port));
    try {
      steer();
      for (let turn = 0; turn < PLUGS && plug === undefined; turn++) {
        acceptAll(calls, fd, onConnection);
        plug = await plugTrap(calls, fd, address, (port) => {
          // Where the kernel sends SYN cookies to all, it asks about the plug's acknowledgement too.
          steer(port);
          if (ownPort !== undefined) Atomics.store(ownPort, 0, port);
        });
      }
      if (plug === undefined) throw new Error("the trap for new connections cannot be closed");
      steer();
      return new Trap(calls, fd, plug);
    } catch (error) {
      leaveGroup(calls, first);
      calls.close(fd);
      throw error;
    }
  }

  /** Takes the trap away. The listeners must be closed. It may be called again. */
  release(): void {
    if (this.#plug < 0) return;
    // Other servers may share the port: from now on the kernel chooses among them again.
    leaveGroup(this.#calls, this.#fd);
    this.#calls.close(this.#fd);
    this.#calls.close(this.#plug);
    this.#plug = -1;
  }
}

/**
 * Lets a listener take only packets that have crossed no router and were sent with the largest time to
 * live. Those of connections that it has accepted already do not change.
 *
 * @param calls the Berkeley calls
 * @param listener its descriptor
 * @param isSix whether it is one of IPv6: it may get packets of both families
 */
export function takeOnlyNear(calls: Sockets, listener: number, isSix: boolean): void {
  calls.setOption(listener, SOL_IP, IP_MINTTL, MOST_HOPS);
  if (isSix) calls.setOption(listener, SOL_IPV6, IPV6_MINHOPCOUNT, MOST_HOPS);
}

/** Opens a listener that drops nearly everything, on the address of another one. */
function openTrap(calls: Sockets, address: Address, like: number): number {
  const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK } = calls.constants;
  const { SOL_SOCKET, SO_REUSEADDR, SO_REUSEPORT } = calls.constants;
  const isSix = isIPv6(address.hostname);
  const fd = calls.socket(isSix ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  try {
    calls.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    calls.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    takeOnlyNear(calls, fd, isSix);
    if (isSix) {
      const isSixOnly = calls.getOption(like, SOL_IPV6, IPV6_V6ONLY);
      calls.setOption(fd, SOL_IPV6, IPV6_V6ONLY, isSixOnly);
    }
    for (const [level, option, size] of inherited(calls)) {
      const value = new Uint8Array(size);
      calls.getOptionBytes(like, level, option, value);
      calls.setOptionBytes(fd, level, option, value);
    }
    calls.bind(fd, address);
    // Linux lets one more in than this says.
    calls.listen(fd, 0);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

/** Connects to the trap. Returns the plug, or `undefined` if there was no room for it. */
async function plugTrap(
  calls: Sockets,
  trap: number,
  address: Address,
  onPort: (port: number) => void,
): Promise<number | undefined> {
  const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK, POLLOUT, errno } = calls.constants;
  const isSix = isIPv6(address.hostname);
  const plug = calls.socket(isSix ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  try {
    // Where a listener hears both families, there may be no address of IPv6 at all.
    const isOfBoth = address.hostname === "::" &&
      calls.getOption(trap, SOL_IPV6, IPV6_V6ONLY) === 0;
    if (isSix) {
      calls.setOption(plug, SOL_IPV6, IPV6_UNICAST_HOPS, MOST_HOPS);
      calls.setOption(plug, SOL_IPV6, IPV6_V6ONLY, 0);
    }
    calls.setOption(plug, SOL_IP, IP_TTL, MOST_HOPS);
    calls.bind(plug, { ...address, port: 0 });
    onPort(calls.localAddress(plug).port);
    // On Linux an address of zeros means this machine itself.
    const to = isOfBoth ? { hostname: "::ffff:127.0.0.1", port: address.port } : address;
    const result = calls.connectNonBlocking(plug, calls.writeAddress(to));
    if (result < 0 && result !== -errno.EINPROGRESS) {
      throw new SocketError("connect", -result, "to the own address");
    }
    // On this machine the handshake is done within the call, nearly always.
    const until = performance.now() + PLUG_MS;
    while (queueOf(calls, trap) === 0 && performance.now() < until) await pause(1);
    if (calls.poll(plug, POLLOUT, 0) === POLLOUT && queueOf(calls, trap) > 0) return plug;
  } catch (error) {
    calls.close(plug);
    throw error;
  }
  calls.close(plug);
  return undefined;
}

/** What accepted connections inherit from their listener, by level and number of the option. */
function inherited({ constants }: Sockets): readonly (readonly [number, number, number])[] {
  const { SOL_SOCKET, SO_KEEPALIVE, SO_RCVTIMEO, SO_SNDTIMEO, IPPROTO_TCP } = constants;
  const { TCP_NODELAY, TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT, TCP_USER_TIMEOUT } = constants;
  return [
    [SOL_SOCKET, SO_KEEPALIVE, 4],
    [SOL_SOCKET, SO_RCVTIMEO, 16],
    [SOL_SOCKET, SO_SNDTIMEO, 16],
    [IPPROTO_TCP, TCP_NODELAY, 4],
    [IPPROTO_TCP, TCP_KEEPIDLE, 4],
    [IPPROTO_TCP, TCP_KEEPINTVL, 4],
    [IPPROTO_TCP, TCP_KEEPCNT, 4],
    [IPPROTO_TCP, TCP_USER_TIMEOUT, 4],
  ];
}

/** Takes out of the trap who came before the plug. */
function acceptAll(
  calls: Sockets,
  trap: number,
  onConnection: (fd: number, sockaddr: Uint8Array) => void,
): void {
  const sockaddr = new Uint8Array(SOCKADDR_SIZE);
  const { POLLIN } = calls.constants;
  while (calls.poll(trap, POLLIN, 0) > 0) {
    const fd = calls.accept(trap, sockaddr);
    if (fd < 0) return;
    // It has inherited what the trap demands.
    calls.setOption(fd, SOL_IP, IP_MINTTL, 0);
    if (isIPv6(calls.localAddress(trap).hostname)) {
      calls.setOption(fd, SOL_IPV6, IPV6_MINHOPCOUNT, 0);
    }
    onConnection(fd, sockaddr);
  }
}

function leaveGroup(calls: Sockets, listener: number): void {
  try {
    attachSteering(calls, listener, steerNothing());
  } catch {
    // It has no program, or there are no such programs here.
  }
}
