/**
 * Names for the two ends of connections, as a person would call them: `client`, `client 2`, `server`.
 *
 * @module
 */

import type { Event } from "../../../engine/recording/events.ts";

/** Which end. */
export type EndName = "client" | "server";

/** Gives names to addresses. Show it all events, in their order. */
export class Names {
  readonly #listeners = new Set<string>();
  /** The numbers of the clients, by their addresses. */
  readonly #clients = new Map<string, number>();

  /**
   * Takes notice of an event.
   *
   * @param event an event of a recording
   */
  see(event: Event): void {
    if (event.type === "listener") this.#listeners.add(event.local);
    else if (event.type === "packet") this.#number(event.from, event.to);
    else if (event.type === "socket" || event.type === "call" && event.end !== undefined) {
      const { end, local, remote } = event;
      if (local === undefined || remote === undefined || end === undefined) return;
      this.#number(end === "client" ? local : remote);
    }
  }

  /**
   * The name of an end.
   *
   * @param address its address, or for the server that of its client
   * @param end which end
   * @returns for instance `client 2`; the first client has no number
   */
  of(address: string, end: EndName): string {
    const number = this.#clients.get(address) ?? 1;
    return number === 1 ? end : `${end} ${number}`;
  }

  /** Whether an address is a client's. */
  isClient(address: string): boolean {
    return this.#clients.has(address);
  }

  #number(...addresses: readonly string[]): void {
    const address = addresses.find((one) => !this.#listeners.has(one));
    if (address === undefined || this.#clients.has(address)) return;
    if (addresses.some((one) => this.#clients.has(one))) return;
    this.#clients.set(address, this.#clients.size + 1);
  }
}
