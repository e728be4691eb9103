/**
 * Headers of the PROXY protocol as a proxy sends them, right ones and wrong ones. Each character of
 * the text is one byte.
 *
 * @module
 */

import { parseIPv6 } from "../../engine/net/address.ts";
import type { Address } from "../../protocol.ts";

/** How a header of version 2 begins. */
export const SIGNATURE = "\r\n\r\n\0\r\nQUIT\n";

/** Where a proxy says that its client has connected to. */
const DESTINATION: Address = { hostname: "198.51.100.1", port: 443 };
const DESTINATION_SIX: Address = { hostname: "2001:db8::1:1", port: 443 };

/** A header of version 1 for a client. */
export function lineFor({ hostname, port }: Address): string {
  const isSix = hostname.includes(":");
  const to = isSix ? DESTINATION_SIX : DESTINATION;
  const family = isSix ? "TCP6" : "TCP4";
  return `PROXY ${family} ${hostname} ${to.hostname} ${port} ${to.port}\r\n`;
}

/** What a header of version 2 consists of. */
export interface BinaryParts {
  /** Version and command. @default {0x21} PROXY */
  readonly command?: number;
  /** Family and transport. */
  readonly family?: number;
  /** What follows the first 16 bytes. */
  readonly body?: string;
  /** The length that the header has, if that is a lie. */
  readonly length?: number;
}

/** A header of version 2 of these parts. */
export function binaryOf({ command = 0x21, family = 0, body = "", length }: BinaryParts): string {
  return SIGNATURE + bytes(command, family) + word(length ?? body.length) + body;
}

/** A header of version 2 for a client, with TLVs behind the addresses. */
export function binaryFor({ hostname, port }: Address, tlvs = ""): string {
  const isSix = hostname.includes(":");
  const to = isSix ? DESTINATION_SIX : DESTINATION;
  const hosts = [hostname, to.hostname].map(hostBytes).join("");
  const body = hosts + word(port) + word(to.port) + tlvs;
  return binaryOf({ family: isSix ? 0x21 : 0x11, body });
}

/** A proxy that only looks whether the server is there. */
export const LOCAL: string = binaryOf({ command: 0x20 });

/** A TLV. */
export function tlv(type: number, value: string): string {
  return bytes(type) + word(value.length) + value;
}

function hostBytes(hostname: string): string {
  return hostname.includes(":")
    ? bytes(...parseIPv6(hostname))
    : bytes(...hostname.split(".").map(Number));
}

function word(value: number): string {
  return bytes(value >> 8, value & 255);
}

function bytes(...values: readonly number[]): string {
  return String.fromCharCode(...values);
}
