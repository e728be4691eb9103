/**
 * What one server knows of the others: which ones there are, and whether it missed an event of
 * theirs.
 *
 * Plain data: no socket, no clock. Time is counted in beats; every server sends one every few
 * seconds. A server that was stopped for a minute has heard of nobody when it goes on. But it has
 * not counted thirty beats of its own either, and so it takes nobody for dead.
 *
 * @module
 */

import type { Presence } from "./bus.ts";

/** A server that is silent for more beats than this is gone. */
const BEATS_TO_LIVE = 3;

/** The most servers that are known at one time. */
const SERVER_LIMIT = 1024;

/** The most users that one server may have. */
const USER_LIMIT = 100_000;

/** A part of a roster, the list of a server's users. */
export interface RosterPart {
  /** The number of the last event that is reflected in the list. */
  readonly number: number;
  /** Which part this is, from 0. */
  readonly part: number;
  /** How many parts there are. */
  readonly parts: number;
  /** The users of this part. */
  readonly users: readonly Presence[];
}

/** Another server. */
interface Peer {
  /** The number of its last event that was seen. */
  number: number;
  /** Whether no event was missed since its last roster. */
  isInStep: boolean;
  /** How many of our own beats it has been silent for. */
  silentBeats: number;
  /** The last part of a roster that has come, if more parts are to follow. */
  lastPart: RosterPart | undefined;
  /** The users of that part and of those before it. */
  users: Presence[];
}

/** The other servers, each with the number of its last event. */
export class PeerDirectory {
  readonly #peers = new Map<string, Peer>();
  /** The servers to ask for a roster: they are out of step, and were not asked in this beat yet. */
  readonly #toAsk = new Set<string>();

  /** How many servers are known. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * An event has come.
   *
   * @param server the server that sent it
   * @param number its number: 1 more than that of the event before it
   * @param isTalk whether it can be understood without knowing who is where
   * @returns whether it is to be delivered: not if it was delivered before, and only talk if the
   * server is out of step, because its roster will tell the rest
   */
  onEvent(server: string, number: number, isTalk: boolean): boolean {
    const peer = this.#hear(server);
    if (peer === undefined || number <= peer.number) return false;
    if (peer.isInStep && number !== peer.number + 1) this.#lose(server, peer);
    peer.number = number;
    return peer.isInStep || isTalk;
  }

  /**
   * A sign of life has come.
   *
   * @param server the server that sent it
   * @param number the number of its last event
   */
  onBeat(server: string, number: number): void {
    const peer = this.#hear(server);
    if (peer?.isInStep && number !== peer.number) this.#lose(server, peer);
  }

  /**
   * A part of a roster has come.
   *
   * @param server the server that sent it
   * @param part the part, which must follow the one before it
   * @returns all users of the server if this was the last part
   */
  onRoster(server: string, part: RosterPart): readonly Presence[] | undefined {
    const peer = this.#hear(server);
    if (peer === undefined) return undefined;
    const { lastPart, users } = peer;
    const follows = part.part === 0 ||
      (lastPart !== undefined && part.part === lastPart.part + 1 &&
        part.parts === lastPart.parts && part.number === lastPart.number);
    const gathered = part.part === 0 ? part.users : [...users, ...part.users];
    const isLast = part.part === part.parts - 1;
    peer.lastPart = undefined;
    peer.users = [];
    if (!follows || part.part >= part.parts || gathered.length > USER_LIMIT) return undefined;
    // Only a roster of one part may be empty. So the number of parts is bounded too.
    if (!isLast) {
      if (part.users.length > 0) Object.assign(peer, { lastPart: part, users: gathered });
      return undefined;
    }
    peer.number = part.number;
    peer.isInStep = true;
    this.#toAsk.delete(server);
    return gathered;
  }

  /**
   * A server has said goodbye.
   *
   * @param server the server
   * @returns whether it was known
   */
  onGoodbye(server: string): boolean {
    this.#toAsk.delete(server);
    return this.#peers.delete(server);
  }

  /**
   * One beat has passed.
   *
   * @returns the servers that count as gone from now on
   */
  beat(): string[] {
    const gone: string[] = [];
    for (const [server, peer] of this.#peers) {
      if (++peer.silentBeats > BEATS_TO_LIVE) gone.push(server);
      else if (!peer.isInStep) this.#toAsk.add(server);
    }
    for (const server of gone) this.onGoodbye(server);
    return gone;
  }

  /** Takes the servers whose roster is needed. Each is named at most once a beat. */
  takeToAsk(): readonly string[] {
    if (this.#toAsk.size === 0) return [];
    const servers = [...this.#toAsk];
    this.#toAsk.clear();
    return servers;
  }

  /** Forgets all servers. */
  clear(): void {
    this.#peers.clear();
    this.#toAsk.clear();
  }

  /** The peer, which has shown that it is alive; `undefined` if there are too many. */
  #hear(server: string): Peer | undefined {
    let peer = this.#peers.get(server);
    if (peer === undefined) {
      if (this.#peers.size >= SERVER_LIMIT) return undefined;
      peer = { number: 0, isInStep: false, silentBeats: 0, lastPart: undefined, users: [] };
      this.#peers.set(server, peer);
      this.#toAsk.add(server);
    }
    peer.silentBeats = 0;
    return peer;
  }

  #lose(server: string, peer: Peer): void {
    peer.isInStep = false;
    this.#toAsk.add(server);
  }
}
