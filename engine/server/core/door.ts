/**
 * Who may come in. Every acceptor asks here about a connection, before a thread or a conversation is
 * spent on it.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import type { Address } from "../../../protocols/effects.ts";
import { contains, type Network, parseHost, parseNetwork } from "../../net/networks.ts";
import { describeWithPlace } from "../../values/places.ts";
import type { Journal } from "../journal/journal.ts";
import type { CounterBlock } from "./counters.ts";
import type { Culprits } from "./culprits.ts";
import type { HostCounts } from "./host_counts.ts";
import { StrayLog } from "./stray_log.ts";

/** Who may come in, in plain data: it travels to Workers. */
export interface AdmissionRules {
  /** The networks whose hosts may come in; if there are none, all may. */
  readonly allow: readonly string[];
  /** The networks whose hosts may not, even if the other list has them. */
  readonly deny: readonly string[];
  /** How many connections one host may have; 0 means no limit. */
  readonly maxPerHost: number;
  /** Whether a connection for which there is no room is refused. If not, it waits. */
  readonly refusesOverflow: boolean;
  /** How proxies introduce their clients; absent if clients come by themselves. */
  readonly proxies?: ProxyRules;
}

/** How proxies introduce their clients, in plain data. */
export interface ProxyRules {
  /** The networks whose hosts are proxies. Over a Unix domain socket, everybody is one. */
  readonly from: readonly string[];
  /** How long the header may take to come, in milliseconds; never 0. */
  readonly headerMs: number;
}

/** Why a connection is refused, in words that its client may be told. */
const REASONS = {
  stranger: "only proxies may connect here",
  denied: "your address is not allowed",
  perHost: "too many connections from your address",
  full: "the server is full",
} as const;

/** Why a connection is refused. */
export type Refusal = keyof typeof REASONS;

/** Why a connection does not come in: it is refused, or it is gone already. */
export type Rejection = Refusal | "gone";

/** Why one is denied for a while, in words for the log. */
const BLAMED = "its connections have ended threads of this server";

/** The address of nobody. */
const NOBODY = "0.0.0.0";

/** Why somebody who is no proxy is refused, in words for the log. */
const NO_PROXY = "it is in no network of --proxy-from";

/** For how long after a line in the log refusals are only counted, in milliseconds. */
const QUIET_MS = 1_000;

/** What a door needs from its server and its thread. */
export interface DoorParts {
  /** Who may come in. */
  readonly rules: AdmissionRules;
  /** Counts those who may not. */
  readonly counters: CounterBlock;
  /** Logs them. */
  readonly journal: Journal;
  /** Says what a client is told. */
  readonly protocol: Pick<ProtocolDefinition, "refusal">;
  /** How many connections each host has, if that is limited. */
  readonly hosts?: HostCounts | undefined;
  /** The table of this thread's event loop there. @default {0} */
  readonly table?: number | undefined;
  /** Who is refused for a while, because threads died of its connections. */
  readonly culprits?: Culprits | undefined;
}

/** Lets everybody in. */
export const OPEN: AdmissionRules = {
  allow: [],
  deny: [],
  maxPerHost: 0,
  refusesOverflow: false,
};

/** Lets connections in on one thread, and counts and logs those that it refuses. */
export class Door {
  readonly #parts: DoorParts;
  readonly #allow: readonly Network[];
  readonly #deny: readonly Network[];
  readonly #proxies: readonly Network[] | undefined;
  readonly #table: number;
  readonly #hasRules: boolean;
  #strays: StrayLog | undefined;
  #silentUntil = -Infinity;
  /** How many were refused since the last line in the log. */
  #untold = 0;

  /** @param parts what it needs */
  constructor(parts: DoorParts) {
    this.#parts = parts;
    this.#allow = parts.rules.allow.map(parseNetwork);
    this.#deny = parts.rules.deny.map(parseNetwork);
    this.#proxies = parts.rules.proxies?.from.map(parseNetwork);
    this.#table = parts.table ?? 0;
    this.#hasRules = parts.hosts !== undefined || this.refusesOverflow ||
      this.#proxies !== undefined ||
      this.#allow.length + this.#deny.length > 0;
  }

  /** Whether it has to be asked at all. Mostly anybody may come in. */
  get asks(): boolean {
    return this.#hasRules || this.#parts.culprits?.any === true;
  }

  /**
   * How long a connection may take to bring a PROXY header, in milliseconds. Such a connection comes
   * in twice: as its proxy by {@linkcode Door.enter}, and when the header is here, as the client by
   * {@linkcode Door.introduce}. `undefined` if clients come by themselves.
   */
  get headerMs(): number | undefined {
    return this.#parts.rules.proxies?.headerMs;
  }

  /** Whether it counts the connections of each host. */
  get counts(): boolean {
    return this.#parts.hosts !== undefined;
  }

