/**
 * The stage of a lesson: real sockets, and everything that shows what the kernel does with them. In
 * the sandbox it has a network of its own, with packets and settings.
 *
 * Nothing here waits in the kernel, so that timers and signals work.
 *
 * @module
 */

import { writeFileSync } from "node:fs";
import { InterruptedError } from "../../../engine/dial/failures.ts";
import { SO_DETACH_FILTER } from "../../../engine/kernel/linux.ts";
import { readCounters, readSetting } from "../../../engine/kernel/proc_net.ts";
import { cookieOf, SockDiag, type SocketRow } from "../../../engine/kernel/sock_diag.ts";
import { readTcpInfo } from "../../../engine/kernel/tcp_info.ts";
import { errorName, SocketError } from "../../../engine/net/socket_error.ts";
import { type Sockets, sockets } from "../../../engine/net/sockets.ts";
import { nowUs } from "../../../engine/values/moment.ts";
import {
  type Event,
  type PacketEvent,
  roundUs,
  type Tier,
} from "../../../engine/recording/events.ts";
import { packetEvent } from "../../../engine/recording/from_kernel.ts";
import { SocketChanges } from "../../../engine/recording/socket_changes.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { attachFilter, type Filter } from "../../../engine/kernel/socket_filter.ts";
import { PacketCapture } from "../capture.ts";
import { networkName } from "../network_name.ts";
import { type Policy, Wire, type WireEvent } from "../wire/wire.ts";
import { Seen } from "./seen.ts";
import { End, Listener, makeSmall, type Surroundings } from "./ends.ts";

/** The shortest and the longest time between two looks while nothing happens, in milliseconds. */
const LOOK_MS = 1;
const LONGEST_LOOK_MS = 10;

/** A stage. */
export interface StageOptions {
  /** Which means there are. */
  readonly tier: Tier;
  /** When the recording began, in whole microseconds since 1970. */
  readonly beganUs: number;
  /** Receives what is seen. */
  readonly tell: (event: Event) => void;
  /** Aborts when the lesson is to end early. */
  readonly signal: AbortSignal;
  /** How long to wait after each explanation, so that people can read it, in milliseconds. */
  readonly pauseMs: number;
  /** The network outside of the sandbox, as {@linkcode networkName} tells it. */
  readonly outside: string;
}

/** The port of the server at the end of a wire. */
const WIRE_PORT = 7000;

/** How to listen. */
export interface ListenOptions {
  /** How many connections may wait to be accepted: listen(2). @default {128} */
  readonly backlog?: number;
  /** Whether the buffers are as small as they can be. */
  readonly small?: boolean;
  /** The port. @default {0, any that is free} */
  readonly port?: number;
  /** Whether the port may still have old connections: SO_REUSEADDR (socket(7)). */
  readonly reuseAddress?: boolean;
  /** Whether others may listen on the port as well: SO_REUSEPORT (socket(7)). */
  readonly reusePort?: boolean;
}

/** How to make a client's socket. */
export interface ClientOptions {
  /** Whether its buffers are as small as they can be. */
  readonly small?: boolean;
  /** The port that it shall have; 0 is any. Others may use it too. @default {chosen by connect(2)} */
  readonly port?: number;
  /** Its address, with a port. @default {"127.0.0.1"} */
  readonly hostname?: string;
}

/** A wire, and the server at its end. */
export interface WiredServer {
  /** The server. */
  readonly listener: Listener;
  /** Where a client must connect to. */
  readonly target: Address;
}

/** A listener that is looked at. */
interface Listening {
  readonly fd: number;
  readonly address: Address;
  readonly cookie: string;
}

/** Sockets, and what shows what becomes of them. */
export class Stage implements Disposable {
  readonly net: Sockets = sockets();
  readonly tier: Tier;
  readonly #options: StageOptions;
  readonly #diag = new SockDiag(this.net);
  readonly #changes = new SocketChanges((row) => this.#endOf(row));
  /** The listeners that are open, by descriptor. */
  readonly #listeners = new Map<number, Listening>();
  /** The addresses at which somebody listens or has listened. */
  readonly #listening = new Set<string>();
  /** Both ends of each connection, by both addresses. */
  readonly #connections = new Map<string, { readonly local: Address; readonly remote: Address }>();
  /** What captures packets, by port. */
  readonly #captures = new Map<number, PacketCapture>();
  readonly #told: Event[] = [];
  /** How to close what is open, by descriptor. */
  readonly #open = new Map<number, () => void>();
  readonly #around: Surroundings;
  /** The settings that were changed, as they were. */
  readonly #before = new Map<string, string>();
  #wire: Wire | undefined;

