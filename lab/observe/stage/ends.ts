/**
 * The sockets of a lesson: each call returns at once, is told if it matters, and is followed by a
 * look at the kernel's table.
 *
 * @module
 */

import { SOCKADDR_SIZE } from "../../../engine/net/address.ts";
import type { CallEvent } from "../../../engine/recording/events.ts";
import { SO_RCVBUF, SO_SNDBUF, SOL_TCP } from "../../../engine/kernel/linux.ts";
import { readTcpInfo, type TcpInfo } from "../../../engine/kernel/tcp_info.ts";
import { errorName } from "../../../engine/net/socket_error.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import type { EndName } from "./names.ts";

/** What the ends need of their stage. */
export interface Surroundings {
  readonly net: Sockets;
  /** Tells of a call. */
  tell(event: Omit<CallEvent, "at">): void;
  /** Looks at the kernel's table. */
  look(): void;
  /** From now on, looks for both ends of a connection. */
  watch(local: Address, remote: Address): void;
  /** Waits until something is true. */
  until(what: string, holds: () => boolean, ms?: number): Promise<void>;
}

/** The size of small buffers, in bytes: the least that Linux gives (tcp(7), socket(7)). */
export const SMALL_BYTES = 4096;

/** What the kernel is asked for at a time, in bytes. */
const READ_BYTES = 64 * 1024;

/** How long to wait for bytes, in milliseconds. */
const TAKE_MS = 5_000;

/** One end of a connection. */
export class End {
  readonly fd: number;
  readonly end: EndName;
  readonly #around: Surroundings;
  #isClosed = false;
  /** The error with which connect(2) has failed at once. */
  #failed = 0;
  #addresses: { local?: string; remote?: string } = {};

  /** @param around its stage @param fd its socket @param end which end it is */
  constructor(around: Surroundings, fd: number, end: EndName) {
    this.#around = around;
    this.fd = fd;
    this.end = end;
    this.#remember();
  }

  /** Its own address, `ADDRESS:PORT`, as soon as it has one. */
  get local(): string | undefined {
    return this.#remember().local;
  }

  /**
   * Begins to connect, and does not wait.
   *
   * @param address where to
   */
  begin(address: Address): void {
    const { net } = this.#around;
    const result = net.connectNonBlocking(this.fd, net.writeAddress(address));
    this.#addresses = { ...this.#addresses, remote: formatAddress(address) };
    const own = net.localAddress(this.fd);
    if (own.port !== 0) this.#around.watch(own, address);
    this.#around.look();
    if (result < 0 && result !== -net.constants.errno.EINPROGRESS) this.#failed = -result;
  }

  /**
   * Waits for the end of the attempt.
   *
   * @param ms how long
   * @returns the name of the error; `undefined` if it is connected
   */
  async outcome(ms = 10_000): Promise<string | undefined> {
    const { net } = this.#around;
    const { POLLOUT, SOL_SOCKET, SO_ERROR } = net.constants;
    let errno = this.#failed;
    if (errno === 0) {
      await this.#around.until("connect", () => net.poll(this.fd, POLLOUT, 0) > 0, ms);
      errno = net.getOption(this.fd, SOL_SOCKET, SO_ERROR);
    }
    this.#tell("connect", -errno);
    return errno === 0 ? undefined : errorName(errno);
  }

  /** Connects. @returns the name of the error; `undefined` if it is connected */
  async connect(address: Address): Promise<string | undefined> {
    this.begin(address);
    return await this.outcome();
  }

  /** Sends. @param bytes how many, or which @returns how many were taken */
  send(bytes: number | Uint8Array): number {
    const { net } = this.#around;
    const data = typeof bytes === "number" ? new Uint8Array(bytes).fill(0x2e) : bytes;
    const sent = net.send(this.fd, data, net.constants.MSG_DONTWAIT);
    this.#around.look();
    if (sent < 0 && sent !== -net.constants.errno.EAGAIN) this.#tell("send", sent);
    return sent;
  }

  /** Sends, without a look at the table. @param size how many bytes @returns how many were taken */
  sendQuietly(size: number): number {
    const { net } = this.#around;
    return net.send(this.fd, new Uint8Array(size).fill(0x2e), net.constants.MSG_DONTWAIT);
  }

  /**
   * Waits until so many bytes have come, and takes them, without a word.
   *
   * @param size how many
   */
  async take(size: number): Promise<void> {
    const endsAt = performance.now() + TAKE_MS;
    for (let taken = 0; (taken += this.drain()) < size;) {
      if (performance.now() > endsAt) {
        throw new Error(`Waited ${TAKE_MS} ms in vain: ${size} bytes`);
      }
      await new Promise((resolve) => setTimeout(resolve, 0));
    }
  }

  /** Sends until no more is taken. @returns how many bytes were taken */
  fill(): number {
    let total = 0;
    for (let sent; (sent = this.send(READ_BYTES)) > 0;) total += sent;
    return total;
  }

