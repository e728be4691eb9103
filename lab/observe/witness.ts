/**
 * Watches one connection while its program uses it: the states of both ends, as the kernel tells
 * them, and the packets where they can be captured.
 *
 * The kernel tells nobody that a state has changed, so the states are sampled: about every 10 µs
 * for a moment after each change, then ever more rarely, so that a state that lasts is never off by
 * more than a fiftieth of its time. How far apart the samples were is told.
 *
 * @module
 */

import { InterruptedError } from "../../engine/dial/failures.ts";
import { SOL_TCP, TCP_INFO } from "../../engine/kernel/linux.ts";
import { readSocketTable } from "../../engine/kernel/proc_net.ts";
import { cookieOf, SockDiag, type SocketRow } from "../../engine/kernel/sock_diag.ts";
import { readTcpInfo } from "../../engine/kernel/tcp_info.ts";
import { stateOf, type TcpState } from "../../engine/kernel/tcp_states.ts";
import { destinationOf } from "../../engine/net/address.ts";
import { library } from "../../engine/net/libc.ts";
import { Sockets, sockets } from "../../engine/net/sockets.ts";
import { formatTime } from "../../engine/values/units.ts";
import { nowUs } from "../../engine/values/moment.ts";
import { type Event, roundUs, type SocketEvent } from "../../engine/recording/events.ts";
import { packetEvent, socketEvent } from "../../engine/recording/from_kernel.ts";
import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import type { CapturedPacket, PacketCapture } from "./capture.ts";
import { Closing } from "./closing.ts";
import { passedUnseen } from "./state_paths.ts";

/** How long after a change the samples follow each other without a pause, in microseconds. */
const HOT_US = 2_000;

/** The share of the time since the last change that may pass between two samples. */
const SHARE = 1 / 50;

/** The longest time between two samples, and so until an interrupt is noticed, in milliseconds. */
const LONGEST_MS = 20;

/** The most packets that are kept. */
const MOST_PACKETS = 20_000;

/** Receives what is seen. @param raw the packet itself, if the event is one */
export type Tell = (event: Event, raw?: CapturedPacket) => void;

/** How closely the states of this end were watched. */
export interface Precision {
  /** How many samples there were. */
  readonly samples: number;
  /** The longest time between two samples around a change, in microseconds. */
  readonly worstUs: number;
}

/** What a witness needs. */
export interface WitnessOptions {
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** Receives what is seen. */
  readonly tell: Tell;
  /** Whether to stop: it is asked between two samples. */
  readonly isStopped: () => boolean;
  /** The packets, if they can be captured. */
  readonly capture: PacketCapture | undefined;
}

/** Watches one connection. */
export class Witness implements Disposable {
  readonly #net = sockets();
  readonly #options: WitnessOptions;
  readonly #diag = openDiag(this.#net);
  readonly #begin = new Uint8Array(8);
  #own: OwnEnd | undefined;
  #peer: PeerEnd | undefined;
  /** Whether the other end is on this machine; `undefined` as long as that is not known. */
  #hasPeer: boolean | undefined;
  #changedUs = nowUs();
  #sampledUs = nowUs();
  #turn = 0;
  #samples = 0;
  #worstUs = 0;
  #packets = 0;
  #leftOut = 0;
  #wasReset = false;
  #closing = new Closing();
  readonly #changes: Change[] = [];
  /** Packets that came before the own address was known. */
  #early: CapturedPacket[] = [];

  /** @param options what it needs */
  constructor(options: WitnessOptions) {
    this.#options = options;
  }

