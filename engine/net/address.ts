/**
 * Addresses as text and as the C structures of the Berkeley calls.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { quote } from "../values/thrown.ts";

/**
 * The size of the largest address of a peer: a `sockaddr_in6`. Of a `sockaddr_un` only the beginning
 * is kept.
 */
export const SOCKADDR_SIZE = 28;

/** The size of a `sockaddr_un` and of every shorter address. */
export const LONG_SOCKADDR_SIZE = 112;

/** How one system lays out its socket addresses. */
export interface SockaddrLayout {
  /** The system's number for IPv4. */
  readonly AF_INET: number;
  /** The system's number for IPv6. */
  readonly AF_INET6: number;
  /** The system's number for sockets within one machine. */
  readonly AF_UNIX: number;
  /** Whether the structure begins with its own length, as on BSD. */
  readonly hasLength: boolean;
}

/** Whether a hostname is an IPv6 address. */
export function isIPv6(hostname: string): boolean {
  return hostname.includes(":") && !isUnix(hostname);
}

/** What the hostname of a Unix domain socket begins with. */
export const UNIX = "unix:";

/** Whether a hostname is that of a Unix domain socket: `unix:PATH`, or `unix:@NAME`. */
export function isUnix(hostname: string): boolean {
  return hostname.startsWith(UNIX);
}

/**
 * The file of a Unix domain socket.
 *
 * @param hostname any hostname
 * @returns its path; `undefined` if it has none, as an abstract socket of Linux
 */
export function unixPath(hostname: string): string | undefined {
  const path = hostname.slice(UNIX.length);
  return isUnix(hostname) && !path.startsWith("@") ? path : undefined;
}

/**
 * What the runtimes and `node:net` take for the path of a Unix domain socket.
 *
 * @param hostname any hostname
 * @returns the path, or the name of an abstract socket behind a zero byte; `undefined` if the host
 * is of another kind
 */
export function unixPathForRuntime(hostname: string): string | undefined {
  if (!isUnix(hostname)) return undefined;
  return unixPath(hostname) ?? `\0${hostname.slice(UNIX.length + 1)}`;
}

/**
 * How many bytes the structure has for a path or a name: 108 on Linux, 104 on BSD.
 *
 * @param layout how this system lays it out
 */
export function unixRoom({ hasLength }: SockaddrLayout): number {
  return hasLength ? 104 : 108;
}

/**
 * Why a hostname cannot be that of a Unix domain socket.
 *
 * @param hostname `unix:` and what follows
 * @param layout the system's layout
 * @returns the reason in words; `undefined` if it can be
 */
export function whyNoUnix(hostname: string, layout: SockaddrLayout): string | undefined {
  const path = hostname.slice(UNIX.length);
  if (path === "" || path === "@") return "expected unix:PATH or unix:@NAME";
  if (path.includes("\0")) return "expected a path without a zero byte";
  if (path.startsWith("@") && layout.hasLength) {
    return "only Linux has abstract sockets, unix:@NAME";
  }
  // The zero byte at the end of a path, or before a name, needs room too.
  const most = unixRoom(layout) - 1;
  const length = new TextEncoder().encode(path.replace(/^@/, "")).length;
  if (length <= most) return undefined;
  return `the system has room for ${most} bytes, and this one has ${length}: a relative path may be shorter`;
}

/**
 * Takes the brackets off an IPv6 address.
 *
 * @param host a name, an address, or an IPv6 address in brackets
 */
export function stripBrackets(host: string): string {
  return host.startsWith("[") && host.endsWith("]") ? host.slice(1, -1) : host;
}

/**
 * Writes a numeric host as the system writes it, so that two texts of one address are equal: an IPv6
 * address as RFC 5952 recommends. A zone stays as it is.
 *
 * @param hostname a numeric address
 */
export function canonicalHost(hostname: string): string {
  if (!isIPv6(hostname)) return hostname;
  const [host, ...zone] = hostname.split("%");
  return [formatIPv6(parseIPv6(host as string)), ...zone].join("%");
}

/**
 * Takes an IPv6 address and its zone apart (RFC 4007, section 11).
 *
 * @param hostname a numeric address
 * @returns for `fe80::1%eth0` the host `fe80::1` and the zone `eth0`
 */
