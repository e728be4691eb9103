/**
 * Captures the packets of TCP to and from one port, with the times at which the kernel saw them
 * (packet(7)). It needs CAP_NET_RAW: root has it, and so has everybody in a network of their own.
 *
 * @module
 */

import {
  AF_PACKET,
  MSG_TRUNC,
  SO_RCVBUFFORCE,
  SO_TIMESTAMPNS,
  SOL_PACKET,
} from "../../engine/kernel/linux.ts";
import { parsePacket, type TcpSegment } from "../../engine/kernel/packet.ts";
import { attachFilter, BPF, type Filter } from "../../engine/kernel/socket_filter.ts";
import { MessageBuffer } from "../../engine/net/message_buffer.ts";
import type { Sockets } from "../../engine/net/sockets.ts";
import { formatAddress } from "../../protocols/address.ts";

/** Packets of all protocols, as the header of a link names them. */
const ETH_P_ALL = 3;

/** Option of packet sockets: how many packets there were, and how many of them were dropped. */
const PACKET_STATISTICS = 6;

/** How many bytes of captured packets may wait to be taken. */
const BUFFER_BYTES = 8 * 1024 * 1024;

/** More than the longest packet: on the loopback one packet may have 64 KiB of data. */
const LONGEST = 65_536 + 128;

/** How many ways from one address to another are remembered. */
const MOST_WAYS = 10_000;

/** A packet that was captured. */
export interface CapturedPacket {
  /** When the kernel saw it, in nanoseconds since 1970. */
  readonly stampNs: bigint;
  /** What its headers say. */
  readonly segment: TcpSegment;
  /** The packet, from its IP header on. */
  readonly bytes: Uint8Array;
}

/** What to capture. */
export interface CaptureOptions {
  /** The port, of either end. */
  readonly port: number;
}

/**
 * Why this process may not capture packets.
 *
 * @param net the calls
 * @returns the system's error; `undefined` if it may
 */
