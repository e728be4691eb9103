/**
 * `struct tcp_info`: what the kernel knows about one TCP connection (tcp(7), `linux/tcp.h`).
 *
 * Each kernel appends fields, so the returned length tells which ones there are. A field that a
 * kernel does not have is absent here, and never 0.
 *
 * @module
 */

import type { Sockets } from "../net/sockets.ts";
import { SocketError } from "../net/socket_error.ts";
import { SOL_TCP, TCP_INFO } from "./linux.ts";
import { stateOf, type TcpState } from "./tcp_states.ts";

/** More than any kernel returns. */
const MOST_BYTES = 1024;

/**
 * Offset, size in bytes and name of each number. The units are those of the kernel: microseconds
 * for `rto`, `ato`, `rtt`, `rttvar`, `rcv_rtt`, `min_rtt` and all `_time` and `_limited`,
 * milliseconds for `last_…`, bytes and segments for the rest.
 */
const FIELDS = [
  [1, 1, "ca_state"],
  [2, 1, "retransmits"],
  [3, 1, "probes"],
  [4, 1, "backoff"],
  [8, 4, "rto"],
  [12, 4, "ato"],
  [16, 4, "snd_mss"],
  [20, 4, "rcv_mss"],
  [24, 4, "unacked"],
  [28, 4, "sacked"],
  [32, 4, "lost"],
  [36, 4, "retrans"],
  [44, 4, "last_data_sent"],
  [52, 4, "last_data_recv"],
  [56, 4, "last_ack_recv"],
  [60, 4, "pmtu"],
  [64, 4, "rcv_ssthresh"],
  [68, 4, "rtt"],
  [72, 4, "rttvar"],
  [76, 4, "snd_ssthresh"],
  [80, 4, "snd_cwnd"],
  [84, 4, "advmss"],
  [88, 4, "reordering"],
  [92, 4, "rcv_rtt"],
  [96, 4, "rcv_space"],
  [100, 4, "total_retrans"],
  [104, 8, "pacing_rate"],
  [112, 8, "max_pacing_rate"],
  [120, 8, "bytes_acked"],
  [128, 8, "bytes_received"],
  [136, 4, "segs_out"],
  [140, 4, "segs_in"],
  [144, 4, "notsent_bytes"],
  [148, 4, "min_rtt"],
  [152, 4, "data_segs_in"],
  [156, 4, "data_segs_out"],
  [160, 8, "delivery_rate"],
  [168, 8, "busy_time"],
  [176, 8, "rwnd_limited"],
  [184, 8, "sndbuf_limited"],
  [192, 4, "delivered"],
  [196, 4, "delivered_ce"],
  [200, 8, "bytes_sent"],
  [208, 8, "bytes_retrans"],
  [216, 4, "dsack_dups"],
  [220, 4, "reord_seen"],
  [224, 4, "rcv_ooopack"],
  [228, 4, "snd_wnd"],
  [232, 4, "rcv_wnd"],
  [236, 4, "rehash"],
  [240, 2, "total_rto"],
  [242, 2, "total_rto_recoveries"],
  [244, 4, "total_rto_time"],
] as const satisfies readonly (readonly [number, 1 | 2 | 4 | 8, string])[];

/** The name of a number in `struct tcp_info`, without its prefix `tcpi_`. */
export type TcpInfoField = (typeof FIELDS)[number][2];

/** The values by which the kernel says "none yet" or "unlimited". */
const NONE: Readonly<Partial<Record<TcpInfoField, readonly number[]>>> = {
  rtt: [0],
  rttvar: [0],
  rcv_rtt: [0],
  min_rtt: [0xffff_ffff],
  snd_ssthresh: [0x7fff_ffff],
  pacing_rate: [2 ** 64],
  max_pacing_rate: [2 ** 64],
};

