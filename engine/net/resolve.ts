/**
 * Turns host names into addresses, for the Berkeley calls: they take numeric addresses only.
 *
 * @module
 */

import { isIPv6, isUnix, splitZone } from "./address.ts";
import { checkZone } from "./zones.ts";

/** A host name that could not be resolved. */
export class HostNotFoundError extends Error {
  override readonly name = "HostNotFoundError";
  /**
   * The system resolver's name for this error: there is no such name, or no address of the wanted
   * family (`ENOTFOUND`, the `EAI_NONAME` of getaddrinfo(3)); or the resolver has no answer for now
   * (`EAI_AGAIN`).
   */
  readonly code: "ENOTFOUND" | "EAI_AGAIN";

  /** @param host the name @param options the resolver's error as `cause` */
  constructor(host: string, options?: ErrorOptions) {
    super(`Cannot find the host: current value is "${host}"`, options);
    const { code } = (options?.cause ?? {}) as { code?: unknown };
    this.code = code === "EAI_AGAIN" ? code : "ENOTFOUND";
  }
}

/** Which addresses of a host are wanted. */
export interface LookupOptions {
  /**
   * Only those of IPv4 or of IPv6.
   *
   * @default both
   */
  readonly family?: 4 | 6 | undefined;
  /**
   * The order: `ipv4` first, or the one of the `system`, which prefers those that suit this
   * machine's own addresses (RFC 6724).
   *
   * @default {"ipv4"}
   */
  readonly order?: "ipv4" | "system";
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
 * Finds all addresses of a host, as getaddrinfo(3) does: the file of hosts counts too.
 *
 * @param host a name or a numeric address; a Unix domain socket, `unix:PATH`, is returned as it is
 * @param options which addresses, and in which order
 * @returns one or more numeric addresses, each once
 * @throws {HostNotFoundError} if there is none
 * @throws {ZoneNotFoundError} if it is an address in a zone that this machine does not have
 */
export async function resolveHosts(
  host: string,
  { family, order = "ipv4" }: LookupOptions = {},
): Promise<string[]> {
  if (isUnix(host)) return [host];
  if (isNumeric(host)) return [checkZone(host)];
  // Loaded only when it is needed: threads start faster without it.
  const { lookup } = await import("node:dns/promises");
  let found: { address: string }[];
  try {
    found = await lookup(host, { all: true, family: family ?? 0, verbatim: true });
    if (order === "ipv4") {
      // The same order on both runtimes. A server on `localhost` then listens where most clients
      // look first.
      found.sort((a, b) => Number(isIPv6(a.address)) - Number(isIPv6(b.address)));
    }
  } catch (cause) {
    throw new HostNotFoundError(host, { cause });
  }
  // A name may have the same address in several entries. One attempt at each address is enough.
  const addresses = [...new Set(found.map(({ address }) => address))];
  if (addresses.length === 0) throw new HostNotFoundError(host);
  return addresses;
}

/**
 * Whether a host is a numeric address, which needs no lookup.
 *
 * @param host a name or an address without brackets
 */
export function isNumeric(host: string): boolean {
  if (isIPv6(host)) return URL.canParse(`http://[${splitZone(host).host}]/`);
  const parts = host.split(".");
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256);
}
