/**
 * Explains why an address cannot be listened on, where the system's own words are not enough.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { canonicalHost, isIPv6, splitZone } from "./address.ts";
import { describeSystemError } from "./constants.ts";
import { whyNoSockets } from "./libc.ts";
import { sockets } from "./sockets.ts";

/** An address cannot be listened on. */
export class ListenError extends Error {
  override readonly name = "ListenError";

  /**
   * @param address the address
   * @param cause the error of the system or the runtime
   * @param hostname the numeric address, if `address` has a name
   */
  constructor(address: Address, cause: unknown, hostname = address.hostname) {
    const why = explain(hostname, cause) ?? describeSystemError(cause);
    super(`Cannot listen on ${formatAddress(address)}: ${why}`, { cause });
  }
}

/** The host to take where there is no IPv6, by the IPv6 address that was asked for. */
const IN_IPV4: Readonly<Record<string, string>> = { "::": "0.0.0.0", "::1": "127.0.0.1" };

function explain(hostname: string, cause: unknown): string | undefined {
  if (!isIPv6(hostname)) return undefined;
  const host = canonicalHost(splitZone(hostname).host);
  const { code } = cause as { readonly code?: unknown };
  // `::` and `::1` are on every machine that has IPv6.
  const isOff = code === "EAFNOSUPPORT" || (host in IN_IPV4 && code === "EADDRNOTAVAIL") ||
    // Bun does not say why.
    (code === undefined && hasNoIPv6());
  if (!isOff) return undefined;
  const instead = IN_IPV4[host] ?? "0.0.0.0";
  return `this machine has no IPv6, or it is switched off: use --host ${instead}`;
}

/** Whether the system has no sockets of IPv6 at all. */
function hasNoIPv6(): boolean {
  if (whyNoSockets() !== undefined) return false;
  const net = sockets();
  try {
    net.close(net.socket(net.constants.AF_INET6, net.constants.SOCK_STREAM));
    return false;
  } catch (error) {
    return (error as { readonly code?: unknown }).code === "EAFNOSUPPORT";
  }
}