export function splitZone(
  hostname: string,
): { readonly host: string; readonly zone: string | undefined } {
  const at = isIPv6(hostname) ? hostname.indexOf("%") : -1;
  if (at < 0) return { host: hostname, zone: undefined };
  return { host: hostname.slice(0, at), zone: hostname.slice(at + 1) };
}

/**
 * Whether only programs of this machine can reach an address.
 *
 * @param hostname a numeric address
 */
export function isLoopback(hostname: string): boolean {
  return hostname === "::1" || /^(::ffff:)?127(\.\d{1,3}){3}$/i.test(hostname);
}

/** Whether a name means this machine, and never goes through the DNS (RFC 6761, section 6.3). */
export function isLocalhost(name: string): boolean {
  return /^([^.]+\.)*localhost$/i.test(name);
}

/**
 * Where a connection to an address leads: to the loopback from the address of all interfaces.
 *
 * @param address a numeric address and a port
 */
export function destinationOf({ hostname, port }: Address): Address {
  if (hostname === "0.0.0.0") return { hostname: "127.0.0.1", port };
  return hostname === "::" ? { hostname: "::1", port } : { hostname, port };
}

/** Whether an address has a meaning on one link only, so that it needs a zone: `fe80::/10`. */
export function isLinkLocal(hostname: string): boolean {
  return /^fe[89ab][0-9a-f]:/i.test(hostname);
}

/**
 * The host in the form that the runtimes take. Their resolver knows zones of link-local addresses
 * only. For any other address the kernel needs no zone.
 *
 * @param hostname a name or a numeric address
 */
export function hostForRuntime(hostname: string): string {
  return isLinkLocal(hostname) ? hostname : splitZone(hostname).host;
}

/**
 * Completes an address that a runtime tells: it leaves the zone out.
 *
 * @param told the address
 * @param zone the zone of the listener, or of the server that was called
 * @returns the same address if it needs no zone
 */
export function inZone(told: Address, zone: string | undefined): Address {
  if (zone === undefined || !isLinkLocal(told.hostname) || told.hostname.includes("%")) return told;
  return { hostname: `${told.hostname}%${zone}`, port: told.port };
}

/**
 * Completes the address of a listener with the zone that was asked for, if the system leaves it out.
 *
 * @param bound the address that the system tells
 * @param hostname the numeric address that was asked for
 */
export function withZoneOf(bound: Address, hostname: string): Address {
  const { zone } = splitZone(hostname);
  if (zone === undefined || bound.hostname.includes("%")) return bound;
  return { hostname: `${bound.hostname}%${zone}`, port: bound.port };
}

/**
 * Leaves out the zone of a link-local address, such as `%eth0`. The kernel's tables of sockets have
 * none.
 *
 * @param host a numeric address, perhaps with brackets and a port
 */
export function withoutZone(host: string): string {
  return host.replace(/%[^\]]*/, "");
}

/**
 * Writes an address as a `sockaddr_in`, `sockaddr_in6` or `sockaddr_un` (ip(7), ipv6(7), unix(7)).
 *
 * @param address a numeric address
 * @param layout the system's layout
 * @param numberOf finds the number of a zone; by default the zone must be a number
 * @returns 16 or 28 bytes; for a Unix domain socket as many as its path or name takes
 * @throws {TypeError} if the address cannot be read
 */
export function encodeSockaddr(
  address: Address,
  layout: SockaddrLayout,
  numberOf: (zone: string) => number = Number,
): Uint8Array {
  if (isUnix(address.hostname)) return encodeUnix(address.hostname, layout);
  const six = isIPv6(address.hostname);
  const bytes = new Uint8Array(six ? 28 : 16);
  const view = new DataView(bytes.buffer);
  const family = six ? layout.AF_INET6 : layout.AF_INET;
  if (layout.hasLength) {
    bytes[0] = bytes.length;
    bytes[1] = family;
  } else view.setUint16(0, family, true);
  view.setUint16(2, address.port);
  if (six) {
    const { host, zone } = splitZone(address.hostname);
    bytes.set(parseIPv6(host), 8);
    if (zone !== undefined) view.setUint32(24, numberOf(zone), true);
  } else bytes.set(parseIPv4(address.hostname), 4);
  return bytes;
}