  /** @param options what it needs */
  constructor(options: StageOptions) {
    this.#options = options;
    this.tier = options.tier;
    this.#around = {
      net: this.net,
      tell: (event) => this.tell({ ...event, at: this.now() }),
      look: () => void this.look(),
      watch: (local, remote) => this.#watch(local, remote),
      until: (what, holds, ms) => this.until(what, holds, ms),
    };
  }

  /** Whether packets are seen. */
  get hasPackets(): boolean {
    return this.tier !== "T0";
  }

  /** Whether the network is the lesson's own: its settings may be changed. */
  get isOwn(): boolean {
    return this.tier === "T2" && networkName() !== this.#options.outside;
  }

  /** The time since the recording began, in microseconds. */
  now(): number {
    return roundUs(nowUs() - this.#options.beganUs);
  }

  /** Tells what was seen. */
  tell(event: Event): void {
    this.#told.push(event);
    this.#options.tell(event);
  }

  /** What was seen so far. */
  get seen(): Seen {
    return new Seen(this.#told);
  }

  /**
   * Explains something, and gives people time to read it.
   *
   * @param text a sentence or two
   */
  async explain(text: string): Promise<void> {
    this.look();
    this.tell({ type: "note", at: this.now(), text });
    // As long as it takes to read: longer texts take longer.
    await this.pass(this.#options.pauseMs * Math.max(0.5, text.length / 100));
  }

  /**
   * Opens a listener.
   *
   * @param options how
   * @throws {SocketError} if the address is taken, which is told
   */
  listen(options: ListenOptions = {}): Listener {
    const { port = 0 } = options;
    return this.#listen({ hostname: "127.0.0.1", port }, options, this.hasPackets);
  }

  /** Closes a listener. */
  closeListener({ fd }: Listener): void {
    this.net.close(fd);
    this.#open.delete(fd);
    this.#listeners.delete(fd);
    this.look();
  }

  /**
   * Lays a wire from a client to a server, which this program is: every packet passes through it.
   *
   * @param policy what becomes of each packet
   * @throws {DeviceError} where there can be none
   */
  wire(policy: Policy): WiredServer {
    const wire = this.#wire = new Wire({
      net: this.net,
      serverPort: WIRE_PORT,
      policy,
      tell: (event) => this.#tellPacket(event),
    });
    const listener = this.#listen({ hostname: wire.serverAddress, port: WIRE_PORT }, {}, false);
    return { listener, target: { hostname: wire.target, port: WIRE_PORT } };
  }

  /**
   * Makes a client's socket, which is not connected yet.
   *
   * @param options its buffers, and its own address
   */
  client(options: ClientOptions = {}): End {
    const { hostname = "127.0.0.1" } = options;
    const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET, SO_REUSEADDR } = this.net.constants;
    const fd = this.net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    const end = this.#keep(new End(this.#around, fd, "client"));
    if (options.small) makeSmall(this.net, fd);
    if (options.port !== undefined) {
      this.net.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      this.net.bind(fd, { hostname, port: options.port });
    }
    return end;
  }

  /**
   * Connects a client, and accepts it.
   *
   * @returns the client's end and the server's
   */
  async pair(listener: Listener, client = this.client()): Promise<[client: End, server: End]> {
    await client.connect(listener.address);
    return [client, await listener.accept()];
  }

  /**
   * Looks at the kernel's table, and takes the packets that have come. What has changed is told.
   *
   * @returns the sockets of this stage
   */
  look(): readonly SocketRow[] {
    this.#wire?.turn();
    const packets = this.#takePackets();
    const rows = this.#rows();
    const changes = this.#changes.look(rows, this.now());
    // A packet may have come between the two.
    const events: Event[] = [...packets, ...this.#takePackets(), ...changes];
    for (const event of events.sort((a, b) => a.at - b.at)) this.tell(event);
    return rows;
  }

  /**
   * The listeners, and both ends of each connection. The kernel is asked for one connection after the
   * other: that is fast, however many sockets the machine has.
   */
  #rows(): SocketRow[] {
    const connections = [...this.#connections.values()]
      .map(({ local, remote }) => this.#diag.find(local, remote))
      .filter((row) => row !== undefined);
    return [
      ...[...this.#listeners.values()].map((listener) => this.#listenerRow(listener)),
      ...connections,
    ];
  }

  #listenerRow({ fd, address, cookie }: Listening): SocketRow {
    // Of a listener, these fields are the length of its queue and the limit.
    const { unacked = 0, sacked = 0 } = readTcpInfo(this.net, fd);
    return {
      cookie,
      state: "LISTEN",
      local: address,
      remote: { hostname: address.hostname, port: 0 },
      timer: undefined,
      expiresMs: 0,
      retransmissions: 0,
      receiveQueue: unacked,
      sendQueue: sacked,
      inode: 0,
      uid: 0,
    };
  }

  /** A client begins to connect: from now on both its ends are looked for. */
  #watch(local: Address, remote: Address): void {
    // Over the wire, each end sees the other at the wire's address.
    const client = this.#wire?.target === remote.hostname
      ? { hostname: remote.hostname, port: local.port }
      : local;
    const server = this.#wire?.target === remote.hostname
      ? { hostname: this.#wire.serverAddress, port: remote.port }
      : remote;
    for (const [one, other] of [[local, remote], [server, client]] as const) {
      this.#connections.set(`${formatAddress(one)} ${formatAddress(other)}`, {
        local: one,
        remote: other,
      });
    }
  }

  #takePackets(): PacketEvent[] {
    const taken = [...this.#captures.values()].flatMap((capture) => capture.take());
    return taken.map(({ segment, stampNs }) => {
      const us = Number(stampNs / 1000n) + Number(stampNs % 1000n) / 1000;
      return packetEvent(segment, roundUs(us - this.#options.beganUs));
    });
  }

  /** How many connections wait in the accept queue of a listener. */
  waiting({ fd }: Listener): number {
    return readTcpInfo(this.net, fd).unacked ?? 0;
  }

  /** The row of an end in the kernel's table; `undefined` if it has none. */
  rowOf({ fd }: End): SocketRow | undefined {
    const cookie = cookieOf(this.net, fd);
    return this.look().find((row) => row.cookie === cookie);
  }

  /** Makes a socket and leaves it. It is in CLOSE, and the kernel's table does not have it. */
  showUnconnected(): void {
    const { fd } = this.client();
    const { state } = readTcpInfo(this.net, fd);
    const nowhere = "0.0.0.0:0";
    this.tell({
      type: "socket",
      at: this.now(),
      cookie: cookieOf(this.net, fd),
      local: nowhere,
      remote: nowhere,
      state,
      end: "client",
    });
  }

  /**
   * Waits until something is true, and looks at the table meanwhile.
   *
   * @param what it in a few words, for the error
   * @param holds whether it is true
   * @param ms how long to wait at most
   * @throws {Error} if it does not become true in time
   */
  async until(what: string, holds: () => boolean, ms = 10_000): Promise<void> {
    const endsAt = performance.now() + ms;
    const longestMs = this.#wire === undefined ? LONGEST_LOOK_MS : LOOK_MS;
    for (let pauseMs = LOOK_MS;; pauseMs = Math.min(longestMs, pauseMs * 1.1)) {
      this.#check();
      this.look();
      if (holds()) return;
      if (performance.now() > endsAt) throw new Error(`Waited ${ms} ms in vain: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }

  /** Lets time pass, and looks at the table meanwhile. @param ms how long */
  async pass(ms: number): Promise<void> {
    const endsAt = performance.now() + ms;
    await this.until("time", () => performance.now() >= endsAt, ms + 10_000);
  }

  /**
   * Looks at counters of the kernel. Outside of the sandbox they are the machine's.
   *
   * @param names the kernel's names for them
   */
  count(...names: readonly string[]): void {
    this.measure(Object.fromEntries(this.counters(names)));
  }

  /** Counters of the kernel as they are now. @param names the kernel's names for them */
  counters(names: readonly string[]): Map<string, number> {
    return new Map([...readCounters()].filter(([name]) => names.includes(name)));
  }

  /** Tells numbers. @param values by name */
  measure(values: Readonly<Record<string, number>>): void {
    this.look();
    this.tell({ type: "counters", at: this.now(), values });
  }

  /**
   * Changes a setting of this network, which must be the lesson's own. It is changed back when the
   * stage is closed, for others may be played in the same network.
   *
   * @param name for instance `tcp_syn_retries`
   * @param value its new value
   * @throws {Error} if the network is somebody else's, or the kernel does not take the value
   */
  set(name: string, value: string | number): void {
    if (!this.isOwn) throw new Error(`Cannot set ${name}: this network is not the lesson's own`);
    const before = this.setting(name);
    writeFileSync(settingFile(name), String(value));
    if (before !== undefined && !this.#before.has(name)) this.#before.set(name, before);
    // The kernel passes over some values without a word.
    const is = this.setting(name);
    if (is !== String(value)) throw new Error(`Cannot set ${name} to ${value}: it is ${is}`);
  }

  /** A setting of this network. @returns `undefined` if this kernel does not have it */
  setting(name: string): string | undefined {
    return readSetting(`net/ipv4/${name}`)?.replaceAll(/\s+/g, " ");
  }

  /**
   * Drops what comes to a socket, as a bad wire would.
   *
   * @param fd the socket
   * @param filter which segments; they begin with the header of TCP
   */
  drop({ fd }: { readonly fd: number }, filter: Filter): void {
    attachFilter(this.net, fd, filter);
  }

  /** Lets everything through again. */
  dropNothing({ fd }: { readonly fd: number }): void {
    this.net.setOption(fd, this.net.constants.SOL_SOCKET, SO_DETACH_FILTER, 0);
  }

  /** Closes everything. */
  [Symbol.dispose](): void {
    for (const close of this.#open.values()) close();
    this.#open.clear();
    for (const capture of this.#captures.values()) capture[Symbol.dispose]();
    this.#captures.clear();
    this.#wire?.[Symbol.dispose]();
    this.#diag[Symbol.dispose]();
    for (const [name, value] of this.#before) writeFileSync(settingFile(name), value);
    this.#before.clear();
  }

  #listen(at: Address, options: ListenOptions, captures: boolean): Listener {
    const { backlog = 128, small = false, reuseAddress = false, reusePort = false } = options;
    const { AF_INET, SOCK_STREAM, SOCK_NONBLOCK, SOL_SOCKET } = this.net.constants;
    const { SO_REUSEADDR, SO_REUSEPORT } = this.net.constants;
    const fd = this.net.socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
    this.#open.set(fd, () => this.net.close(fd));
    if (small) makeSmall(this.net, fd);
    if (reuseAddress) this.net.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (reusePort) this.net.setOption(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    this.#bind(fd, at);
    const address = this.net.localAddress(fd);
    if (captures && !this.#captures.has(address.port)) {
      // Before the first SYN can come.
      this.#captures.set(address.port, new PacketCapture(this.net, { port: address.port }));
    }
    this.net.listen(fd, backlog);
    this.#listeners.set(fd, { fd, address, cookie: cookieOf(this.net, fd) });
    this.#listening.add(formatAddress(address));
    this.look();
    return new Listener(
      this.#around,
      fd,
      (accepted) => this.#keep(new End(this.#around, accepted, "server")),
    );
  }

  #bind(fd: number, at: Address): void {
    try {
      this.net.bind(fd, at);
    } catch (error) {
      if (error instanceof SocketError) {
        this.tell({
          type: "call",
          at: this.now(),
          end: "server",
          call: "bind",
          local: formatAddress(at),
          error: errorName(error.errno),
        });
      }
      throw error;
    }
  }

  #tellPacket({ packet: { segment, sentUs }, what, us }: WireEvent): void {
    if (what === "held") return;
    const { beganUs } = this.#options;
    const event = packetEvent(segment, roundUs(sentUs - beganUs));
    const fate = what === "lost" ? { lost: true } : { arrived: roundUs(us - beganUs) };
    this.tell({ ...event, ...fate });
  }

  #keep(end: End): End {
    // The number of a socket that is closed already belongs to the next one.
    this.#open.set(end.fd, () => end.abandon());
    return end;
  }

  #check(): void {
    if (this.#options.signal.aborted) throw new InterruptedError();
  }

  #endOf({ local }: SocketRow): "client" | "server" {
    return this.#listening.has(formatAddress(local)) ? "server" : "client";
  }
}

/** The file of a setting of TCP: sysctl(8). */
function settingFile(name: string): string {
  return `/proc/sys/net/ipv4/${name}`;
}
