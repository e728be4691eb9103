/**
 * Asks the kernel about all TCP sockets of this network namespace, by netlink (sock_diag(7)). Any
 * user may ask, about everybody's sockets.
 *
 * A socket has a cookie, a number that is never used again. Addresses and inodes are used again, so
 * only the cookie tells whether two answers are about the same socket.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { encodeSockaddr, isIPv6, toAddress } from "../net/address.ts";
import { LINUX } from "../net/constants.ts";
import type { SocketError } from "../net/socket_error.ts";
import { type Sockets, sockets } from "../net/sockets.ts";
import { AF_NETLINK, SO_RCVBUF, SO_RCVBUFFORCE } from "./linux.ts";
import {
  ANSWER_BYTES,
  HEADER_BYTES,
  makeMessage,
  messagesIn,
  Netlink,
  NLM_F_DUMP,
  NLM_F_REQUEST,
  openNetlink,
} from "./netlink.ts";
import { attachFilter, BPF } from "./socket_filter.ts";
import { parseTcpInfo, type TcpInfo } from "./tcp_info.ts";
import { type SocketTimer, stateMask, stateOf, type TcpState, timerOf } from "./tcp_states.ts";

const { AF_INET, AF_INET6 } = LINUX;
const NETLINK_SOCK_DIAG = 4;
const SOCK_DIAG_BY_FAMILY = 20;
const TCPDIAG_GETSOCK = 18;
const REQUEST_BYTES = 56;
const DUMP_BYTES = 60;
const ROW_BYTES = 72;

/** Where a request has the two ends of a connection: `struct inet_diag_sockid`. */
const LOCAL = { port: 8, host: 12 };
const REMOTE = { port: 10, host: 28 };
const DEVICE = 44;

/** Where an older request has its parts: `struct inet_diag_req`. */
const DUMP = { extensions: 3, port: 4, cookie: 44, states: 52 };

/** The attribute of a request that says which sockets match, and the operations that it is made of. */
const INET_DIAG_REQ_BYTECODE = 1;
const MATCH = { jump: 1, localAtLeast: 2, localAtMost: 3, remoteAtLeast: 4, remoteAtMost: 5 };

/** Attributes of an answer. */
const INET_DIAG_INFO = 2;
const INET_DIAG_CONG = 4;
const INET_DIAG_SKMEMINFO = 7;
const INET_DIAG_SHUTDOWN = 8;

/** The groups of netlink in which the kernel tells of TCP sockets that end, as bits. */
const DESTROY_GROUPS = 0b0101;

/** Where an event has both ports: in the `inet_diag_msg` behind the header of netlink. */
const EVENT_PORTS = HEADER_BYTES + 4;

/** How many bytes of events may wait to be read. */
const EVENT_BUFFER = 4 * 1024 * 1024;

const decoder = new TextDecoder();

/** One socket, as the kernel describes it. */
export interface SocketRow {
  /** Its name, which no other socket ever has: the decimal digits of a 64-bit number. */
  readonly cookie: string;
  /** Its state. */
  readonly state: TcpState;
  /** Its own address. */
  readonly local: Address;
  /** The address of its peer; 0.0.0.0:0 or [::]:0 for a listener. */
  readonly remote: Address;
  /** The timer that runs; `undefined` if none does. */
  readonly timer: SocketTimer | undefined;
  /** When the timer ends, in milliseconds; 0 if none runs. */
  readonly expiresMs: number;
  /** How often the timer has ended in vain. */
  readonly retransmissions: number;
  /** Bytes that the program has not read. For a listener: connections in its accept queue. */
  readonly receiveQueue: number;
  /** Bytes that the peer has not acknowledged. For a listener: the limit of its accept queue. */
  readonly sendQueue: number;
  /** The number of its file; 0 if no program has it: not yet accepted, or already closed. */
  readonly inode: number;
  /** The user who owns it. */
  readonly uid: number;
  /** The number of the device that it is bound to; 0 if it is bound to none. Absent if unknown. */
  readonly device?: number;
  /** Which directions are shut down. */
  readonly shutdown?: { readonly receive: boolean; readonly send: boolean };
  /** The congestion control, for instance `cubic`. */
  readonly congestion?: string;
  /** How many segments were dropped because the socket had no memory left. */
  readonly drops?: number;
  /** The figures of TCP. Absent in TIME_WAIT, and where the program has closed in FIN_WAIT2. */
  readonly info?: TcpInfo | undefined;
}

/** Which sockets to ask for. */
export interface SocketQuery {
  /** Only those with this local port, or with `either` also those with this remote port. */
  readonly port?: number;
  /**
   * Whether a remote port counts too.
   *
   * @default {false}
   */
  readonly either?: boolean;
  /** Only those in these states. By default all states. */
  readonly states?: readonly TcpState[];
}

