/**
 * Looks at the sockets of a server, again and again, and tells what has changed.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { formatAddress } from "../../../protocols/address.ts";
import { withoutZone } from "../../net/address.ts";
import { ConnectionLives, type Look } from "../../kernel/connection_lives.ts";
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
 * It pauses this many times as long as a look has taken, so that it never fills a processor. But it
 * pauses no longer than this, in milliseconds: on a busy machine a look takes long because other
 * programs run, and states must not pass unseen for that.
 */
const REST = 4;
const LONGEST_PAUSE_MS = 250;

/**
 * How long the server's peers have to close their ends after the server, in milliseconds, and how long
 * it pauses between two looks meanwhile.
 */
const PARTING_MS = 500;
const SHORT_PAUSE_MS = 5;

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
  /** When the next look may be taken. */
  #nextAt = 0;
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
  }

  /**
   * Looks until the peers have closed their ends too and all connections are told, or some time is
   * over.
   *
   * @param accepted how many connections there were at least
   */
  async stop(accepted: number): Promise<void> {
    clearTimeout(this.#timer);
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
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#lives[Symbol.dispose]();
    this.#diag[Symbol.dispose]();
  }

  #look(): void {
    const beganAt = performance.now();
    this.#see(this.#lives.look());
    if (this.#isDisposed) return;
    const tookMs = performance.now() - beganAt;
    const { pauseMs: least = PAUSE_MS, rest = REST } = this.#plan;
    const longest = Math.max(LONGEST_PAUSE_MS, 4 * least);
    const pauseMs = Math.min(Math.max(least, tookMs * rest), longest);
    this.#nextAt = beganAt + tookMs + pauseMs;
    const calmMs = this.#isCalm ? this.#plan.calmMs ?? 0 : 0;
    this.#timer = setTimeout(() => this.#look(), Math.max(pauseMs, calmMs));
  }

  /** Something has happened: it looks as soon as it may. */
  attend(): void {
    if (this.#isDisposed || !this.#isCalm) return;
    this.#isCalm = false;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#look(), Math.max(0, this.#nextAt - performance.now()));
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
    this.#isCalm = ended.length === 0 && this.#lives.untold === open.length &&
      own.every((row) =>
        row.state === "LISTEN" || row.state === "ESTABLISHED" && !waitsForAccept(row)
      );
    const now = this.#at(nowUs());
    const events: Event[] = this.#changes.look(own, now);
    for (const connection of ended) {
      if (!this.#isOwn(connection.local) || this.#isTrap(connection)) continue;
      this.#told++;
      events.push(connectionEvent(connection, this.#at(connection.endedAtUs)));
    }
    if (missed) events.push({ type: "note", at: now, text: "ends of connections were missed" });
    if (events.length > 0) onSeen(events);
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