  /**
   * Waits for something to receive, and takes it.
   *
   * @returns how many bytes, 0 at the peer's FIN, or the name of the error
   */
  async receive(ms = 10_000): Promise<number | string> {
    const { net } = this.#around;
    const { errno, MSG_DONTWAIT } = net.constants;
    const buffer = new Uint8Array(READ_BYTES);
    let count = -errno.EAGAIN;
    await this.#around.until("something to receive", () => {
      count = net.recv(this.fd, buffer, MSG_DONTWAIT);
      return count !== -errno.EAGAIN && count !== -errno.EINTR;
    }, ms);
    this.#tell("recv", count);
    return count < 0 ? errorName(-count) : count;
  }

  /** Takes all that has come, without a word. @returns how many bytes */
  drain(): number {
    const { net } = this.#around;
    const buffer = new Uint8Array(READ_BYTES);
    let total = 0;
    for (let count; (count = net.recv(this.fd, buffer, net.constants.MSG_DONTWAIT)) > 0;) {
      total += count;
    }
    return total;
  }

  /** Sends its FIN: shutdown(2). */
  shutdown(): void {
    const { net } = this.#around;
    net.shutdown(this.fd, net.constants.SHUT_WR);
    this.#around.look();
  }

  /** Closes it: close(2). */
  close(): void {
    this.#close((fd) => this.#around.net.close(fd));
  }

  /** Closes it with a RST, whatever it has received and sent: `SO_LINGER` of 0 (socket(7)). */
  reset(): void {
    this.#close((fd) => this.#around.net.closeWithReset(fd));
  }

  /** Closes it without a trace, if it is still open: nobody looks any more. */
  abandon(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#around.net.closeWithReset(this.fd);
  }

  #close(how: (fd: number) => void): void {
    if (this.#isClosed) return;
    this.#remember();
    this.#isClosed = true;
    how(this.fd);
    this.#around.look();
  }

  /** Sets an option of TCP. */
  set(option: number, value: number): void {
    this.#around.net.setOption(this.fd, SOL_TCP, option, value);
  }

  /** What the kernel knows about it. */
  info(): TcpInfo {
    return readTcpInfo(this.#around.net, this.fd);
  }

  #tell(call: string, result: number): void {
    const { local, remote } = this.#remember();
    this.#around.look();
    this.#around.tell({
      type: "call",
      end: this.end,
      call,
      ...(local !== undefined && { local }),
      ...(remote !== undefined && { remote }),
      ...(result < 0 ? { error: errorName(-result) } : { returned: result }),
    });
  }

  #remember(): { local?: string; remote?: string } {
    if (this.#isClosed) return this.#addresses;
    const { net } = this.#around;
    const local = addressOf(() => net.localAddress(this.fd));
    const remote = addressOf(() => net.peerAddress(this.fd));
    // A refused connection has lost its addresses.
    if (local !== undefined && !local.endsWith(":0")) this.#addresses.local = local;
    if (remote !== undefined) this.#addresses.remote = remote;
    return this.#addresses;
  }
}

/** A listener. */
export class Listener {
  readonly fd: number;
  readonly address: Address;
  readonly #around: Surroundings;
  readonly #accepted: (fd: number) => End;

  /**
   * @param around its stage
   * @param fd its socket
   * @param accepted takes a connection
   */
  constructor(around: Surroundings, fd: number, accepted: (fd: number) => End) {
    this.#around = around;
    this.fd = fd;
    this.address = around.net.localAddress(fd);
    this.#accepted = accepted;
  }

  /** Accepts the next connection, and waits for one. */
  async accept(): Promise<End> {
    let end: End | undefined;
    await this.#around.until("a connection to accept", () => (end = this.#take()) !== undefined);
    this.#around.look();
    return end as End;
  }

  /**
   * Accepts the next connection, if there is one.
   *
   * @returns `undefined` if accept(2) says EAGAIN, which is told
   */
  tryAccept(): End | undefined {
    const end = this.#take();
    this.#around.look();
    if (end === undefined) {
      this.#around.tell({
        type: "call",
        end: "server",
        call: "accept",
        local: formatAddress(this.address),
        error: "EAGAIN",
      });
    }
    return end;
  }

  /** Sets an option of TCP. */
  set(option: number, value: number): void {
    this.#around.net.setOption(this.fd, SOL_TCP, option, value);
  }

  #take(): End | undefined {
    const fd = this.#around.net.acceptNonBlocking(this.fd, new Uint8Array(SOCKADDR_SIZE));
    return fd < 0 ? undefined : this.#accepted(fd);
  }
}

/** Gives a socket small buffers, before it listens or connects. */
export function makeSmall(net: Sockets, fd: number): void {
  const { SOL_SOCKET } = net.constants;
  net.setOption(fd, SOL_SOCKET, SO_SNDBUF, SMALL_BYTES);
  net.setOption(fd, SOL_SOCKET, SO_RCVBUF, SMALL_BYTES);
}

function addressOf(ask: () => Address): string | undefined {
  try {
    return formatAddress(ask());
  } catch {
    // It is not connected, or not any more.
    return undefined;
  }
}