export function whyNoCapture(net: Sockets): Error | undefined {
  try {
    net.close(openPacketSocket(net));
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** The packets of a port, from the moment at which this is made. */
export class PacketCapture implements Disposable {
  readonly #net: Sockets;
  readonly #fd: number;
  readonly #message = new MessageBuffer(LONGEST);
  /**
   * The interface on which the first packet from one address to another was seen: a bridge would
   * show each packet again.
   */
  readonly #interfaces = new Map<string, number>();

  /**
   * Begins to capture.
   *
   * @param net the calls
   * @param options what
   * @throws {SocketError} `EPERM` without CAP_NET_RAW
   */
  constructor(net: Sockets, { port }: CaptureOptions) {
    this.#net = net;
    this.#fd = openPacketSocket(net);
    const { SOL_SOCKET } = net.constants;
    try {
      attachFilter(net, this.#fd, portFilter(port));
      net.setOption(this.#fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
      raiseBuffer(net, this.#fd);
      // Only now packets come: the socket was made without a protocol.
      const address = new Uint8Array(20);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_PACKET, true);
      view.setUint16(2, ETH_P_ALL);
      net.bindBytes(this.#fd, address, "to the packets of all interfaces");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Takes what has been captured, without waiting.
   *
   * @returns the packets, the oldest first
   */
  take(): CapturedPacket[] {
    const { MSG_DONTWAIT, errno } = this.#net.constants;
    const packets: CapturedPacket[] = [];
    while (true) {
      const count = this.#net.receiveMessage(this.#fd, this.#message, MSG_DONTWAIT | MSG_TRUNC);
      if (count === -errno.EINTR) continue;
      if (count < 0) return packets;
      const packet = this.#read();
      if (packet !== undefined) packets.push(packet);
    }
  }

  /**
   * How many packets the kernel had to drop since the last question, because they were not taken in
   * time.
   */
  takeDrops(): number {
    const statistics = new Uint32Array(2);
    const bytes = new Uint8Array(statistics.buffer);
    this.#net.getOptionBytes(this.#fd, SOL_PACKET, PACKET_STATISTICS, bytes);
    return statistics[1] as number;
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#net.close(this.#fd);
  }

  #read(): CapturedPacket | undefined {
    const message = this.#message;
    const bytes = message.data.slice();
    const segment = parsePacket(bytes);
    if (segment === undefined || !this.#isFirstSight(segment, message.name)) return undefined;
    const stampNs = stampIn(message, this.#net.constants.SOL_SOCKET);
    return stampNs === undefined ? undefined : { stampNs, segment, bytes };
  }

  /** @param name a `sockaddr_ll` */
  #isFirstSight({ from, to }: TcpSegment, name: Uint8Array): boolean {
    if (name.length < 8) return true;
    const index = new DataView(name.buffer, name.byteOffset).getInt32(4, true);
    const way = `${formatAddress(from)} ${formatAddress(to)}`;
    const first = this.#interfaces.get(way);
    if (first !== undefined) return first === index;
    // Of a busy port only a few connections are of interest, and they are the youngest.
    if (this.#interfaces.size === MOST_WAYS) this.#interfaces.clear();
    this.#interfaces.set(way, index);
    return true;
  }
}

function openPacketSocket(net: Sockets): number {
  // With SOCK_DGRAM a packet begins with its IP header, whatever the link is.
  return net.socket(AF_PACKET, net.constants.SOCK_DGRAM, 0);
}

function raiseBuffer(net: Sockets, fd: number): void {
  try {
    net.setOption(fd, net.constants.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_BYTES);
  } catch {
    // Only the first user namespace's root may. What is lost without it is counted.
  }
}

function stampIn(message: MessageBuffer, level: number): bigint | undefined {
  for (const { level: its, type, data } of message.control()) {
    if (its !== level || type !== SO_TIMESTAMPNS || data.length < 16) continue;
    const view = new DataView(data.buffer, data.byteOffset, data.length);
    return view.getBigInt64(0, true) * 1_000_000_000n + view.getBigInt64(8, true);
  }
  return undefined;
}

/** What an instruction may load in place of bytes of the packet (`linux/filter.h`). */
const PACKET_TYPE = 0xffff_f004;
const HARDWARE_TYPE = 0xffff_f01c;

/** A packet on its way out (packet(7)). */
const PACKET_OUTGOING = 4;

/** The hardware type of the loopback. */
const ARPHRD_LOOPBACK = 772;

/** Lets through the packets of TCP, over IPv4 and IPv6, that have this port at either end. */
function portFilter(port: number): Filter {
  const tcp = 6;
  const {
    LOAD_WORD,
    LOAD_BYTE,
    LOAD_HALF,
    LOAD_HALF_BEHIND_HEADER,
    LOAD_HEADER_LENGTH,
    SHIFT_RIGHT,
    JUMP_IF_EQUAL,
    JUMP_IF_ANY_BIT,
    RETURN,
  } = BPF;
  // Where a test fails, the jump goes to the last instruction, which drops the packet. The one before
  // it lets the packet through.
  return [
    // The loopback shows each packet as it leaves and as it arrives. Only the arrival is taken.
    [LOAD_WORD, 0, 0, HARDWARE_TYPE],
    [JUMP_IF_EQUAL, 0, 2, ARPHRD_LOOPBACK],
    [LOAD_WORD, 0, 0, PACKET_TYPE],
    [JUMP_IF_EQUAL, 20, 0, PACKET_OUTGOING],
    [LOAD_BYTE, 0, 0, 0],
    [SHIFT_RIGHT, 0, 0, 4],
    [JUMP_IF_EQUAL, 0, 9, 4],
    // IPv4: the protocol, no later fragment, then the ports behind the header.
    [LOAD_BYTE, 0, 0, 9],
    [JUMP_IF_EQUAL, 0, 15, tcp],
    [LOAD_HALF, 0, 0, 6],
    [JUMP_IF_ANY_BIT, 13, 0, 0x1fff],
    [LOAD_HEADER_LENGTH, 0, 0, 0],
    [LOAD_HALF_BEHIND_HEADER, 0, 0, 0],
    [JUMP_IF_EQUAL, 9, 0, port],
    [LOAD_HALF_BEHIND_HEADER, 0, 0, 2],
    [JUMP_IF_EQUAL, 7, 8, port],
    // IPv6 without further headers, which TCP on Linux never has.
    [JUMP_IF_EQUAL, 0, 7, 6],
    [LOAD_BYTE, 0, 0, 6],
    [JUMP_IF_EQUAL, 0, 5, tcp],
    [LOAD_HALF, 0, 0, 40],
    [JUMP_IF_EQUAL, 2, 0, port],
    [LOAD_HALF, 0, 0, 42],
    [JUMP_IF_EQUAL, 0, 1, port],
    [RETURN, 0, 0, 0xffff_ffff],
    [RETURN, 0, 0, 0],
  ];
}
