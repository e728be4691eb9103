/**
 * Berkeley sockets that report every call, with its arguments and its result, in the manner of
 * strace(1).
 *
 * They are a subclass of {@linkcode Sockets}, so a program that does not use them pays nothing.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { escapeBytes } from "../../protocols/text.ts";
import { SOCKADDR_SIZE } from "./address.ts";
import type { Constants } from "./constants.ts";
import { library } from "./libc.ts";
import type { PollSet } from "./poll_sets.ts";
import { errorName, SocketError } from "./socket_error.ts";
import { Sockets, sockets } from "./sockets.ts";

/** How many characters of the bytes sent or received are shown. */
const SHOWN = 40;

/** The sockets of this system. They report each call. */
export class LoggedSockets extends Sockets {
  readonly #tell: (call: string) => void;

  /**
   * Opens the sockets.
   *
   * @param tell is given one line for each call, after the call has returned
   * @throws {SocketsUnavailableError} if there are none on this system
   */
  constructor(tell: (call: string) => void) {
    super(library());
    this.#tell = tell;
  }

  override socket(family: number, type: number, protocol = 0): number {
    const { constants } = this;
    const call = `socket(${nameOf(constants, "AF_", family)}, ${this.#type(type)})`;
    return this.#try(call, () => super.socket(family, type, protocol));
  }

