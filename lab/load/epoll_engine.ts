/**
 * The load on descriptors: a readiness loop like that of `modes/nonblocking.ts`, from the client's
 * side.
 *
 * @module
 */

import { Deadline, PolledDeadlines } from "../../engine/drivers/deadlines.ts";
import { isUnix } from "../../engine/net/address.ts";
import { openPoller, type Poller } from "../../engine/net/poller.ts";
import {
  ReadyConnection,
  type ReadyLoop,
  ReceiveBuffer,
} from "../../engine/net/ready_connection.ts";
import { SocketError } from "../../engine/net/socket_error.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { ConnectTimeoutError, refuseSelfByDescriptor } from "../../engine/dial/failures.ts";
import type { Address } from "../../protocols/effects.ts";
import type { Lane } from "./lane.ts";
import type { LoadProtocol } from "./load_protocol.ts";
import { LoadLoop, LOOK_MS, NO_PAUSES, type Pauses } from "./load_loop.ts";
import type { Share } from "./plan.ts";
import { inTurn } from "./sources.ts";
import type { ThreadSecond } from "./tally.ts";

/** How often a busy loop checks the deadlines, in milliseconds. */
const LIMITS_MS = 1;

/** How long to wait for a place in the accept queue of a Unix domain socket, in milliseconds. */
const FULL_MS = 5;

/** Something that the poller watches. */
export interface Ready {
  onReady(events: number): void;
}

/** A connection that is being made. */
class Attempt implements Ready {
  readonly #engine: EpollEngine;
  readonly #lane: Lane;
  readonly #fd: number;
  readonly #limit: Deadline;

  constructor(engine: EpollEngine, lane: Lane, fd: number) {
    this.#engine = engine;
    this.#lane = lane;
    this.#fd = fd;
    const { timeoutMs } = engine;
    this.#limit = new Deadline(() => {
      engine.giveUp(fd, lane, new ConnectTimeoutError(timeoutMs));
    });
    engine.deadlines.set(this.#limit, timeoutMs);
  }

  onReady(): void {
    this.#limit.lift();
    this.#engine.onAttempted(this.#fd, this.#lane);
  }
}

/** Makes the load of one thread and blocks the thread meanwhile. */
export class EpollEngine implements ReadyLoop {
  readonly sockets: Sockets = sockets();
  readonly poller: Poller = openPoller("epoll", this.sockets);
  readonly buffer = new ReceiveBuffer();
  readonly deadlines = new PolledDeadlines();
  readonly timeoutMs: number;
  readonly #ready: (Ready | undefined)[] = [];
  readonly #address: Address;
  readonly #sockaddr: Uint8Array;
  readonly #family: number;
  /** Gives the addresses that connections come from. */
  readonly #nextSource: () => Uint8Array | undefined;
  readonly #isUnix: boolean;
  readonly #hasDueTimes: boolean;
  readonly #loop: LoadLoop;

