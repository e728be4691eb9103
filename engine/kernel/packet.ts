/**
 * Reads packets: an IPv4 or IPv6 header and a TCP header with its options (RFC 791, RFC 8200,
 * RFC 9293 section 3.1, RFC 7323).
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { toAddress } from "../net/address.ts";

/** The number of TCP in an IP header. */
const TCP = 6;

/** The headers of IPv6 that may stand before TCP's: hop-by-hop, routing, destination. */
const EXTENSIONS = [0, 43, 60];

/** The flags of TCP in the order of their bits, from the lowest. */
const FLAGS = ["F", "S", "R", "P", "A", "U", "E", "C"] as const;

/** The order in which people write them: `SA`, `FA`, `PA`. */
const WRITTEN = "SFRPAUEC";

/** A TCP segment with what its IP header says. */
export interface TcpSegment {
  /** Who sent it. */
  readonly from: Address;
  /** To whom. */
  readonly to: Address;
  /** How many routers it may still pass: TTL, or the hop limit of IPv6. */
  readonly ttl: number;
  /** Its flags, a letter each: S SYN, F FIN, R RST, P PSH, A ACK, U URG, E ECE, C CWR. */
  readonly flags: string;
  /** Its sequence number, from 0 to 2^32 - 1. */
  readonly seq: number;
  /** The next number that its sender expects; it means something only with the flag A. */
  readonly ack: number;
  /** The window as it stands in the header: not scaled. */
  readonly window: number;
  /** How many bytes of data it has. */
  readonly length: number;
  /** Its options. */
  readonly options: SegmentOptions;
  /** The data, as far as it was captured. */
  readonly data: Uint8Array;
}

/** The options of a segment. Those that it does not have are absent. */
export interface SegmentOptions {
  /** The largest segment that the sender takes, in bytes. */
  readonly mss?: number;
  /** The shift of the sender's windows. */
  readonly windowScale?: number;
  /** Selective acknowledgements are welcome. */
  readonly sackPermitted?: true;
  /** Which later bytes have come, as pairs of the first number and the one after the last. */
  readonly sack?: readonly (readonly [number, number])[];
  /** The sender's clock, and the last one that it has seen. */
  readonly timestamps?: { readonly value: number; readonly echo: number };
  /** A cookie of TCP Fast Open is asked for or sent (RFC 7413). */
  readonly fastOpen?: true;
}

/** How many sequence numbers a segment takes: SYN and FIN take one each (RFC 9293 section 3.4). */
export function lengthInNumbers({ flags, length }: Pick<TcpSegment, "flags" | "length">): number {
  return length + (flags.includes("S") ? 1 : 0) + (flags.includes("F") ? 1 : 0);
}

/** Whether a number is not after another one: they wrap at 2^32 (RFC 9293 section 3.4). */
export function isNotAfter(number: number, other: number): boolean {
  return ((other - number) | 0) >= 0;
}

/**
 * Reads a packet that begins with its IP header.
 *
 * @param bytes the packet, perhaps cut at its end
 * @returns the segment; `undefined` if it is no TCP, a later fragment, or too short
 */
export function parsePacket(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < 20) return undefined;
  switch (bytes[0]! >> 4) {
    case 4:
      return parseIPv4(bytes);
    case 6:
      return parseIPv6(bytes);
    default:
      return undefined;
  }
}

function parseIPv4(bytes: Uint8Array): TcpSegment | undefined {
  const view = viewOf(bytes);
  const headerBytes = (bytes[0]! & 15) * 4;
  const isLaterFragment = (view.getUint16(6) & 0x1fff) !== 0;
  if (headerBytes < 20 || bytes[9] !== TCP || isLaterFragment) return undefined;
  const total = view.getUint16(2);
  return parseTcp(bytes, headerBytes, total === 0 ? bytes.length : total, {
    from: bytes.subarray(12, 16),
    to: bytes.subarray(16, 20),
    ttl: bytes[8] as number,
  });
}

function parseIPv6(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < 40) return undefined;
  const total = 40 + viewOf(bytes).getUint16(4);
  let next = bytes[6] as number;
  let at = 40;
  while (EXTENSIONS.includes(next)) {
    if (at + 8 > bytes.length) return undefined;
    next = bytes[at] as number;
    at += (bytes[at + 1]! + 1) * 8;
  }
  if (next !== TCP) return undefined;
  return parseTcp(bytes, at, total === 40 ? bytes.length : total, {
    from: bytes.subarray(8, 24),
    to: bytes.subarray(24, 40),
    ttl: bytes[7] as number,
  });
}

/** What the header of IP says. */
interface Ends {
  readonly from: Uint8Array;
  readonly to: Uint8Array;
  readonly ttl: number;
}

function parseTcp(bytes: Uint8Array, at: number, end: number, ends: Ends): TcpSegment | undefined {
  if (at + 20 > bytes.length) return undefined;
  const view = viewOf(bytes);
  const headerBytes = (bytes[at + 12]! >> 4) * 4;
  const dataAt = at + headerBytes;
  if (headerBytes < 20) return undefined;
  return {
    from: toAddress(ends.from, view.getUint16(at)),
    to: toAddress(ends.to, view.getUint16(at + 2)),
    ttl: ends.ttl,
    flags: formatFlags(bytes[at + 13] as number),
    seq: view.getUint32(at + 4),
    ack: view.getUint32(at + 8),
    window: view.getUint16(at + 14),
    length: Math.max(0, end - dataAt),
    options: parseOptions(bytes.subarray(at + 20, Math.min(dataAt, bytes.length))),
    data: bytes.subarray(dataAt, Math.max(dataAt, Math.min(end, bytes.length))),
  };
}

function formatFlags(bits: number): string {
  const set = FLAGS.filter((_, bit) => (bits & (1 << bit)) !== 0);
  return [...WRITTEN].filter((flag) => (set as readonly string[]).includes(flag)).join("");
}

function parseOptions(bytes: Uint8Array): SegmentOptions {
  const view = viewOf(bytes);
  let options: SegmentOptions = {};
  for (let at = 0; at < bytes.length;) {
    const kind = bytes[at] as number;
    // The end of the list, and a filler of one byte.
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > bytes.length) break;
    options = { ...options, ...readOption(view, kind, at + 2, length - 2) };
    at += length;
  }
  return options;
}

function readOption(view: DataView, kind: number, at: number, length: number): SegmentOptions {
  if (kind === 2 && length === 2) return { mss: view.getUint16(at) };
  if (kind === 3 && length === 1) return { windowScale: view.getUint8(at) };
  if (kind === 4 && length === 0) return { sackPermitted: true };
  if (kind === 5 && length % 8 === 0) {
    const blocks = Array.from({ length: length / 8 }, (_, index) => at + index * 8);
    return { sack: blocks.map((block) => [view.getUint32(block), view.getUint32(block + 4)]) };
  }
  if (kind === 8 && length === 8) {
    return { timestamps: { value: view.getUint32(at), echo: view.getUint32(at + 4) } };
  }
  if (kind === 34) return { fastOpen: true };
  return {};
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
