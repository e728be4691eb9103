/**
 * The zones of IPv6 addresses (RFC 4007): the names and numbers of this machine's network interfaces.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import { isIPv6, splitZone } from "./address.ts";
import { library, whyNoSockets } from "./libc.ts";
import { readSystemFile } from "./system_file.ts";

/** An address has a zone that this machine does not have. */
export class ZoneNotFoundError extends Error {
  override readonly name = "ZoneNotFoundError";
  /** Why, without the address. */
  readonly reason: string;

  /** @param zone the zone of the address */
  constructor(zone: string) {
    const reason = `this machine has no network interface "${escapeText(zone)}"`;
    super(`Cannot find the zone: ${reason}`);
    this.reason = reason;
  }
}

/** How long the name of an interface can be, with the zero at its end (`IF_NAMESIZE`, if.h). */
const NAME_BYTES = 16;

/** The highest number that an interface can have. */
const MOST = 0x7fff_ffff;

/**
 * The names that were asked for. An interface that goes away never gives its number to another one,
 * so an entry stays true unless somebody renames the interface.
 */
const names = new Map<number, string>();

/**
 * The name of a zone (if_indextoname(3)).
 *
 * @param number the number of an interface
 * @returns its name; the number itself if there is none, or if it cannot be told
 */
export function zoneName(number: number): string {
  const known = names.get(number);
  if (known !== undefined) return known;
  if (whyNoSockets() !== undefined) return String(number);
  const buffer = new Uint8Array(NAME_BYTES);
  library().libc.if_indextoname!(number, buffer);
  const name = new TextDecoder().decode(buffer.subarray(0, buffer.indexOf(0)));
  if (name === "") return String(number);
  names.set(number, name);
  return name;
}

/**
 * The number of a zone (if_nametoindex(3)).
 *
 * @param zone the name or the number of an interface
 * @throws {ZoneNotFoundError} if this machine has none
 */
export function zoneNumber(zone: string): number {
  const number = numberOf(zone);
  if (number === undefined || number === 0) throw new ZoneNotFoundError(zone);
  return number;
}

/** The number of a zone; 0 if there is no such interface, `undefined` if that cannot be told. */
function numberOf(zone: string): number | undefined {
  if (zone === "" || /[/\0]/.test(zone)) return 0;
  // A name may consist of digits, so it comes first.
  const named = numberOfName(zone);
  if (named !== 0 || !/^\d+$/.test(zone) || Number(zone) > MOST) return named;
  return zoneName(Number(zone)) === zone ? 0 : Number(zone);
}

function numberOfName(name: string): number | undefined {
  if (whyNoSockets() === undefined) {
    return library().libc.if_nametoindex!(new TextEncoder().encode(`${name}\0`));
  }
  const index = readSystemFile(`/sys/class/net/${name}/ifindex`);
  return index === undefined ? undefined : Number(index);
}

/**
 * Checks the zone of a numeric address.
 *
 * @param hostname a numeric address
 * @returns the same address; a zone that was given by its number has its name, if that can be told
 * @throws {ZoneNotFoundError} if this machine has no such zone
 */
export function checkZone(hostname: string): string {
  const { host, zone } = splitZone(hostname);
  if (zone === undefined || !isIPv6(hostname)) return hostname;
  const number = numberOf(zone);
  if (number === 0) throw new ZoneNotFoundError(zone);
  // Without foreign functions the system itself finds out, when the address is used.
  return number === undefined ? hostname : `${host}%${zoneName(number)}`;
}
