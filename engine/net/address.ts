/**
 * Addresses as text and as the C structures of the Berkeley calls.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { quote } from "../values/thrown.ts";

/** The size of the largest address that is used here: a `sockaddr_in6`. */
export const SOCKADDR_SIZE = 28;

/** How one system lays out its socket addresses. */
export interface SockaddrLayout {
  /** The system's number for IPv4. */
  readonly AF_INET: number;
  /** The system's number for IPv6. */
  readonly AF_INET6: number;
  /** Whether the structure begins with its own length, as on BSD. */
  readonly hasLength: boolean;
}

/** Whether a hostname is an IPv6 address. */
export function isIPv6(hostname: string): boolean {
  return hostname.includes(":");
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
 * Leaves out the zone of a link-local address, such as `%eth0`. The kernel's tables of sockets have
 * none.
 *
 * @param host a numeric address, perhaps with brackets and a port
 */
export function withoutZone(host: string): string {
  return host.replace(/%[^\]]*/, "");
}

/**
 * Writes a numeric address as a `sockaddr_in` or `sockaddr_in6` (ip(7), ipv6(7)).
 *
 * @param address a numeric address; a zone such as `%2` must be a number
 * @param layout the system's layout
 * @returns 16 or 28 bytes
 */
export function encodeSockaddr(address: Address, layout: SockaddrLayout): Uint8Array {
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
    const [hostname, zone] = address.hostname.split("%");
    bytes.set(parseIPv6(hostname as string), 8);
    view.setUint32(24, Number(zone ?? 0), true);
  } else bytes.set(parseIPv4(address.hostname), 4);
  return bytes;
}

/**
 * Reads a `sockaddr_in` or `sockaddr_in6`.
 *
 * @param bytes at least 28 bytes, as a call filled them
 * @param layout the system's layout
 */
export function decodeSockaddr(bytes: Uint8Array, layout: SockaddrLayout): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const port = view.getUint16(2);
  if (familyOf(bytes, layout) !== layout.AF_INET6) return toAddress(bytes.subarray(4, 8), port);
  const zone = view.getUint32(24, true);
  const { hostname } = toAddress(bytes.subarray(8, 24), port);
  return { hostname: zone === 0 ? hostname : `${hostname}%${zone}`, port };
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

function parseIPv6(text: string): Uint8Array {
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
