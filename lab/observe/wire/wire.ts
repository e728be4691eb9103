/**
 * The wire: packets between a real client and a real server of this machine stop here, and a policy
 * says what becomes of each. It may deliver a packet at once or later, lose it, deliver it twice, or
 * hold it until somebody decides.
 *
 * It never waits and has no thread: {@linkcode Wire.turn} takes what has come and delivers what is
 * due, and {@linkcode Wire.run} does that again and again.
 *
 * @module
 */

import { parsePacket, type TcpSegment } from "../../../engine/kernel/packet.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import { swapAddresses, TunDevice } from "./device.ts";

/** Which way a packet goes. */
export type Direction = "to server" | "to client";

/** What a packet is for. Its name is that of the flag that matters most. */
export type PacketKind = "SYN" | "SYN-ACK" | "ACK" | "DATA" | "FIN" | "RST";

/** A packet on the wire. */
export interface WirePacket {
  /** Its number, from 1, over both directions. */
  readonly number: number;
  /** Which way it goes. */
  readonly direction: Direction;
  /** What it is for. */
  readonly kind: PacketKind;
  /** Which one of its kind and direction it is, from 1. */
  readonly ordinal: number;
  /**
   * What its headers say, with the addresses as the client sees them: the client has the device's
   * address, and the server the other one.
   */
  readonly segment: TcpSegment;
  /** When it was taken from the kernel, in microseconds since 1970. */
  readonly sentUs: number;
  /** The packet as its receiver gets it, from its IP header on. */
  readonly bytes: Uint8Array;
}

/** What becomes of a packet. */
export type Fate =
  /** It is delivered, after a while if need be. */
  | { readonly kind: "deliver"; readonly afterMs?: number }
  /** It never arrives. */
  | { readonly kind: "lose" }
  /** It arrives two times. */
  | { readonly kind: "twice"; readonly afterMs?: number }
  /** It waits until {@linkcode Wire.decide} is called. */
  | { readonly kind: "hold" };

/** Says what becomes of a packet. */
export type Policy = (packet: WirePacket) => Fate;

/** What has become of a packet. */
export interface WireEvent {
  /** The packet. */
  readonly packet: WirePacket;
  /** `held` comes before one of the others. A doubled packet has `delivered` two times. */
  readonly what: "held" | "delivered" | "lost";
  /** When, in microseconds since 1970. */
  readonly us: number;
}

/** How to make a wire. */
export interface WireOptions {
  /** The calls. */
  readonly net: Sockets;
  /** The port of the server: it tells which way a packet goes. */
  readonly serverPort: number;
  /** What becomes of each packet. @default {all are delivered at once} */
  readonly policy?: Policy;
  /** Receives what has become of each packet. */
  readonly tell?: (event: WireEvent) => void;
  /** How many packets it takes; what comes later is lost. @default {500} */
  readonly most?: number;
  /** Which of several wires of one network it is, from 0. @default {0} */
  readonly index?: number;
}

/** How many packets a wire takes unless it is told otherwise. */
export const MOST_PACKETS = 500;

/** The pause between two turns: while something happens, and while nothing does. In milliseconds. */
const BUSY_MS = 1;
const IDLE_MS = 5;

/** How long after a packet the pauses stay short, in milliseconds. */
const STAYS_BUSY_MS = 100;

/**
 * Delivers every packet after the same time.
 *
 * @param ms the time for one way, in milliseconds
 */
export function delayAll(ms: number): Policy {
  return () => ({ kind: "deliver", afterMs: ms });
}

/**
 * Loses chosen packets, and leaves the others to another policy.
 *
 * @param isLost whether a packet is lost
 * @param others what becomes of the others
 */
export function loseWhere(
  isLost: (packet: WirePacket) => boolean,
  others: Policy = () => ({ kind: "deliver" }),
): Policy {
  return (packet) => isLost(packet) ? { kind: "lose" } : others(packet);
}

/**
 * Loses one packet: the one of that kind and number. The copies that its sender sends later have
 * other numbers.
 *
 * @param kind its kind
 * @param ordinal which one of its kind and direction, from 1
 * @param others what becomes of the others
 */
export function loseOne(kind: PacketKind, ordinal = 1, others?: Policy): Policy {
  return loseWhere((packet) => packet.kind === kind && packet.ordinal === ordinal, others);
}

/** A packet that is on its way. */
export interface UnderWay {
  /** The packet. */
  readonly packet: WirePacket;
  /** When it arrives, by `performance.now()`. */
  readonly atMs: number;
  /** How many times. */
  readonly times: number;
}

/** A wire with its device. */
export class Wire implements Disposable {
  /** Where the server must listen. */
  readonly serverAddress: string;
  /** Where the client must connect to. Its own address is the device's, like the server's. */
  readonly target: string;
  readonly #options: WireOptions;
  readonly #device: TunDevice;
  readonly #ordinals = new Map<string, number>();
  #policy: Policy;
  #held: WirePacket[] = [];
  #due: UnderWay[] = [];
  #taken = 0;
  #lastMs = performance.now();

  /**
   * Makes it.
   *
   * @param options what it needs
   * @throws {DeviceError} where there can be no TUN device
   */
  constructor(options: WireOptions) {
    const { net, index = 0, policy = () => ({ kind: "deliver" }) } = options;
    this.#options = options;
    this.#policy = policy;
    this.serverAddress = `10.9.${index}.1`;
    this.target = `10.9.${index}.2`;
    this.#device = new TunDevice(net, `wire${index}`, this.serverAddress, 30);
  }

