/**
 * The server that a command of `observe` names: in one word or in two, and by which family.
 *
 * @module
 */

import { type Flag, UsageError, type Values } from "../../engine/cli/flags.ts";
import { readServer, targetOf } from "../../engine/dial/target.ts";
import { isIPv6, isUnix } from "../../engine/net/address.ts";
import { isNumeric } from "../../engine/net/resolve.ts";
import type { Address } from "../../protocols/effects.ts";

/** The arguments that name it. */
export const SERVER_ARGUMENTS: readonly Flag[] = [
  { name: "server", kind: "string", help: "its address, HOST:PORT, [::1]:PORT or HOST" },
  { name: "port", kind: "integer", least: 1, most: 65535, help: "its port, after a HOST" },
];

/** The flags that choose a family of addresses. */
export const FAMILY_FLAGS: readonly Flag[] = [
  { name: "ipv4", short: "4", kind: "boolean", help: "only addresses of IPv4" },
  { name: "ipv6", short: "6", kind: "boolean", help: "only addresses of IPv6" },
];

/**
 * The server that was named.
 *
 * @param values the values of {@linkcode SERVER_ARGUMENTS}
 * @returns its name or address, and its port
 * @throws {UsageError} if no server is named
 */
export function serverOf(values: Values): Address {
  const text = values.server as string;
  if (isUnix(text)) {
    throw new UsageError(
      `wrong value for <server>: observe shows TCP, and a Unix domain socket has no handshake`,
    );
  }
  if (values.port === undefined) {
    if (isIPv6(text) && isNumeric(text)) {
      throw new UsageError(
        `wrong value for <server>: after an IPv6 address its port is missing: [${text}]:443 or ` +
          `${text} 443`,
      );
    }
    const { host, port } = readServer(text, "HOST:PORT, or HOST and PORT");
    return { hostname: host, port };
  }
  const { host, port } = targetOf({ ...values, host: text });
  return { hostname: host, port };
}

/**
 * The family that was asked for.
 *
 * @param values the values of {@linkcode FAMILY_FLAGS}, and `source`, the address to call from
 * @param server the server
 * @returns `undefined` if any will do
 * @throws {UsageError} if the server or the source is of another family
 */
export function familyOf(values: Values, { hostname }: Address): 4 | 6 | undefined {
  if (values.ipv4 === true && values.ipv6 === true) {
    throw new UsageError("-4 and -6 exclude each other");
  }
  const source = values.source as string | undefined;
  if (source !== undefined && !isNumeric(source)) {
    throw new UsageError(`wrong value for --source: expected an address, got "${source}"`);
  }
  const bySource = source === undefined ? undefined : isIPv6(source) ? 6 : 4;
  const asked = values.ipv4 === true ? 4 : values.ipv6 === true ? 6 : bySource;
  if (asked !== undefined && bySource !== undefined && asked !== bySource) {
    throw new UsageError(
      `--source ${source} is an IPv${bySource} address, and -${asked} was given`,
    );
  }
  if (asked !== undefined && isNumeric(hostname) && isIPv6(hostname) !== (asked === 6)) {
    throw new UsageError(
      `${hostname} is no IPv${asked} address, and ${
        bySource === undefined ? `-${asked}` : "--source"
      } asks for one`,
    );
  }
  return asked;
}
