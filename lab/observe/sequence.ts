/**
 * Draws packets as a sequence diagram: the client at the left, the server at the right, and an arrow
 * for each packet.
 *
 * @module
 */

import type { PacketEvent } from "../../engine/recording/events.ts";

/** The flags in words, in the order in which people say them. */
const WORDS = [
  ["S", "SYN"],
  ["F", "FIN"],
  ["R", "RST"],
  ["P", "PSH"],
  ["U", "URG"],
  ["A", "ACK"],
] as const;

/** The least length of an arrow with its text, so that most arrows have the same. */
const ARROW = 44;

/** What is known about one connection from its packets. */
interface Conversation {
  readonly client: string;
  readonly server: string;
  /** The first sequence number of each end, by its address. Relative numbers count from it. */
  readonly first: Map<string, number>;
}

/** The packets of any number of connections. Give it packets in the order of time. */
export class Sequence {
  readonly #conversations = new Map<string, Conversation>();
  readonly #isServer: (address: string) => boolean;
  #width = 0;

  /** @param isServer whether a listener is known to have an address; a SYN tells it too */
  constructor(isServer: (address: string) => boolean = () => false) {
    this.#isServer = isServer;
  }

  /**
   * Draws a packet on one line, for instance `127.0.0.1:4711 ── SYN seq 0 ──▶ 127.0.0.1:80`.
   *
   * @param packet the packet
   * @returns the line, without an end and without a time
   */
  draw(packet: PacketEvent): string {
    const { client, server, first } = this.#conversationOf(packet);
    this.#width = Math.max(this.#width, client.length);
    const text = describePacket(packet, first.get(packet.from) ?? 0, first.get(packet.to) ?? 0);
    const fill = "─".repeat(Math.max(2, ARROW - text.length - 6));
    const lost = packet.lost === true;
    const arrow = packet.from === client
      ? `── ${text} ${fill}${lost ? "✗" : "▶"}`
      : `${lost ? "✗" : "◀"}─ ${text} ${fill}─`;
    return `${client.padStart(this.#width)} ${arrow} ${server}`;
  }

  #conversationOf({ from, to, flags, seq, ack }: PacketEvent): Conversation {
    const key = from < to ? `${from} ${to}` : `${to} ${from}`;
    const isSyn = flags.includes("S");
    const opens = isSyn && !flags.includes("A");
    let conversation = this.#conversations.get(key);
    const known = conversation?.first.get(from);
    // A SYN with another number opens a new connection between the same addresses.
    if (conversation === undefined || opens && known !== undefined && known !== seq) {
      const isFromServer = !opens && (isSyn || this.#isServer(from) && !this.#isServer(to));
      const [client, server] = isFromServer ? [to, from] : [from, to];
      conversation = { client, server, first: new Map() };
      this.#conversations.set(key, conversation);
    }
    const { first } = conversation;
    if (isSyn || !first.has(from)) first.set(from, seq);
    if (ack !== undefined && !first.has(to)) first.set(to, isSyn ? ack - 1 : ack);
    return conversation;
  }
}

/** @param seqFrom the sender's first number @param ackFrom the receiver's */
function describePacket(packet: PacketEvent, seqFrom: number, ackFrom: number): string {
  const { flags, seq, ack, length, window, options, lost, arrived, at } = packet;
  const { mss, window_scale, sack_permitted, sack } = options ?? {};
  return [
    nameFlags(flags),
    `seq ${relative(seq, seqFrom)}`,
    ack !== undefined && `ack ${relative(ack, ackFrom)}`,
    length > 0 && `${length} B`,
    flags.includes("S") && `win ${window}`,
    mss !== undefined && `mss ${mss}`,
    window_scale !== undefined && `scale ${window_scale}`,
    sack_permitted === true && "sack",
    ...(sack ?? []).map(([from, to]) => `sack ${relative(from, ackFrom)}-${relative(to, ackFrom)}`),
    arrived !== undefined && `${((arrived - at) / 1000).toFixed(1)} ms on the way`,
    lost === true && "lost",
  ].filter((part) => part !== false).join(" ");
}

/**
 * Names the flags of a packet.
 *
 * @param flags letters as in a recording, for instance `SA`
 * @returns words, for instance `SYN-ACK`; `none` without flags
 */
export function nameFlags(flags: string): string {
  const words = WORDS.filter(([letter]) => flags.includes(letter)).map(([, word]) => word);
  return words.length === 0 ? "none" : words.join("-");
}

/** Sequence numbers wrap after 2^32 - 1 (RFC 9293 section 3.4). */
function relative(number: number, first: number): number {
  return (number - first) >>> 0;
}