  /** The packets that wait for a decision, the oldest first. */
  get held(): readonly WirePacket[] {
    return this.#held;
  }

  /** The packets that are on their way: decided about, but not yet due. */
  get underWay(): readonly UnderWay[] {
    return this.#due;
  }

  /** How many packets it has taken. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether more packets have come than it takes. Those that it took can still be decided about. */
  get isOverfull(): boolean {
    return this.#taken > (this.#options.most ?? MOST_PACKETS);
  }

  /** Changes what becomes of the packets that come from now on. */
  setPolicy(policy: Policy): void {
    this.#policy = policy;
  }

  /**
   * Takes what has come, and delivers what is due. It does not wait.
   *
   * @returns whether anything has happened
   */
  turn(): boolean {
    let happened = this.#deliverDue();
    for (let bytes = this.#device.read(); bytes !== undefined; bytes = this.#device.read()) {
      const packet = this.#accept(bytes);
      if (packet === undefined) continue;
      happened = true;
      if (this.isOverfull) this.#lose(packet);
      else this.#apply(packet, this.#policy(packet));
    }
    if (happened) this.#lastMs = performance.now();
    return happened;
  }

  /**
   * Takes turns until it is told to stop. Timers and everything else of this thread go on.
   *
   * @param signal ends it
   * @param eachTurn is called after each turn
   */
  async run(signal: AbortSignal, eachTurn: () => void = () => {}): Promise<void> {
    while (!signal.aborted) {
      this.turn();
      eachTurn();
      const isBusy = performance.now() - this.#lastMs < STAYS_BUSY_MS || this.#due.length > 0;
      await new Promise((resolve) => setTimeout(resolve, isBusy ? BUSY_MS : IDLE_MS));
    }
  }

  /**
   * Decides about a packet that waits. Another fate than `hold` ends its waiting.
   *
   * @param packet the packet
   * @param fate what becomes of it
   */
  decide(packet: WirePacket, fate: Fate): void {
    const at = this.#held.indexOf(packet);
    if (at < 0 || fate.kind === "hold") return;
    this.#held.splice(at, 1);
    this.#apply(packet, fate);
    this.#lastMs = performance.now();
  }

  /**
   * Puts a packet that waits behind all others.
   *
   * @param packet the packet
   */
  putBehind(packet: WirePacket): void {
    const at = this.#held.indexOf(packet);
    if (at >= 0) this.#held.push(...this.#held.splice(at, 1));
  }

  /** Loses everything that is on the wire. */
  clear(): void {
    const packets = [...this.#held, ...this.#due.map((due) => due.packet)];
    this.#held = [];
    this.#due = [];
    for (const packet of packets.sort((a, b) => a.number - b.number)) this.#lose(packet);
  }

  /** Removes the device. What is still on the wire is lost. */
  [Symbol.dispose](): void {
    this.clear();
    this.#device[Symbol.dispose]();
  }

  #accept(bytes: Uint8Array): WirePacket | undefined {
    const sentUs = nowUs();
    const sent = parsePacket(bytes);
    // The kernel also looks for neighbours by IPv6, and there are none.
    if (sent === undefined) return undefined;
    const swapped = swapAddresses(bytes);
    const isToServer = sent.to.port === this.#options.serverPort;
    // What the client sends has the addresses as the client sees them, and so has what it gets.
    const segment = isToServer ? parsePacket(bytes.slice()) : parsePacket(swapped);
    const direction = isToServer ? "to server" : "to client";
    const kind = kindOf(sent);
    const key = `${kind} ${direction}`;
    const ordinal = (this.#ordinals.get(key) ?? 0) + 1;
    this.#ordinals.set(key, ordinal);
    return {
      number: ++this.#taken,
      direction,
      kind,
      ordinal,
      segment: segment as TcpSegment,
      sentUs,
      bytes: swapped,
    };
  }

  #apply(packet: WirePacket, fate: Fate): void {
    switch (fate.kind) {
      case "hold":
        this.#held.push(packet);
        return this.#tell(packet, "held");
      case "lose":
        return this.#lose(packet);
      case "deliver":
      case "twice": {
        const times = fate.kind === "twice" ? 2 : 1;
        const { afterMs = 0 } = fate;
        if (afterMs <= 0) return this.#deliver(packet, times);
        this.#due.push({ packet, times, atMs: performance.now() + afterMs });
      }
    }
  }

  #deliverDue(): boolean {
    const now = performance.now();
    // The order of those that are due at the same time is the order in which they came.
    const due = this.#due.filter(({ atMs }) => atMs <= now).sort((a, b) => a.atMs - b.atMs);
    if (due.length === 0) return false;
    this.#due = this.#due.filter(({ atMs }) => atMs > now);
    for (const { packet, times } of due) this.#deliver(packet, times);
    return true;
  }

  #deliver(packet: WirePacket, times: number): void {
    for (let time = 0; time < times; time++) {
      this.#device.write(packet.bytes);
      this.#tell(packet, "delivered");
    }
  }

  #lose(packet: WirePacket): void {
    this.#tell(packet, "lost");
  }

  #tell(packet: WirePacket, what: WireEvent["what"]): void {
    this.#options.tell?.({ packet, what, us: nowUs() });
  }
}

/** What a segment is for. */
function kindOf({ flags, length }: TcpSegment): PacketKind {
  if (flags.includes("R")) return "RST";
  if (flags.includes("S")) return flags.includes("A") ? "SYN-ACK" : "SYN";
  if (flags.includes("F")) return "FIN";
  return length > 0 ? "DATA" : "ACK";
}