  /**
   * Whether a host is refused for a while, because threads died of its connections.
   *
   * @param peer the client's address
   */
  #blames({ hostname }: Address): boolean {
    return this.#parts.culprits?.refuses(hostname) === true;
  }

  /** Whether a connection for which there is no room is refused. If not, it waits. */
  get refusesOverflow(): boolean {
    return this.#parts.rules.refusesOverflow;
  }

  /**
   * Whether a host may come in at all.
   *
   * @param hostname its numeric address
   */
  allows(hostname: string): boolean {
    // Who has no numeric address, as on a Unix domain socket, is in no network.
    return !isIn(this.#deny, hostname, false) &&
      (this.#allow.length === 0 || isIn(this.#allow, hostname, true));
  }

  /**
   * Lets a connection in, or counts and logs that it is refused. What its PROXY header will say is
   * not known yet: if there is to be one, this asks only whether the peer is a proxy.
   *
   * @param peer the peer's address
   * @param hasRoom whether there is room for it; it is asked last, and may count the connection
   * @returns `undefined` if it is in: then say when it leaves; otherwise why it is not
   */
  enter(peer: Address, hasRoom: () => boolean): Rejection | undefined {
    // So says Bun of a connection that was reset before anybody has asked for its address. A load
    // balancer's checks end like this.
    if (peer.port === 0 && peer.hostname === NOBODY) {
      this.#parts.counters.lost();
      return "gone";
    }
    const proxies = this.#proxies;
    const why = proxies === undefined ? this.introduce(peer) : this.#look(proxies, peer);
    if (why !== undefined) return why;
    if (hasRoom()) return undefined;
    if (proxies === undefined) this.leave(peer);
    return this.refuse(peer, "full");
  }

  /** Whether a peer is a proxy that may come in. */
  #look(proxies: readonly Network[], peer: Address): Refusal | undefined {
    const { hostname } = peer;
    if (!isIn(proxies, hostname, true)) return this.refuse(peer, "stranger", NO_PROXY);
    return isIn(this.#deny, hostname, false) ? this.refuse(peer, "denied") : undefined;
  }

  /**
   * Lets a client in, if there is room for its connection already, or counts and logs that it is
   * refused.
   *
   * @param peer the client's address
   * @returns `undefined` if it is in: then say when it leaves; otherwise why it is not
   */
  introduce(peer: Address): Refusal | undefined {
    const { hosts, rules: { maxPerHost } } = this.#parts;
    const { hostname } = peer;
    if (!this.allows(hostname)) return this.refuse(peer, "denied");
    if (this.#blames(peer)) return this.refuse(peer, "denied", BLAMED);
    if (hosts === undefined || hosts.enter(this.#table, hostname, maxPerHost)) return undefined;
    return this.refuse(peer, "perHost");
  }

  /**
   * Turns a connection away that was let in, if threads have died of others of its host while it
   * waited. It is counted and logged as refused.
   *
   * @param peer the client's address
   * @returns why; `undefined` if it may stay
   */
  turnAway(peer: Address): Refusal | undefined {
    if (!this.#blames(peer)) return undefined;
    this.leave(peer);
    return this.refuse(peer, "denied", BLAMED);
  }

  /** A connection that was let in is over. @param peer the client's address */
  leave({ hostname }: Address): void {
    this.#parts.hosts?.leave(this.#table, hostname);
  }

  /**
   * A connection that was let in is handed to a process. From now on that counts it, with
   * {@linkcode Door.leave}.
   *
   * @param peer the client's address
   * @param table the table of the process
   */
  handTo({ hostname }: Address, table: number): void {
    this.#parts.hosts?.hand(this.#table, table, hostname);
  }

  /**
   * The process has died before it has taken the connection, which counts here again.
   *
   * @param peer the client's address
   */
  readmit({ hostname }: Address): void {
    this.#parts.hosts?.enter(this.#table, hostname, Infinity);
  }

  /**
   * A process has died. Nothing that it has counted is left.
   *
   * @param table its table
   */
  leaveFor(table: number): void {
    this.#parts.hosts?.clear(table);
  }

  /**
   * Counts and logs a connection that is refused. A flood of them makes one line in a second.
   *
   * @param peer the client's address
   * @param why the reason
   * @param words the reason in words, for the log
   * @returns the reason
   */
  refuse(peer: Address, why: Refusal, words: string = REASONS[why]): Refusal {
    const { counters, journal } = this.#parts;
    counters.refused();
    const now = performance.now();
    if (now < this.#silentUntil || !journal.wantsLog) {
      this.#untold++;
      return why;
    }
    this.#silentUntil = now + QUIET_MS;
    const properties = { peer: formatAddress(peer), why: words, more: this.#untold };
    const text = this.#untold === 0
      ? "refused {peer}: {why}"
      : "refused {peer}: {why}; {more} more were refused since the last line like this";
    this.#untold = 0;
    journal.log({ level: "warning", text, properties });
    return why;
  }

  /**
   * What to tell a client that is refused.
   *
   * @param why the reason
   * @returns the bytes; `undefined` where the protocol has no lines to say it with, or throws, and
   * for strangers, who are told nothing
   */
  lineFor(why: Rejection): Uint8Array | undefined {
    if (why === "stranger" || why === "gone") return undefined;
    const { protocol, journal, counters } = this.#parts;
    try {
      return protocol.refusal?.(REASONS[why]);
    } catch (error) {
      // The thread serves others, and the client has no conversation that could fail.
      this.#strays ??= new StrayLog(journal, counters);
      this.#strays.tell({ error: describeWithPlace(error), count: 1 });
      return undefined;
    }
  }
}

/**
 * Whether a host is in one of these networks.
 *
 * @param networks the networks
 * @param hostname its numeric address
 * @param nobody the answer for somebody without one
 */
function isIn(networks: readonly Network[], hostname: string, nobody: boolean): boolean {
  if (networks.length === 0 && !nobody) return false;
  const host = parseHost(hostname);
  return host === undefined ? nobody : networks.some((network) => contains(network, host));
}
