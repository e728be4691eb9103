/**
 * Calls a server with non-blocking sockets of our own, on the main thread.
 *
 * The runtimes' own sockets hide what a tester needs: to reset a connection, to have a small
 * receive buffer, to tell a FIN from a RST. Here every connection is a descriptor. The loop waits for
 * them in the kernel for a millisecond at most, and between two waits everything else has its turn:
 * timers, signals, other processes.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import type { Address } from "../../protocols/effects.ts";
import { isUnix } from "../net/address.ts";
import { openPoller, type Poller, pollerKinds } from "../net/poller.ts";
import { ReadyConnection, type ReadyLoop, ReceiveBuffer } from "../net/ready_connection.ts";
import { SocketError } from "../net/socket_error.ts";
import { type Sockets, sockets } from "../net/sockets.ts";
import { ConnectTimeoutError, InterruptedError, refuseSelfByDescriptor } from "./failures.ts";

/** How long one wait in the kernel may take, in milliseconds. */
const WAIT_MS = 1;

/** How long to wait for a place in the accept queue of a Unix domain socket, in milliseconds. */
const FULL_MS = 5;

/** How to call. */
export interface ReadyCallOptions {
  /** How long connecting may take, in milliseconds. */
  readonly withinMs: number;
  /**
   * The size of the receive buffer (`SO_RCVBUF`, socket(7)), and with it of the window that the peer
   * sees, in bytes. The kernel has a least value of its own.
   *
   * @default the system's
   */
  readonly receiveBuffer?: number | undefined;
}

/** Something that the poller watches. */
interface Ready {
  onReady(events: number): void;
}

/**
 * The loop of this thread. All dialers share it, because each loop would hold up the others while it
 * waits. It turns while there is something to wait for.
 */
class ThreadLoop {
  readonly poller: Poller;
  readonly buffer: ReceiveBuffer = new ReceiveBuffer();
  /** How many dialers use it. */
  users = 0;
  readonly #ready = new Map<number, Ready>();
  /** Who has more to do in the next turn. */
  #busy: (() => void)[] = [];
  #isTurning = false;

  constructor(sockets: Sockets) {
    this.poller = openPoller(pollerKinds()[0] ?? "poll", sockets);
  }

  /** Calls back when a descriptor is ready that the poller watches. */
  watch(fd: number, ready: Ready): void {
    this.#ready.set(fd, ready);
    this.#goOn();
  }

  /** The descriptor is about to be closed. */
  forget(fd: number): void {
    this.#ready.delete(fd);
  }

  /** Resolves in the next turn, which does not wait then. */
  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#busy.push(resolve);
      this.#goOn();
    });
  }

  #goOn(): void {
    const hasNothing = this.#ready.size === 0 && this.#busy.length === 0;
    if (this.#isTurning || hasNothing || this.users === 0) return;
    this.#isTurning = true;
    setImmediate(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isTurning = false;
    if (this.users === 0) return;
    const busy = this.#busy;
    this.#busy = [];
    const count = this.poller.wait(busy.length > 0 ? 0 : WAIT_MS);
    for (let index = 0; index < count; index++) {
      this.#ready.get(this.poller.fdAt(index))?.onReady(this.poller.eventsAt(index));
    }
    for (const goOn of busy) goOn();
    this.#goOn();
  };
}

let loop: ThreadLoop | undefined;

/** Opens connections, and is their loop. */
export class ReadyDialer implements ReadyLoop, Disposable {
  /** The Berkeley calls. */
  readonly sockets: Sockets = sockets();
  readonly #loop: ThreadLoop;
  readonly #ready = new Map<number, Ready>();
  readonly #attempts = new Set<(why: Error) => void>();
  #isClosed = false;

  /** @throws {SocketsUnavailableError} if there are no Berkeley sockets */
  constructor() {
    this.#loop = loop ??= new ThreadLoop(this.sockets);
    this.#loop.users++;
  }

  /** Reports which sockets are ready. */
  get poller(): Poller {
    return this.#loop.poller;
  }

  /** The memory into which they receive. */
  get buffer(): ReceiveBuffer {
    return this.#loop.buffer;
  }

  /** Lets everything else have its turn: for whoever has more to do at once. */
  turn(): Promise<void> {
    return this.#loop.turn();
  }

  /** How many connections there are, with those that are being made. */
  get size(): number {
    return this.#ready.size;
  }

