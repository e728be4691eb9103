/**
 * Packets as lines of text: the client at the left, the server at the right, and an arrow for each
 * packet.
 *
 * @module
 */

import type { PacketEvent } from "../../engine/recording/events.ts";
import { escapeText } from "../../protocols/text.ts";

/** The names of the flags. */
const FLAGS: Readonly<Record<string, string>> = {
  S: "SYN",
  F: "FIN",
  R: "RST",
  P: "PSH",
  A: "ACK",
  U: "URG",
  E: "ECE",
  C: "CWR",
};

/** The least width of an arrow, in characters, so that most have the same. */
const ARROW_WIDTH = 44;

/** Shows a number of one side: as it is, or counted from that side's first. */
export type Count = (side: string, number: number) => number;

/** How a packet is described. */
export interface PacketWords {
  /** The flags, the numbers and the length, a word or two each. */
  readonly head: readonly string[];
  /** What its options say. */
  readonly options: readonly string[];
}

/**
 * Describes a packet in words.
 *
 * @param packet the packet
 * @param count how numbers are shown; without it they are shown as they are
 */
export function describePacket(packet: PacketEvent, count?: Count): PacketWords {
  const { from, to, flags, seq, ack, window, length } = packet;
  const shown = count ?? ((_side: string, number: number) => number);
  const isSyn = flags.includes("S");
  const { mss, window_scale, sack_permitted, timestamps, sack = [] } = packet.options ?? {};
  const blocks = sack.map(([first, end]) => `${shown(to, first)}-${shown(to, end)}`);
  return {
    head: [
      [...flags].map((flag) => FLAGS[flag] ?? escapeText(flag)).join(" "),
      `seq=${shown(from, seq)}`,
      ...(ack === undefined ? [] : [`ack=${shown(to, ack)}`]),
      ...(length > 0 ? [`len=${length}`] : []),
      `win=${window}`,
    ],
    options: [
      ...(isSyn && count !== undefined ? [`ISN ${seq}`] : []),
      ...(mss === undefined ? [] : [`mss ${mss}`]),
      ...(window_scale === undefined ? [] : [`wscale ${window_scale}`]),
      ...(sack_permitted === true ? ["sack"] : []),
      // Nearly every packet has them, so only the agreement is worth a word.
      ...(isSyn && timestamps !== undefined ? ["timestamps"] : []),
      ...(blocks.length > 0 ? [`sack ${blocks.join(" ")}`] : []),
    ],
  };
}

/** How an arrow goes. */
export interface Arrow {
  /** Whether it goes from the client to the server. */
  readonly isRight: boolean;
  /** Whether the packet was lost on its way. */
  readonly isLost: boolean;
  /** How wide it is, in characters. A longer text makes it longer. */
  readonly width: number;
}

/**
 * Draws the arrow of a packet.
 *
 * @param text what stands on it
 * @param arrow how it goes
 */
export function drawArrow(text: string, { isRight, isLost, width }: Arrow): string {
  const shaft = "─".repeat(Math.max(0, width - text.length - 4));
  if (isRight) return `─ ${text} ${shaft}${isLost ? "✕" : "▶"}`;
  return `${isLost ? "✕" : "◀"}${shaft} ${text} ─`;
}

/** What is known about one connection from the packets before. */
interface Known {
  readonly client: string;
  readonly server: string;
  /** The first sequence number of each end, by its address. */
  readonly first: Map<string, number>;
}

/**
 * Draws packets as they come, of any number of connections: nothing is known about those that follow.
 */
export class PacketLines {
  readonly #known = new Map<string, Known>();
  readonly #isServer: (address: string) => boolean;
  #widest = 0;

  /** @param isServer whether a listener is known to have an address; a SYN tells it too */
  constructor(isServer: (address: string) => boolean = () => false) {
    this.#isServer = isServer;
  }

  /**
   * Draws the next packet.
   *
   * @param packet the packet
   * @returns a line without an end, for instance `127.0.0.1:4711 ─ SYN seq=0 ───▶ 127.0.0.1:80`
   */
  draw(packet: PacketEvent): string {
    const { client, server, first } = this.#knownOf(packet);
    this.#widest = Math.max(this.#widest, client.length);
    // Sequence numbers wrap after 2^32 - 1 (RFC 9293 section 3.4).
    const { head, options } = describePacket(
      packet,
      (side, number) => (number - (first.get(side) ?? 0)) >>> 0,
    );
    const { at, arrived, lost } = packet;
    const way = arrived === undefined
      ? []
      : [`${((arrived - at) / 1000).toFixed(1)} ms on the way`];
    const arrow = drawArrow([...head, ...options, ...way].join(" "), {
      isRight: packet.from === client,
      isLost: lost === true,
      width: ARROW_WIDTH,
    });
    return `${client.padStart(this.#widest)} ${arrow} ${server}`;
  }

  #knownOf({ from, to, flags, seq, ack }: PacketEvent): Known {
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    const isSyn = flags.includes("S");
    const opens = isSyn && !flags.includes("A");
    let known = this.#known.get(key);
    const before = known?.first.get(from);
    // A SYN with another number opens a new connection between the same addresses.
    if (known === undefined || opens && before !== undefined && before !== seq) {
      const isFromServer = !opens && (isSyn || this.#isServer(from) && !this.#isServer(to));
      const [client, server] = isFromServer ? [to, from] : [from, to];
      known = { client, server, first: new Map() };
      this.#known.set(key, known);
    }
    const { first } = known;
    if (isSyn || !first.has(from)) first.set(from, seq);
    if (ack !== undefined && !first.has(to)) first.set(to, isSyn ? ack - 1 : ack);
    return known;
  }
}
