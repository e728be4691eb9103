/**
 * Looks at the sockets of a server, again and again, and tells what has changed.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { formatAddress } from "../../../protocols/address.ts";
import { withoutZone } from "../../net/address.ts";
import { ConnectionLives, type Ends, type Look } from "../../kernel/connection_lives.ts";
import {
  type DestroyEvents,
  SockDiag,
  type SocketRow,
  waitsForAccept,
} from "../../kernel/sock_diag.ts";
import { nowUs } from "../../values/moment.ts";
import { type Event, roundUs } from "../../recording/events.ts";
import { connectionEvent } from "../../recording/from_kernel.ts";
import { SocketChanges } from "../../recording/socket_changes.ts";

/** How long it pauses between two looks at least, in milliseconds. */
const PAUSE_MS = 25;

/**
 * It pauses this many times as long as a look takes, so that it never fills a processor. That is what
 * the shortest of the latest looks has taken: on a busy machine a look also takes long because other
 * programs run, and states must not pass unseen for that. Nor does it pause longer than this, in
 * milliseconds.
 */
const REST = 4;
const LATEST = 4;
const LONGEST_PAUSE_MS = 250;

/**
 * How long the server's peers have to close their ends after the server, in milliseconds, and how long
 * it pauses between two looks meanwhile.
 */
const PARTING_MS = 500;
const SHORT_PAUSE_MS = 5;

/**
 * How long it pauses between two looks at least, in milliseconds, if a glance has shown that somebody
 * has come into the accept queue or left it, or is there while others may come. While looks have taken
 * less time on the whole than the rest allows, such a look need not wait for more: as much time as this
 * may be saved for that, in milliseconds.
 */
const QUEUE_PAUSE_MS = 40;
const MOST_SAVED_MS = 100;

/**
 * How long the kernel may take to tell the end of a connection, in milliseconds. It leaves that to a
 * thread of its own, which waits its turn on a busy machine. Nothing else shows a connection that was
 * shorter than the time between two looks.
 */
const TELLING_MS = 1_500;

/** What is looked at, and how. */
export interface LooksPlan {
  /** Where the server listens. */
  readonly address: Address;
  /** When the recording began, in microseconds since 1970. */
  readonly beganUs: number;
  /** The port of a connection of the server to itself, which is none of its clients; 0 for none. */
  readonly ownPort: Int32Array;
  /**
   * How long it pauses between two looks at least, in milliseconds.
   *
   * @default {25}
   */
  readonly pauseMs?: number;
  /**
   * How many times as long as a look has taken it pauses; but no longer than 250 ms, or four times
   * {@linkcode LooksPlan.pauseMs} if that is more.
   *
   * @default {4}
   */
  readonly rest?: number;
  /**
   * How long it pauses where there are only connections that are open and accepted, in milliseconds,
   * unless {@linkcode SocketLooks.attend} is called. The kernel walks through a large table for a look,
   * and that would tell how full buffers are and nothing else.
   *
   * @default as otherwise
   */
  readonly calmMs?: number;
  /**
   * How often it glances between two looks, in milliseconds: at the listeners alone, and at what the
   * kernel has told of ends. That costs a small part of a look, for which the kernel walks through its
   * whole table. If the accept queue has changed, a look follows as soon as one may be taken: so
   * whoever waits a while to be accepted is seen.
   *
   * @default never
   */
  readonly glanceMs?: number;
  /**
   * Whether what is left of connections in TIME_WAIT is told too.
   *
   * @default {true}
   */
  readonly tellsRemainders?: boolean;
  /** Receives what a look has seen. */
  onSeen(events: readonly Event[]): void;
}

/** What tells a socket of the trap from others. */
type EndOfSocket =
  & Pick<SocketRow, "local" | "remote">
  & Partial<Pick<SocketRow, "state" | "sendQueue">>;