/** A netlink socket for questions about TCP sockets. */
export class SockDiag implements Disposable {
  readonly #netlink: Netlink;

  /**
   * Opens it.
   *
   * @param net the calls
   * @throws {SocketError} where there is no netlink, as in some containers and on WSL 1
   */
  constructor(net: Sockets = sockets()) {
    this.#netlink = new Netlink(net, NETLINK_SOCK_DIAG, "about sockets");
  }

  /**
   * All TCP sockets that match, of both families.
   *
   * @param query which
   * @returns the sockets; each one once
   * @throws {SocketError} if the kernel refuses
   */
  sockets({ port = 0, either = false, states }: SocketQuery = {}): SocketRow[] {
    const mask = states === undefined ? 0xffff_ffff : stateMask(states);
    const found = new Map<string, SocketRow>();
    for (const row of this.#ask(makeDump(mask, port, either))) {
      // The kernel does not pass over those that are bound and neither listen nor connect.
      const isMeant = port === 0 || row.local.port === port || either && row.remote.port === port;
      if (isMeant) found.set(row.cookie, row);
    }
    return [...found.values()];
  }

  /**
   * One connection, which is cheaper than to ask for all.
   *
   * @param local the address of this end
   * @param remote the address of the other end
   * @param device the number of the device that it is bound to
   * @returns `undefined` if there is none
   */
  find(local: Address, remote: Address, device = 0): SocketRow | undefined {
    // While a remainder takes the place of its socket, neither is in the kernel's table for a moment.
    return this.#findNow(local, remote, device) ?? this.#findNow(local, remote, device);
  }

  #findNow(local: Address, remote: Address, device: number): SocketRow | undefined {
    const request = makeRequest(isIPv6(local.hostname) ? AF_INET6 : AF_INET);
    writeEnd(request, LOCAL, local);
    writeEnd(request, REMOTE, remote);
    new DataView(request.buffer).setUint32(HEADER_BYTES + DEVICE, device, true);
    try {
      const [row] = this.#ask(request);
      // Where there is no such connection, the kernel answers with the listener of its address.
      return row?.state === "LISTEN" ? undefined : row;
    } catch (error) {
      if ((error as SocketError).errno === LINUX.errno.ENOENT) return undefined;
      throw error;
    }
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#netlink[Symbol.dispose]();
  }

  #ask(request: Uint8Array): SocketRow[] {
    const rows: SocketRow[] = [];
    const { bytes, view } = this.#netlink;
    for (const { type, at, end } of this.#netlink.ask(request)) {
      if (type === SOCK_DIAG_BY_FAMILY || type === TCPDIAG_GETSOCK) {
        rows.push(new KernelRow(bytes, view, at, end));
      }
    }
    return rows;
  }
}

/** Hears of each TCP socket of this network namespace that ends, with its last figures. */
export class DestroyEvents implements Disposable {
  readonly #net: Sockets;
  readonly #fd: number;
  readonly #answer = new Uint8Array(ANSWER_BYTES);
  readonly #view = new DataView(this.#answer.buffer);

