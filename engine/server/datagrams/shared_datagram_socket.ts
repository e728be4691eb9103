/**
 * One UDP socket for a pool of threads.
 *
 * A UDP socket has no accept queue: all datagrams, from all senders, come out of the same
 * descriptor. One thread at a time holds the socket. So the datagrams of one sender stay in order,
 * and the table of senders needs no lock. The socket is at home while the thread that accepts
 * watches it. When there is something to receive, the socket goes through the queue to a worker,
 * like a connection. The worker receives a few datagrams and brings the socket home.
 *
 * @module
 */

import { PollSet } from "../../net/poll_sets.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Gate } from "../team/team_memory.ts";
import { SenderTable } from "./sender_table.ts";

/** When no datagram has come for this long, silent senders are looked for, in milliseconds. */
const LOOK_THROUGH_MS = 10_000;

/** Whether a worker holds the socket, or soon will. */
const AWAY = 0;
/** Whether the accepting thread has been woken and has not noticed yet: once is enough. */
const WOKEN = 1;
/** Whether the accepting thread waits until it may accept another connection. */
const FULL = 2;
const WORDS = 16;

// The places of the poll set.
const LISTENER = 0;
const DATAGRAMS = 1;
const WAKE = 2;

/** What all threads of a server need of its UDP socket. Plain data, to be posted to Workers. */
export interface DatagramShare {
  /** The UDP socket. */
  readonly fd: number;
  /** Its port. */
  readonly port: number;
  /** How many answers one source may get in a second; 0 means no limit. */
  readonly perSecond: number;
  /** Two connected sockets: a byte into the second wakes the thread that polls the first. */
  readonly wakePair: readonly [number, number];
  /** Shared words that say who holds the socket and who is to be woken. */
  readonly words: SharedArrayBuffer;
  /** The memory of the senders that have sent datagrams lately. */
  readonly senders: SharedArrayBuffer;
}

/** The UDP socket. Every thread has an object of its own on the same shared memory. */
export class SharedDatagramSocket {
  /** What other threads need to use the socket. */
  readonly share: DatagramShare;
  /** The recent senders, for the thread that holds the socket. */
  readonly senders: SenderTable;
  readonly #words: Int32Array;
  readonly #sockets: Sockets;
  readonly #byte = new Uint8Array(1);
  readonly #set = new PollSet(3);

  /**
   * @param share made by {@linkcode SharedDatagramSocket.open}
   * @param sockets the Berkeley calls
   */
  constructor(share: DatagramShare, sockets: Sockets) {
    this.share = share;
    this.senders = new SenderTable(share.senders);
    this.#words = new Int32Array(share.words);
    this.#sockets = sockets;
  }

  /**
   * Shares a UDP socket with threads.
   *
   * @param sockets the Berkeley calls
   * @param fd the socket, bound
   * @param perSecond how many answers one source may get in a second; 0 means no limit
   */
  static open(sockets: Sockets, fd: number, perSecond: number): SharedDatagramSocket {
    const share: DatagramShare = {
      fd,
      port: sockets.localAddress(fd).port,
      perSecond,
      wakePair: sockets.socketpair(),
      words: new SharedArrayBuffer(WORDS * 4),
      senders: SenderTable.create().memory,
    };
    return new SharedDatagramSocket(share, sockets);
  }

  /** Its descriptor. */
  get fd(): number {
    return this.share.fd;
  }

  /** Whether the thread that accepts holds it, and no worker. */
  get isHome(): boolean {
    return Atomics.load(this.#words, AWAY) === 0;
  }

  /** Notes that the socket goes to a worker. */
  leaveHome(): void {
    Atomics.store(this.#words, AWAY, 1);
  }

  /** Notes that the worker brings the socket home, and wakes the accepting thread. */
  bringHome(): void {
    Atomics.store(this.#words, AWAY, 0);
    this.wake();
  }

  /** Wakes the accepting thread, from any thread. */
  wake(): void {
    if (Atomics.exchange(this.#words, WOKEN, 1) === 1) return;
    this.#sockets.send(this.share.wakePair[1], this.#byte, this.#sockets.constants.MSG_DONTWAIT);
  }

  /** Notes that a connection is over, and wakes the accepting thread if it waits for that. */
  hasRoom(): void {
    if (Atomics.exchange(this.#words, FULL, 0) === 1) this.wake();
  }

  /**
   * Waits until there is a connection to accept or, if the socket is at home, a datagram to
   * receive. It does not wait for connections while there are as many as allowed. Only the
   * accepting thread may call this.
   *
   * @param listener the listening socket
   * @param gate knows how many connections there are
   * @param timeoutMs how long to wait, in milliseconds; -1 means for ever
   * @returns the listener or this socket, whichever is ready; `undefined` if neither is
   */
  poll(listener: number, gate: Gate, timeoutMs: number): number | undefined {
    const { POLLIN, MSG_DONTWAIT } = this.#sockets.constants;
    const set = this.#set;
    // Say first that we wait, and look afterwards: so a connection that ends in between wakes us.
    Atomics.store(this.#words, FULL, 1);
    const full = gate.full;
    if (!full) Atomics.store(this.#words, FULL, 0);
    set.watch(LISTENER, full ? -1 : listener, POLLIN);
    set.watch(DATAGRAMS, this.isHome ? this.fd : -1, POLLIN);
    set.watch(WAKE, this.share.wakePair[0], POLLIN);
    // When a thread dies, its connection is over, but nobody wakes us for that.
    const patienceMs = full || this.senders.size > 0 ? LOOK_THROUGH_MS : -1;
    const count = this.#sockets.pollAll(set, timeoutMs >= 0 ? timeoutMs : patienceMs);
    if (count < 0) return undefined;
    if (set.eventsAt(WAKE) !== 0) {
      this.#sockets.recv(this.share.wakePair[0], this.#byte, MSG_DONTWAIT);
      Atomics.store(this.#words, WOKEN, 0);
    }
    // Datagrams come first. While the socket is away, connections have their turn.
    if (set.eventsAt(DATAGRAMS) !== 0) return this.fd;
    if (set.eventsAt(LISTENER) !== 0) return listener;
    // Nobody has sent anything. It is time to look for senders that have left.
    return count === 0 && timeoutMs < 0 && this.isHome ? this.fd : undefined;
  }

  /** Closes the socket. It must be at home, and all threads must have stopped accepting. */
  close(): void {
    this.#sockets.close(this.fd);
  }

  /** Closes the sockets that wake the accepting thread. Only allowed when no thread is left. */
  closeWakePair(): void {
    for (const fd of this.share.wakePair) this.#sockets.close(fd);
  }
}
