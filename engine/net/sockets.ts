/**
 * Berkeley sockets: the calls of the C library, made through the runtime's foreign-function
 * interface, the same on both runtimes.
 *
 * A descriptor is only a number, and every thread of a process may use it. So one thread can accept
 * a connection and another one can serve it, which no JavaScript runtime offers. A call blocks the
 * thread that makes it: timers and signals wait. Make blocking calls in Workers only.
 *
 * The calls that a loop makes again and again (`accept`, `acceptNonBlocking`, `connectNonBlocking`,
 * `recv`, `send`, `recvfrom`, `sendto`, `receiveMessage`, `sendMessage`, `read`, `write`, `shutdown`, `poll`, `pollAll`, `pollFine`,
 * `epollWait`, `waitFine`, `nextDescriptor`) never throw. They return a count or a descriptor, or the negated error number:
 * `-EAGAIN` where C returns -1 and sets `errno`. So a result of -1 has one meaning, `-EPERM`.
 * The other calls throw a {@linkcode SocketError}.
 *
 * All descriptors are close-on-exec: programs that this process starts do not inherit them. A program
 * that had a listener would keep its port, and one that had a connection would keep it open.
 *
 * They work on Linux, on x86-64 and arm64 with glibc and musl, and on macOS. This module can be
 * imported anywhere.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import type { ForeignFunctions } from "./adapter.ts";
import {
  decodeSockaddr,
  decodeUnix,
  encodeSockaddr,
  isIPv6,
  isUnix,
  isUnixSockaddr,
  LONG_SOCKADDR_SIZE,
  type PackedAddress,
  packSockaddr,
  SOCKADDR_SIZE,
  sockaddrLength,
  unixPath,
  unpackAddress,
  writeCredentials,
} from "./address.ts";
import type { Constants } from "./constants.ts";
import { type Library, library } from "./libc.ts";
import { keepAlive } from "./keepalive.ts";
import type { MessageBuffer } from "./message_buffer.ts";
import { EpollEvents, PollSet } from "./poll_sets.ts";
import { runtime } from "./runtime.ts";
import { SocketError } from "./socket_error.ts";
import { ACCEPT_QUEUE, type KeepAlive } from "./transport.ts";
import { zoneName, zoneNumber } from "./zones.ts";

/** How to open a listening socket. */
export interface ListenSocketOptions {
  /** How many connections may wait to be accepted; the kernel may allow fewer. */
  readonly backlog?: number;
  /** Whether calls on the socket return at once when they would have to wait. */
  readonly nonBlocking?: boolean;
  /** Lets several sockets listen on one port. The kernel spreads connections over them. */
  readonly reusePort?: boolean;
  /**
   * How long a `recv` on an accepted connection waits, in milliseconds; 0 is for ever. On Linux,
   * where connections inherit it from the listener, an `accept` ends after that time too.
   *
   * @default {0}
   */
  readonly receiveTimeoutMs?: number;
  /** When a connection whose peer has vanished ends. By default it does not. */
  readonly keepAlive?: KeepAlive | undefined;
}

/** Ends an accept(2) that waits: `accept_alarm.ts`. */
export interface AcceptAlarm {
  /** Ends the next call of this thread that waits, after a moment. */
  set(): void;
  /** The call is over. */
  clear(): void;
}

/** No descriptor. */
const NONE = -1;

// Operations of fcntl(2) on Linux.
const F_GETFL = 3;
const F_DUPFD_CLOEXEC = 1030;

/** `recv` and `send`. */
type TransferCall = (fd: number, bytes: Uint8Array, length: number, flags: number) => number;

/** The Berkeley calls of this system, with its constants. */
export class Sockets {
  /** The numbers of this system: `AF_INET`, `SOL_SOCKET`, `EAGAIN`, … */
  readonly constants: Constants;
  readonly #libc: ForeignFunctions;
  readonly #errnoLocation: () => unknown;
  // The two calls that every message takes, and the flag that is added to those of `send`.
  readonly #recv: TransferCall;
  readonly #send: TransferCall;
  readonly #noSignal: number;
  /** Takes a connection whose descriptor is close-on-exec. */
  readonly #accept: (fd: number, sockaddr: Uint8Array, flags: number) => number;
  readonly #sockaddr = new Uint8Array(SOCKADDR_SIZE);
  /** Room for the address of any socket. */
  readonly #name = new Uint8Array(LONG_SOCKADDR_SIZE);
  readonly #length = new Int32Array(1);
  readonly #lengthBytes = new Uint8Array(this.#length.buffer);
  readonly #pollfd = new PollSet(1);
  readonly #timespec = timespecMemory();
  readonly #epollEvent = new EpollEvents(1);
  /** The listener on which accept(2) would block, and what ends such a call: see `boundAccepts`. */
  #bounded = NONE;
  #alarm: AcceptAlarm | undefined;

