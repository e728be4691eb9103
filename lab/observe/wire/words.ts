/**
 * What the ends and the wire do, in words.
 *
 * @module
 */

import type { PacketEvent } from "../../../engine/recording/events.ts";
import { packetEvent } from "../../../engine/recording/from_kernel.ts";
import { type Count, describePacket } from "../packet_text.ts";
import type { EndName } from "./commands.ts";
import type { EndState } from "./look.ts";
import type { WirePacket } from "./wire.ts";

/** What is shown of an end. */
export interface EndView {
  /** Its address, as the client sees it. */
  readonly address: string;
  /** Its state. */
  readonly state: string;
  /** What its kernel will do by itself, and when. */
  readonly timer: string;
  /** Where it is in its stream, counted from the first number of each side; absent if unknown. */
  readonly numbers?: string;
  /** What is in its queues, what it has sent again, and how long a packet takes there and back. */
  readonly queues: string;
}

/** How often an end's kernel sends its SYN or SYN-ACK again. */
export interface Retries {
  readonly syn: number;
  readonly synAck: number;
}

/**
 * What an end sends again when its retransmission timer ends; `undefined` in a state that has none.
 */
function repeatedBy({ state, row }: EndState): string | undefined {
  switch (state) {
    case "SYN_SENT":
      return "its SYN";
    case "SYN_RECV":
      return "its SYN-ACK";
    case "FIN_WAIT1":
    case "LAST_ACK":
    case "CLOSING":
      return (row?.sendQueue ?? 0) > 1 ? "its data" : "its FIN";
    default:
      return "its data";
  }
}

/** Whether the end's kernel gives up when its timer ends. */
function isLast({ state, row }: EndState, { syn, synAck }: Retries): boolean {
  const times = row?.retransmissions ?? 0;
  return state === "SYN_SENT" && times >= syn || state === "SYN_RECV" && times >= synAck;
}

/**
 * What an end's kernel will do by itself, and when.
 *
 * @param end the end
 * @param retries how often it tries
 * @returns for instance `sends its SYN again in 0.8 s`; `undefined` if no timer runs
 */
export function describeTimer(end: EndState, retries: Retries): string | undefined {
  const { row } = end;
  if (row?.timer === undefined) return undefined;
  const at = `in ${seconds(row.expiresMs)}`;
  switch (row.timer) {
    case "retransmission":
      return isLast(end, retries) ? `gives up ${at}` : `sends ${repeatedBy(end)} again ${at}`;
    case "TIME_WAIT":
      return end.state === "TIME_WAIT" ? `is forgotten ${at}` : `ends ${end.state} ${at}`;
    case "probe":
      return `asks for room ${at}`;
    case "keepalive":
      return `asks whether the peer lives ${at}`;
  }
}

/** @param ms milliseconds */
export function seconds(ms: number): string {
  // A timer that is about to end, or that ended while this was asked.
  const left = ms > 0x7fff_ffff ? 0 : ms;
  return `${(left / 1000).toFixed(1)} s`;
}

/**
 * What the kernels do about what was lost.
 *
 * @param ends both ends, after it
 * @param retries how often they try
 * @returns a sentence without its full stop
 */
export function consequences(
  ends: Readonly<Record<EndName, EndState>>,
  retries: Retries,
): string {
  const told = (["client", "server"] as const).flatMap((name) => {
    const end = ends[name];
    if (end.row?.timer !== "retransmission") return [];
    return [`the ${name}'s kernel ${describeTimer(end, retries)}`];
  });
  return told.length === 0 ? "no timer runs for it: nobody sends it again" : told.join("; ");
}

/**
 * An end, as it is shown.
 *
 * @param end the end
 * @param address its address
 * @param numbers where it is in its stream
 * @param retries how often it tries
 */
export function describeEnd(
  end: EndState,
  address: string,
  numbers: string | undefined,
  retries: Retries,
): EndView {
  const { row, failure } = end;
  const info = row?.info;
  const again = row === undefined ? 0 : Math.max(row.retransmissions, info?.total_retrans ?? 0);
  const rtt = info?.rtt ?? 0;
  const queued = [
    (row?.sendQueue ?? 0) > 0 && `${row?.sendQueue} unacked`,
    (row?.receiveQueue ?? 0) > 0 && `${row?.receiveQueue} unread`,
    (info?.sacked ?? 0) > 0 && `${info?.sacked} sacked`,
  ].filter((part) => part !== false);
  const figures = [
    again > 0 && `${again} resent`,
    rtt > 0 && `rtt ${rtt < 1e6 ? `${(rtt / 1000).toFixed(0)} ms` : seconds(rtt / 1000)}`,
  ].filter((part) => part !== false);
  return {
    address,
    state: failure === undefined ? end.state : `${end.state} (${failure})`,
    timer: describeTimer(end, retries)?.replace("its ", "") ?? "none",
    ...(numbers !== undefined && { numbers }),
    queues: [...(queued.length > 0 ? queued : ["empty"]), ...figures].join(" · "),
  };
}

/** What a packet does, for somebody who has never seen one. */
const MEANING: Readonly<Record<WirePacket["kind"], string>> = {
  "SYN": "opens: my numbers begin here",
  "SYN-ACK": "mine begin here, and I have yours",
  "ACK": "I have everything up to ack",
  "DATA": "bytes of the program",
  "FIN": "I send nothing more",
  "RST": "there is no such connection",
};

/**
 * What a packet is called in a sentence.
 *
 * @param packet the packet
 */
export function nameOf({ kind }: Pick<WirePacket, "kind">): string {
  return kind === "DATA" ? "data packet" : kind;
}

/** A packet that waits, as it is shown. */
export interface PacketView {
  /** Which way it goes. */
  readonly direction: WirePacket["direction"];
  /** What it is for. */
  readonly kind: WirePacket["kind"];
  /** What its header says. */
  readonly header: string;
  /** What it means. */
  readonly meaning: string;
  /** How many copies of it were sent meanwhile. */
  readonly copies: number;
  /** When it arrives by itself, in milliseconds; absent if it waits for the player. */
  readonly dueMs?: number;
}

/**
 * A packet as it is shown.
 *
 * @param packet the packet
 * @param count how its numbers are counted
 * @param more what else is known
 */
export function describeWaiting(
  packet: WirePacket,
  count: Count,
  more: { readonly copies: number; readonly dueMs?: number },
): PacketView {
  const { head } = describePacket(eventOf(packet), count);
  return {
    direction: packet.direction,
    kind: packet.kind,
    header: head.join(" "),
    meaning: MEANING[packet.kind],
    ...more,
  };
}

function eventOf({ segment }: WirePacket): PacketEvent {
  return packetEvent(segment, 0);
}
