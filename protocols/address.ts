/**
 * Addresses as people write them.
 *
 * @module
 */

import type { Address } from "./effects.ts";
import { escapeText } from "./text.ts";

/**
 * An address as a person writes it.
 *
 * @param address the address
 * @returns `127.0.0.1:8080` or `[::1]:8080`; the IPv4 address of an IPv4 client of an IPv6 socket;
 * `unix:/run/echo.sock`, which has no port
 */
export function formatAddress(address: Address): string {
  const { hostname, port } = address;
  if (hostname.startsWith("unix:")) return escapeText(hostname);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname);
  if (mapped !== null) return `${mapped[1]}:${port}`;
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}
