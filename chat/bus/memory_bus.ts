/**
 * The bus of servers in one process. By default there is a single server, which needs nothing more.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { Bus, BusEvent, BusListener, BusMessage } from "./bus.ts";

/** What the servers of one process share. */
export class MemoryHub {
  readonly #listeners = new Map<string, BusListener>();
  /** The server that holds each name, by the name's key. */
  readonly #claims = new Map<string, string>();
  readonly #isAlone: boolean;
  #servers = 0;

  /** @param isAlone whether there will never be more than one server */
  constructor(isAlone = false) {
    this.#isAlone = isAlone;
  }

  /** Adds a server, and returns its link. */
  connect(): Bus {
    const server = `server-${++this.#servers}`;
    const listeners = this.#listeners;
    const claims = this.#claims;
    const tellOthers = (event: BusEvent) => {
      for (const [other, listener] of listeners) {
        if (other !== server) listener.onEvent(server, event);
      }
    };
    const close = () => {
      listeners.delete(server);
      for (const [key, owner] of claims) if (owner === server) claims.delete(key);
      for (const listener of listeners.values()) listener.onServerGone(server);
      return Promise.resolve();
    };
    return {
      server,
      isAlone: this.#isAlone,
      isLinked: true,
      details: [],
      start(listener) {
        for (const [other, its] of listeners) listener.onRoster(other, its.roster());
        listeners.set(server, listener);
        return Promise.resolve();
      },
      publish: tellOthers,
      send: (to, message: BusMessage) => listeners.get(to)?.onMessage(server, message),
      claim(name) {
        const key = keyOf(name);
        const owner = claims.get(key);
        if (owner === undefined) claims.set(key, server);
        return Promise.resolve(owner === undefined || owner === server);
      },
      release(name) {
        const key = keyOf(name);
        // A server that has lost a name gives it back too; by then it belongs to another server.
        if (claims.get(key) === server) claims.delete(key);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }
}
