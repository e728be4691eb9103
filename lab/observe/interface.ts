/**
 * Sets network interfaces up and gives them addresses (netdevice(7)), as `ip link` and `ip address`
 * do. It needs CAP_NET_ADMIN, which everybody has in a network of their own.
 *
 * @module
 */

import { encodeSockaddr, isIPv6 } from "../../engine/net/address.ts";
import type { Sockets } from "../../engine/net/sockets.ts";

/** Requests. */
const SIOCGIFFLAGS = 0x8913;
const SIOCSIFFLAGS = 0x8914;
const SIOCSIFADDR = 0x8916;
const SIOCSIFNETMASK = 0x891c;
const SIOCGIFINDEX = 0x8933;

/** Where a `struct ifreq` has its value: a number or a `struct sockaddr`. */
const VALUE_AT = 16;
const IFREQ_BYTES = 40;
const IFF_UP = 1;

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
 * Gives an interface an address, and with it the way to the network that the address is in.
 *
 * @param net the calls
 * @param name the interface
 * @param hostname a numeric address. The kernel makes sure first that nobody else has an address of
 * IPv6 (RFC 4862 section 5.4), so that one can be used a second or two later
 * @param prefix how many bits of it are the network's
 * @throws {SocketError} if the kernel refuses
 */
export function giveAddress(net: Sockets, name: string, hostname: string, prefix: number): void {
  const { AF_INET, AF_INET6 } = net.constants;
  const sockaddr = encodeSockaddr({ hostname, port: 0 }, net.constants);
  const request = interfaceRequest(name);
  if (!isIPv6(hostname)) {
    return withSocket(net, AF_INET, (fd) => {
      request.set(sockaddr.subarray(0, 16), VALUE_AT);
      net.ioctl(fd, SIOCSIFADDR, request);
      const mask = prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
      new DataView(request.buffer).setUint32(VALUE_AT + 4, mask);
      net.ioctl(fd, SIOCSIFNETMASK, request);
    });
  }
  withSocket(net, AF_INET6, (fd) => {
    net.ioctl(fd, SIOCGIFINDEX, request);
    // A `struct in6_ifreq`.
    const wanted = new Uint8Array(24);
    wanted.set(sockaddr.subarray(8, 24));
    const view = new DataView(wanted.buffer);
    view.setUint32(16, prefix, true);
    view.setUint32(20, new DataView(request.buffer).getUint32(VALUE_AT, true), true);
    net.ioctl(fd, SIOCSIFADDR, wanted);
  });
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
