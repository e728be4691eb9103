/**
 * Hosts and networks of hosts: an address in one form however it is written, and CIDR (RFC 4632).
 *
 * @module
 */

import { quote } from "../values/thrown.ts";
import { isIPv6, parseIPv6, withoutZone } from "./address.ts";

/** The address of a host in one form: that of IPv4 also if it came embedded in IPv6. */
export type Host = Uint8Array;

/** A network: the addresses whose first bits are the same. */
export interface Network {
  /** 4 bytes of IPv4 or 16 bytes of IPv6, without host bits. */
  readonly host: Host;
  /** How many of its bits count. */
  readonly prefix: number;
}

/** How an IPv4 address begins when it is embedded in IPv6, `::ffff:a.b.c.d` (RFC 4291, 2.5.5.2). */
const MAPPED_BYTES = 12;

/**
 * Reads a numeric address.
 *
 * @param hostname the address, perhaps with a zone
 * @returns 4 or 16 bytes; `undefined` if it is no numeric address
 */
export function parseHost(hostname: string): Host | undefined {
  return isIPv6(hostname) ? parseSix(withoutZone(hostname)) : parseFour(hostname);
}

/** Leading zeros are refused: some programs take such a number for an octal one. */
const FOUR = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/;

function parseFour(text: string): Host | undefined {
  const match = FOUR.exec(text);
  if (match === null) return undefined;
  const numbers = match.slice(1).map(Number);
  return numbers.some((number) => number > 255) ? undefined : Uint8Array.from(numbers);
}

function parseSix(text: string): Host | undefined {
  if (!/^[0-9a-f:.]+$/i.test(text)) return undefined;
  try {
    return toHost(parseIPv6(text));
  } catch {
    // It is no address.
    return undefined;
  }
}

/**
 * Brings the bytes of an address into the one form.
 *
 * @param bytes 4 or 16 bytes, as a socket address has them
 */
export function toHost(bytes: Uint8Array): Host {
  return bytes.length === 16 && isMapped(bytes) ? bytes.subarray(MAPPED_BYTES) : bytes;
}

function isMapped(bytes: Uint8Array): boolean {
  return bytes.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 255 &&
    bytes[11] === 255;
}

/**
 * Reads a network in CIDR notation, or a single address.
 *
 * @param text for instance `10.0.0.0/8`, `2001:db8::/32` or `127.0.0.1`
 * @throws {TypeError} that says what is wrong, for instance bits behind the prefix
 */
export function parseNetwork(text: string): Network {
  const [address = "", length, ...more] = text.split("/");
  const host = address.includes("%") ? undefined : parseHost(address);
  if (host === undefined || more.length > 0) {
    throw wrong("a numeric address and a prefix, as in 10.0.0.0/8 or 2001:db8::/32", text);
  }
  const bits = host.length * 8;
  // An embedded IPv4 address may have been written with the prefix of IPv6.
  const written = isIPv6(address) ? 128 : 32;
  const given = length === undefined ? written : /^\d{1,3}$/.test(length) ? Number(length) : NaN;
  if (!(given <= written)) throw wrong(`a prefix of 0 to ${written} bits`, text);
  const prefix = given - (written - bits);
  const masked = mask(host, Math.max(0, prefix));
  if (prefix < 0 || masked.some((byte, index) => byte !== host[index])) {
    throw wrong(`no bits behind the prefix${suggest(masked, prefix)}`, text);
  }
  return { host, prefix };
}

function wrong(expected: string, text: string): TypeError {
  return new TypeError(`expected ${expected}, current value is ${quote(text)}`);
}

/** The network that may have been meant. */
function suggest(host: Host, prefix: number): string {
  return host.length === 4 && prefix >= 0 ? `, as in ${host.join(".")}/${prefix}` : "";
}

/** The address with only its first bits. */
function mask(host: Host, prefix: number): Host {
  return host.map((byte, index) => {
    const kept = Math.min(8, Math.max(0, prefix - index * 8));
    return byte & (0xff00 >> kept);
  });
}

/**
 * Whether a host is in a network. IPv4 and IPv6 never are in each other's networks.
 *
 * @param network the network
 * @param host the host
 */
export function contains({ host: base, prefix }: Network, host: Host): boolean {
  if (base.length !== host.length) return false;
  const whole = prefix >> 3;
  for (let index = 0; index < whole; index++) if (base[index] !== host[index]) return false;
  const rest = prefix & 7;
  return rest === 0 || ((base[whole]! ^ host[whole]!) & (0xff00 >> rest) & 0xff) === 0;
}
