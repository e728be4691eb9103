/**
 * The lives of TCP connections: all of this network namespace, or those of one port, told as they
 * end.
 *
 * Two sources are joined by the sockets' cookies. Events tell of each socket that is freed, with its
 * last figures. Looks at the table of sockets tell what an event does not say: when a connection
 * began, which states it passed, and what is left of it in TIME_WAIT, which has no figures. An event
 * does not mean that the connection is over: the end that closes first is freed as soon as its FIN
 * is acknowledged, and what is left of it waits for the peer's FIN.
 *
 * @module
 */

import { formatAddress } from "../../protocols/address.ts";
import type { Address } from "../../protocols/effects.ts";
import { ageOf, inTimeWaitMs, msBetween, TICK_MS } from "./age.ts";
import {
  conclude,
  type Conclusion,
  isForgotten,
  openedBy,
  type Side,
  type Traces,
  wasConnected,
} from "./ending.ts";
import { nowUs } from "../values/moment.ts";
import { readCounters } from "./proc_net.ts";
import { DestroyEvents, SockDiag, type SocketRow } from "./sock_diag.ts";
import { TCP_STATES, type TcpState } from "./tcp_states.ts";

/** What each look asks for. A machine may have very many sockets in TIME_WAIT. */
const WATCHED = TCP_STATES.filter((state) => state !== "TIME_WAIT");

/** After how many looks without a socket it is taken to be gone. */
const LOOKS = 2;

/**
 * After which time a connection is told although something about it is still unknown, in
 * microseconds. The kernel tells the ends of sockets a moment later, and not always in order.
 */
const SETTLE_US = 100_000;

/** How long to wait for a program that does not close what has ended, in microseconds. */
const PATIENCE_US = 1_000_000;

/** From how many sockets on they are looked for together and not one by one. */
const TOGETHER = 200;

/** How many names of what has ended are kept. */
const MOST_NAMES = 10_000;

/** A connection that has ended, as one of its ends saw it. */
export interface EndedConnection extends Conclusion {
  /** The name of this end's socket. */
  readonly cookie: string;
  /** The address of this end. */
  readonly local: Address;
  /** The address of the other end. Its port is 0 if the kernel has forgotten it. */
  readonly remote: Address;
  /** When its end was noticed, in microseconds since 1970. */
  readonly endedAtUs: number;
  /** From its beginning to its end, in microseconds, if it began under watch or the kernel tells. */
  readonly durationUs?: number;
  /** It lasted longer than this, in microseconds: it was there before the first look. */
  readonly longerThanUs?: number;
  /** It lasted less than this, in microseconds: it was between two looks. */
  readonly shorterThanUs?: number;
  /** Bytes of data sent, each counted once; absent if unknown. */
  readonly bytesSent?: number;
  /**
   * Bytes of data received; absent if unknown. It is one too many if `countsFin` is unknown and the
   * kernel has counted the peer's FIN.
   */
  readonly bytesReceived?: number;
  /** The last smoothed round-trip time, in microseconds; absent if there was none. */
  readonly rttUs?: number;
  /** How many segments were sent again; absent if unknown. */
  readonly retransmissions?: number;
  /** Whether the figures are those of the last look: the kernel has told no later ones. */
  readonly isEarlier: boolean;
}

/** What is known of ends. */
export interface Ends {
  /** The connections that have ended. */
  readonly ended: readonly EndedConnection[];
  /** Whether the kernel had to drop events, so that connections may be missing. */
  readonly missed: boolean;
}

/** What a look has found. */
export interface Look extends Ends {
  /** The sockets that were seen, in all states but TIME_WAIT. */
  readonly rows: readonly SocketRow[];
}