/** Looks at the sockets of a server. */
export class SocketLooks implements Disposable {
  readonly #lives: ConnectionLives;
  /** For what the lives do not ask for: the remainders in TIME_WAIT. */
  readonly #diag: SockDiag;
  readonly #changes = new SocketChanges(() => "server");
  readonly #plan: LooksPlan;
  readonly #local: string;
  /** The remainders of an earlier server's connections. */
  #earlier: ReadonlySet<string> | undefined;
  /** Whether the last look has shown a connection that is not over. */
  #isOpen = false;
  /** Whether it has shown only connections that are open and accepted, and none is to be told. */
  #isCalm = false;
  /** When the next look is due, and when the last one was over; and how long the latest have taken. */
  #dueAt = 0;
  #lookedAt = 0;
  readonly #tookMs: number[] = [];
  /** Whether glances have shown somebody in the accept queue since the last look. */
  #hasNews = false;
  /** How much time of looks was saved until the last one, in milliseconds; below 0 it is owed. */
  #savedMs = 0;
  #glances: ReturnType<typeof setInterval> | undefined;
  /** How many connections are told. */
  #told = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isDisposed = false;

  /**
   * Begins to look.
   *
   * @param plan what is looked at
   * @param events hears of connections that end; it is disposed of together with this
   * @throws {SocketError} where the kernel tells nothing
   */
  constructor(plan: LooksPlan, events: DestroyEvents) {
    const { address } = plan;
    this.#plan = plan;
    events.attendTo(address.port);
    this.#lives = new ConnectionLives(address.port, events);
    try {
      this.#diag = new SockDiag();
    } catch (error) {
      this.#lives[Symbol.dispose]();
      throw error;
    }
    this.#local = withoutZone(formatAddress(address));
    this.#look();
    if (plan.glanceMs !== undefined) {
      this.#glances = setInterval(() => this.#glance(), plan.glanceMs);
    }
  }

  /**
   * Looks until the peers have closed their ends too and all connections are told, or some time is
   * over.
   *
   * @param accepted how many connections there were at least
   */
  async stop(accepted: number): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#glances);
    const beganAt = performance.now();
    this.#see(this.#lives.look());
    const isComplete = () => {
      const passed = performance.now() - beganAt;
      if (this.#isOpen) return passed > PARTING_MS;
      return passed > TELLING_MS || this.#lives.untold === 0 && this.#told >= accepted;
    };
    while (!isComplete()) {
      await new Promise((resolve) => setTimeout(resolve, SHORT_PAUSE_MS));
      this.#see(this.#lives.look());
    }
    this.#see(this.#lives.finish());
    this[Symbol.dispose]();
  }

  /** Ends it. It may be called again. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    clearInterval(this.#glances);
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#lives[Symbol.dispose]();
    this.#diag[Symbol.dispose]();
  }

  #look(): void {
    const beganAt = performance.now();
    const savedMs = this.#saved;
    this.#see(this.#lives.look());
    if (this.#isDisposed) return;
    this.#lookedAt = performance.now();
    this.#tookMs.push(this.#lookedAt - beganAt);
    if (this.#tookMs.length > LATEST) this.#tookMs.shift();
    this.#savedMs = savedMs - this.#costMs;
    const { pauseMs: least = PAUSE_MS, calmMs = 0 } = this.#plan;
    this.#dueIn(Math.max(this.#rest(least), this.#isCalm ? calmMs : 0));
  }

  /** How long a look takes, in milliseconds. */
  get #costMs(): number {
    return Math.min(...this.#tookMs);
  }