  /**
   * Begins to hear. Sockets that end from now on are not missed.
   *
   * @param net the calls
   * @throws {SocketError} where there is no netlink
   */
  constructor(net: Sockets = sockets()) {
    this.#net = net;
    this.#fd = openNetlink(net, NETLINK_SOCK_DIAG);
    const { SOL_SOCKET } = net.constants;
    try {
      // Only root may exceed the system's limit.
      net.setOption(this.#fd, SOL_SOCKET, SO_RCVBUFFORCE, EVENT_BUFFER);
    } catch {
      net.setOption(this.#fd, SOL_SOCKET, SO_RCVBUF, EVENT_BUFFER);
    }
    try {
      const address = new Uint8Array(12);
      const view = new DataView(address.buffer);
      view.setUint16(0, AF_NETLINK, true);
      view.setUint32(8, DESTROY_GROUPS, true);
      net.bindBytes(this.#fd, address, "to the events of sockets");
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The descriptor, to be waited for with poll(2). */
  get fd(): number {
    return this.#fd;
  }

  /**
   * From now on hears only of sockets with this port at one of their ends, and of those whose peer the
   * kernel has forgotten. Whatever other programs close then takes no room in the queue.
   *
   * @param port the port
   */
  attendTo(port: number): void {
    const { LOAD_HALF, JUMP_IF_EQUAL, RETURN } = BPF;
    attachFilter(this.#net, this.#fd, [
      [LOAD_HALF, 0, 0, EVENT_PORTS],
      [JUMP_IF_EQUAL, 3, 0, port],
      [LOAD_HALF, 0, 0, EVENT_PORTS + 2],
      [JUMP_IF_EQUAL, 1, 0, port],
      [JUMP_IF_EQUAL, 0, 1, 0],
      [RETURN, 0, 0, 0xffff_ffff],
      [RETURN, 0, 0, 0],
    ]);
  }

  /**
   * Takes the events that are there, without waiting.
   *
   * @returns the sockets that have ended, the oldest first, each in the state `CLOSE`; and whether
   * the kernel had to drop some before these, because they were not read in time
   */
  take(): { readonly ended: readonly SocketRow[]; readonly missed: boolean } {
    const { MSG_DONTWAIT, errno } = this.#net.constants;
    const ended: SocketRow[] = [];
    let missed = false;
    while (true) {
      const count = this.#net.recv(this.#fd, this.#answer, MSG_DONTWAIT);
      if (count === -errno.EINTR) continue;
      if (count === -errno.ENOBUFS) missed = true;
      else if (count < 0) return { ended, missed };
      else {
        for (const { type, at, end } of messagesIn(this.#view, count)) {
          if (type !== SOCK_DIAG_BY_FAMILY) continue;
          ended.push(new KernelRow(this.#answer, this.#view, at, end));
        }
      }
    }
  }

  /** Gives the descriptor back. */
  [Symbol.dispose](): void {
    this.#net.close(this.#fd);
  }
}

/**
 * The cookie of an own socket, as {@linkcode SocketRow.cookie} writes it.
 *
 * @param net the calls
 * @param fd the socket
 */
export function cookieOf(net: Sockets, fd: number): string {
  return String(net.cookie(fd));
}

/**
 * Whether a row is a connection that the kernel has opened and that no program has accepted yet.
 *
 * @param row a socket
 */
export function waitsForAccept({ state, inode }: SocketRow): boolean {
  return inode === 0 && (state === "ESTABLISHED" || state === "CLOSE_WAIT");
}

/** What is asked for besides. */
const WANTED = [INET_DIAG_INFO, INET_DIAG_CONG, INET_DIAG_SKMEMINFO]
  .reduce((set, attribute) => set | (1 << (attribute - 1)), 0);

/** A `nlmsghdr` and an `inet_diag_req_v2`: for one socket of a family, in any state. */
function makeRequest(family: number): Uint8Array {
  const request = makeMessage(SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST, REQUEST_BYTES);
  const view = new DataView(request.buffer);
  view.setUint8(16, family);
  view.setUint8(17, LINUX.IPPROTO_TCP);
  view.setUint8(18, WANTED);
  view.setUint32(20, 0xfff, true);
  // Any cookie will do.
  view.setUint32(64, 0xffff_ffff, true);
  view.setUint32(68, 0xffff_ffff, true);
  return request;
}

/**
 * A `nlmsghdr` and an `inet_diag_req`: for all sockets. For each request the kernel walks through a
 * table that has hundreds of thousands of places on a large machine, however few sockets there are.
 * This older request is for both families at once, where the newer one is for one of them.
 *
 * @param states which, as bits @param port see `SocketQuery` @param either the same
 */
function makeDump(states: number, port: number, either: boolean): Uint8Array {
  const match = either && port !== 0 ? matchEither(port) : new Uint8Array();
  const bytes = DUMP_BYTES + match.length;
  const request = makeMessage(TCPDIAG_GETSOCK, NLM_F_REQUEST | NLM_F_DUMP, bytes);
  const view = new DataView(request.buffer, HEADER_BYTES);
  view.setUint8(DUMP.extensions, WANTED);
  // The kernel passes over the sockets with other local ports, unless this is 0.
  if (!either) view.setUint16(DUMP.port, port);
  view.setUint32(DUMP.cookie, 0xffff_ffff, true);
  view.setUint32(DUMP.cookie + 4, 0xffff_ffff, true);
  view.setUint32(DUMP.states, states, true);
  request.set(match, HEADER_BYTES + DUMP_BYTES);
  return request;
}

/**
 * The attribute that has the kernel pass over sockets without a port at either end. Each operation is
 * a `struct inet_diag_bc_op`: how many bytes further it goes on if it holds, and if it does not. A port
 * takes a second one. What ends exactly behind the last one matches.
 */
function matchEither(port: number): Uint8Array {
  const operations = [
    [MATCH.localAtLeast, 8, 20],
    [0, 0, port],
    [MATCH.localAtMost, 8, 12],
    [0, 0, port],
    [MATCH.jump, 4, 20],
    [MATCH.remoteAtLeast, 8, 20],
    [0, 0, port],
    [MATCH.remoteAtMost, 8, 12],
    [0, 0, port],
  ] as const;
  const attribute = new Uint8Array(4 + 4 * operations.length);
  const view = new DataView(attribute.buffer);
  view.setUint16(0, attribute.length, true);
  view.setUint16(2, INET_DIAG_REQ_BYTECODE, true);
  for (const [index, [code, yes, no]] of operations.entries()) {
    view.setUint8(4 + 4 * index, code);
    view.setUint8(5 + 4 * index, yes);
    view.setUint16(6 + 4 * index, no, true);
  }
  return attribute;
}

/** Writes one end of a connection into a request, at its places for the port and the address. */
function writeEnd(
  request: Uint8Array,
  { port, host: hostAt }: typeof LOCAL,
  address: Address,
): void {
  const sockaddr = encodeSockaddr(address, LINUX);
  request.set(sockaddr.subarray(2, 4), HEADER_BYTES + port);
  const host = isIPv6(address.hostname) ? sockaddr.subarray(8, 24) : sockaddr.subarray(4, 8);
  request.set(host, HEADER_BYTES + hostAt);
}

/**
 * A row from an `inet_diag_msg` and its attributes. Whoever asks for thousands of sockets again and
 * again looks at the figures of a few. So those are copied here, and read when they are asked for.
 */
class KernelRow implements SocketRow {
  readonly cookie: string;
  readonly state: TcpState;
  readonly local: Address;
  readonly remote: Address;
  readonly timer: SocketTimer | undefined;
  readonly expiresMs: number;
  readonly retransmissions: number;
  readonly receiveQueue: number;
  readonly sendQueue: number;
  readonly uid: number;
  readonly device: number;
  readonly inode: number;
  declare shutdown?: { readonly receive: boolean; readonly send: boolean };
  declare congestion?: string;
  declare drops?: number;
  #figures: Uint8Array | undefined;
  #info: TcpInfo | undefined;

  /**
   * @param bytes what the kernel answered
   * @param view the same
   * @param at where the message begins
   * @param end where it ends
   */
  constructor(bytes: Uint8Array, view: DataView, at: number, end: number) {
    const family = view.getUint8(at);
    this.cookie = readCookie(view, at + 44);
    this.state = stateOf(view.getUint8(at + 1));
    this.local = readEnd(bytes, family, at + 4, at + 8);
    this.remote = readEnd(bytes, family, at + 6, at + 24);
    this.timer = timerOf(view.getUint8(at + 2));
    this.expiresMs = this.timer === undefined ? 0 : view.getUint32(at + 52, true);
    this.retransmissions = view.getUint8(at + 3);
    this.receiveQueue = view.getUint32(at + 56, true);
    this.sendQueue = view.getUint32(at + 60, true);
    this.device = view.getUint32(at + 40, true);
    this.uid = view.getUint32(at + 64, true);
    this.inode = view.getUint32(at + 68, true);
    for (let next = at + ROW_BYTES; next + 4 <= end;) {
      const length = view.getUint16(next, true);
      if (length < 4 || next + length > end) break;
      this.#readAttribute(bytes, view, next, next + length);
      next += Math.ceil(length / 4) * 4;
    }
  }

  /** The figures of TCP. */
  get info(): TcpInfo | undefined {
    return this.#info ??= this.#figures && parseTcpInfo(this.#figures);
  }

  #readAttribute(bytes: Uint8Array, view: DataView, at: number, end: number): void {
    const data = at + 4;
    const length = end - data;
    switch (view.getUint16(at + 2, true)) {
      case INET_DIAG_INFO:
        if (length >= 8) this.#figures = bytes.slice(data, end);
        break;
      case INET_DIAG_CONG:
        this.congestion = decoder.decode(bytes.subarray(data, end)).replace(/\0.*$/s, "");
        break;
      case INET_DIAG_SKMEMINFO:
        if (length >= 36) this.drops = view.getUint32(data + 32, true);
        break;
      case INET_DIAG_SHUTDOWN: {
        const directions = view.getUint8(data);
        this.shutdown = { receive: (directions & 1) !== 0, send: (directions & 2) !== 0 };
      }
    }
  }
}

/** The cookie as text. All that a machine has given out so far nearly always fit into 32 bits. */
function readCookie(view: DataView, at: number): string {
  const isSmall = view.getUint32(at + 4, true) === 0;
  return String(isSmall ? view.getUint32(at, true) : view.getBigUint64(at, true));
}

/** An address and a port, which lie at different places in a row. */
function readEnd(bytes: Uint8Array, family: number, portAt: number, hostAt: number): Address {
  const port = (bytes[portAt]! << 8) | bytes[portAt + 1]!;
  return toAddress(bytes.subarray(hostAt, hostAt + (family === AF_INET6 ? 16 : 4)), port);
}