/** What is known of one end of a connection. */
interface Life extends Traces {
  readonly cookie: string;
  local: Address;
  remote: Address;
  readonly states: Set<TcpState>;
  openedBy: Side | undefined;
  last: SocketRow | undefined;
  event: SocketRow | undefined;
  remainder: "TIME_WAIT" | "none" | undefined;
  isHalfClosed: boolean;
  isGoneFirst: boolean;
  listener: Side | undefined;
  isUnsure: boolean;
  /** The other end, if it is a socket of this machine too. */
  peer: Life | undefined;
  /** Since when it is known to have been open, in microseconds since 1970. */
  noticedAtUs: number;
  /** Whether the kernel tells that it began then. */
  isAged: boolean;
  /** Which look was the first that showed it. */
  readonly began: "before" | "seen" | "unseen";
  /**
   * The time since the look before it was noticed, or between that look and the one before, whichever
   * is longer, in microseconds; NaN if there was no look.
   */
  readonly gapUs: number;
  endedAtUs: number;
  /** When the last look that has figures was taken, in microseconds since 1970. */
  lastAtUs: number;
  /** The last look that showed it, or what is left of it. */
  seenAt: number;
  /** When the kernel told its end, in microseconds since 1970. */
  toldAtUs: number;
}

/** Watches connections until they end. */
export class ConnectionLives implements Disposable {
  readonly #port: number | undefined;
  readonly #diag: SockDiag;
  readonly #events: DestroyEvents;
  /** By cookie. */
  readonly #lives = new Map<string, Life>();
  /** By both addresses. */
  readonly #byAddresses = new Map<string, Life>();
  /** Cookies of connections that were told and whose event may come. */
  readonly #told = new RecentNames();
  /** The ends of connections with other ports whose other ends have ended. */
  readonly #elsewhere = new RecentNames();
  readonly #overflows: number | undefined;
  #listeners: Listeners = new Listeners([]);
  #look = 0;
  #lookedAtUs = NaN;
  /** The time between the last two looks, in microseconds. */
  #gapUs = 0;
  #missedAt = -Infinity;
  #unplaced = 0;