  override socketpair(): [number, number] {
    return this.#try(
      `socketpair(AF_UNIX, ${this.#type(this.constants.SOCK_STREAM)})`,
      () => super.socketpair(),
      list,
    );
  }

  override bind(fd: number, address: Address): void {
    this.#try(`bind(${fd}, ${formatAddress(address)})`, () => super.bind(fd, address));
  }

  override listen(fd: number, backlog: number): void {
    this.#try(`listen(${fd}, ${backlog})`, () => super.listen(fd, backlog));
  }

  override accept(fd: number, sockaddr: Uint8Array = new Uint8Array(SOCKADDR_SIZE)): number {
    const result = super.accept(fd, sockaddr);
    const call = this.constants.SOCK_CLOEXEC === 0
      ? `accept(${fd})`
      : `accept4(${fd}, SOCK_CLOEXEC)`;
    return this.#told(call, result, () => this.#address(sockaddr));
  }

  override connect(fd: number, address: Address): void {
    this.#try(`connect(${fd}, ${formatAddress(address)})`, () => super.connect(fd, address));
  }

  override recv(fd: number, buffer: Uint8Array, flags = 0): number {
    const result = super.recv(fd, buffer, flags);
    const call = `recv(${fd}, ${buffer.length}${this.#flags(flags)})`;
    return this.#told(call, result, () => quote(buffer.subarray(0, result)));
  }

  override send(fd: number, bytes: Uint8Array, flags = 0): number {
    // The text is made before the call: once the peer has the bytes, this memory may be reused.
    const call = `send(${fd}, ${quote(bytes)}, ${bytes.length}${this.#sendFlags(flags)})`;
    return this.#told(call, super.send(fd, bytes, flags));
  }

  override recvfrom(fd: number, buffer: Uint8Array, sockaddr: Uint8Array, flags = 0): number {
    const result = super.recvfrom(fd, buffer, sockaddr, flags);
    const call = `recvfrom(${fd}, ${buffer.length}${this.#flags(flags)})`;
    const detail = () => `${this.#address(sockaddr)} ${quote(buffer.subarray(0, result))}`;
    return this.#told(call, result, detail);
  }

  override sendto(fd: number, bytes: Uint8Array, sockaddr: Uint8Array, flags = 0): number {
    const result = super.sendto(fd, bytes, sockaddr, flags);
    const what = `${quote(bytes)}, ${bytes.length}${this.#sendFlags(flags)}`;
    return this.#told(`sendto(${fd}, ${what}, ${this.#address(sockaddr)})`, result);
  }

  override shutdown(fd: number, how: number): number {
    const call = `shutdown(${fd}, ${nameOf(this.constants, "SHUT_", how)})`;
    return this.#told(call, super.shutdown(fd, how));
  }

  override close(fd: number): void {
    super.close(fd);
    this.#told(`close(${fd})`, 0);
  }

  override setOptionBytes(fd: number, level: number, option: number, value: Uint8Array): void {
    const call = `setsockopt(${fd}, ${this.#option(level, option)}, ${formatOption(value)})`;
    this.#try(call, () => super.setOptionBytes(fd, level, option, value));
  }

  override getOptionBytes(fd: number, level: number, option: number, value: Uint8Array): number {
    const call = `getsockopt(${fd}, ${this.#option(level, option)})`;
    // The length comes back in a parameter. The call itself returns 0.
    const read = () => [super.getOptionBytes(fd, level, option, value)] as const;
    const detail = ([length]: readonly [number]) => formatOption(value.subarray(0, length));
    return this.#try(call, read, detail)[0];
  }

  override localAddress(fd: number): Address {
    return this.#try(`getsockname(${fd})`, () => super.localAddress(fd), formatAddress);
  }

  override peerAddress(fd: number): Address {
    return this.#try(`getpeername(${fd})`, () => super.peerAddress(fd), formatAddress);
  }

  override poll(fd: number, events: number, timeoutMs: number): number {
    const result = super.poll(fd, events, timeoutMs);
    const call = `poll([${fd} ${this.#events(events)}], ${Math.ceil(timeoutMs)})`;
    // This method returns the events. The system call returned how many descriptors are ready.
    this.#told(
      call,
      Math.min(result, 1),
      () => result > 0 ? `[${fd} ${this.#events(result)}]` : "",
    );
    return result;
  }

  override pollAll(set: PollSet, timeoutMs: number, size = set.size): number {
    const result = super.pollAll(set, timeoutMs, size);
    const places = Array.from({ length: size }, (_, index) => index)
      .filter((index) => set.descriptorAt(index) >= 0);
    const show = (index: number, events: number) =>
      `${set.descriptorAt(index)} ${this.#events(events)}`;
    const wanted = places.map((index) => show(index, set.wantedAt(index)));
    const ready = () =>
      places.filter((index) => set.eventsAt(index) !== 0)
        .map((index) => show(index, set.eventsAt(index)));
    const call = `poll(${list(wanted)}, ${Math.ceil(timeoutMs)})`;
    return this.#told(call, result, () => result > 0 ? list(ready()) : "");
  }

  /** Not reported: a server that looks at its own limits is no part of a socket's life. */
  override nextDescriptor(): number {
    return sockets().nextDescriptor();
  }

  /** Makes a call that throws when it fails, and reports it in either case. */
  #try<Result>(call: string, make: () => Result, detail?: (result: Result) => string): Result {
    try {
      const result = make();
      this.#told(call, typeof result === "number" ? result : 0, () => detail?.(result) ?? "");
      return result;
    } catch (error) {
      if (error instanceof SocketError) this.#told(call, -error.errno);
      throw error;
    }
  }

  #told(call: string, result: number, detail?: () => string): number {
    const shown = result < 0 ? `-1 ${errorName(-result)}` : String(result);
    const more = result < 0 ? "" : detail?.() ?? "";
    this.#tell(`${call} = ${shown}${more === "" ? "" : ` ${more}`}`);
    return result;
  }

  #address(sockaddr: Uint8Array): string {
    return formatAddress(this.readAddress(sockaddr));
  }

  #option(level: number, option: number): string {
    const { constants } = this;
    return level === constants.SOL_SOCKET
      ? `SOL_SOCKET, ${nameOf(constants, "SO_", option)}`
      : `${nameOf(constants, "IPPROTO_", level)}, ${nameOf(constants, "TCP_", option)}`;
  }

  /** The type of a socket: {@linkcode Sockets.socket} adds `SOCK_CLOEXEC`. */
  #type(type: number): string {
    const { constants } = this;
    const { SOCK_CLOEXEC, SOCK_NONBLOCK } = constants;
    const flags = (type & SOCK_NONBLOCK) | SOCK_CLOEXEC;
    const names = [nameOf(constants, "SOCK_", type & ~flags)];
    if (flags !== 0) names.push(namesOf(constants, "SOCK_", flags));
    return names.join("|");
  }

  #flags(flags: number): string {
    return flags === 0 ? "" : `, ${namesOf(this.constants, "MSG_", flags)}`;
  }

  /** The flags of a send: {@linkcode Sockets.send} adds `MSG_NOSIGNAL`. */
  #sendFlags(flags: number): string {
    return this.#flags(flags | this.constants.MSG_NOSIGNAL);
  }

  #events(events: number): string {
    return namesOf(this.constants, "POLL", events);
  }
}

function list(items: readonly unknown[]): string {
  return `[${items.join(", ")}]`;
}

function quote(bytes: Uint8Array): string {
  return `"${escapeBytes(bytes, SHOWN)}"`;
}

/** An `int`, a `struct timeval` in seconds and microseconds, or only the size of what is larger. */
function formatOption(value: Uint8Array): string {
  if (value.length > 16) return `{${value.length} bytes}`;
  const words = new Int32Array(value.slice().buffer, 0, value.length >> 2);
  return words.length === 1 ? String(words[0]) : `{${words[0]}, ${words[2]}}`;
}

/** The name of a number, among the constants that begin with `prefix`. */
function nameOf(constants: Constants, prefix: string, value: number): string {
  const entry = Object.entries(constants)
    .find(([name, number]) => name.startsWith(prefix) && number === value);
  return entry?.[0] ?? String(value);
}

/** The names of the bits that are set, among the constants that begin with `prefix`. */
function namesOf(constants: Constants, prefix: string, bits: number): string {
  const names = Object.entries(constants)
    .filter(([name, bit]) => name.startsWith(prefix) && (bits & bit) !== 0)
    .map(([name]) => name);
  return names.length === 0 ? String(bits) : names.join("|");
}
