/**
 * Names for the two ends of connections, as a person would call them: `client`, `client 2`, `server`.
 *
 * @module
 */

import type {
  CallEvent,
  Event,
  PacketEvent,
  SocketEvent,
} from "../../../engine/recording/events.ts";

/** Which end. */
export type EndName = "client" | "server";

/** Gives names to the ends. Show it all events, in their order. */
export class Names {
  readonly #listeners = new Set<string>();
  /** The numbers of the connections, by the ports of both ends. */
  readonly #numbers = new Map<string, number>();

  /**
   * Takes notice of an event.
   *
   * @param event an event of a recording
   */
  see(event: Event): void {
    if (event.type === "listener") this.#listeners.add(portOf(event.local));
    else if (event.type === "packet") this.#number(keyOf(event, this.isFromClient(event)));
    else if (event.type === "socket" || event.type === "call") this.#number(keyOfEnd(event));
  }

  /**
   * The name of the end that an event is about.
   *
   * @param event the event
   * @returns for instance `client 2`; the first client and its server have no number
   */
  of(event: SocketEvent | CallEvent): string {
    return this.#name(event.end ?? "client", keyOfEnd(event));
  }

  /** The number of the connection that an event is about, from 1. @param event the event */
  numberOf(event: SocketEvent | CallEvent): number {
    return this.#numbers.get(keyOfEnd(event) ?? "") ?? 1;
  }

  /** The name of the end that has sent a packet. @param packet the packet */
  senderOf(packet: PacketEvent): string {
    const isClient = this.isFromClient(packet);
    return this.#name(isClient ? "client" : "server", keyOf(packet, isClient));
  }

  /** The name of the end that a packet goes to. @param packet the packet */
  receiverOf(packet: PacketEvent): string {
    const isClient = this.isFromClient(packet);
    return this.#name(isClient ? "server" : "client", keyOf(packet, isClient));
  }

  /** Whether a client has sent a packet. @param packet the packet */
  isFromClient({ from, to, flags }: PacketEvent): boolean {
    if (this.#listeners.has(portOf(to))) return true;
    if (this.#listeners.has(portOf(from))) return false;
    return flags.includes("S") && !flags.includes("A");
  }

  #name(end: EndName, key: string | undefined): string {
    const number = key === undefined ? 1 : this.#numbers.get(key) ?? 1;
    return number === 1 ? end : `${end} ${number}`;
  }

  #number(key: string | undefined): void {
    if (key === undefined || this.#numbers.has(key)) return;
    this.#numbers.set(key, this.#numbers.size + 1);
  }
}

/** The client's port and the server's. Over a wire, each end sees the other at another address. */
function keyOf({ from, to }: PacketEvent, isFromClient: boolean): string {
  return isFromClient ? `${portOf(from)} ${portOf(to)}` : `${portOf(to)} ${portOf(from)}`;
}

function keyOfEnd({ end, local, remote }: SocketEvent | CallEvent): string | undefined {
  if (local === undefined || remote === undefined || end === undefined) return undefined;
  return end === "client"
    ? `${portOf(local)} ${portOf(remote)}`
    : `${portOf(remote)} ${portOf(local)}`;
}

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}