function encodeUnix(hostname: string, layout: SockaddrLayout): Uint8Array {
  const why = whyNoUnix(hostname, layout);
  if (why !== undefined) {
    throw new TypeError(`Cannot use ${formatAddress({ hostname, port: 0 })}: ${why}`);
  }
  const path = unixPath(hostname);
  const text = path === undefined ? unixPathForRuntime(hostname) : `${path}\0`;
  const name = new TextEncoder().encode(text);
  const bytes = new Uint8Array(2 + name.length);
  if (layout.hasLength) bytes.set([bytes.length, layout.AF_UNIX]);
  else new DataView(bytes.buffer).setUint16(0, layout.AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}

/**
 * Reads the name of a Unix domain socket from a `sockaddr_un`.
 *
 * @param bytes as many bytes as the call has filled
 * @returns its address; after `unix:` there is nothing if the socket has no name
 */
export function decodeUnix(bytes: Uint8Array): Address {
  const name = bytes.subarray(2);
  const isAbstract = name.length > 1 && name[0] === 0;
  const end = name.indexOf(0);
  const text = new TextDecoder().decode(
    isAbstract ? name.subarray(1) : name.subarray(0, end < 0 ? name.length : end),
  );
  return { hostname: `${UNIX}${isAbstract ? "@" : ""}${text}`, port: 0 };
}

/** Where the process and the user of a peer stand in a `sockaddr_un` that was accepted. */
const CREDENTIALS = { process: 4, user: 8 };

/** Says in a `sockaddr_un` that the peer is not known. */
const NOBODY = 0xffff_ffff;

/** Whether bytes that accept(2) filled are the address of a peer over a Unix domain socket. */
export function isUnixSockaddr(bytes: Uint8Array, layout: SockaddrLayout): boolean {
  return familyOf(bytes, layout) === layout.AF_UNIX;
}

/**
 * The port in a peer's address as accept(2) fills it in; 0 if it has none.
 *
 * @param bytes at least 28 bytes
 * @param layout the system's layout
 */
export function portIn(bytes: Uint8Array, layout: SockaddrLayout): number {
  return isUnixSockaddr(bytes, layout) ? 0 : (bytes[2] as number) << 8 | (bytes[3] as number);
}

/**
 * Writes who a peer is into its `sockaddr_un`. Clients hardly ever give their socket a name, so the
 * place for it is free.
 *
 * @param bytes at least 28 bytes
 * @param process the number of the peer's process @param user the number of its user
 */
export function writeCredentials(bytes: Uint8Array, process = NOBODY, user = NOBODY): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(CREDENTIALS.process, process);
  view.setUint32(CREDENTIALS.user, user);
}

/**
 * The user whom {@linkcode writeCredentials} has written into a `sockaddr_un`.
 *
 * @returns `undefined` if that is not known
 */
export function userIn(bytes: Uint8Array): number | undefined {
  const user = new DataView(bytes.buffer, bytes.byteOffset).getUint32(CREDENTIALS.user);
  return user === NOBODY ? undefined : user;
}

function decodePeer(bytes: Uint8Array): Address {
  const user = userIn(bytes);
  const process = new DataView(bytes.buffer, bytes.byteOffset).getUint32(CREDENTIALS.process);
  return { hostname: UNIX + (user === undefined ? "" : `pid=${process},uid=${user}`), port: 0 };
}

/**
 * The bytes of the host in a `sockaddr_in` or `sockaddr_in6`.
 *
 * @param bytes at least 28 bytes, as a call filled them
 * @param layout the system's layout
 * @returns 4 or 16 of them
 */
export function hostBytesIn(bytes: Uint8Array, layout: SockaddrLayout): Uint8Array {
  return familyOf(bytes, layout) === layout.AF_INET6 ? bytes.subarray(8, 24) : bytes.subarray(4, 8);
}

/**
 * Reads a `sockaddr_in` or `sockaddr_in6`, or what {@linkcode writeCredentials} has made of a
 * `sockaddr_un`.
 *
 * @param bytes at least 28 bytes, as a call filled them
 * @param layout the system's layout
 * @param nameOf finds the name of a zone; by default its number is left
 */
export function decodeSockaddr(
  bytes: Uint8Array,
  layout: SockaddrLayout,
  nameOf: (zone: number) => string = String,
): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUnixSockaddr(bytes, layout)) return decodePeer(bytes);
  const address = toAddress(hostBytesIn(bytes, layout), view.getUint16(2));
  if (familyOf(bytes, layout) !== layout.AF_INET6) return address;
  const zone = view.getUint32(24, true);
  const { hostname, port } = address;
  return { hostname: zone === 0 ? hostname : `${hostname}%${nameOf(zone)}`, port };
}