  /**
   * Connects.
   *
   * @param address a numeric address, or that of a Unix domain socket
   * @param options how long it may take, and the size of the receive buffer
   * @throws {Error} if there is no connection
   */
  async dial(address: Address, options: ReadyCallOptions): Promise<ReadyConnection> {
    const { errno } = this.sockets.constants;
    const until = performance.now() + options.withinMs;
    for (;;) {
      try {
        return await this.#attempt(address, options, until);
      } catch (error) {
        // The accept queue of a Unix domain socket is full. Over TCP the kernel itself waits then.
        const isFull = isUnix(address.hostname) && (error as SocketError).errno === errno.EAGAIN;
        if (!isFull || performance.now() >= until) throw error;
        await new Promise((resolve) => setTimeout(resolve, FULL_MS));
      }
    }
  }

  /**
   * Serves a connection that was accepted somewhere else.
   *
   * @param fd a connected, non-blocking socket
   * @param sockaddr the peer's address, as accept(2) filled it in
   */
  adopt(fd: number, sockaddr: Uint8Array): ReadyConnection {
    const connection = new ReadyConnection(fd, sockaddr, this);
    this.#watch(fd, connection);
    return connection;
  }

  /**
   * Watches a descriptor that is no connection, such as a listener. The caller has told the poller
   * about it.
   *
   * @param fd the descriptor
   * @param onReady is called when it is ready
   */
  attend(fd: number, onReady: () => void): void {
    this.#watch(fd, { onReady });
  }

  #attempt(
    address: Address,
    { withinMs, receiveBuffer }: ReadyCallOptions,
    until: number,
  ): Promise<ReadyConnection> {
    const net = this.sockets;
    const { SOCK_STREAM, SOCK_NONBLOCK, IPPROTO_TCP, TCP_NODELAY, POLLOUT } = net.constants;
    const { SOL_SOCKET, SO_ERROR, SO_RCVBUF, errno } = net.constants;
    const { promise, resolve, reject } = Promise.withResolvers<ReadyConnection>();
    const fd = net.socket(net.familyOf(address), SOCK_STREAM | SOCK_NONBLOCK);
    const sockaddr = net.writeAddress(address);
    const fail = (error: unknown) => {
      clearTimeout(late);
      this.#attempts.delete(giveUp);
      this.onClose(fd);
      net.close(fd);
      reject(error);
    };
    const giveUp = (why: Error) => {
      this.poller.forget(fd);
      fail(why);
    };
    const late = setTimeout(
      () => giveUp(new ConnectTimeoutError(withinMs)),
      Math.max(0, until - performance.now()),
    );
    try {
      if (!isUnix(address.hostname)) {
        net.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
        // The window's scale is agreed on in the SYN, so it is set before that (tcp(7)).
        if (receiveBuffer !== undefined) net.setOption(fd, SOL_SOCKET, SO_RCVBUF, receiveBuffer);
      }
      const result = net.connectNonBlocking(fd, sockaddr);
      if (result !== 0 && result !== -errno.EINPROGRESS) throw new SocketError("connect", -result);
      this.poller.add(fd, POLLOUT);
    } catch (error) {
      fail(error);
      return promise;
    }
    const onReady = () => {
      const failed = net.getOption(fd, SOL_SOCKET, SO_ERROR);
      try {
        if (failed !== 0) throw new SocketError("connect", failed);
        refuseSelfByDescriptor(net, fd, address);
      } catch (error) {
        this.poller.forget(fd);
        return fail(error);
      }
      clearTimeout(late);
      this.#attempts.delete(giveUp);
      const connection = new ReadyConnection(fd, sockaddr, this, POLLOUT);
      this.#watch(fd, connection);
      resolve(connection);
    };
    this.#attempts.add(giveUp);
    this.#watch(fd, { onReady });
    return promise;
  }

  /** Called with a descriptor that is about to be closed. */
  onClose(fd: number): void {
    this.#ready.delete(fd);
    this.#loop.forget(fd);
  }

  #watch(fd: number, ready: Ready): void {
    this.#ready.set(fd, ready);
    this.#loop.watch(fd, ready);
  }

  /** Closes everything that is open. */
  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const giveUp of [...this.#attempts]) giveUp(new InterruptedError());
    for (const [fd, ready] of [...this.#ready]) {
      if (ready instanceof ReadyConnection) ready.close();
      else this.onClose(fd);
    }
    if (--this.#loop.users > 0) return;
    this.#loop.poller.close();
    loop = undefined;
  }
}