  constructor(
    share: Share,
    protocol: LoadProtocol,
    onSecond: (second: ThreadSecond) => void,
  ) {
    this.timeoutMs = share.plan.timeoutMs;
    this.#hasDueTimes = share.plan.rate !== null;
    this.#address = share.address;
    this.#sockaddr = this.sockets.writeAddress(share.address);
    this.#family = this.sockets.familyOf(share.address);
    this.#isUnix = isUnix(share.address.hostname);
    const sources = share.plan.sources
      .map((hostname) => this.sockets.writeAddress({ hostname, port: 0 }));
    this.#nextSource = inTurn(sources, share.thread, share.plan.threads);
    this.#loop = new LoadLoop(share, protocol, {
      dial: (lane) => this.#dial(lane),
      deadlines: this.deadlines,
      onSecond,
      hasTurns: true,
    });
  }

  /** Makes the connections with which the load begins. */
  open(isStopped: () => boolean): void {
    this.#turnUntil(() => this.#loop.isOpen, isStopped);
  }

  /** Makes the load, to its end. */
  run(isStopped: () => boolean): void {
    this.#loop.start(performance.now());
    this.#turnUntil(() => this.#loop.isOver, isStopped);
  }

  #turnUntil(isReached: () => boolean, isStopped: () => boolean): void {
    const loop = this.#loop;
    let now = performance.now();
    let limitsAt = now;
    let lookAt = now;
    for (;;) {
      const next = loop.turn(now);
      if (isReached()) break;
      const count = this.#wait(next);
      now = performance.now();
      for (let index = 0; index < count; index++) {
        this.#ready[this.poller.fdAt(index)]?.onReady(this.poller.eventsAt(index));
      }
      if (count > 0) loop.onTurn(now);
      if (now >= limitsAt) {
        this.deadlines.expire();
        limitsAt = now + LIMITS_MS;
      }
      if (now < lookAt) continue;
      lookAt = now + LOOK_MS;
      loop.look(now);
      if (isStopped()) loop.stop(performance.now());
    }
  }

  /** The load. */
  get loop(): LoadLoop {
    return this.#loop;
  }

  /**
   * Lets the poller watch something besides the connections of the load.
   *
   * @param fd its descriptor
   * @param ready is told when it is readable
   */
  watch(fd: number, ready: Ready): void {
    this.#ready[fd] = ready;
    this.poller.add(fd, this.sockets.constants.POLLIN);
  }

  /**
   * Lets the poller watch a connection that was accepted here.
   *
   * @param fd its descriptor
   * @param sockaddr the peer's address
   */
  adopt(fd: number, sockaddr: Uint8Array): ReadyConnection {
    const connection = new ReadyConnection(fd, sockaddr, this);
    this.#ready[fd] = connection;
    return connection;
  }

  /** Waits for events, at most until `until`; returns how many there are. */
  #wait(until: number): number {
    // Under load there is always an event, so the time to wait need not be worked out first.
    const count = this.poller.wait(0);
    if (count > 0) return count;
    const { msToNext } = this.deadlines;
    const limitMs = msToNext < 0 ? LOOK_MS : Math.min(LOOK_MS, msToNext);
    const waitMs = Math.min(limitMs, until - performance.now());
    // Only due times need a finer wait than epoll's milliseconds: it costs another call.
    return waitMs > 0 ? this.poller.wait(this.#hasDueTimes ? waitMs : Math.ceil(waitMs)) : 0;
  }

  /** Closes all connections. */
  close(): void {
    this.#loop.close();
    for (const [fd, ready] of this.#ready.entries()) {
      if (ready instanceof Attempt) this.sockets.close(fd);
    }
    this.poller.close();
  }

  #dial(lane: Lane, untilMs = performance.now() + this.timeoutMs): void {
    const { SOCK_STREAM, SOCK_NONBLOCK, IPPROTO_TCP, TCP_NODELAY, POLLOUT, errno } =
      this.sockets.constants;
    let fd: number;
    const source = this.#nextSource();
    try {
      fd = this.sockets.socket(this.#family, SOCK_STREAM | SOCK_NONBLOCK);
    } catch (error) {
      return this.#refuse(lane, error);
    }
    try {
      if (source !== undefined) this.sockets.bindSource(fd, source);
    } catch (error) {
      this.sockets.close(fd);
      return this.#refuse(lane, error);
    }
    if (!this.#isUnix) this.sockets.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    const result = this.sockets.connectNonBlocking(fd, this.#sockaddr);
    // The accept queue of a Unix domain socket is full. Over TCP the kernel itself waits then.
    if (result === -errno.EAGAIN && this.#isUnix && performance.now() < untilMs) {
      this.sockets.close(fd);
      this.deadlines.set(new Deadline(() => this.#dial(lane, untilMs)), FULL_MS);
      return;
    }
    if (result !== 0 && result !== -errno.EINPROGRESS) {
      this.sockets.close(fd);
      return this.#refuse(lane, new SocketError("connect", -result));
    }
    this.poller.add(fd, POLLOUT);
    this.#ready[fd] = new Attempt(this, lane, fd);
  }

  /**
   * Tells a lane that it gets no connection: later, because the lane is in the middle of asking.
   */
  #refuse(lane: Lane, error: unknown): void {
    this.deadlines.set(new Deadline(() => lane.onNotOpen(error)), 0);
  }

  /** Abandons an attempt to connect. */
  giveUp(fd: number, lane: Lane, error: Error): void {
    this.#ready[fd] = undefined;
    this.sockets.close(fd);
    lane.onNotOpen(error);
  }

  /** An attempt to connect has ended. */
  onAttempted(fd: number, lane: Lane): void {
    const { SOL_SOCKET, SO_ERROR, POLLOUT } = this.sockets.constants;
    const errno = this.sockets.getOption(fd, SOL_SOCKET, SO_ERROR);
    if (errno !== 0) return this.giveUp(fd, lane, new SocketError("connect", errno));
    try {
      refuseSelfByDescriptor(this.sockets, fd, this.#address);
    } catch (error) {
      return this.giveUp(fd, lane, error as Error);
    }
    const connection = new ReadyConnection(fd, this.#sockaddr, this, POLLOUT);
    this.#ready[fd] = connection;
    lane.onOpen(connection);
  }

  onClose(fd: number): void {
    this.#ready[fd] = undefined;
  }
}

/**
 * Makes the load of one thread on descriptors. Blocks the thread while it opens the connections, and
 * then until the load is over.
 *
 * @param share the thread's share of the load
 * @param protocol the protocol to speak
 * @param onSecond is called for each second
 * @param isStopped whether the load is to end early
 * @param pauses what is waited for in between
 */
export async function runOnDescriptors(
  share: Share,
  protocol: LoadProtocol,
  onSecond: (second: ThreadSecond) => void,
  isStopped: () => boolean,
  pauses: Pauses = NO_PAUSES,
): Promise<LoadLoop> {
  const engine = new EpollEngine(share, protocol, onSecond);
  const { loop } = engine;
  try {
    engine.open(isStopped);
    await pauses.afterOpening();
    engine.run(isStopped);
    await pauses.beforeClosing(loop);
  } finally {
    engine.close();
  }
  return loop;
}
