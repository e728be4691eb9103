/**
 * Sets network interfaces up (netdevice(7)) and gives them addresses (rtnetlink(7)), as `ip link` and
 * `ip address` do. It needs CAP_NET_ADMIN, which everybody has in a network of their own.
 *
 * @module
 */

import { encodeSockaddr, isIPv6 } from "../../engine/net/address.ts";
import {
  HEADER_BYTES,
  makeMessage,
  Netlink,
  NLM_F_ACK,
  NLM_F_REQUEST,
} from "../../engine/kernel/netlink.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import type { Sockets } from "../../engine/net/sockets.ts";

/** Requests. */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCGIFINDEX = 0x8933;

/** Where a `struct ifreq` has its value: a number or a `struct sockaddr`. */
const VALUE_AT = 16;
const IFREQ_BYTES = 40;
const IFF_UP = 1;

const NETLINK_ROUTE = 0;
const RTM_NEWADDR = 20;
const RTM_GETROUTE = 26;
const NLM_F_CREATE = 0x400;

/** An `ifaddrmsg`, and its attributes that say which address it is, at either end of the wire. */
const IFADDRMSG_BYTES = 8;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
/** The address is used at once: the kernel does not ask first whether somebody else has it. */
const IFA_F_NODAD = 0x02;

/** An `rtmsg`, and its attributes: where to, and through which interface. */
const RTMSG_BYTES = 12;
const RTA_DST = 1;
const RTA_OIF = 4;
/** The type of a route to this very machine. */
const RTN_LOCAL = 2;

/** How long the kernel may take to learn the way to an address, in milliseconds. */
const MOST_MS = 5_000;

/** The longest name of an interface, in bytes. */
const LONGEST_NAME = 15;

/**
 * A `struct ifreq`.
 *
 * @param name the interface, for instance `lo`
 * @param flags what its field for flags says
 */
export function interfaceRequest(name: string, flags = 0): Uint8Array {
  const request = new Uint8Array(IFREQ_BYTES);
  request.set(new TextEncoder().encode(name).subarray(0, LONGEST_NAME));
  new DataView(request.buffer).setUint16(VALUE_AT, flags, true);
  return request;
}

/**
 * Sets an interface up, as `ip link set … up` does.
 *
 * @param net the calls
 * @param name the interface, for instance `lo`
 * @throws {SocketError} if there is none, or this process may not
 */
export function raiseInterface(net: Sockets, name: string): void {
  withSocket(net, net.constants.AF_INET, (fd) => {
    const request = interfaceRequest(name);
    const view = new DataView(request.buffer);
    net.ioctl(fd, SIOCGIFFLAGS, request);
    view.setUint16(VALUE_AT, view.getUint16(VALUE_AT, true) | IFF_UP, true);
    net.ioctl(fd, SIOCSIFFLAGS, request);
  });
}

/**
 * Gives an interface an address, and with it the way to the network that the address is in. The
 * address can be used when this returns: nobody is asked whether it is taken (RFC 4862 section 5.4).
 *
 * @param net the calls
 * @param name an interface that is up
 * @param hostname a numeric address
 * @param prefix how many bits of it are the network's
 * @throws {SocketError} if the kernel refuses
 */
export function giveAddress(net: Sockets, name: string, hostname: string, prefix: number): void {
  const { constants } = net;
  const isSix = isIPv6(hostname);
  const family = isSix ? constants.AF_INET6 : constants.AF_INET;
  const sockaddr = encodeSockaddr({ hostname, port: 0 }, constants);
  const address = isSix ? sockaddr.subarray(8, 24) : sockaddr.subarray(4, 8);
  const index = indexOf(net, name);
  using netlink = new Netlink(net, NETLINK_ROUTE, "for an address");
  const order = makeMessage(
    RTM_NEWADDR,
    NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
    IFADDRMSG_BYTES + 2 * (ATTRIBUTE_BYTES + address.length),
  );
  order.set([family, prefix, IFA_F_NODAD], HEADER_BYTES);
  order.set(index, HEADER_BYTES + 4);
  writeAttributes(order, HEADER_BYTES + IFADDRMSG_BYTES, [
    [IFA_LOCAL, address],
    [IFA_ADDRESS, address],
  ]);
  // Nothing comes but the word that it is done.
  netlink.ask(order).next();
  // The kernel confirms an address of IPv6 before it knows the way to it. A connection that is made
  // before that goes astray.
  const question = makeMessage(
    RTM_GETROUTE,
    NLM_F_REQUEST,
    RTMSG_BYTES + 2 * ATTRIBUTE_BYTES + address.length + index.length,
  );
  question.set([family, 8 * address.length], HEADER_BYTES);
  writeAttributes(question, HEADER_BYTES + RTMSG_BYTES, [[RTA_DST, address], [RTA_OIF, index]]);
  const endsAt = performance.now() + MOST_MS;
  while (!isLocal(netlink, question)) {
    if (performance.now() > endsAt) {
      throw new SocketError("use", constants.errno.ETIMEDOUT, `the address ${hostname}`);
    }
    net.poll(-1, 0, 1);
  }
}

/** Whether the kernel takes what goes to an address for its own. */
function isLocal(netlink: Netlink, question: Uint8Array): boolean {
  try {
    for (const { at } of netlink.ask(question)) return netlink.view.getUint8(at + 7) === RTN_LOCAL;
  } catch (error) {
    // There is no way at all yet.
    if (!(error instanceof SocketError)) throw error;
  }
  return false;
}

/** An attribute's own length and its type come first. */
const ATTRIBUTE_BYTES = 4;

/** Writes attributes (rtnetlink(7)). Their values must be whole words. */
function writeAttributes(
  message: Uint8Array,
  at: number,
  attributes: readonly (readonly [type: number, value: Uint8Array])[],
): void {
  const view = new DataView(message.buffer);
  for (const [type, value] of attributes) {
    view.setUint16(at, ATTRIBUTE_BYTES + value.length, true);
    view.setUint16(at + 2, type, true);
    message.set(value, at + ATTRIBUTE_BYTES);
    at += ATTRIBUTE_BYTES + value.length;
  }
}

/** The number of an interface, as the kernel writes it. */
function indexOf(net: Sockets, name: string): Uint8Array {
  const request = interfaceRequest(name);
  withSocket(net, net.constants.AF_INET, (fd) => net.ioctl(fd, SIOCGIFINDEX, request));
  return request.slice(VALUE_AT, VALUE_AT + 4);
}

/** The requests are made on a socket, whichever it is. */
function withSocket(net: Sockets, family: number, use: (fd: number) => void): void {
  const fd = net.socket(family, net.constants.SOCK_DGRAM);
  try {
    use(fd);
  } finally {
    net.close(fd);
  }
}