  /**
   * Made by {@linkcode sockets}.
   *
   * @param library the opened library
   */
  constructor({ system, libc }: Library) {
    this.constants = system.constants;
    this.#libc = libc;
    this.#errnoLocation = libc[system.errnoLocation] as () => unknown;
    this.#recv = libc.recv as TransferCall;
    this.#send = libc.send as TransferCall;
    this.#noSignal = system.constants.MSG_NOSIGNAL;
    const { SOCK_CLOEXEC } = system.constants;
    this.#accept = SOCK_CLOEXEC === 0
      ? (fd, sockaddr) => this.#keepToSelf(libc.accept!(fd, sockaddr, this.#lengthBytes))
      : (fd, sockaddr, flags) =>
        libc.accept4!(fd, sockaddr, this.#lengthBytes, flags | SOCK_CLOEXEC);
  }

  /**
   * The number of this thread's last error. Read it before anything else calls the system. If the
   * runtime has made a call in between and left a zero, this is EINTR, so that the call is made
   * again.
   */
  get errno(): number {
    return runtime.readInt(this.#errnoLocation()) || this.constants.errno.EINTR;
  }

  /**
   * Makes an endpoint (socket(2)).
   *
   * @param family `AF_INET`, `AF_INET6` or `AF_UNIX`: see {@linkcode Sockets.familyOf}
   * @param type `SOCK_STREAM` or `SOCK_DGRAM`
   * @param protocol the family's number of a protocol; 0 is the usual one of the type
   * @returns a descriptor
   */
  socket(family: number, type: number, protocol = 0): number {
    const { SOCK_CLOEXEC } = this.constants;
    const fd = this.#check("socket", this.#call("socket", family, type | SOCK_CLOEXEC, protocol));
    return SOCK_CLOEXEC === 0 ? this.#keepToSelf(fd) : fd;
  }

  /**
   * Makes two sockets that are connected to each other (socketpair(2)).
   *
   * @param type what kind of socket
   * @returns their descriptors
   */
  socketpair(type: number = this.constants.SOCK_STREAM): [number, number] {
    const { AF_UNIX, SOCK_CLOEXEC } = this.constants;
    const pair = new Int32Array(2);
    const bytes = new Uint8Array(pair.buffer);
    this.#check("socketpair", this.#call("socketpair", AF_UNIX, type | SOCK_CLOEXEC, 0, bytes));
    if (SOCK_CLOEXEC === 0) pair.forEach((fd) => this.#keepToSelf(fd));
    return [pair[0] as number, pair[1] as number];
  }

  /** The family of an address, for {@linkcode Sockets.socket}. */
  familyOf({ hostname }: Address): number {
    const { AF_INET, AF_INET6, AF_UNIX } = this.constants;
    return isUnix(hostname) ? AF_UNIX : isIPv6(hostname) ? AF_INET6 : AF_INET;
  }

  /**
   * Gives the socket its own address (bind(2)). For a Unix domain socket that creates its file, which
   * gets the mode 0660, whatever the umask says. Nobody can connect before {@linkcode Sockets.listen}.
   */
  bind(fd: number, address: Address): void {
    const sockaddr = this.writeAddress(address);
    const path = unixPath(address.hostname);
    // The kernel would make the file, and nobody could remove it.
    if (path !== undefined) runtime.requireFileAccess(path);
    const result = this.#call("bind", fd, sockaddr, sockaddr.length);
    this.#check("bind", result, formatAddress(address));
    if (path !== undefined) runtime.changeMode(path, SOCKET_MODE);
  }

  /**
   * Gives a socket that will connect its own address, and no port yet where the system can leave that
   * to connect(2). A port is then taken only for one pair of addresses (ip(7)).
   *
   * @param sockaddr as {@linkcode Sockets.writeAddress} writes it, with the port 0
   */
  bindSource(fd: number, sockaddr: Uint8Array): void {
    const { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT } = this.constants;
    if (IP_BIND_ADDRESS_NO_PORT !== 0) this.setOption(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
    this.bindBytes(fd, sockaddr, "to the source");
  }

  /**
   * Gives the socket an address of another family than the internet's (bind(2)).
   *
   * @param sockaddr the family's own structure
   * @param what what the address is, for the error
   */
  bindBytes(fd: number, sockaddr: Uint8Array, what: string): void {
    this.#check("bind", this.#call("bind", fd, sockaddr, sockaddr.length), what);
  }

  /** Makes the socket accept connections (listen(2)). */
  listen(fd: number, backlog: number): void {
    this.#check("listen", this.#call("listen", fd, backlog));
  }

  /**
   * Takes the next connection from the accept queue and waits for one if need be (accept(2)).
   *
   * @param sockaddr is filled with the peer's address; {@linkcode SOCKADDR_SIZE} bytes
   * @returns a descriptor, or the negated error number
   */
  accept(fd: number, sockaddr: Uint8Array = this.#sockaddr): number {
    const accepted = this.#acceptWith(fd, sockaddr, 0);
    if (accepted < 0) return accepted;
    if (isUnixSockaddr(sockaddr, this.constants)) this.#identify(accepted, sockaddr);
    return accepted;
  }

  /**
   * Takes the next connection from the accept queue of a non-blocking listener. On Linux the
   * connection is non-blocking too (accept4(2)). Elsewhere make calls on it with `MSG_DONTWAIT`.
   *
   * @param sockaddr is filled with the peer's address; {@linkcode SOCKADDR_SIZE} bytes
   * @returns a descriptor, or the negated error number: `-EAGAIN` if the queue is empty
   */
  acceptNonBlocking(fd: number, sockaddr: Uint8Array): number {
    const { SOCK_NONBLOCK, POLLIN, errno } = this.constants;
    if (SOCK_NONBLOCK === 0) {
      return this.poll(fd, POLLIN, 0) > 0 ? this.accept(fd, sockaddr) : -errno.EAGAIN;
    }
    const accepted = this.#acceptWith(fd, sockaddr, SOCK_NONBLOCK);
    if (accepted < 0) return accepted;
    if (isUnixSockaddr(sockaddr, this.constants)) this.#identify(accepted, sockaddr);
    return accepted;
  }

  /**
   * Finds out the address of the other end of a connection that was accepted in another way, and
   * even if the peer has gone meanwhile (Linux, `SO_PEERNAME`).
   *
   * @param family of the listener: see {@linkcode Sockets.familyOf}
   * @param sockaddr is filled as {@linkcode Sockets.accept} does; {@linkcode SOCKADDR_SIZE} bytes
   * @returns whether it is known
   */
  namePeer(fd: number, family: number, sockaddr: Uint8Array): boolean {
    const { AF_UNIX, AF_INET, SOL_SOCKET, SO_PEERNAME } = this.constants;
    if (family === AF_UNIX) {
      sockaddr[0] = AF_UNIX;
      sockaddr[1] = 0;
      this.#identify(fd, sockaddr);
      return true;
    }
    // The kernel refuses to fill more than the address has.
    this.#length[0] = family === AF_INET ? 16 : SOCKADDR_SIZE;
    return this.#call("getsockopt", fd, SOL_SOCKET, SO_PEERNAME, sockaddr, this.#lengthBytes) === 0;
  }

  #acceptWith(fd: number, sockaddr: Uint8Array, flags: number): number {
    if (fd === this.#bounded) return this.#acceptBounded(fd, sockaddr, flags);
    this.#length[0] = SOCKADDR_SIZE;
    const accepted = this.#accept(fd, sockaddr, flags);
    return accepted < 0 ? -this.errno : accepted;
  }

  /** Takes a connection from a listener that blocks, if there is one: see `boundAccepts`. */
  #acceptBounded(fd: number, sockaddr: Uint8Array, flags: number): number {
    const { POLLIN, errno: { EAGAIN, EINTR } } = this.constants;
    const alarm = this.#alarm as AcceptAlarm;
    // Whoever has lost the race for a connection twice lets the caller look after other things.
    if (this.poll(fd, POLLIN, 0) <= 0) return -EAGAIN;
    this.#length[0] = SOCKADDR_SIZE;
    alarm.set();
    const accepted = this.#accept(fd, sockaddr, flags);
    const errno = accepted < 0 ? this.errno : 0;
    alarm.clear();
    return accepted >= 0 ? accepted : errno === EINTR ? -EAGAIN : -errno;
  }

  /**
   * From now on, to accept from this listener never blocks this thread for longer than a moment. It
   * is for a listener that blocks and that other processes hold too. One of them may be faster after
   * poll(2) has told of a connection. Then `accept` returns `-EAGAIN`, as if the listener did not
   * block. It cannot be made one that does not: O_NONBLOCK would hold for all processes.
   *
   * @param fd the listener
   * @param alarm ends a call that waits
   */
  boundAccepts(fd: number, alarm: AcceptAlarm): void {
    this.#bounded = fd;
    this.#alarm = alarm;
  }

  /** Writes the process and the user of a peer into its address. */
  #identify(fd: number, sockaddr: Uint8Array): void {
    const peer = this.peerCredentials(fd);
    if (peer === undefined) writeCredentials(sockaddr);
    else writeCredentials(sockaddr, peer.pid, peer.user);
  }

  /**
   * The process at the other end of a Unix domain socket, as it was when it connected, listened or
   * made the pair, and its user (`SO_PEERCRED`, unix(7)).
   *
   * @returns `undefined` if that is not known
   */
  peerCredentials(fd: number): { readonly pid: number; readonly user: number } | undefined {
    const { SOL_SOCKET, SO_PEERCRED } = this.constants;
    if (SO_PEERCRED === 0) return undefined;
    const ucred = new Uint32Array(3);
    this.#length[0] = ucred.byteLength;
    const bytes = new Uint8Array(ucred.buffer);
    const result = this.#call("getsockopt", fd, SOL_SOCKET, SO_PEERCRED, bytes, this.#lengthBytes);
    return result < 0 ? undefined : { pid: ucred[0] as number, user: ucred[1] as number };
  }

  /** Connects, and waits until that is done (connect(2)). */
  connect(fd: number, address: Address): void {
    const sockaddr = this.writeAddress(address);
    const result = this.#call("connect", fd, sockaddr, sockaddr.length);
    this.#check("connect", result, `to ${formatAddress(address)}`);
  }

  /**
   * Begins to connect a non-blocking socket (connect(2)). When the socket is ready for `POLLOUT`,
   * its option `SO_ERROR` tells how the attempt ended.
   *
   * @param sockaddr as {@linkcode Sockets.writeAddress} writes it
   * @returns 0 if it is connected, or the negated error number: `-EINPROGRESS` if it is not yet
   */
  connectNonBlocking(fd: number, sockaddr: Uint8Array): number {
    const result: number = this.#libc.connect!(fd, sockaddr, sockaddr.length);
    return result >= 0 ? 0 : -this.errno;
  }

  /**
   * Receives the bytes that are there, and waits for the first one if need be (recv(2)).
   *
   * @returns how many bytes are in `buffer` now; 0 at the peer's FIN; or the negated error number
   */
  recv(fd: number, buffer: Uint8Array, flags = 0): number {
    const count: number = this.#recv(fd, buffer, buffer.length, flags);
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Sends bytes (send(2)). It never raises SIGPIPE, which would end the process.
   *
   * @returns how many bytes were taken, or the negated error number
   */
  send(fd: number, bytes: Uint8Array, flags = 0): number {
    const count: number = this.#send(fd, bytes, bytes.length, flags | this.#noSignal);
    return count >= 0 ? count : -this.errno;
  }

  /** Whether a connection has bytes that nobody has received. It never waits. */
  hasUnread(fd: number): boolean {
    const { POLLIN, MSG_DONTWAIT, MSG_PEEK } = this.constants;
    // In most cases nothing has come. Then poll(2) costs less than a `recv` that fails. At the
    // peer's FIN poll(2) reports the socket too, but `recv` returns 0.
    return this.poll(fd, POLLIN, 0) > 0 && this.recv(fd, ONE, MSG_DONTWAIT | MSG_PEEK) > 0;
  }

  /**
   * Receives one datagram, and waits for it if need be (recvfrom(2)). The part of it that does not
   * fit into `buffer` is lost.
   *
   * @param sockaddr is filled with the sender's address; {@linkcode SOCKADDR_SIZE} bytes
   * @returns how many bytes are in `buffer` now, 0 for an empty datagram; or the negated error
   * number
   */
  recvfrom(fd: number, buffer: Uint8Array, sockaddr: Uint8Array, flags = 0): number {
    this.#length[0] = SOCKADDR_SIZE;
    const count: number = this.#libc.recvfrom!(
      fd,
      buffer,
      buffer.length,
      flags,
      sockaddr,
      this.#lengthBytes,
    );
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Sends one datagram (sendto(2)).
   *
   * @param bytes the whole datagram; 65,507 bytes at most over IPv4
   * @param sockaddr where to send it, as {@linkcode Sockets.recvfrom} fills it in
   * @returns how many bytes were taken, always all of them; or the negated error number
   */
  sendto(fd: number, bytes: Uint8Array, sockaddr: Uint8Array, flags = 0): number {
    const count: number = this.#libc.sendto!(
      fd,
      bytes,
      bytes.length,
      flags | this.constants.MSG_NOSIGNAL,
      sockaddr,
      sockaddrLength(sockaddr, this.constants),
    );
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Receives a message together with what the kernel says about it (recvmsg(2), Linux).
   *
   * @param message is filled
   * @param flags for a socket that descriptors may come from, {@linkcode KEEP_TO_SELF} among them
   * @returns how many bytes the message has, more than there is room for if it was cut and `flags`
   * has `MSG_TRUNC`; or the negated error number
   */
  receiveMessage(fd: number, message: MessageBuffer, flags = 0): number {
    message.prepare();
    const count: number = this.#libc.recvmsg!(fd, message.header, flags);
    const result = count >= 0 ? count : -this.errno;
    message.settle(count);
    return result;
  }

  /**
   * Sends a message, and descriptors with it (sendmsg(2), Linux). It never raises SIGPIPE.
   *
   * @param fd a connected socket; only those of the family `AF_UNIX` take descriptors
   * @param message see {@linkcode MessageBuffer.put}
   * @returns how many bytes were taken, and the descriptors with the first of them; or the negated
   * error number
   */
  sendMessage(fd: number, message: MessageBuffer, flags = 0): number {
    const count: number = this.#libc.sendmsg!(fd, message.header, flags | this.#noSignal);
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Asks a device something (ioctl(2), Linux).
   *
   * @param request the number of the request
   * @param argument is read or filled
   * @throws {SocketError} if the device refuses
   */
  ioctl(fd: number, request: number, argument: Uint8Array): void {
    this.#check("ioctl", this.#call("ioctl", fd, request, argument));
  }

  /**
   * How many bytes were sent that the peer has not acknowledged (tcp(7), `SIOCOUTQ`).
   *
   * @returns the number; 0 where the system does not tell it
   */
  unacknowledged(fd: number): number {
    const { SIOCOUTQ } = this.constants;
    if (SIOCOUTQ === undefined) return 0;
    const result = this.#call("ioctl", fd, SIOCOUTQ, NUMBER_BYTES);
    return result < 0 ? 0 : NUMBER[0] as number;
  }

  /**
   * Opens a device (open(2), Linux).
   *
   * @param path its file
   * @param flags how, for instance `O_RDWR`
   * @returns a descriptor
   * @throws {SocketError} if there is none, or this process may not
   */
  open(path: string, flags: number): number {
    const name = new TextEncoder().encode(`${path}\0`);
    // O_CLOEXEC has the same number.
    const { SOCK_CLOEXEC } = this.constants;
    const fd = this.#check("open", this.#call("open", name, flags | SOCK_CLOEXEC, 0), path);
    return SOCK_CLOEXEC === 0 ? this.#keepToSelf(fd) : fd;
  }

  /**
   * Opens a folder, to lock it (open(2), Linux).
   *
   * @param path its path
   * @returns a descriptor
   * @throws {SocketError} if there is none, or this process may not read it
   */
  openFolder(path: string): number {
    return this.open(path, O_DIRECTORY);
  }

  /**
   * Locks an open file or folder against all who lock it too (flock(2), Linux). The lock ends when
   * its descriptor is closed.
   *
   * @returns whether nobody else has the lock
   */
  tryLock(fd: number): boolean {
    return this.#call("flock", fd, LOCK_EX | LOCK_NB) >= 0;
  }

  /**
   * Reads from a device what comes next (read(2), Linux).
   *
   * @returns how many bytes are in `buffer` now, or the negated error number
   */
  read(fd: number, buffer: Uint8Array): number {
    const count: number = this.#libc.read!(fd, buffer, buffer.length);
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Writes to a device (write(2), Linux).
   *
   * @returns how many bytes were taken, or the negated error number
   */
  write(fd: number, bytes: Uint8Array): number {
    const count: number = this.#libc.write!(fd, bytes, bytes.length);
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Closes one or both directions (shutdown(2)). Every thread that waits in a call on the socket
   * wakes up.
   *
   * @returns 0, or the negated error number: `-ENOTCONN` if the peer has reset the connection
   */
  shutdown(fd: number, how: number): number {
    return this.#call("shutdown", fd, how);
  }

  /** Gives the descriptor back (close(2)). Its number may belong to something else at once. */
  close(fd: number): void {
    // An error of close(2) needs no action: the descriptor is gone in any case.
    this.#libc.close!(fd);
  }

  /**
   * Gives the descriptor back, and makes the kernel send RST in place of FIN, whatever was received
   * and sent: `SO_LINGER` with no time at all (socket(7)).
   */
  closeWithReset(fd: number): void {
    this.resetOnClose(fd);
    this.close(fd);
  }

  /** Makes the next `close` do what {@linkcode Sockets.closeWithReset} does. */
  resetOnClose(fd: number): void {
    const { SOL_SOCKET, SO_LINGER } = this.constants;
    this.setOptionBytes(fd, SOL_SOCKET, SO_LINGER, new Uint8Array(Int32Array.of(1, 0).buffer));
  }

  /**
   * Gives an open file a second descriptor, which programs that this process starts do not inherit
   * (fcntl(2), Linux). Whatever one of the two does, except to close, it does for both.
   *
   * @returns the second descriptor
   */
  duplicate(fd: number): number {
    return this.#check("fcntl", this.#call("fcntl", fd, F_DUPFD_CLOEXEC, 0));
  }

  /**
   * Closes what a descriptor means, but keeps its number in use (dup2(2)): a thread that nobody can
   * stop may still make calls with it. From now on it means a socket without any address.
   */
  hollow(fd: number): void {
    const nothing = this.socket(this.constants.AF_INET, this.constants.SOCK_STREAM);
    this.#keepToSelf(this.#call("dup2", nothing, fd));
    this.close(nothing);
  }

  /** Whether calls on a descriptor never wait. Only Linux tells that (fcntl(2)). */
  isNonBlocking(fd: number): boolean {
    if (this.#libc.fcntl === undefined) return false;
    return (this.#call("fcntl", fd, F_GETFL, 0) & this.constants.O_NONBLOCK) !== 0;
  }

  /**
   * Makes a descriptor close-on-exec, because this process has inherited it: programs that it starts
   * do not inherit it.
   */
  keepToSelf(fd: number): void {
    this.#keepToSelf(fd);
  }

  /** Sets an option that is an `int` (setsockopt(2)). */
  setOption(fd: number, level: number, option: number, value: number): void {
    this.setOptionBytes(fd, level, option, new Uint8Array(Int32Array.of(value).buffer));
  }

  /** Sets an option that is a structure. */
  setOptionBytes(fd: number, level: number, option: number, value: Uint8Array): void {
    const result = this.#call("setsockopt", fd, level, option, value, value.length);
    this.#check("setsockopt", result);
  }

  /** Reads an option that is an `int` (getsockopt(2)). */
  getOption(fd: number, level: number, option: number): number {
    const value = new Int32Array(1);
    this.getOptionBytes(fd, level, option, new Uint8Array(value.buffer));
    return value[0] as number;
  }

  /**
   * Reads an option that is a structure.
   *
   * @returns how many bytes of `value` were filled
   */
  getOptionBytes(fd: number, level: number, option: number, value: Uint8Array): number {
    this.#length[0] = value.length;
    const result = this.#call("getsockopt", fd, level, option, value, this.#lengthBytes);
    this.#check("getsockopt", result);
    return this.#length[0] as number;
  }

  /** Sets how long a `recv` or `accept` waits (`SO_RCVTIMEO`, socket(7)); 0 is for ever. */
  setReceiveTimeout(fd: number, ms: number): void {
    this.setOptionBytes(fd, this.constants.SOL_SOCKET, this.constants.SO_RCVTIMEO, timeval(ms));
  }

  /** How long a `recv` or `accept` waits, in milliseconds; 0 is for ever (Linux). */
  receiveTimeout(fd: number): number {
    const value = new BigInt64Array(2);
    const { SOL_SOCKET, SO_RCVTIMEO } = this.constants;
    this.getOptionBytes(fd, SOL_SOCKET, SO_RCVTIMEO, new Uint8Array(value.buffer));
    return Number(value[0]) * 1000 + Number(value[1]) / 1000;
  }

  /**
   * Sets how long a `send` waits, and on Linux a `connect` too (`SO_SNDTIMEO`, socket(7)); 0 is
   * for ever.
   */
  setSendTimeout(fd: number, ms: number): void {
    this.setOptionBytes(fd, this.constants.SOL_SOCKET, this.constants.SO_SNDTIMEO, timeval(ms));
  }

  /**
   * Whether a number is the descriptor of a socket that listens (`SO_ACCEPTCONN`, socket(7)).
   *
   * @returns `undefined` if it is no descriptor at all
   */
  isListening(fd: number): boolean | undefined {
    const { SOL_SOCKET, SO_ACCEPTCONN, errno } = this.constants;
    const value = this.#sockaddr;
    value[0] = 0;
    this.#length[0] = 4;
    const result = this.#call(
      "getsockopt",
      fd,
      SOL_SOCKET,
      SO_ACCEPTCONN,
      value,
      this.#lengthBytes,
    );
    return result === -errno.EBADF ? undefined : result === 0 && value[0] !== 0;
  }

  /**
   * The number of a socket that no other socket ever gets, however often its descriptor is used again
   * (`SO_COOKIE`, socket(7), Linux).
   */
  cookie(fd: number): bigint {
    const value = new BigUint64Array(1);
    const { SOL_SOCKET, SO_COOKIE } = this.constants;
    this.getOptionBytes(fd, SOL_SOCKET, SO_COOKIE, new Uint8Array(value.buffer));
    return value[0] as bigint;
  }

  /** The socket's own address (getsockname(2)). */
  localAddress(fd: number): Address {
    return this.#addressOf("getsockname", fd);
  }

  /**
   * The socket's own address, if there is one.
   *
   * @param fd any number: another thread may close it at any moment
   * @returns `null` if the descriptor is no socket over IP, `undefined` if there is none
   */
  findLocal(fd: number): Address | null | undefined {
    return this.#findName("getsockname", fd);
  }

  /**
   * The address of the other end, if there is one.
   *
   * @param fd any number: another thread may close it at any moment
   * @returns `null` if the descriptor is no connection over IP, `undefined` if there is none
   */
  findPeer(fd: number): Address | null | undefined {
    return this.#findName("getpeername", fd);
  }

  #findName(call: string, fd: number): Address | null | undefined {
    this.#length[0] = SOCKADDR_SIZE;
    const result = this.#call(call, fd, this.#sockaddr, this.#lengthBytes);
    if (result < 0) return result === -this.constants.errno.EBADF ? undefined : null;
    // Those of other families are shorter, or longer.
    const isIP = this.#length[0] === 16 || this.#length[0] === SOCKADDR_SIZE;
    if (!isIP || isUnixSockaddr(this.#sockaddr, this.constants)) return null;
    return this.readAddress(this.#sockaddr);
  }

  /** The address of the other end (getpeername(2)). */
  peerAddress(fd: number): Address {
    return this.#addressOf("getpeername", fd);
  }

  #addressOf(call: string, fd: number): Address {
    const name = this.#name;
    this.#length[0] = name.length;
    this.#check(call, this.#call(call, fd, name, this.#lengthBytes));
    return isUnixSockaddr(name, this.constants)
      ? decodeUnix(name.subarray(0, this.#length[0]))
      : this.readAddress(name);
  }

  /** Reads an address as {@linkcode Sockets.accept} fills it in. */
  readAddress(sockaddr: Uint8Array): Address {
    return decodeSockaddr(sockaddr, this.constants, zoneName);
  }

  /**
   * Writes an address as the calls take it, the reverse of {@linkcode Sockets.readAddress}.
   *
   * @param address a numeric address; its zone is the name or the number of an interface
   * @throws {ZoneNotFoundError} if there is no such interface
   */
  writeAddress(address: Address): Uint8Array {
    return encodeSockaddr(address, this.constants, zoneNumber);
  }

  /** Puts such an address into a form that is cheap to keep: see {@linkcode packSockaddr}. */
  packAddress(sockaddr: Uint8Array): PackedAddress {
    return packSockaddr(sockaddr, this.constants);
  }

  /** Reads an address that {@linkcode Sockets.packAddress} has packed. */
  readPacked(packed: PackedAddress): Address {
    return typeof packed === "number" ? unpackAddress(packed) : this.readAddress(packed);
  }

  /**
   * Waits until one descriptor is ready (poll(2)).
   *
   * @param events a set of `POLLIN` and `POLLOUT`
   * @param timeoutMs how long to wait; -1 is for ever
   * @returns the events that came, 0 if none came in time, or the negated error number
   */
  poll(fd: number, events: number, timeoutMs: number): number {
    this.#pollfd.watch(0, fd, events);
    const count: number = this.#libc.poll!(this.#pollfd.bytes, 1, Math.ceil(timeoutMs));
    if (count < 0) return -this.errno;
    return count > 0 ? this.#pollfd.eventsAt(0) : 0;
  }

  /**
   * Waits until one of several descriptors is ready (poll(2)).
   *
   * @param set the descriptors; afterwards it tells what happened to each
   * @param timeoutMs how long to wait; -1 is for ever
   * @param places how many of its places the kernel looks at; more places than the process may have
   * descriptors are `-EINVAL`
   * @returns how many are ready, 0 if none was in time, or the negated error number
   */
  pollAll(set: PollSet, timeoutMs: number, places = set.size): number {
    const count: number = this.#libc.poll!(set.bytes, places, Math.ceil(timeoutMs));
    return count >= 0 ? count : -this.errno;
  }

  /** Makes an epoll instance (epoll_create1(2), Linux). */
  epollCreate(): number {
    return this.#check("epoll_create1", this.#call("epoll_create1", this.constants.EPOLL_CLOEXEC));
  }

  /**
   * Adds, changes or removes a descriptor (epoll_ctl(2), Linux).
   *
   * @param operation `EPOLL_CTL_ADD`, `EPOLL_CTL_MOD` or `EPOLL_CTL_DEL`
   * @param events what to wait for
   * @param token the number that {@linkcode Sockets.epollWait} reports
   */
  epollControl(epoll: number, operation: number, fd: number, events: number, token: number): void {
    this.#epollEvent.put(0, events, token);
    const result = this.#call("epoll_ctl", epoll, operation, fd, this.#epollEvent.bytes);
    this.#check("epoll_ctl", result);
  }

  /**
   * Waits until descriptors are ready (epoll_wait(2), Linux).
   *
   * @param buffer is filled with the events
   * @param timeoutMs how long to wait; -1 is for ever
   * @returns how many events there are, or the negated error number
   */
  epollWait(epoll: number, buffer: EpollEvents, timeoutMs: number): number {
    const count: number = this.#libc.epoll_wait!(epoll, buffer.bytes, buffer.capacity, timeoutMs);
    return count >= 0 ? count : -this.errno;
  }

  /**
   * Waits until a descriptor has something to receive, with a limit in fractions of a millisecond
   * (ppoll(2), Linux). epoll and poll count whole milliseconds.
   *
   * @param timeoutMs how long to wait
   * @returns 1 if it has, 0 if nothing came in time, or the negated error number
   */
  waitFine(fd: number, timeoutMs: number): number {
    this.#pollfd.watch(0, fd, this.constants.POLLIN);
    return this.pollFine(this.#pollfd, timeoutMs, 1);
  }

  /**
   * Does what {@linkcode Sockets.pollAll} does, with a limit in fractions of a millisecond (ppoll(2),
   * Linux).
   *
   * @param set the descriptors
   * @param timeoutMs how long to wait
   * @param places how many of its places the kernel looks at
   * @returns how many are ready, 0 if none was in time, or the negated error number
   */
  pollFine(set: PollSet, timeoutMs: number, places = set.size): number {
    const [timespec, bytes] = this.#timespec;
    const seconds = Math.floor(timeoutMs / 1000);
    timespec[0] = seconds;
    timespec[2] = Math.floor((timeoutMs - seconds * 1000) * 1e6);
    const count: number = this.#libc.ppoll!(set.bytes, places, bytes, null);
    return count >= 0 ? count : -this.errno;
  }

  /** The most descriptors that this process may have (getrlimit(2), the soft limit). */
  descriptorLimit(): number {
    const limits = new BigUint64Array(2);
    const bytes = new Uint8Array(limits.buffer);
    this.#check("getrlimit", this.#call("getrlimit", this.constants.RLIMIT_NOFILE, bytes));
    return Number(limits[0]);
  }

  /**
   * Finds the number that the next descriptor will get: the lowest one that is not in use.
   *
   * @returns the number, or the negated error number if there is none
   */
  nextDescriptor(): number {
    const { AF_INET, SOCK_DGRAM, SOCK_CLOEXEC } = this.constants;
    const fd = this.#call("socket", AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) this.close(fd);
    return fd;
  }

  /**
   * Opens a listening socket: socket, setsockopt, bind, listen. With the address of a Unix domain
   * socket it is one of those; {@linkcode openListening} takes away the file of an earlier one.
   *
   * @param address a numeric address; port 0 picks a free one
   * @param options backlog and port sharing
   * @returns its descriptor
   */
  openListener(address: Address, options: ListenSocketOptions = {}): number {
    const { SOCK_STREAM, SOL_SOCKET, IPPROTO_TCP } = this.constants;
    const type = options.nonBlocking ? SOCK_STREAM | this.constants.SOCK_NONBLOCK : SOCK_STREAM;
    const fd = this.socket(this.familyOf(address), type);
    try {
      // Without it a port cannot be used again while its old connections linger in TIME_WAIT.
      this.setOption(fd, SOL_SOCKET, this.constants.SO_REUSEADDR, 1);
      if (options.reusePort) this.setOption(fd, SOL_SOCKET, this.constants.SO_REUSEPORT, 1);
      // Accepted connections inherit it: Nagle's algorithm delays no small answer.
      if (!isUnix(address.hostname)) {
        this.setOption(fd, IPPROTO_TCP, this.constants.TCP_NODELAY, 1);
        if (options.keepAlive !== undefined) keepAlive(this, fd, options.keepAlive);
      }
      if (options.receiveTimeoutMs) this.setReceiveTimeout(fd, options.receiveTimeoutMs);
      this.bind(fd, address);
      this.listen(fd, options.backlog ?? ACCEPT_QUEUE);
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  /**
   * Opens a connected socket: socket, setsockopt, connect.
   *
   * @param address a numeric address, or that of a Unix domain socket
   * @param timeoutMs how long it may take, in milliseconds; 0 is as long as the kernel tries.
   * `connect` has no limit on macOS: there it takes up to 75 seconds in any case
   * @returns its descriptor
   * @throws {SocketError} `ETIMEDOUT` after that time
   */
  openConnection(address: Address, timeoutMs = 0): number {
    const { SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY } = this.constants;
    const fd = this.socket(this.familyOf(address), SOCK_STREAM);
    try {
      if (!isUnix(address.hostname)) this.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      if (timeoutMs > 0) this.setSendTimeout(fd, timeoutMs);
      this.#connectWithin(fd, address, timeoutMs);
      if (timeoutMs > 0) this.setSendTimeout(fd, 0);
      return fd;
    } catch (error) {
      this.close(fd);
      throw error;
    }
  }

  #connectWithin(fd: number, address: Address, timeoutMs: number): void {
    const { EAGAIN, EINTR, EINPROGRESS, ETIMEDOUT } = this.constants.errno;
    const until = timeoutMs > 0 ? performance.now() + timeoutMs : Infinity;
    const fail = (errno: number) =>
      new SocketError("connect", errno, `to ${formatAddress(address)}`);
    try {
      return this.connect(fd, address);
    } catch (error) {
      const { errno } = error as SocketError;
      // This is how a connect ends on Linux when the time of `SO_SNDTIMEO` is over: over TCP, and
      // over a Unix domain socket, where it has waited for a place in the accept queue.
      if (errno === EINPROGRESS || errno === EAGAIN) throw fail(ETIMEDOUT);
      if (errno !== EINTR) throw error;
      // A Unix domain socket connects at once or not at all, so the call can be made again.
      if (isUnix(address.hostname)) return this.#connectWithin(fd, address, timeoutMs);
    }
    // A signal ends the call but not the attempt. The call cannot be made again (connect(2)), so
    // poll(2) waits for the end of the attempt.
    let ready: number;
    do {
      const left = until === Infinity ? -1 : Math.max(0, until - performance.now());
      ready = this.poll(fd, this.constants.POLLOUT, left);
    } while (ready === -EINTR);
    if (ready === 0) throw fail(ETIMEDOUT);
    const errno = this.getOption(fd, this.constants.SOL_SOCKET, this.constants.SO_ERROR);
    if (errno !== 0) throw fail(errno);
  }

  /**
   * Makes a descriptor close-on-exec by itself (ioctl(2), `FIOCLEX`). Where socket(2) and accept(2) do
   * not do it, a program that another thread starts at that very moment may still inherit it.
   *
   * @returns the descriptor
   */
  #keepToSelf(fd: number): number {
    // Not fcntl(2): its flag is a variadic argument, and those are passed in another way on arm64.
    if (fd >= 0) this.#libc.ioctl!(fd, this.constants.FIOCLEX, NOTHING);
    return fd;
  }

  #call(name: string, ...parameters: unknown[]): number {
    const result: number = this.#libc[name]!(...parameters);
    return result >= 0 ? result : -this.errno;
  }

  #check(name: string, result: number, what?: string): number {
    if (result < 0) throw new SocketError(name, -result, what);
    return result;
  }
}

/** A flag of open(2) on Linux: it must be a folder. */
const O_DIRECTORY = runtime.arch === "aarch64" ? 0o40000 : 0o200000;

/** Operations of flock(2). */
const LOCK_EX = 2;
const LOCK_NB = 4;

/** The mode of a Unix domain socket's file: its user and its group may connect. */
const SOCKET_MODE = 0o660;

/** Where a call writes a number, and its bytes. */
const NUMBER = new Int32Array(1);
const NUMBER_BYTES = new Uint8Array(NUMBER.buffer);

/** The buffer for peeking at unread bytes. */
const ONE = new Uint8Array(1);

/** The argument of a request that takes none. */
const NOTHING = new Uint8Array(8);

/** A `struct timeval`: two 64-bit numbers on Linux, 64 and 32 bits on macOS, padded to 16 bytes. */
function timeval(ms: number): Uint8Array {
  // The kernel takes 0 as "for ever", so a short time is rounded up to a microsecond.
  const total = ms > 0 ? Math.max(1, Math.round(ms * 1000)) : 0;
  const seconds = Math.floor(total / 1_000_000);
  return new Uint8Array(Int32Array.of(seconds, 0, total % 1_000_000, 0).buffer);
}

/** A `struct timespec` of Linux, seconds and nanoseconds in 64 bits each: as words and as bytes. */
function timespecMemory(): readonly [Int32Array, Uint8Array] {
  const words = new Int32Array(4);
  return [words, new Uint8Array(words.buffer)];
}

let shared: Sockets | undefined;

/**
 * The Berkeley sockets of this system.
 *
 * @throws {SocketsUnavailableError} on an unknown system, or without permission for foreign calls
 *
 * @example
 * ```ts
 * import { sockets } from "./sockets.ts";
 *
 * const net = sockets();
 * const fd = net.openListener({ hostname: "127.0.0.1", port: 0 });
 * console.log(net.localAddress(fd).port > 0);
 * net.close(fd);
 * ```
 */
export function sockets(): Sockets {
  return shared ??= new Sockets(library());
}
