/**
 * The connections that a desk has accepted, and that no process has yet.
 *
 * To start a process costs a thousand times what it costs to accept a connection. So before that the
 * kernel is asked what has become of the connection. One that was reset is over. If the protocol waits
 * for its clients, a client that has said nothing waits here, where it costs a descriptor, and one that
 * has left without a word is over too. The time limits are those of a conversation.
 *
 * Whoever needs a process gets one in the order in which they came to need it.
 *
 * @module
 */

import type { Opening } from "../../../protocols/catalogue.ts";
import { PeerGoneError, SessionTimeoutError } from "../../../protocols/errors.ts";
import { Deadline, PolledDeadlines } from "../../drivers/deadlines.ts";
import { lateIntroduction } from "../../drivers/introduction.ts";
import { betweenMessagesMs, silenceError, type TimeLimits } from "../../drivers/limits.ts";
import { SocketError } from "../../net/socket_error.ts";
import type { Sockets } from "../../net/sockets.ts";
import { stamp } from "../../values/moment.ts";

/** A connection that waits for a process. */
export interface Waiting {
  readonly fd: number;
  /** The address of its peer. */
  readonly sockaddr: Uint8Array;
  /** Since when it has waited, on the clock of the timeline; 0 if there is none. */
  readonly since: number;
  /** The same on the clock of `performance.now()`. */
  readonly startedAt: number;
  /** The stamp of when it began to need a process: see `moment.ts`. The room sets it. */
  neededSince?: number;
}

/** How a client may be silent at the beginning, and for how long. */
export interface Silence {
  /** Who opens the conversations. */
  readonly opening: Opening;
  /** When a client is late that has said nothing, in milliseconds; 0 is never. */
  readonly ms: number;
  /** The error of such a client. */
  error(): Error;
}

/** What a room needs from its desk. */
export interface WaitingRoomParts {
  /** The Berkeley calls. */
  readonly net: Sockets;
  /** Where it watches connections, each with its descriptor as the token. */
  readonly epoll: number;
  /** How clients may be silent; `undefined` if nobody looks at what they do. */
  readonly silence: Silence | undefined;
  /** How many clients may be here that have said nothing. */
  readonly most: number;
  /**
   * Called with a connection that is over, and still open, when it has left the room.
   *
   * @param waiting the connection
   * @param error why; `undefined` if its peer has sent FIN
   * @param wasEmpty whether its peer has sent no byte
   */
  onOver(waiting: Waiting, error: Error | undefined, wasEmpty: boolean): void;
}

/** A connection in the room. */
interface Guest {
  readonly waiting: Waiting;
  /** Whether it needs a process. */
  isReady: boolean;
  /** What it is watched for beside errors; `undefined` if it is not watched. */
  watched: number | undefined;
  /** How long it may still be silent, if that is limited. */
  limit: Deadline | undefined;
}

/**
 * What is known about a connection. The conversation can begin if the client has `spoken`, or has
 * `finished` too, so that nothing more will come.
 */
type State = "silent" | "spoken" | "finished" | "left" | "reset";

/** Receives a byte that is only looked at. */
const BYTE = new Uint8Array(1);

/**
 * How clients may be silent at the beginning.
 *
 * @param limits the limits of a conversation
 * @param opening who opens it
 * @param headerMs how long a client may take for its PROXY header, in milliseconds, if there has to
 * be one: then it comes before anything else
 */
export function silenceOf(
  limits: TimeLimits,
  opening: Opening = "server",
  headerMs?: number,
): Silence {
  if (headerMs !== undefined) {
    return { opening: "client", ms: headerMs, error: () => lateIntroduction(headerMs) };
  }
  const { sessionTimeoutMs } = limits;
  const idleMs = betweenMessagesMs(limits);
  if (sessionTimeoutMs > 0 && (idleMs === 0 || sessionTimeoutMs < idleMs)) {
    const error = () => new SessionTimeoutError(sessionTimeoutMs);
    return { opening, ms: sessionTimeoutMs, error };
  }
  return { opening, ms: idleMs, error: () => silenceError(limits, false) };
}

/** The room. */
export class WaitingRoom {
  readonly #parts: WaitingRoomParts;
  /** All who are looked at, by descriptor. */
  readonly #guests = new Map<number, Guest>();
  /** Those who need a process, in turn. */
  readonly #ready: Guest[] = [];
  readonly #deadlines = new PolledDeadlines({ extendsLate: true });

  /** @param parts what it needs from its desk */
  constructor(parts: WaitingRoomParts) {
    this.#parts = parts;
  }

  /** How many connections need a process. */
  get ready(): number {
    return this.#ready.length;
  }

  /** How many need none yet, because their clients have said nothing. */
  get silent(): number {
    return this.#parts.silence === undefined ? 0 : this.#guests.size - this.#ready.length;
  }

  /** How many connections are here. */
  get size(): number {
    return this.ready + this.silent;
  }

  /** Whether there are as many silent clients as there may be. */
  get isFull(): boolean {
    return this.#parts.silence !== undefined && this.silent >= this.#parts.most;
  }