  /** How much time of looks is saved by now, in milliseconds. */
  get #saved(): number {
    const { rest = REST } = this.#plan;
    const earned = (performance.now() - this.#lookedAt) / (rest + 1);
    return Math.min(MOST_SAVED_MS, this.#savedMs + earned);
  }

  /** How long it is to pause after a look. @param leastMs at least, in milliseconds */
  #rest(leastMs: number): number {
    const { pauseMs: least = PAUSE_MS, rest = REST } = this.#plan;
    const longest = Math.max(LONGEST_PAUSE_MS, 4 * least);
    return Math.min(Math.max(leastMs, this.#costMs * rest), longest);
  }

  /** The next look is due so long after the last one. @param ms in milliseconds */
  #dueIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#dueAt = this.#lookedAt + ms;
    const waitMs = Math.max(0, this.#dueAt - performance.now());
    this.#timer = setTimeout(() => this.#look(), waitMs);
  }

  /** Something has happened: it looks as soon as it may. */
  attend(): void {
    if (this.#isDisposed || !this.#isCalm) return;
    this.#isCalm = false;
    this.#dueIn(this.#rest(this.#plan.pauseMs ?? PAUSE_MS));
  }

  /** Tells what has ended, and takes a look before it is due if there is something to see. */
  #glance(): void {
    const { address: { port } } = this.#plan;
    this.#tell(this.#lives.hear());
    const listeners = this.#diag.sockets({ port, states: ["LISTEN"] }).filter((row) =>
      this.#isOwn(row.local) && !this.#isTrap(row)
    );
    const news = this.#changes.lookAtSome(listeners, this.#at(nowUs()));
    if (news.length > 0) this.#plan.onSeen(news);
    const waits = listeners.some(({ receiveQueue }) => receiveQueue > 0);
    this.#hasNews ||= news.length > 0 || waits;
    if (!this.#hasNews) return;
    const pauseMs = this.#saved > 0 ? QUEUE_PAUSE_MS : this.#rest(QUEUE_PAUSE_MS);
    if (this.#lookedAt + pauseMs < this.#dueAt) this.#dueIn(pauseMs);
  }

  #see({ rows, ended, missed }: Look): void {
    const { address: { port }, tellsRemainders = true, onSeen } = this.#plan;
    const remainders = tellsRemainders ? this.#diag.sockets({ port, states: ["TIME_WAIT"] }) : [];
    this.#earlier ??= new Set(remainders.map(({ cookie }) => cookie));
    const known = new Set(remainders.map(({ cookie }) => cookie));
    // A socket may have come to TIME_WAIT since the others were looked at.
    const all = [...rows.filter(({ cookie }) => !known.has(cookie)), ...remainders];
    const own = all.filter((row) =>
      this.#isOwn(row.local) && !this.#earlier?.has(row.cookie) && !this.#isTrap(row)
    );
    this.#isOpen = own.some(({ state }) => state !== "LISTEN" && state !== "TIME_WAIT");
    const open = own.filter(({ state }) => state === "ESTABLISHED");
    this.#hasNews = false;
    this.#isCalm = ended.length === 0 && this.#lives.untold === open.length &&
      own.every((row) =>
        row.state === "LISTEN" || row.state === "ESTABLISHED" && !waitsForAccept(row)
      );
    const now = this.#at(nowUs());
    const events = this.#changes.look(own, now);
    if (events.length > 0) onSeen(events);
    this.#tell({ ended, missed });
  }

  /** Tells of connections that have ended. */
  #tell({ ended, missed }: Ends): void {
    const events: Event[] = [];
    for (const connection of ended) {
      if (!this.#isOwn(connection.local) || this.#isTrap(connection)) continue;
      this.#told++;
      events.push(connectionEvent(connection, this.#at(connection.endedAtUs)));
    }
    if (missed) {
      const text = "ends of connections were missed";
      events.push({ type: "note", at: this.#at(nowUs()), text });
    }
    if (events.length > 0) this.#plan.onSeen(events);
  }

  /** Whether an address is the server's. */
  #isOwn(local: Address): boolean {
    const { hostname, port } = this.#plan.address;
    const isAny = hostname === "0.0.0.0" || hostname === "::";
    return isAny ? local.port === port : formatAddress(local) === this.#local;
  }

  /** Whether a socket only keeps newcomers out while the server closes: see `trap.ts`. */
  #isTrap({ local, remote, state, sendQueue }: EndOfSocket): boolean {
    if (state === "LISTEN") return sendQueue === 0;
    return remote.port === Atomics.load(this.#plan.ownPort, 0) &&
      remote.hostname === local.hostname;
  }

  #at(us: number): number {
    return roundUs(us - this.#plan.beganUs);
  }
}
