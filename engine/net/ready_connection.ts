/**
 * A connection on a non-blocking socket. It reads and writes when a {@linkcode Poller} says that it
 * can.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import type { Poller } from "./poller.ts";
import type { PackedAddress } from "./address.ts";
import { SocketError } from "./socket_error.ts";
import type { Sockets } from "./sockets.ts";
import { Connection, type Pulled, type Sink } from "./transport.ts";

/** The most bytes that one `recv` takes. */
const RECEIVE_BYTES = 16 * 1024;

/** How many returned buffers are kept for the connections that need one next. */
const SPARE_BUFFERS = 64;

/**
 * The memory into which the connections of one thread receive, one after another. Most messages
 * are answered at once. When one is not, its conversation keeps the buffer until it asks for more,
 * and the thread takes another buffer. So an idle connection holds none.
 */
export class ReceiveBuffer {
  /** Where the next bytes go. */
  bytes: Uint8Array = new Uint8Array(RECEIVE_BYTES);
  #view: Uint8Array = this.bytes;
  readonly #spare: Uint8Array[] = [];

  /** The first `count` bytes. */
  head(count: number): Uint8Array {
    // The view is kept because a message is often as long as the one before.
    if (this.#view.length !== count) this.#view = this.bytes.subarray(0, count);
    return this.#view;
  }

  /** Lends the buffer to a connection and replaces it with another one. */
  lend(): Uint8Array {
    const lent = this.bytes;
    this.bytes = this.#spare.pop() ?? new Uint8Array(RECEIVE_BYTES);
    this.#view = this.bytes;
    return lent;
  }

  /** Takes a lent buffer back. */
  takeBack(lent: Uint8Array): void {
    if (this.#spare.length < SPARE_BUFFERS) this.#spare.push(lent);
  }
}

/** What the connections of one thread share. */
export interface ReadyLoop {
  /** The Berkeley calls. */
  readonly sockets: Sockets;
  /** Reports which sockets are ready. */
  readonly poller: Poller;
  /** The memory into which they receive. */
  readonly buffer: ReceiveBuffer;
  /** Called with a descriptor that is about to be closed. */
  onClose(fd: number): void;
}

// What is true of a connection, as bits of one number: ten thousand idle ones take less memory.

/** The peer's FIN has come. */
const ENDED = 1;
/** It was closed. */
const CLOSED = 2;

/** What few connections need, and those for a moment. */
class Seldom {
  /** Who waits until a write can go on, and with what. */
  writer: Sink | undefined;
  writing: Uint8Array | undefined;
  /** Who wants to know of the end. */
  watcher: Sink | undefined;
  failure: Error | undefined;
}

/** A connection whose thread calls {@linkcode ReadyConnection.onReady} when it is ready. */
export class ReadyConnection extends Connection {
  /** Its descriptor. */
  override readonly fd: number;
  readonly #loop: ReadyLoop;
  readonly #peer: PackedAddress;
  #reader: Sink | undefined;
  #seldom: Seldom | undefined;
  /** The buffer that its conversation still keeps. */
  #lent: Uint8Array | undefined;
  /** What the poller watches this socket for; {@linkcode UNWATCHED} if it does not watch it. */
  #events: number;
  #is = 0;

  /**
   * @param fd a connected, non-blocking socket; it is closed with the connection
   * @param sockaddr the peer's address, as accept(2) filled it in; it is copied
   * @param loop what the connections of its thread share
   * @param events what the poller already watches the socket for
   */
  constructor(fd: number, sockaddr: Uint8Array, loop: ReadyLoop, events = UNWATCHED) {
    super();
    this.fd = fd;
    this.#events = events;
    this.#peer = loop.sockets.packAddress(sockaddr);
    this.#loop = loop;
  }

  override get localAddress(): Address {
    return this.#loop.sockets.localAddress(this.fd);
  }

  override get remoteAddress(): Address {
    return this.#loop.sockets.readPacked(this.#peer);
  }

  override pull(sink: Sink): Pulled {
    const seldom = this.#seldom;
    if (seldom?.failure !== undefined) throw seldom.failure;
    if (this.#is !== 0) {
      if (this.#isClosed) throw this.#fail("recv", -this.#loop.sockets.constants.errno.EBADF);
      this.#giveBack();
      return null;
    }
    if (this.#lent !== undefined) this.#giveBack();
    this.#reader = sink;
    // In most cases the poller still watches for this, and no call to the kernel is needed.
    const { POLLIN, POLLOUT } = this.#loop.sockets.constants;
    if (this.#events !== POLLIN) {
      this.#watchFor(seldom?.writer === undefined ? POLLIN : POLLIN | POLLOUT);
    }
    return undefined;
  }

  get #rarely(): Seldom {
    return this.#seldom ??= new Seldom();
  }

  get #isClosed(): boolean {
    return (this.#is & CLOSED) !== 0;
  }

  get #hasEnded(): boolean {
    return (this.#is & ENDED) !== 0;
  }

  override get hasUnread(): boolean {
    if (this.#hasEnded || this.#seldom?.failure !== undefined) return false;
    return this.#loop.sockets.hasUnread(this.fd);
  }

  #giveBack(): void {
    if (this.#lent !== undefined) this.#loop.buffer.takeBack(this.#lent);
    this.#lent = undefined;
  }

  override unpull(): void {
    this.#reader = undefined;
    if (this.#seldom !== undefined) this.#seldom.watcher = undefined;
  }

  override watch(sink: Sink): void {
    const seldom = this.#rarely;
    if (seldom.failure !== undefined) return;
    seldom.watcher = sink;
    // After FIN only a reset can come, and that is told in any case.
    this.#watchFor(this.#hasEnded ? NOTHING : this.#loop.sockets.constants.POLLRDHUP);
  }

  override push(bytes: Uint8Array, sink: Sink): boolean {
    const { sockets } = this.#loop;
    // The descriptor may belong to another connection by now.
    if (this.#isClosed) throw this.#fail("send", -sockets.constants.errno.EBADF);
    if (bytes.length === 0) return true;
    const count = sockets.send(this.fd, bytes, sockets.constants.MSG_DONTWAIT);
    if (count === bytes.length) return true;
    if (count < 0 && !this.#mustWait(count)) throw this.#fail("send", count);
    // The rest is sent when the peer has made room.
    const seldom = this.#rarely;
    seldom.writer = sink;
    seldom.writing = count > 0 ? bytes.subarray(count) : bytes;
    const { POLLIN, POLLOUT } = sockets.constants;
    this.#watchFor(this.#reader === undefined ? POLLOUT : POLLIN | POLLOUT);
    return false;
  }

  /**
   * Does what the socket is ready for.
   *
   * @param events a set of `POLLIN`, `POLLOUT`, …
   */
  onReady(events: number): void {
    const writer = this.#seldom?.writer;
    if (writer !== undefined) this.#onReadyWriting(writer, events);
    else if (this.#reader !== undefined) this.#receive(this.#reader);
    else if (!this.#isClosed) this.#notice(events);
  }

  /** Goes on with a write that waits, and perhaps with a read too. */
  #onReadyWriting(writer: Sink, events: number): void {
    const { POLLIN } = this.#loop.sockets.constants;
    // The bytes received may end the connection. After that nothing is sent.
    if (this.#reader !== undefined && (events & POLLIN) !== 0) this.#receive(this.#reader);
    if (this.#seldom?.writer === writer && events !== POLLIN) this.#send(writer);
  }

  #receive(sink: Sink): void {
    const { sockets, buffer } = this.#loop;
    const count = sockets.recv(this.fd, buffer.bytes, sockets.constants.MSG_DONTWAIT);
    if (count < 0 && this.#mustWait(count)) return;
    this.#reader = undefined;
    if (count > 0) {
      sink.onRead(buffer.head(count));
      // A conversation that did not ask for more still needs these bytes.
      if (this.#reader === undefined && !this.#isClosed) this.#lent = buffer.lend();
    } else if (count === 0) {
      this.#is |= ENDED;
      // Without this the poller would report the end again and again.
      this.#watchFor(this.#seldom?.writer === undefined ? NOTHING : sockets.constants.POLLOUT);
      sink.onRead(null);
    } else sink.onError(this.#fail("recv", count));
  }

  #send(sink: Sink): void {
    const { sockets } = this.#loop;
    const seldom = this.#rarely;
    const bytes = seldom.writing as Uint8Array;
    const count = sockets.send(this.fd, bytes, sockets.constants.MSG_DONTWAIT);
    if (count < 0 && this.#mustWait(count)) return;
    if (count >= 0 && count < bytes.length) {
      seldom.writing = bytes.subarray(count);
      return;
    }
    seldom.writer = seldom.writing = undefined;
    if (count < 0) return sink.onError(this.#fail("send", count));
    this.#watchFor(this.#reader === undefined ? NOTHING : sockets.constants.POLLIN);
    sink.onWritten();
  }

  /** Handles an event that no read and no write waits for. */
  #notice(events: number): void {
    const { sockets } = this.#loop;
    const { POLLERR, POLLHUP, POLLRDHUP, SOL_SOCKET, SO_ERROR } = sockets.constants;
    const sink = this.#seldom?.watcher;
    const isOver = (events & (POLLERR | POLLHUP)) !== 0;
    // The poller need not report this again. But a reset may still follow a FIN.
    this.#watchFor(isOver ? UNWATCHED : NOTHING);
    const errno = isOver ? sockets.getOption(this.fd, SOL_SOCKET, SO_ERROR) : 0;
    if (errno !== 0) {
      this.#rarely.watcher = undefined;
      const error = this.#fail("recv", -errno);
      sink?.onError(error);
    } else if (isOver || (events & POLLRDHUP) !== 0) sink?.onEnd?.();
  }

  #mustWait(result: number): boolean {
    const { EAGAIN, EINTR } = this.#loop.sockets.constants.errno;
    return result === -EAGAIN || result === -EINTR;
  }

  #fail(syscall: string, result: number): Error {
    this.#watchFor(UNWATCHED);
    return this.#rarely.failure = new SocketError(syscall, -result);
  }

  #watchFor(events: number): void {
    const { poller } = this.#loop;
    if (events === this.#events || this.#isClosed) return;
    if (this.#events === UNWATCHED) poller.add(this.fd, events);
    else if (events === UNWATCHED) poller.remove(this.fd);
    else poller.modify(this.fd, events);
    this.#events = events;
  }

  override get pending(): number {
    if (this.#isClosed) return 0;
    return (this.#seldom?.writing?.length ?? 0) + this.#loop.sockets.unacknowledged(this.fd);
  }

  override reset(): void {
    if (!this.#isClosed) this.#loop.sockets.resetOnClose(this.fd);
    this.close();
  }

  override closeWrite(): void {
    const { sockets } = this.#loop;
    if (!this.#isClosed) sockets.shutdown(this.fd, sockets.constants.SHUT_WR);
  }

  override close(): void {
    if (this.#isClosed) return;
    this.#is |= CLOSED;
    if (this.#events !== UNWATCHED) this.#loop.poller.forget(this.fd);
    this.unpull();
    if (this.#seldom !== undefined) this.#seldom.writer = undefined;
    this.#giveBack();
    this.#loop.onClose(this.fd);
    this.#loop.sockets.close(this.fd);
  }
}

/** Watched for errors only. */
const NOTHING = 0;

/** Not watched, not even for errors. */
const UNWATCHED = -1;
