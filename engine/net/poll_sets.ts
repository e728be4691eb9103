/**
 * The memory in which a thread and the kernel tell each other which descriptors are ready: the
 * places of poll(2) and the events of epoll(7).
 *
 * @module
 */

import { runtime } from "./runtime.ts";

/** The descriptors of one {@linkcode Sockets.pollAll}: an array of `struct pollfd`. */
export class PollSet {
  /** How many places the set has. */
  readonly size: number;
  /** The memory that the kernel reads and fills. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;

  /**
   * Makes a set whose places are all free.
   *
   * @param size how many places it has
   */
  constructor(size: number) {
    this.size = size;
    this.#words = new Int32Array(size * 2).fill(-1);
    this.bytes = new Uint8Array(this.#words.buffer);
  }

  /**
   * Puts a descriptor into a place.
   *
   * @param index the place
   * @param fd the descriptor; -1 leaves the place free
   * @param events a set of `POLLIN` and `POLLOUT`
   */
  watch(index: number, fd: number, events: number): void {
    this.#words[index * 2] = fd;
    this.#words[index * 2 + 1] = events;
  }

  /** The descriptor in a place; -1 where there is none. */
  descriptorAt(index: number): number {
    return this.#words[index * 2] as number;
  }

  /** What the descriptor in a place is watched for. */
  wantedAt(index: number): number {
    return (this.#words[index * 2 + 1] as number) & 0xffff;
  }

  /** What happened in a place: a set of `POLLIN`, `POLLOUT`, `POLLERR` and `POLLHUP`, or 0. */
  eventsAt(index: number): number {
    return (this.#words[index * 2 + 1] as number) >>> 16;
  }
}

// struct epoll_event is packed on x86-64 only: there the token is at byte 4, elsewhere at byte 8.
const EPOLL_PACKED = runtime.arch === "x86_64";
const EPOLL_TOKEN = EPOLL_PACKED ? 1 : 2;
const EPOLL_STRIDE = EPOLL_PACKED ? 3 : 4;

/** The events of one {@linkcode Sockets.epollWait}: an array of `struct epoll_event`. */
export class EpollEvents {
  /** How many events fit. */
  readonly capacity: number;
  /** The memory that the kernel reads and fills. */
  readonly bytes: Uint8Array;
  readonly #words: Int32Array;

  /**
   * Makes room for events.
   *
   * @param capacity how many events fit
   */
  constructor(capacity: number) {
    this.capacity = capacity;
    this.#words = new Int32Array(capacity * EPOLL_STRIDE);
    this.bytes = new Uint8Array(this.#words.buffer);
  }

  /**
   * Writes an event.
   *
   * @param index its place
   * @param events a set of `EPOLLIN`, `EPOLLOUT`, …
   * @param token the number that comes back with it
   */
  put(index: number, events: number, token: number): void {
    this.#words[index * EPOLL_STRIDE] = events;
    this.#words[index * EPOLL_STRIDE + EPOLL_TOKEN] = token;
  }

  /** What happened: a set of `EPOLLIN`, `EPOLLOUT`, … */
  eventsAt(index: number): number {
    return this.#words[index * EPOLL_STRIDE] as number;
  }

  /** The number with which the descriptor was added. */
  tokenAt(index: number): number {
    return this.#words[index * EPOLL_STRIDE + EPOLL_TOKEN] as number;
  }
}
