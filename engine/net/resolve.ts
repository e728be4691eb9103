/**
 * Turns host names into addresses, for the Berkeley calls: they take numeric addresses only.
 *
 * @module
 */

import { isIPv6 } from "./address.ts";

/** A host name that could not be resolved. */
export class HostNotFoundError extends Error {
  override readonly name = "HostNotFoundError";
  /** The system resolver's name for this error. */
  readonly code = "ENOTFOUND";

  /** @param host the name @param options the resolver's error as `cause` */
  constructor(host: string, options?: ErrorOptions) {
    super(`Cannot find the host: current value is "${host}"`, options);
  }
}

/**
 * Finds the first address of a host.
 *
 * @param host a name or a numeric address
 * @returns a numeric address
 * @throws {HostNotFoundError} if there is none
 */
export async function resolveHost(host: string): Promise<string> {
  return (await resolveHosts(host))[0] as string;
}

/**
 * Finds all addresses of a host, IPv4 first.
 *
 * @param host a name or a numeric address
 * @returns one or more numeric addresses
 * @throws {HostNotFoundError} if there is none
 */
export async function resolveHosts(host: string): Promise<string[]> {
  if (isNumeric(host)) return [host];
  // Loaded only when it is needed: threads start faster without it.
  const { lookup } = await import("node:dns/promises");
  let found: { address: string }[];
  try {
    // The same order on both runtimes. A server on `localhost` then listens where most clients look
    // first.
    found = await lookup(host, { all: true });
    found.sort((a, b) => Number(isIPv6(a.address)) - Number(isIPv6(b.address)));
  } catch (cause) {
    throw new HostNotFoundError(host, { cause });
  }
  // A name may have the same address in several entries. One attempt at each address is enough.
  const addresses = [...new Set(found.map(({ address }) => address))];
  if (addresses.length === 0) throw new HostNotFoundError(host);
  return addresses;
}

function isNumeric(host: string): boolean {
  if (isIPv6(host)) return URL.canParse(`http://[${host.replace(/%\d+$/, "")}]/`);
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}