/** What both sides agreed on in their SYNs. */
export interface TcpOptions {
  /** Timestamps (RFC 7323). */
  readonly timestamps: boolean;
  /** Selective acknowledgements (RFC 2018). */
  readonly sack: boolean;
  /**
   * The shifts by which each side scales its windows (RFC 7323): the peer's, then this side's.
   * Absent if they were not agreed on.
   */
  readonly windowScale?: { readonly peer: number; readonly own: number };
  /** Explicit congestion notification (RFC 3168). */
  readonly ecn: boolean;
}

/** What the kernel knows about a connection. */
export interface TcpInfo extends Readonly<Partial<Record<TcpInfoField, number>>> {
  /** Its state. */
  readonly state: TcpState;
  /** What was agreed on. */
  readonly options: TcpOptions;
}

/**
 * Reads the structure.
 *
 * @param bytes as many bytes as the kernel returned
 * @returns the fields that are there and known; a value that means "none" is absent too
 * @throws {RangeError} if there is not even a state
 */
export function parseTcpInfo(bytes: Uint8Array): TcpInfo {
  if (bytes.length < 8) throw new RangeError(`Cannot read TCP_INFO: ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const info: Partial<Record<TcpInfoField, number>> = {};
  for (const [offset, size, name] of FIELDS) {
    if (offset + size > bytes.length) continue;
    const value = readNumber(view, offset, size);
    if (!NONE[name]?.includes(value)) info[name] = value;
  }
  const agreed = view.getUint8(5);
  const scales = view.getUint8(6);
  return {
    ...info,
    state: stateOf(view.getUint8(0)),
    options: {
      timestamps: (agreed & 1) !== 0,
      sack: (agreed & 2) !== 0,
      ...((agreed & 4) !== 0 && { windowScale: { peer: scales & 15, own: scales >> 4 } }),
      ecn: (agreed & 8) !== 0,
    },
  };
}

/** Where those two are that {@linkcode readSentSince} wants, and how many bytes have both. */
const LAST_DATA_SENT = 44;
const DATA_SEGS_OUT = 156;
const BYTES_OF_BOTH = 160;

const both = new DataView(new ArrayBuffer(BYTES_OF_BOTH));
const bytesOfBoth = new Uint8Array(both.buffer);

/**
 * Asks the kernel whether an own socket has sent data, and how long ago it did or was opened. Whoever
 * asks at each connection wants nothing else, and that nothing is made for it.
 *
 * @param net the calls
 * @param fd a TCP socket
 * @returns those of the two that the kernel has
 * @throws {SocketError} if it is no TCP socket
 */
export function readSentSince(
  net: Sockets,
  fd: number,
): Pick<TcpInfo, "data_segs_out" | "last_data_sent"> {
  const length = net.getOptionBytes(fd, SOL_TCP, TCP_INFO, bytesOfBoth);
  if (length < BYTES_OF_BOTH) return {};
  return {
    data_segs_out: both.getUint32(DATA_SEGS_OUT, true),
    last_data_sent: both.getUint32(LAST_DATA_SENT, true),
  };
}

/** A number of the given size. Those of 64 bits lose precision beyond 2^53, which no figure needs. */
function readNumber(view: DataView, offset: number, size: 1 | 2 | 4 | 8): number {
  switch (size) {
    case 1:
      return view.getUint8(offset);
    case 2:
      return view.getUint16(offset, true);
    case 4:
      return view.getUint32(offset, true);
    case 8:
      return Number(view.getBigUint64(offset, true));
  }
}

/**
 * Asks the kernel about an own socket (getsockopt(2), `TCP_INFO`).
 *
 * @param net the calls
 * @param fd a TCP socket
 * @returns what it knows
 * @throws {SocketError} if it is no TCP socket, or has no such figures
 */
export function readTcpInfo(net: Sockets, fd: number): TcpInfo {
  const bytes = new Uint8Array(MOST_BYTES);
  const length = net.getOptionBytes(fd, SOL_TCP, TCP_INFO, bytes);
  if (length < 8) throw new SocketError("getsockopt", net.constants.errno.ENOPROTOOPT, "TCP_INFO");
  return parseTcpInfo(bytes.subarray(0, length));
}