  /**
   * Begins to watch.
   *
   * @param port only connections with this port at one of their ends; by default all
   * @param events hears of the ends; it is disposed of together with this
   * @throws {SocketError} where there is no netlink
   */
  constructor(port?: number, events: DestroyEvents = new DestroyEvents()) {
    // The events come before the first look, so that what ends after it is not missed.
    this.#events = events;
    this.#port = port;
    this.#overflows = readCounters().get("TCPTimeWaitOverflow");
    try {
      this.#diag = new SockDiag();
    } catch (error) {
      this.#events[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * How many connections were reset before a look could show their ports. With a port to watch, they
   * cannot be told: they may be of another port.
   */
  get unplaced(): number {
    return this.#unplaced;
  }

  /**
   * How many ends of connections are open, or have ended and are not told yet. With a port to watch,
   * those that have it.
   */
  get untold(): number {
    if (this.#port === undefined) return this.#lives.size;
    return [...this.#lives.values()].filter(({ local }) => local.port === this.#port).length;
  }

  /**
   * Takes what the kernel has told of ends since the last look, without another one: that costs little.
   * Ends of which something is unknown wait for a look.
   *
   * @returns what has ended, as far as it is sure
   */
  hear(): Ends {
    const { count, missed } = this.#hear();
    return { ended: count > 0 ? this.#settle(false) : [], missed };
  }

  /** Takes the events: how many, and whether some were dropped. */
  #hear(): { readonly count: number; readonly missed: boolean } {
    const { ended, missed } = this.#events.take();
    if (missed) this.#missedAt = this.#look;
    const atUs = nowUs();
    for (const event of ended) this.#end(event, atUs);
    return { count: ended.length, missed };
  }

  /**
   * Takes a look. Take one every few milliseconds: what is between two looks is known less well.
   *
   * @returns what has ended since the last look, as far as it is sure
   */
  look(): Look {
    this.#look++;
    const { missed } = this.#hear();
    const query = { states: WATCHED, ...(this.#port !== undefined && { port: this.#port }) };
    const rows = this.#diag.sockets({ ...query, either: true });
    const lookedAtUs = nowUs();
    this.#listeners = new Listeners(rows);
    for (const row of rows) {
      if (row.timer === "TIME_WAIT") this.#seeRemainder(row, lookedAtUs);
      else this.#see(row, lookedAtUs);
    }
    this.#gapUs = this.#look > 1 ? lookedAtUs - this.#lookedAtUs : 0;
    this.#lookedAtUs = lookedAtUs;
    return { ended: this.#settle(false), missed, rows };
  }

  /**
   * Takes the last look, after which nothing is waited for.
   *
   * @returns what has ended
   */
  finish(): Look {
    const look = this.look();
    return { ...look, ended: [...look.ended, ...this.#settle(true)] };
  }

  /** Gives the descriptors back. */
  [Symbol.dispose](): void {
    this.#events[Symbol.dispose]();
    this.#diag[Symbol.dispose]();
  }

  /** A socket was freed. */
  #end(event: SocketRow, atUs: number): void {
    if (this.#told.has(event.cookie)) return;
    let life = this.#lives.get(event.cookie);
    if (life === undefined) {
      if (!wasConnected(event.info)) return;
      if (!isForgotten(event) && !this.#isWatched(event)) {
        this.#elsewhere.add(peerOf(event));
        return;
      }
      life = this.#begin(event, atUs, "unseen");
    }
    const isGone = life.seenAt < this.#look - LOOKS && life.began !== "unseen";
    const isLongAgo = atUs - life.endedAtUs > PATIENCE_US / 2;
    life.isGoneFirst = isGone && isLongAgo && this.#missedAt < life.seenAt;
    const freedAtUs = freedAt(life, event, atUs);
    learnAge(life, event, freedAtUs);
    life.event = event;
    life.endedAtUs = isGone ? life.endedAtUs : freedAtUs;
    life.toldAtUs = atUs;
  }

  /** A socket is in the table. */
  #see(row: SocketRow, atUs: number): void {
    // Listeners, and sockets that are not connected to anything.
    if (row.remote.port === 0 || this.#told.has(row.cookie)) return;
    let life = this.#lives.get(row.cookie);
    if (life === undefined) {
      life = this.#begin(row, atUs, this.#look === 1 ? "before" : "seen");
      learnAge(life, row, atUs);
    }
    life.seenAt = this.#look;
    life.endedAtUs = atUs;
    life.states.add(stateOnTheWire(row));
    life.last = row;
    life.lastAtUs = atUs;
    life.openedBy ??= openedBy(row);
  }

  /** What is left of a freed socket waits for the peer's FIN. */
  #seeRemainder(row: SocketRow, atUs: number): void {
    const life = this.#lives.get(row.cookie) ??
      this.#byAddresses.get(keyOf(row.local, row.remote));
    if (life === undefined || !isRemainderOf(row, life)) return;
    life.seenAt = this.#look;
    life.endedAtUs = atUs;
    life.states.add(row.state);
    life.isHalfClosed = true;
  }

  #begin(row: SocketRow, atUs: number, began: Life["began"]): Life {
    const life: Life = {
      cookie: row.cookie,
      local: row.local,
      remote: row.remote,
      states: new Set(),
      openedBy: undefined,
      last: undefined,
      event: undefined,
      remainder: undefined,
      isHalfClosed: false,
      isGoneFirst: false,
      listener: undefined,
      isUnsure: false,
      peer: undefined,
      noticedAtUs: atUs,
      isAged: false,
      began,
      gapUs: Math.max(this.#gapUs, atUs - this.#lookedAtUs),
      endedAtUs: atUs,
      lastAtUs: NaN,
      seenAt: this.#look,
      toldAtUs: NaN,
    };
    this.#lives.set(life.cookie, life);
    if (row.remote.port !== 0) this.#place(life);
    return life;
  }

  /** Finds the other end of a connection, now that both its addresses are known. */
  #place(life: Life): void {
    const { local, remote } = life;
    const key = keyOf(local, remote);
    const other = this.#byAddresses.get(key);
    this.#byAddresses.set(key, life);
    const peer = this.#byAddresses.get(keyOf(remote, local));
    if (other !== undefined && other !== life) {
      // The addresses are in use again. Whose the other end was, nobody can say.
      other.isUnsure = true;
      for (const one of [other, life, other.peer, peer]) {
        if (one !== undefined) one.peer = undefined;
      }
    } else if (peer !== undefined && peer !== life && peer.peer === undefined) {
      life.peer = peer;
      peer.peer = life;
    }
  }

  /** Tells what has ended, and forgets it. */
  #settle(isLast: boolean): EndedConnection[] {
    this.#placeForgotten();
    const over = [...this.#lives.values()].filter((life) => this.#isOver(life, isLast));
    this.#findRemainders(over);
    return over.flatMap((life) => {
      const isHere = life.seenAt === this.#look;
      // What is left of it waits for the peer's FIN, or it was only missed by some looks.
      if (isHere && life.remainder === undefined && (life.isHalfClosed || !life.event)) return [];
      life.listener = this.#listeners.endOf(life);
      const conclusion = conclude(life, life.peer);
      if (!isLast && !isSure(conclusion) && this.#mayLearnMore(life)) return [];
      if (life.event === undefined && !isLast && this.#mayLearnMore(life)) return [];
      return this.#tell(life, conclusion);
    });
  }

  /** Whether a connection has ended, as far as its own socket tells. */
  #isOver({ event, seenAt }: Life, isLast: boolean): boolean {
    if (event !== undefined) return true;
    return seenAt <= this.#look - (isLast ? 1 : LOOKS);
  }

  /** Whether it is worth while to wait for another look. */
  #mayLearnMore({ event, toldAtUs, endedAtUs, seenAt, peer, remote }: Life): boolean {
    const isRecent = this.#lookedAtUs - endedAtUs < PATIENCE_US;
    // Its event may be among those that the kernel has dropped.
    if (event === undefined) return isRecent && this.#missedAt < seenAt;
    const isPeerOpen = peer !== undefined && peer.event === undefined;
    if (isRecent && (isPeerOpen || remote.port === 0)) return true;
    return this.#lookedAtUs - toldAtUs < SETTLE_US;
  }

  /** Looks for what the table still has of connections that have ended. */
  #findRemainders(over: readonly Life[]): void {
    const unknown = over.filter((life) =>
      life.remainder === undefined && life.remote.port !== 0 && wasOpen(life) &&
      !(life.isHalfClosed && life.seenAt === this.#look)
    );
    if (unknown.length === 0) return;
    const find = this.#remainderFinder(unknown.length);
    const foundAtUs = nowUs();
    for (const life of unknown) {
      const row = find(life);
      // A look may miss a socket, because the table changes while the kernel reads it.
      if (row?.state === "FIN_WAIT2" && row.timer === "TIME_WAIT") {
        this.#seeRemainder(row, foundAtUs);
        continue;
      }
      if (row?.cookie === life.cookie && life.event === undefined && row.state !== "TIME_WAIT") {
        this.#see(row, foundAtUs);
        continue;
      }
      life.remainder = row?.state === "TIME_WAIT" ? "TIME_WAIT" : "none";
      if (row?.state !== "TIME_WAIT") continue;
      life.states.add("TIME_WAIT");
      // It is over since it has been in TIME_WAIT.
      life.endedAtUs = Math.max(life.endedAtUs, foundAtUs - inTimeWaitMs(row.expiresMs) * 1000);
    }
    const isComplete = unknown.every(({ remainder }) => remainder === "TIME_WAIT") ||
      readCounters().get("TCPTimeWaitOverflow") === this.#overflows;
    if (isComplete) return;
    for (const life of unknown) life.isUnsure ||= life.remainder === "none";
  }

  #remainderFinder(count: number): (life: Life) => SocketRow | undefined {
    if (count < TOGETHER) {
      return (life) => {
        const { local, remote, event, last } = life;
        const row = this.#diag.find(local, remote, (event ?? last)?.device);
        return row !== undefined && isRemainderOf(row, life) ? row : undefined;
      };
    }
    const query = { ...(this.#port !== undefined && { port: this.#port }), either: true };
    const rows = this.#diag.sockets({ ...query, states: ["TIME_WAIT", "FIN_WAIT2"] });
    const byAddresses = new Map(rows.map((row) => [keyOf(row.local, row.remote), row]));
    return (life) => {
      const row = byAddresses.get(keyOf(life.local, life.remote));
      return row !== undefined && isRemainderOf(row, life) ? row : undefined;
    };
  }

  /** Completes addresses that the kernel has forgotten, from the other end of the connection. */
  #placeForgotten(): void {
    const forgotten = [...this.#lives.values()].filter(({ remote }) => remote.port === 0);
    if (forgotten.length === 0) return;
    const byRemotePort = new Map<number, Life[]>();
    for (const life of this.#lives.values()) {
      const { port } = life.remote;
      if (port === 0 || life.peer !== undefined) continue;
      byRemotePort.set(port, [...byRemotePort.get(port) ?? [], life]);
    }
    for (const life of forgotten) {
      const host = hostOf(life.remote);
      const found = (byRemotePort.get(life.local.port) ?? [])
        .filter(({ local, peer }) => hostOf(local) === host && peer === undefined);
      const [peer] = found;
      if (peer === undefined && this.#elsewhere.has(endOf(life))) this.#lives.delete(life.cookie);
      if (peer === undefined || found.length > 1) continue;
      life.local = peer.remote;
      life.remote = peer.local;
      this.#place(life);
    }
  }

  #tell(life: Life, conclusion: Conclusion): EndedConnection[] {
    const { cookie, local, remote, event, endedAtUs } = life;
    this.#lives.delete(cookie);
    const key = keyOf(local, remote);
    if (this.#byAddresses.get(key) === life) this.#byAddresses.delete(key);
    if (!wasOpen(life)) return [];
    if (event === undefined) this.#told.add(cookie);
    if (!this.#isWatched(life)) {
      if (remote.port === 0) this.#unplaced++;
      return [];
    }
    return [{
      ...conclusion,
      cookie,
      local,
      remote,
      endedAtUs,
      ...durationOf(life.peer !== undefined && isLeftOut(life) ? life.peer : life),
      ...figuresOf(life, conclusion),
    }];
  }

  #isWatched({ local, remote }: Pick<SocketRow, "local" | "remote">): boolean {
    return this.#port === undefined || local.port === this.#port || remote.port === this.#port;
  }
}

/** Names that are forgotten after some time, the oldest first. */
class RecentNames {
  readonly #names = new Set<string>();

  add(name: string): void {
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > MOST_NAMES) this.#names.delete(oldest as string);
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }
}

/** The listeners of a look. */
class Listeners {
  readonly #addresses: ReadonlySet<string>;

  constructor(rows: readonly SocketRow[]) {
    const listening = rows.filter(({ state }) => state === "LISTEN");
    this.#addresses = new Set(listening.map(({ local }) => formatAddress(local)));
  }

  /** The end of a connection whose address a listener has, if that is one of them. */
  endOf({ local, remote }: Pick<SocketRow, "local" | "remote">): Side | undefined {
    const isLocal = this.#has(local);
    const isRemote = this.#has(remote);
    if (isLocal === isRemote) return undefined;
    if (isLocal) return "local";
    // A listener for all addresses has none of another machine.
    return hostOf(local) === hostOf(remote) ? "remote" : undefined;
  }

  #has({ hostname, port }: Address): boolean {
    return [hostname, "0.0.0.0", "::"]
      .some((host) => this.#addresses.has(formatAddress({ hostname: host, port })));
  }
}

/**
 * The state, as far as the peer can know: a FIN that waits behind data has not closed anything yet.
 */
function stateOnTheWire({ state, info }: SocketRow): TcpState {
  if (state !== "FIN_WAIT1" && state !== "CLOSING") return state;
  if ((info?.notsent_bytes ?? 0) === 0) return state;
  return state === "CLOSING" ? "CLOSE_WAIT" : "ESTABLISHED";
}

/**
 * Whether a row in FIN_WAIT2 or TIME_WAIT is what is left of a socket. The kernel makes a cookie when
 * somebody first asks for it, and a socket hands it on to what is left of it. So if nobody has asked
 * before, both get cookies of their own. Then their addresses tell: as long as there is a remainder,
 * no other socket can have them.
 */
function isRemainderOf({ cookie }: SocketRow, life: Life): boolean {
  return cookie === life.cookie || (life.began === "unseen" && !life.isUnsure);
}

/** Whether it was a connection and not only an attempt. */
function wasOpen({ states, event, remainder }: Life): boolean {
  const isOpen = [...states].some((state) => state !== "SYN_SENT" && state !== "SYN_RECV");
  return isOpen || remainder === "TIME_WAIT" || wasConnected(event?.info);
}

function isSure({ openedBy, closedFirst, endedWith, countsFin }: Conclusion): boolean {
  return ![openedBy, closedFirst, endedWith, countsFin ?? "unknown"].includes("unknown");
}

/** Whether an end has left nothing that tells how long it was: the other end may have. */
function isLeftOut({ began, event, isHalfClosed }: Life): boolean {
  return began === "unseen" && !isHalfClosed && event !== undefined && isForgotten(event);
}

/** Learns from the kernel since when a connection has been open. */
function learnAge(life: Life, row: SocketRow, atUs: number): void {
  const age = isForgotten(row) ? undefined : ageOf(row);
  if (age === undefined) return;
  life.noticedAtUs = Math.min(life.noticedAtUs, atUs - age.ms * 1000);
  // The kernel counts from the end of the handshake.
  const isOpening = life.states.has("SYN_SENT") || life.states.has("SYN_RECV");
  life.isAged ||= age.isExact && !isOpening;
}

/**
 * When a socket was freed: its event may be read much later than it was sent.
 *
 * @param life what was known of it
 * @param event what the kernel said when it freed the socket
 * @param readAtUs when that was read
 */
function freedAt({ last, lastAtUs, endedAtUs }: Life, event: SocketRow, readAtUs: number): number {
  if (last?.info === undefined || event.info === undefined || isForgotten(event)) return readAtUs;
  const sinceLast = msBetween(last.info, event.info);
  if (sinceLast === undefined) return readAtUs;
  // Within a tick, it may have been at any moment.
  return Math.min(
    readAtUs,
    Math.max(endedAtUs, lastAtUs + Math.max(sinceLast, TICK_MS / 2) * 1000),
  );
}

function durationOf(
  { began, noticedAtUs, isAged, gapUs, endedAtUs, event, isHalfClosed }: Life,
): Pick<EndedConnection, "durationUs" | "longerThanUs" | "shorterThanUs"> {
  const us = Math.round(endedAtUs - noticedAtUs);
  // Where only what is left of it was seen, its beginning was shortly before. What one look has seen,
  // and the next ones have not, ended within a tick: the kernel may tell of its end much later.
  if (began === "seen" || (began === "unseen" && isHalfClosed)) {
    return { durationUs: us > 0 ? us : TICK_MS / 2 * 1000 };
  }
  if (began === "before") return isAged ? { durationUs: us } : { longerThanUs: us };
  // A program may keep for long what has ended. Its last data, or its beginning, is old then.
  const lastDataUs = event === undefined || isForgotten(event)
    ? NaN
    : (event.info?.last_data_sent ?? NaN) * 1000;
  if (!(lastDataUs <= gapUs)) return {};
  if (!isAged) return { shorterThanUs: Math.round(gapUs) };
  return us > 0 ? { durationUs: us } : { shorterThanUs: TICK_MS * 1000 };
}

function figuresOf(
  { event, last }: Life,
  { countsFin }: Conclusion,
): Pick<
  EndedConnection,
  "bytesSent" | "bytesReceived" | "rttUs" | "retransmissions" | "isEarlier"
> {
  const isEarlier = event === undefined || isForgotten(event);
  const info = isEarlier ? last?.info : event.info;
  if (info === undefined) return { isEarlier };
  const { bytes_sent, bytes_retrans = 0, bytes_received, rtt, total_retrans } = info;
  const hasFin = isEarlier ? hasCounted(info.state) : countsFin === true;
  return {
    isEarlier,
    ...(bytes_sent !== undefined && { bytesSent: bytes_sent - bytes_retrans }),
    ...(bytes_received !== undefined && { bytesReceived: bytes_received - (hasFin ? 1 : 0) }),
    ...(rtt !== undefined && { rttUs: rtt }),
    ...(total_retrans !== undefined && { retransmissions: total_retrans }),
  };
}

/** Whether the figures of a socket in this state count its peer's FIN. */
function hasCounted(state: TcpState): boolean {
  return state === "CLOSE_WAIT" || state === "LAST_ACK" || state === "CLOSING";
}

function keyOf(local: Address, remote: Address): string {
  return `${formatAddress(local)} ${formatAddress(remote)}`;
}

/** What is left of the addresses of an end that the kernel has forgotten. */
function endOf({ local, remote }: Pick<SocketRow, "local" | "remote">): string {
  return `${local.port} ${hostOf(remote)}`;
}

/** The same, as the other end's addresses tell it. */
function peerOf({ local, remote }: SocketRow): string {
  return `${remote.port} ${hostOf(local)}`;
}

/** The host, where an IPv4 address in an IPv6 socket is an IPv4 address. */
function hostOf({ hostname }: Address): string {
  return formatAddress({ hostname, port: 0 });
}