  /** How closely the states were watched. */
  get precision(): Precision {
    return { samples: this.#samples, worstUs: Math.round(this.#worstUs) };
  }

  /** What is not over, as a few words; `undefined` if everything is. */
  get leftOpen(): string | undefined {
    const [own, peer] = [this.#own?.state, this.#peer?.state];
    if (own !== undefined && !isEnd(own)) return `the client is still in ${own}`;
    return peer === undefined || isEnd(peer) ? undefined : `the server is still in ${peer}`;
  }

  /** Whether there is nothing more to see: both ends are closed, as far as they can be seen. */
  get isOver(): boolean {
    return this.leftOpen === undefined;
  }

  /**
   * Begins to watch a socket that has been told to connect.
   *
   * @param fd the socket
   * @param remote where to
   * @param calledUs when that call was made, in microseconds since 1970
   */
  follow(fd: number, remote: Address, calledUs: number): void {
    const returnedUs = nowUs();
    // Of an attempt at another address.
    this.#tellUnseen();
    this.#changedUs = returnedUs;
    this.#sampledUs = returnedUs;
    const own: OwnEnd = {
      fd,
      cookie: cookieOf(this.#net, fd),
      local: this.#net.localAddress(fd),
      remote: destinationOf(remote),
      state: this.#sampleOwn(fd),
      isOpen: true,
    };
    this.#own = own;
    this.#peer = undefined;
    this.#hasPeer = undefined;
    this.#wasReset = false;
    this.#closing = new Closing();
    // If SYN_SENT is still to be seen, it began within the call.
    const at = own.state === "SYN_SENT" ? calledUs : returnedUs;
    this.#options.tell(this.#ownEvent(own, at));
    if (own.state !== "SYN_SENT") {
      this.note(
        `SYN_SENT cannot be seen: the kernel ran the whole exchange within connect(), ` +
          `which took ${formatTime(returnedUs - calledUs)}`,
        calledUs,
      );
    }
  }

  /** Tells the witness that the connection is there. */
  connected(): void {
    const own = this.#own as OwnEnd;
    this.#lookAtPeer(own);
    this.#hasPeer = this.#peer !== undefined;
  }

  /** The program has closed the descriptor by RST: from now on only the kernel's table tells. */
  released(): void {
    const own = this.#own as OwnEnd;
    own.isOpen = false;
    this.#wasReset = true;
    this.#changedUs = nowUs();
    this.look();
  }

  /** Takes one look at everything. */
  look(): void {
    const own = this.#own;
    if (own !== undefined) this.#lookAtOwn(own);
    const isHot = nowUs() - this.#changedUs < HOT_US;
    // A question by netlink takes as long as twenty samples of the own end.
    if (own !== undefined && (!isHot || this.#turn++ % 3 === 0)) this.#lookAtPeer(own);
    this.#takePackets();
  }

  /**
   * Waits until a descriptor is ready, as poll(2) does, and looks in the meantime.
   *
   * @param fd the descriptor
   * @param events the events to wait for
   * @param timeoutMs how long to wait; -1 is for ever
   * @returns the events that came, or 0
   * @throws {InterruptedError} if it was stopped
   */
  wait(fd: number, events: number, timeoutMs: number): number {
    return this.#until(timeoutMs, (pauseMs) => {
      const ready = this.#net.poll(fd, events, pauseMs);
      return ready > 0 ? ready : undefined;
    }) ?? 0;
  }

  /**
   * Looks until something holds.
   *
   * @param holds whether it holds
   * @param timeoutMs how long to look
   * @returns whether it holds
   * @throws {InterruptedError} if it was stopped
   */
  lookUntil(holds: () => boolean, timeoutMs: number): boolean {
    return this.#until(timeoutMs, (pauseMs) => {
      if (holds()) return true;
      if (pauseMs > 0) this.#net.poll(-1, 0, pauseMs);
      return undefined;
    }) ?? false;
  }

  #until<T>(timeoutMs: number, attempt: (pauseMs: number) => T | undefined): T | undefined {
    const endsUs = timeoutMs < 0 ? Infinity : nowUs() + timeoutMs * 1000;
    while (true) {
      this.look();
      if (this.#options.isStopped()) throw new InterruptedError();
      const us = nowUs();
      const leftUs = endsUs - us;
      const found = attempt(Math.min(this.#pauseMs(us), Math.max(0, leftUs / 1000)));
      if (found !== undefined) {
        this.look();
        return found;
      }
      if (leftUs <= 0) return undefined;
    }
  }

  /** How long to pause until the next look, in milliseconds. */
  #pauseMs(us: number): number {
    const sinceUs = us - this.#changedUs;
    return sinceUs < HOT_US ? 0 : Math.min(LONGEST_MS, Math.max(1, sinceUs * SHARE / 1000));
  }

  /**
   * Tells a sentence for people.
   *
   * @param text the sentence, without its full stop
   * @param us the moment that it is about, in microseconds since 1970
   */
  note(text: string, us = nowUs()): void {
    this.#options.tell({ type: "note", at: this.#at(us), text });
  }

  /** The connection was reset or given up: it may have come to `CLOSE` from any state. */
  reset(): void {
    this.#wasReset = true;
  }

  /** Takes the last packets, and tells what was not seen. */
  finish(): void {
    this.#takePackets();
    this.#tellUnseen();
    const drops = this.#options.capture?.takeDrops() ?? 0;
    const count = drops + this.#leftOut;
    if (count === 0) return;
    this.#options.tell({ type: "left_out", at: this.#at(nowUs()), count, what: "packets" });
  }

  /** Tells which states must have been passed although nobody saw them. */
  #tellUnseen(): void {
    for (const { end, from, to, withinUs, us } of this.#changes.splice(0)) {
      // A reset leads from any state to CLOSE.
      const states = to === "CLOSE" && this.#wasReset ? [] : passedUnseen(from, to);
      if (states.length === 0) continue;
      const what = `${states.join(" and ")} of the ${end}`;
      this.note(`${what} passed between two looks, in less than ${formatTime(withinUs)}`, us);
    }
  }

  /** Gives its descriptors back. */
  [Symbol.dispose](): void {
    this.#diag?.[Symbol.dispose]();
  }

  #at(us: number): number {
    return roundUs(us - this.#options.beganUs);
  }

  /** The state only: this is the one call that is made again and again. */
  #sampleOwn(fd: number): TcpState {
    this.#samples++;
    this.#net.getOptionBytes(fd, SOL_TCP, TCP_INFO, this.#begin);
    return stateOf(this.#begin[0] as number);
  }

  #lookAtOwn(own: OwnEnd): void {
    const before = own.state;
    if (before === "TIME_WAIT") return;
    const lastUs = this.#sampledUs;
    let state = own.isOpen ? this.#sampleOwn(own.fd) : "CLOSE";
    const us = this.#sampledUs = nowUs();
    // The socket of the program is closed when TIME_WAIT begins. A remainder of it has that state.
    let row: SocketRow | undefined;
    if (state === "CLOSE" && before !== "CLOSE") {
      row = this.#find(own.local, own.remote);
      state = row?.state ?? "CLOSE";
    }
    if (state === before) return;
    this.#worstUs = Math.max(this.#worstUs, us - lastUs);
    this.#changedUs = us;
    own.state = state;
    this.#changes.push({ end: "client", from: before, to: state, withinUs: us - lastUs, us });
    this.#options.tell(
      row === undefined ? this.#ownEvent(own, us) : {
        ...socketEvent(row, this.#at(us), "client"),
        cookie: own.cookie,
      },
    );
  }

  #ownEvent(own: OwnEnd, us: number): SocketEvent {
    const { cookie, local, remote, state, isOpen, fd } = own;
    const info = isOpen && state !== "CLOSE" ? readTcpInfo(this.#net, fd) : undefined;
    return {
      type: "socket",
      at: this.#at(us),
      cookie,
      local: formatAddress(local),
      remote: formatAddress(remote),
      state,
      end: "client",
      ...(info?.rtt !== undefined && { rtt_us: info.rtt }),
      ...(info?.total_retrans !== undefined && { retransmissions: info.total_retrans }),
    };
  }

  #lookAtPeer({ local, remote }: OwnEnd): void {
    if (this.#hasPeer === false || isEnd(this.#peer?.state)) return;
    const us = nowUs();
    const row = this.#find(remote, local);
    const before = this.#peer;
    if (row === undefined && before === undefined) return;
    const event: SocketEvent = row === undefined
      ? goneEvent((before as PeerEnd).event, this.#at(us))
      : { ...socketEvent(row, this.#at(us), "server"), cookie: before?.cookie ?? row.cookie };
    const { cookie, state } = event;
    this.#peer = { cookie, state, event, seenUs: us };
    const isNews = before?.state !== state || before.event.waiting !== event.waiting;
    if (!isNews) return;
    this.#changedUs = us;
    this.#options.tell(event);
    if (before === undefined) return;
    const withinUs = us - before.seenUs;
    this.#changes.push({ end: "server", from: before.state, to: state, withinUs, us });
  }

  #find(local: Address, remote: Address): SocketRow | undefined {
    if (this.#diag !== undefined) return this.#diag.find(local, remote);
    const [from, to] = [formatAddress(local), formatAddress(remote)];
    return readSocketTable(local.port).find((row) =>
      formatAddress(row.local) === from && formatAddress(row.remote) === to
    );
  }

  #takePackets(): void {
    const { capture } = this.#options;
    if (capture === undefined) return;
    const packets = [...this.#early, ...capture.take()];
    this.#early = [];
    if (packets.length === 0) return;
    // A packet means that something happens.
    this.#changedUs = nowUs();
    const own = this.#own;
    if (own === undefined) {
      this.#early = packets.slice(-MOST_PACKETS);
      return;
    }
    for (const packet of packets) this.#tellPacket(packet, own);
  }

  #tellPacket(packet: CapturedPacket, { local, remote }: OwnEnd): void {
    const { segment: { from, to }, segment, stampNs } = packet;
    // Other clients of the same server are none of our business.
    const isOwn = isSame(from, local) && isSame(to, remote);
    if (!isOwn && !(isSame(from, remote) && isSame(to, local))) return;
    // On a busy machine a FIN may be sent twice. The last acknowledgement then meets nobody.
    if (segment.flags.includes("R") && !this.#closing.isComplete) this.#wasReset = true;
    this.#closing.take(isOwn ? "client" : "server", segment);
    if (++this.#packets > MOST_PACKETS) {
      this.#leftOut++;
      return;
    }
    const us = Number(stampNs - BigInt(this.#options.beganUs) * 1000n) / 1000;
    this.#options.tell(packetEvent(segment, roundUs(us)), packet);
  }
}

/** The other end of the connection, if it is on this machine. */
interface PeerEnd {
  readonly cookie: string;
  readonly state: TcpState;
  readonly event: SocketEvent;
  /** When it was last looked at, in microseconds since 1970. */
  readonly seenUs: number;
}

/** A change of state, between two looks. */
interface Change {
  readonly end: "client" | "server";
  readonly from: TcpState;
  readonly to: TcpState;
  /** How long before it was seen the former state was still seen, in microseconds. */
  readonly withinUs: number;
  /** When it was seen, in microseconds since 1970. */
  readonly us: number;
}

/** This end of the connection. */
interface OwnEnd {
  readonly fd: number;
  readonly cookie: string;
  readonly local: Address;
  readonly remote: Address;
  state: TcpState;
  /** Whether the descriptor is still this connection's. */
  isOpen: boolean;
}

/** A packet does not tell the zone of an address. */
function isSame(inPacket: Address, { hostname, port }: Address): boolean {
  return inPacket.port === port && inPacket.hostname === hostname.replace(/%.*$/, "");
}

/** A socket that is not in the kernel's table any more. */
function goneEvent({ cookie, local, remote, end }: SocketEvent, at: number): SocketEvent {
  return { type: "socket", at, cookie, local, remote, state: "CLOSE", ...(end && { end }) };
}

function isEnd(state: TcpState | undefined): boolean {
  return state === "CLOSE" || state === "TIME_WAIT";
}

function openDiag(net: Sockets): SockDiag | undefined {
  try {
    return new SockDiag(net);
  } catch {
    // There is no netlink in some containers and on WSL 1. The tables of proc(5) tell as much.
    return undefined;
  }
}

/** Berkeley sockets that let a witness look while they wait. */
export class WatchedSockets extends Sockets {
  readonly #witness: Witness;
  #receiveTimeoutMs = 0;

  /** @param witness looks before and after each call on a connection, and while one waits */
  constructor(witness: Witness) {
    super(library());
    this.#witness = witness;
  }

  override setReceiveTimeout(_fd: number, ms: number): void {
    // The descriptor does not block, so the limit is kept here.
    this.#receiveTimeoutMs = ms;
  }

  override recv(fd: number, buffer: Uint8Array, flags = 0): number {
    const { MSG_DONTWAIT, POLLIN } = this.constants;
    if ((flags & MSG_DONTWAIT) === 0) {
      this.#witness.wait(fd, POLLIN, this.#receiveTimeoutMs > 0 ? this.#receiveTimeoutMs : -1);
    }
    const count = super.recv(fd, buffer, flags);
    if (count === -this.constants.errno.ECONNRESET) this.#witness.reset();
    this.#witness.look();
    return count;
  }

  override send(fd: number, bytes: Uint8Array, flags = 0): number {
    const count = super.send(fd, bytes, flags);
    this.#witness.look();
    return count;
  }

  override poll(fd: number, events: number, timeoutMs: number): number {
    return timeoutMs === 0
      ? super.poll(fd, events, timeoutMs)
      : this.#witness.wait(fd, events, timeoutMs);
  }

  override shutdown(fd: number, how: number): number {
    const result = super.shutdown(fd, how);
    this.#witness.look();
    return result;
  }
}
