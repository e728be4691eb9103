/**
 * One UDP socket for a pool of threads.
 *
 * It has no accept queue: whatever arrives, from whomever, comes out of the same descriptor. So
 * that the datagrams of one sender stay in order, and what is known of senders needs no lock, one
 * thread at a time holds the socket. At home it is watched by the thread that accepts; when there
 * is something to receive, it goes through the queue like a connection to some worker, which
 * receives a few datagrams and brings it home.
 *
 * @module
 */

import { PollSet } from "../../net/poll_sets.ts";
import type { Sockets } from "../../net/sockets.ts";
import type { Gate } from "../team/team_memory.ts";
import { SenderTable } from "./sender_table.ts";

/** After how long the senders are looked through when no datagram comes, in milliseconds. */
const LOOK_THROUGH_MS = 10_000;

const AWAY = 0;
/** Whether a wake-up is under way that nobody has to repeat. */
const WOKEN = 1;
/** Whether the accepting thread waits until another connection is allowed. */
const FULL = 2;
const WORDS = 16;

const LISTENER = 0;
const DATAGRAMS = 1;
const WAKE = 2;

/** What the threads of a server share of its UDP socket. Plain data: it travels to Workers. */
export interface DatagramShare {
  /** The UDP socket. */
  readonly fd: number;
  /** Its port. */
  readonly port: number;
  /** How many answers one source may get in a second; 0 is any number. */
  readonly perSecond: number;
  /** Two connected sockets: a byte into the second wakes whoever polls the first. */
  readonly wakePair: readonly [number, number];
  /** Who holds the socket. */
  readonly words: SharedArrayBuffer;
  /** Who has sent datagrams lately. */
  readonly senders: SharedArrayBuffer;
}

/** The UDP socket. Every thread has an object of its own on what they share. */
export class SharedDatagramSocket {
  /** What other threads need to know of it. */
  readonly share: DatagramShare;
  /** Who has sent datagrams lately: for the thread that holds the socket. */
  readonly senders: SenderTable;
  readonly #words: Int32Array;
  readonly #sockets: Sockets;
  readonly #byte = new Uint8Array(1);
  readonly #set = new PollSet(3);

  /** @param share made by {@linkcode SharedDatagramSocket.open} @param sockets the Berkeley calls */
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
   * @param perSecond how many answers one source may get in a second; 0 is any number
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

  /** Whether no thread holds it but the one that accepts. */
  get isHome(): boolean {
    return Atomics.load(this.#words, AWAY) === 0;
  }

  /** It goes to a worker. */
  leaveHome(): void {
    Atomics.store(this.#words, AWAY, 1);
  }

  /** The worker brings it home. */
  bringHome(): void {
    Atomics.store(this.#words, AWAY, 0);
    this.wake();
  }

  /** Wakes the accepting thread, wherever it is. */
  wake(): void {
    if (Atomics.exchange(this.#words, WOKEN, 1) === 1) return;
    this.#sockets.send(this.share.wakePair[1], this.#byte, this.#sockets.constants.MSG_DONTWAIT);
  }

  /** A connection is over: the accepting thread may have waited for that. */
  hasRoom(): void {
    if (Atomics.exchange(this.#words, FULL, 0) === 1) this.wake();
  }

  /**
   * Waits until there is a connection to accept, unless there are as many as there may be, or
   * something to receive, if it is at home. For the accepting thread.
   *
   * @param listener the listening socket
   * @param gate knows how many connections there are
   * @param timeoutMs how long to wait; -1 is for ever
   * @returns the listener or this socket, whichever has something; `undefined` for neither
   */
  poll(listener: number, gate: Gate, timeoutMs: number): number | undefined {
    const { POLLIN, MSG_DONTWAIT } = this.#sockets.constants;
    const set = this.#set;
    // Said first, then looked: a connection that ends in between wakes us.
    Atomics.store(this.#words, FULL, 1);
    const full = gate.full;
    if (!full) Atomics.store(this.#words, FULL, 0);
    set.watch(LISTENER, full ? -1 : listener, POLLIN);
    set.watch(DATAGRAMS, this.isHome ? this.fd : -1, POLLIN);
    set.watch(WAKE, this.share.wakePair[0], POLLIN);
    // A connection whose thread has died is over, and nobody wakes us for it.
    const patienceMs = full || this.senders.size > 0 ? LOOK_THROUGH_MS : -1;
    const count = this.#sockets.pollAll(set, timeoutMs >= 0 ? timeoutMs : patienceMs);
    if (count < 0) return undefined;
    if (set.eventsAt(WAKE) !== 0) {
      this.#sockets.recv(this.share.wakePair[0], this.#byte, MSG_DONTWAIT);
      Atomics.store(this.#words, WOKEN, 0);
    }
    // Its turn comes first: while it is away, connections have theirs.
    if (set.eventsAt(DATAGRAMS) !== 0) return this.fd;
    if (set.eventsAt(LISTENER) !== 0) return listener;
    // Nobody has sent anything: it is time to see who has left.
    return count === 0 && timeoutMs < 0 && this.isHome ? this.fd : undefined;
  }

  /** Closes the socket: only when it is at home and no thread accepts any more. */
  close(): void {
    this.#sockets.close(this.fd);
  }

  /** Closes what threads are woken by: only when there is no thread left. */
  closeWakePair(): void {
    for (const fd of this.share.wakePair) this.#sockets.close(fd);
  }
}
