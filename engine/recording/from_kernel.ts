/**
 * Makes events of what the kernel tells: packets, sockets, listeners.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import { openForMs } from "../kernel/age.ts";
import type { EndedConnection } from "../kernel/connection_lives.ts";
import type { SegmentOptions, TcpSegment } from "../kernel/packet.ts";
import { type SocketRow, waitsForAccept } from "../kernel/sock_diag.ts";
import {
  type ConnectionEvent,
  type ListenerEvent,
  type PacketEvent,
  type PacketOptions,
  roundUs,
  type SocketEvent,
} from "./events.ts";

/**
 * A packet as an event.
 *
 * @param segment the packet
 * @param at when it was seen, in microseconds since the recording began
 */
export function packetEvent(segment: TcpSegment, at: number): PacketEvent {
  const { from, to, flags, seq, ack, window, length } = segment;
  const options = packetOptions(segment.options);
  return {
    type: "packet",
    at,
    from: formatAddress(from),
    to: formatAddress(to),
    flags,
    seq,
    ...(flags.includes("A") && { ack }),
    window,
    length,
    ...(Object.keys(options).length > 0 && { options }),
  };
}

function packetOptions(options: SegmentOptions): PacketOptions {
  const { mss, windowScale, sackPermitted, sack, timestamps } = options;
  return {
    ...(mss !== undefined && { mss }),
    ...(windowScale !== undefined && { window_scale: windowScale }),
    ...(sackPermitted === true && { sack_permitted: true }),
    ...(timestamps !== undefined && { timestamps: [timestamps.value, timestamps.echo] as const }),
    ...(sack !== undefined && { sack }),
  };
}

/**
 * A socket as an event.
 *
 * @param row the socket; no listener
 * @param at when it was looked at, in microseconds since the recording began
 * @param end which end of its connection it is, if that is known
 */
export function socketEvent(row: SocketRow, at: number, end?: "client" | "server"): SocketEvent {
  const { cookie, state, timer, info } = row;
  // TIME_WAIT, and FIN_WAIT2 after its program has closed, have no figures.
  const rtt = info?.rtt ?? 0;
  return {
    type: "socket",
    at,
    cookie,
    local: formatAddress(row.local),
    remote: formatAddress(row.remote),
    state,
    ...(end !== undefined && { end }),
    send_queue: row.sendQueue,
    receive_queue: row.receiveQueue,
    ...(timer !== undefined && { timer, timer_us: row.expiresMs * 1000 }),
    // A round-trip time of 0 means that there is no sample.
    ...(rtt > 0 && { rtt_us: rtt }),
    ...(info?.total_retrans !== undefined && { retransmissions: info.total_retrans }),
    ...(waitsForAccept(row) && { waiting: true, ...connectedAt(row, at) }),
  };
}

/** When the kernel had opened a connection that nobody has accepted. */
function connectedAt({ info }: SocketRow, at: number): Pick<SocketEvent, "connected"> {
  const ms = info && openForMs(info);
  // What was there before a recording has no time in it.
  return ms === undefined ? {} : { connected: Math.max(0, roundUs(at - ms * 1_000)) };
}

/**
 * A listener as an event.
 *
 * @param row the socket of a listener
 * @param at when it was looked at, in microseconds since the recording began
 */
export function listenerEvent(row: SocketRow, at: number): ListenerEvent {
  return {
    type: "listener",
    at,
    local: formatAddress(row.local),
    cookie: row.cookie,
    waiting: row.receiveQueue,
    limit: row.sendQueue,
  };
}

/**
 * A connection that has ended as an event.
 *
 * @param connection the connection
 * @param at when its end was noticed, in microseconds since the recording began
 */
export function connectionEvent(connection: EndedConnection, at: number): ConnectionEvent {
  const { durationUs, bytesSent, bytesReceived, rttUs, retransmissions } = connection;
  return {
    type: "connection",
    at,
    cookie: connection.cookie,
    local: formatAddress(connection.local),
    remote: formatAddress(connection.remote),
    opened_by: connection.openedBy,
    closed_first: connection.closedFirst,
    ended_with: connection.endedWith,
    ...(durationUs !== undefined && { duration_us: durationUs }),
    ...(bytesSent !== undefined && { bytes_sent: bytesSent }),
    ...(bytesReceived !== undefined && { bytes_received: bytesReceived }),
    ...(rttUs !== undefined && { rtt_us: rttUs }),
    ...(retransmissions !== undefined && { retransmissions }),
  };
}
