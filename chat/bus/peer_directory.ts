/**
 * What one server knows of the others: who is there, and whether anything of theirs was missed.
 *
 * Plain data: no socket, no clock. Its time is counted in beats, of which every server sends one
 * every few seconds: a server that was stopped for a minute and goes on has not heard of anybody,
 * but it has not missed thirty beats of its own either, and so takes nobody for dead.
 *
 * @module
 */

import type { Presence } from "./bus.ts";

/** A server that is not heard of for so many beats is gone. */
const BEATS_TO_LIVE = 3;

/** The most servers that are known at a time. */
const SERVER_LIMIT = 1024;

/** The most users that one server may have. */
const USER_LIMIT = 100_000;

/** A part of the list of a server's users. */
export interface RosterPart {
  /** The number of the server's last event that the list has taken in. */
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
  /** The number of the last event of it that was seen. */
  number: number;
  /** Whether nothing was missed since its last roster. */
  isInStep: boolean;
  /** How many of our own beats ago it was last heard of. */
  silentBeats: number;
  /** The last part of a roster that has come, if there are more to come. */
  lastPart: RosterPart | undefined;
  /** The users of that part and those before it. */
  users: Presence[];
}

/** The other servers, each with the number of its last event. */
export class PeerDirectory {
  readonly #peers = new Map<string, Peer>();
  /** Servers that were not asked for their roster since they fell out of step, or the last beat. */
  readonly #toAsk = new Set<string>();

  /** How many servers are known. */
  get size(): number {
    return this.#peers.size;
  }

  /**
   * An event has come.
   *
   * @param server whose
   * @param number its number: 1 more than that of the event before it
   * @param isTalk whether it says something that is understood without knowing who is where
   * @returns whether it is to be delivered: not if it was before, and of a server out of step only
   * what is talk, for its roster will tell the rest
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
   * @param server whose
   * @param number that of its last event
   */
  onBeat(server: string, number: number): void {
    const peer = this.#hear(server);
    if (peer?.isInStep && number !== peer.number) this.#lose(server, peer);
  }

  /**
   * A part of a roster has come.
   *
   * @param server whose
   * @param part it, which must follow the part before it
   * @returns all its users if this was the last part
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
    // Only a roster of one part may be empty: so the number of parts is bounded too.
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
   * A server has taken its leave.
   *
   * @param server which
   * @returns whether it was known
   */
  onGoodbye(server: string): boolean {
    this.#toAsk.delete(server);
    return this.#peers.delete(server);
  }

  /**
   * One beat has passed.
   *
   * @returns the servers that count as gone now
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

  /** The servers whose roster is needed; each is named once a beat. */
  takeToAsk(): readonly string[] {
    if (this.#toAsk.size === 0) return [];
    const servers = [...this.#toAsk];
    this.#toAsk.clear();
    return servers;
  }

  /** Forgets all. */
  clear(): void {
    this.#peers.clear();
    this.#toAsk.clear();
  }

  /** The server, who is alive; `undefined` if there are too many. */
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