  /** Lets a connection in, or finds that it is over. */
  add(waiting: Waiting): void {
    const { silence } = this.#parts;
    const guest: Guest = { waiting, isReady: false, watched: undefined, limit: undefined };
    if (silence === undefined) return this.#beReady(guest);
    const state = this.#look(waiting.fd);
    if (state === "left" || state === "reset") return this.#tell(waiting, state);
    this.#guests.set(waiting.fd, guest);
    if (state !== "silent" || silence.opening !== "client") this.#beReady(guest);
    else if (silence.ms > 0) {
      guest.limit = new Deadline(() => this.#beLate(guest));
      this.#deadlines.set(guest.limit, silence.ms);
    }
    this.#watch(guest, state);
  }

  /** Lets a connection in again that a process was to have. Its turn is next. */
  addFirst(waiting: Waiting): void {
    const guest: Guest = { waiting, isReady: true, watched: undefined, limit: undefined };
    this.#ready.unshift(guest);
    if (this.#parts.silence === undefined) return;
    this.#guests.set(waiting.fd, guest);
    this.#watch(guest, "spoken");
  }

  /**
   * The connection whose turn it is. Those before it that are over leave the room.
   *
   * @returns `undefined` if none needs a process
   */
  first(): Waiting | undefined {
    for (;;) {
      const waiting = this.#ready[0]?.waiting;
      if (waiting === undefined || !this.hear(waiting.fd)) return waiting;
    }
  }

  /** The connection whose turn it is leaves: a process has it. */
  removeFirst(): void {
    const [guest] = this.#ready;
    if (guest === undefined) return;
    // It stays open, in that process, and so it stays watched if nobody takes it out.
    this.#forget(guest);
    this.#leave(guest);
  }

  /**
   * Looks at a connection to which something may have happened.
   *
   * @param fd its descriptor; all others are ignored
   * @returns whether it was over, and has left the room
   */
  hear(fd: number): boolean {
    const guest = this.#guests.get(fd);
    if (guest === undefined) return false;
    const state = this.#look(fd);
    if (state === "left" || state === "reset") {
      this.#leave(guest);
      this.#tell(guest.waiting, state);
      return true;
    }
    if (state !== "silent" && !guest.isReady) this.#beReady(guest);
    this.#watch(guest, state);
    return false;
  }

  /**
   * Ends the waiting of those who have been silent for too long.
   *
   * @returns when this is due again, in milliseconds; -1 for never
   */
  tend(): number {
    this.#deadlines.expire();
    return this.#deadlines.msToNext;
  }

  /** Empties the room. @returns all who were in it, still open */
  clear(): Waiting[] {
    const silent = [...this.#guests.values()].filter(({ isReady }) => !isReady);
    const all = [...this.#ready, ...silent];
    for (const { limit } of all) limit?.lift();
    this.#ready.length = 0;
    this.#guests.clear();
    return all.map(({ waiting }) => waiting);
  }

  /** What the kernel knows about a connection. */
  #look(fd: number): State {
    const { net, silence } = this.#parts;
    const { POLLIN, POLLERR, POLLHUP, POLLRDHUP, MSG_PEEK, MSG_DONTWAIT } = net.constants;
    const events = Math.max(0, net.poll(fd, POLLIN | POLLRDHUP, 0));
    if ((events & POLLERR) !== 0) return "reset";
    const isServed = silence?.opening === "server";
    if ((events & POLLIN) === 0) return isServed ? "spoken" : "silent";
    // Mostly it is a byte. At the peer's FIN there is something to receive too, and that is nothing.
    if ((events & (POLLRDHUP | POLLHUP)) === 0) return "spoken";
    if (!isServed && net.recv(fd, BYTE, MSG_PEEK | MSG_DONTWAIT) === 0) return "left";
    // Behind its FIN a peer over TCP may still reset. On a Unix domain socket it is gone.
    return (events & POLLHUP) === 0 ? "spoken" : "finished";
  }

  /** Watches a connection for what can change its state. */
  #watch(guest: Guest, state: State): void {
    const { net, epoll } = this.#parts;
    const { EPOLLIN, EPOLLRDHUP, EPOLL_CTL_ADD, EPOLL_CTL_MOD } = net.constants;
    // It would be told again and again that the peer is gone.
    if (state === "finished") return this.#forget(guest);
    // The kernel always tells of errors.
    const events = state === "silent" ? EPOLLIN | EPOLLRDHUP : 0;
    if (guest.watched === events) return;
    const { fd } = guest.waiting;
    const operation = guest.watched === undefined ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    net.epollControl(epoll, operation, fd, events, fd);
    guest.watched = events;
  }

  #forget(guest: Guest): void {
    const { net, epoll } = this.#parts;
    if (guest.watched === undefined) return;
    net.epollControl(epoll, net.constants.EPOLL_CTL_DEL, guest.waiting.fd, 0, 0);
    guest.watched = undefined;
  }

  /** A conversation can begin. */
  #beReady(guest: Guest): void {
    guest.limit?.lift();
    guest.limit = undefined;
    guest.isReady = true;
    guest.waiting.neededSince = stamp();
    this.#ready.push(guest);
  }

  /** A client has been silent for too long. */
  #beLate(guest: Guest): void {
    // Perhaps it has spoken while nobody could look.
    if (this.hear(guest.waiting.fd) || guest.isReady) return;
    this.#leave(guest);
    this.#parts.onOver(guest.waiting, this.#parts.silence?.error(), false);
  }

  #leave(guest: Guest): void {
    guest.limit?.lift();
    this.#guests.delete(guest.waiting.fd);
    if (guest.isReady) this.#ready.splice(this.#ready.indexOf(guest), 1);
  }

  /** Says that a connection is over because of its peer. */
  #tell(waiting: Waiting, state: "left" | "reset"): void {
    const { net, onOver } = this.#parts;
    if (state === "left") return onOver(waiting, undefined, true);
    const { MSG_PEEK, MSG_DONTWAIT } = net.constants;
    const count = net.recv(waiting.fd, BYTE, MSG_PEEK | MSG_DONTWAIT);
    const cause = count < 0 ? { cause: new SocketError("recv", -count) } : {};
    onOver(waiting, new PeerGoneError("waiting for a process", cause), count <= 0);
  }
}
