/**
 * The header of the PROXY protocol: what a proxy says about a client before it passes on the
 * client's first byte. Version 1 is a line of text, version 2 is binary.
 *
 * The rules are those of HAProxy's `proxy-protocol.txt`, sections 2.1 and 2.2. Nothing is guessed: a
 * header comes first, and is right to the last byte, or the connection fails.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { MalformedMessageError, MessageTooLongError } from "../../protocols/errors.ts";
import { escapeBytes } from "../../protocols/text.ts";
import { parseIPv6, toAddress } from "./address.ts";
import { parseHost } from "./networks.ts";

/**
 * The longest header that is taken, in bytes: what fits into the smallest TCP segment that every
 * host must take.
 */
export const LONGEST_HEADER = 536;

/** The longest line of version 1 with its line end, in bytes. */
const LONGEST_LINE = 107;

/** What a proxy says about a client. */
export interface ProxyHeader {
  /** The proxy speaks for itself, for instance to see whether the server is there. */
  readonly isLocal: boolean;
  /**
   * The client's address. It is missing where the header names none that a TCP connection has:
   * `UNKNOWN`, unspecified, a datagram, a Unix domain socket.
   */
  readonly source: Address | undefined;
  /** The address that the client has connected to. It is missing with the source. */
  readonly destination: Address | undefined;
}

/** A header, and how many bytes it has. */
export interface FoundHeader {
  readonly header: ProxyHeader;
  readonly length: number;
}

/** A proxy that speaks for itself. */
const LOCAL: ProxyHeader = { isLocal: true, source: undefined, destination: undefined };

/** A client whose address is not told. */
const UNKNOWN: ProxyHeader = { isLocal: false, source: undefined, destination: undefined };

/** How a header of version 1 begins. */
const TEXT = bytesOf("PROXY ");

/** How a header of version 2 begins. */
const SIGNATURE = Uint8Array.of(13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10);

// Where what stands in a header of version 2.
const VERSION_AND_COMMAND = SIGNATURE.length;
const FAMILY_AND_TRANSPORT = VERSION_AND_COMMAND + 1;
const LENGTH = FAMILY_AND_TRANSPORT + 1;
const ADDRESSES = LENGTH + 2;

/** How many bytes the addresses and ports of a family have: none, IPv4, IPv6, Unix domain. */
const ADDRESS_BYTES = [0, 12, 36, 216];

/** The transports: unspecified, a stream, a datagram. */
const STREAM = 1;
const MOST_TRANSPORT = 2;

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;

/**
 * Reads a header from the beginning of what a connection has brought. It sees a mistake at the first
 * byte that shows it, and does not wait for the rest.
 *
 * @param bytes everything that has come so far
 * @returns the header, and how many of the bytes belong to it; `undefined` if it is not whole yet
 * @throws {MalformedMessageError} if this is no header, and never will be
 * @throws {MessageTooLongError} if it is longer than {@linkcode LONGEST_HEADER}
 */
export function parseProxyHeader(bytes: Uint8Array): FoundHeader | undefined {
  if (bytes.length === 0) return undefined;
  const isText = bytes[0] === TEXT[0];
  const start = isText ? TEXT : SIGNATURE;
  for (const [index, byte] of start.entries()) {
    if (index === bytes.length) return undefined;
    if (bytes[index] !== byte) throw malformed("a PROXY header", bytes);
  }
  return isText ? parseLine(bytes) : parseBinary(bytes);
}

/** Reads a header of version 1. */
function parseLine(bytes: Uint8Array): FoundHeader | undefined {
  const head = bytes.subarray(0, LONGEST_LINE);
  const end = endOfLine(head);
  const line = textOf(head.subarray(0, end ?? head.length));
  if (end === undefined) {
    if (bytes.length >= LONGEST_LINE) {
      throw malformed(`a PROXY header of at most ${LONGEST_LINE} bytes`, head);
    }
    if (mayBecomeLine(line)) return undefined;
  } else {
    const header = readLine(line);
    if (header !== undefined) return { header, length: end + 2 };
  }
  throw malformed("a PROXY header with two addresses and two ports", head);
}

/** Where the line end begins, which is `\r\n` and nothing else. */
function endOfLine(bytes: Uint8Array): number | undefined {
  for (
    let at = bytes.indexOf(CARRIAGE_RETURN);
    at >= 0;
    at = bytes.indexOf(CARRIAGE_RETURN, at + 1)
  ) {
    if (bytes[at + 1] === LINE_FEED) return at;
  }
  return undefined;
}