/**
 * Reads an address that stands alone, as in the header of a packet.
 *
 * @param host 4 bytes of IPv4 or 16 bytes of IPv6
 * @param port its port
 */
export function toAddress(host: Uint8Array, port: number): Address {
  return { hostname: host.length === 16 ? formatIPv6(host) : host.join("."), port };
}

/**
 * How many bytes an address takes. macOS refuses a `sockaddr_in` that is passed with a larger
 * length than its own.
 *
 * @param bytes a `sockaddr_in` or `sockaddr_in6`
 * @param layout the system's layout
 * @returns 16 or 28
 */
export function sockaddrLength(bytes: Uint8Array, layout: SockaddrLayout): number {
  return familyOf(bytes, layout) === layout.AF_INET6 ? 28 : 16;
}

/** The address family. Its number is below 256 on both systems, so one byte tells it. */
function familyOf(bytes: Uint8Array, layout: SockaddrLayout): number {
  return bytes[layout.hasLength ? 1 : 0] as number;
}

/**
 * An address in a form that is cheap to keep, for very many connections. An IPv4 address with its
 * port is one number: with ten thousand idle connections the overhead of an array counts.
 */
export type PackedAddress = number | Uint8Array;

/**
 * Packs a `sockaddr_in` or copies a `sockaddr_in6`.
 *
 * @param bytes as a call filled them
 * @param layout the system's layout
 */
export function packSockaddr(bytes: Uint8Array, layout: SockaddrLayout): PackedAddress {
  const family = layout.hasLength ? bytes[1] : bytes[0];
  if (family !== layout.AF_INET) return bytes.slice();
  let packed = 0;
  // Port and address are 48 bits, which a number holds exactly.
  for (let at = 2; at < 8; at++) packed = packed * 256 + (bytes[at] as number);
  return packed;
}

/** Reads an IPv4 address that was packed. */
export function unpackAddress(packed: number): Address {
  const host = packed % 2 ** 32;
  const bytes = [host / 2 ** 24, host / 2 ** 16, host / 2 ** 8, host].map((part) => part & 255);
  return { hostname: bytes.join("."), port: Math.floor(packed / 2 ** 32) };
}

function parseIPv4(text: string): Uint8Array {
  const parts = text.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) {
    throw new TypeError(`Cannot read the IPv4 address: current value is ${quote(text)}`);
  }
  return Uint8Array.from(parts);
}

/**
 * Reads an IPv6 address.
 *
 * @param text in any of its forms, without a zone
 * @returns 16 bytes
 * @throws {TypeError} if it is none
 */
export function parseIPv6(text: string): Uint8Array {
  // The URL parser knows every short form. But Bun's parser refuses an embedded IPv4 address after
  // some of them, so that is rewritten as two groups first.
  const embedded = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let canonical: string;
  try {
    const hexadecimal = embedded === null
      ? text
      : `${embedded[1]}${formatGroups(parseIPv4(embedded[2] as string))}`;
    canonical = new URL(`http://[${hexadecimal}]/`).hostname.slice(1, -1);
  } catch (cause) {
    throw new TypeError(`Cannot read the IPv6 address: current value is ${quote(text)}`, { cause });
  }
  const [left, right] = canonical.split("::") as [string, string | undefined];
  const head = left === "" ? [] : left.split(":");
  const tail = right === undefined || right === "" ? [] : right.split(":");
  const groups = [...head, ...Array(8 - head.length - tail.length).fill("0"), ...tail];
  const bytes = new Uint8Array(16);
  groups.forEach((group, index) => {
    const value = parseInt(group, 16);
    bytes[index * 2] = value >> 8;
    bytes[index * 2 + 1] = value & 0xff;
  });
  return bytes;
}

/** The recommended text form of RFC 5952. */
function formatIPv6(bytes: Uint8Array): string {
  if (
    bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff
  ) {
    return `::ffff:${bytes.subarray(12).join(".")}`;
  }
  return new URL(`http://[${formatGroups(bytes)}]/`).hostname.slice(1, -1);
}

/** Bytes as groups of four hexadecimal digits. */
function formatGroups(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(
    { length: bytes.length / 2 },
    (_, index) => view.getUint16(index * 2).toString(16),
  ).join(":");
}
