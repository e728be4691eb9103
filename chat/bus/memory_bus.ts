/**
 * The bus of servers that are in one process: by default a single one, which then needs nothing.
 *
 * @module
 */

import { keyOf } from "../talk/names.ts";
import type { Bus, BusEvent, BusListener, BusMessage } from "./bus.ts";

/** What the servers of one process have in common. */
export class MemoryHub {
  readonly #listeners = new Map<string, BusListener>();
  /** Who has a name, by its key. */
  readonly #claims = new Map<string, string>();
  readonly #isAlone: boolean;
  #servers = 0;

  /** @param isAlone whether one server is all that there will be */
  constructor(isAlone = false) {
    this.#isAlone = isAlone;
  }

  /** The link of another server. */
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
        // Who has lost a name gives it back too: it is another's by then.
        if (claims.get(key) === server) claims.delete(key);
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }
}