/** The families of version 1. */
const FAMILIES = ["TCP4", "TCP6", "UNKNOWN"];

/** What a line has after its family as long as it can still become a right one. */
const REST = /^[0-9A-Fa-f:. ]*\r?$/;

/** Whether more bytes can make a right line of this one. */
function mayBecomeLine(line: string): boolean {
  const [family = "", ...rest] = line.slice(TEXT.length).split(" ");
  if (rest.length === 0) {
    return FAMILIES.some((known) =>
      known.startsWith(family) || known === "UNKNOWN" && family === `${known}\r`
    );
  }
  // What follows the word UNKNOWN is ignored, whatever it is.
  if (family === "UNKNOWN") return true;
  return FAMILIES.includes(family) && rest.length <= 4 && REST.test(rest.join(" "));
}

/** Reads a whole line without its end. Returns `undefined` if it is not right. */
function readLine(line: string): ProxyHeader | undefined {
  const [family, from = "", to = "", fromPort = "", toPort = "", ...more] = line
    .slice(TEXT.length).split(" ");
  if (family === "UNKNOWN") return UNKNOWN;
  if (more.length > 0) return undefined;
  const source = readAddress(family, from, fromPort);
  const destination = readAddress(family, to, toPort);
  return source && destination && { isLocal: false, source, destination };
}

/** A port in decimal digits, without leading zeros. */
const PORT = /^(0|[1-9]\d{0,4})$/;

function readAddress(
  family: string | undefined,
  host: string,
  digits: string,
): Address | undefined {
  const isSix = host.includes(":");
  if (family !== (isSix ? "TCP6" : "TCP4") || !PORT.test(digits)) return undefined;
  // A zone is a matter of one machine, and no header has one.
  if (host.includes("%") || parseHost(host) === undefined) return undefined;
  // Some senders write an IPv4 address that is embedded in IPv6 as such.
  const embedded = isSix && host.includes(".") ? host.slice(host.lastIndexOf(":") + 1) : undefined;
  if (embedded !== undefined && parseHost(embedded) === undefined) return undefined;
  const port = Number(digits);
  if (port > 65_535) return undefined;
  return isSix ? toAddress(parseIPv6(host), port) : { hostname: host, port };
}

/** Reads a header of version 2. */
function parseBinary(bytes: Uint8Array): FoundHeader | undefined {
  const command = bytes[VERSION_AND_COMMAND];
  if (command === undefined) return undefined;
  const isLocal = command === 0x20;
  if (!isLocal && command !== 0x21) {
    throw malformed("a PROXY header of version 2, LOCAL or PROXY", bytes);
  }
  const kind = bytes[FAMILY_AND_TRANSPORT];
  if (kind === undefined) return undefined;
  const family = kind >> 4;
  const transport = kind & 15;
  const least = ADDRESS_BYTES[family];
  // What a proxy sends for itself has no family that counts.
  if (!isLocal && (least === undefined || transport > MOST_TRANSPORT)) {
    throw malformed("a PROXY header with a known family and transport", bytes);
  }
  if (bytes.length < ADDRESSES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint16(LENGTH);
  if (ADDRESSES + length > LONGEST_HEADER) {
    throw new MessageTooLongError(LONGEST_HEADER, escapeBytes(bytes.subarray(0, ADDRESSES), 24));
  }
  if (!isLocal && length < (least as number)) {
    throw malformed(`a PROXY header with ${least} bytes of addresses`, bytes);
  }
  if (bytes.length < ADDRESSES + length) return undefined;
  const header = isLocal
    ? LOCAL
    : transport === STREAM && (family === 1 || family === 2)
    ? readAddresses(bytes, view, family === 1 ? 4 : 16)
    : UNKNOWN;
  // What follows the addresses are TLVs. They are skipped.
  return { header, length: ADDRESSES + length };
}

/** Reads the addresses of a header of version 2. Each host has so many bytes. */
function readAddresses(bytes: Uint8Array, view: DataView, size: number): ProxyHeader {
  const host = (index: number) => {
    const from = ADDRESSES + index * size;
    return bytes.slice(from, from + size);
  };
  const port = (index: number) => view.getUint16(ADDRESSES + 2 * size + 2 * index);
  return {
    isLocal: false,
    source: toAddress(host(0), port(0)),
    destination: toAddress(host(1), port(1)),
  };
}

function malformed(expected: string, bytes: Uint8Array): MalformedMessageError {
  return new MalformedMessageError(expected, escapeBytes(bytes, 24));
}

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** Each byte as a character. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
