/**
 * Readiness: one thread asks the kernel which of very many sockets have something for it.
 *
 * There are two ways to ask. poll(2) is given all descriptors with every call and looks at each of
 * them. epoll(7), which only Linux has, keeps them in the kernel and reports those that are ready.
 * Both are level-triggered here: a socket whose bytes were not taken is reported again.
 *
 * @module
 */

import { whyNoSockets } from "./libc.ts";
import { EpollEvents, PollSet } from "./poll_sets.ts";
import type { Sockets } from "./sockets.ts";
import { runtime } from "./runtime.ts";

/** The ways to ask. */
export type PollerKind = "epoll" | "poll";

/** Watches descriptors. Events are sets of `POLLIN`, `POLLOUT`, … as poll(2) has them. */
export interface Poller {
  /** Begins to watch a descriptor for these events. Errors are reported in any case. */
  add(fd: number, events: number): void;
  /** Changes the events that a descriptor is watched for. */
  modify(fd: number, events: number): void;
  /** Stops watching. */
  remove(fd: number): void;
  /** Stops watching a descriptor that the caller closes next. */
  forget(fd: number): void;
  /**
   * Waits until descriptors are ready.
   *
   * @param timeoutMs how long to wait; -1 is for ever. epoll heeds fractions of a millisecond, poll
   * rounds them up
   * @returns how many are ready; `fdAt` and `eventsAt` tell which, until the next call. 0 if none
   * was in time or a signal ended the wait
   */
  wait(timeoutMs: number): number;
  /** A descriptor that is ready. */
  fdAt(index: number): number;
  /** What that descriptor is ready for. */
  eventsAt(index: number): number;
  /** Releases what the poller itself holds. */
  close(): void;
}

/** The kinds of poller that this system has, the best one first. */
export function pollerKinds(): readonly PollerKind[] {
  if (whyNoSockets() !== undefined) return [];
  return runtime.os === "linux" ? ["epoll", "poll"] : ["poll"];
}

/**
 * Makes a poller.
 *
 * @param kind one of {@linkcode pollerKinds}
 * @param sockets the Berkeley calls
 */
export function openPoller(kind: PollerKind, sockets: Sockets): Poller {
  return kind === "epoll" ? new EpollPoller(sockets) : new PollPoller(sockets);
}

/** How many ready descriptors one wait of epoll reports at most. */
const BATCH = 256;

class EpollPoller implements Poller {
  readonly #sockets: Sockets;
  readonly #epoll: number;
  readonly #events = new EpollEvents(BATCH);

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
    this.#epoll = sockets.epollCreate();
  }

  add(fd: number, events: number): void {
    const { EPOLL_CTL_ADD } = this.#sockets.constants;
    this.#sockets.epollControl(this.#epoll, EPOLL_CTL_ADD, fd, events, fd);
  }

  modify(fd: number, events: number): void {
    const { EPOLL_CTL_MOD } = this.#sockets.constants;
    this.#sockets.epollControl(this.#epoll, EPOLL_CTL_MOD, fd, events, fd);
  }

  remove(fd: number): void {
    const { EPOLL_CTL_DEL } = this.#sockets.constants;
    this.#sockets.epollControl(this.#epoll, EPOLL_CTL_DEL, fd, 0, fd);
  }

  forget(): void {
    // The kernel does it when the descriptor is closed, which saves a call for every connection.
  }

  wait(timeoutMs: number): number {
    if (!Number.isInteger(timeoutMs)) {
      this.#sockets.waitFine(this.#epoll, timeoutMs);
      timeoutMs = 0;
    }
    // A wait that a signal interrupted is one in which nothing happened.
    return Math.max(0, this.#sockets.epollWait(this.#epoll, this.#events, timeoutMs));
  }

  fdAt(index: number): number {
    return this.#events.tokenAt(index);
  }

  eventsAt(index: number): number {
    // EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP and EPOLLRDHUP have the numbers of poll(2)'s namesakes.
    return this.#events.eventsAt(index);
  }

  close(): void {
    this.#sockets.close(this.#epoll);
  }
}

class PollPoller implements Poller {
  readonly #sockets: Sockets;
  #set = new PollSet(64);
  /** How many places were ever used. Those that are free again are in `#free`. */
  #used = 0;
  readonly #free: number[] = [];
  /** The place of each descriptor. */
  readonly #places = new Map<number, number>();
  /** What is ready: a descriptor, then its events, then the next descriptor. */
  readonly #ready: number[] = [];

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  add(fd: number, events: number): void {
    if (this.#free.length === 0 && this.#used === this.#set.size) this.#grow();
    const place = this.#free.pop() ?? this.#used++;
    this.#places.set(fd, place);
    this.#set.watch(place, fd, events);
  }

  #grow(): void {
    const small = this.#set;
    this.#set = new PollSet(small.size * 2);
    for (let place = 0; place < small.size; place++) {
      this.#set.watch(place, small.descriptorAt(place), small.wantedAt(place));
    }
  }

  modify(fd: number, events: number): void {
    this.#set.watch(this.#places.get(fd) as number, fd, events);
  }

  remove(fd: number): void {
    const place = this.#places.get(fd) as number;
    this.#set.watch(place, -1, 0);
    this.#places.delete(fd);
    this.#free.push(place);
  }

  forget(fd: number): void {
    this.remove(fd);
  }

  wait(timeoutMs: number): number {
    const set = this.#set;
    const ready = this.#ready;
    ready.length = 0;
    let left = this.#sockets.pollAll(set, timeoutMs, this.#used);
    for (let place = 0; left > 0; place++) {
      const events = set.eventsAt(place);
      if (events === 0) continue;
      ready.push(set.descriptorAt(place), events);
      left--;
    }
    return ready.length / 2;
  }

  fdAt(index: number): number {
    return this.#ready[index * 2] as number;
  }

  eventsAt(index: number): number {
    return this.#ready[index * 2 + 1] as number;
  }

  close(): void {}
}
