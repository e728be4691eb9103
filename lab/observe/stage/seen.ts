/**
 * What was seen on a stage, by the names of the ends: the facts of a lesson are read here.
 *
 * @module
 */

import type {
  CallEvent,
  Event,
  ListenerEvent,
  PacketEvent,
  SocketEvent,
} from "../../../engine/recording/events.ts";
import { TCP_STATES, type TcpState } from "../../../engine/kernel/tcp_states.ts";
import type { Fact } from "./facts.ts";
import { Names } from "./names.ts";

/** The events of a recording, by the names of the ends. */
export class Seen {
  readonly #names = new Names();
  readonly #events: readonly Event[];

  /** @param events the events, in any order */
  constructor(events: readonly Event[]) {
    // What was seen together is told together, and a reader of a recording sorts it by time.
    this.#events = [...events].sort((a, b) => a.at - b.at);
    for (const event of this.#events) this.#names.see(event);
  }

  /**
   * The states of an end.
   *
   * @param name its name, for instance `client 2`
   * @param lasting only these: a state that is over at once is seen by chance
   */
  states(name: string, lasting?: readonly TcpState[]): Fact {
    const states = this.sockets(name).map(({ state }) => state)
      .filter((state) => lasting?.includes(state) ?? true);
    return {
      fact: "states",
      about: name,
      value: states.filter((state, index) => state !== states[index - 1]),
    };
  }

  /** The looks at the socket of an end. @param name its name */
  sockets(name: string): SocketEvent[] {
    return this.#events.filter((event) => event.type === "socket")
      .filter((event) => this.#names.of(event) === name);
  }

  /**
   * The packets that an end has sent.
   *
   * @param name its name; by default all
   */
  packets(name?: string): PacketEvent[] {
    return this.#events.filter((event) => event.type === "packet")
      .filter((packet) => name === undefined || this.#names.senderOf(packet) === name)
      .sort((a, b) => a.at - b.at);
  }

  /** The name of the end that has sent a packet. @param packet the packet */
  senderOf(packet: PacketEvent): string {
    return this.#names.senderOf(packet);
  }

  /** The calls of an end. @param name its name @param call for instance `recv` */
  calls(name: string, call: string): CallEvent[] {
    return this.#events.filter((event) => event.type === "call")
      .filter((event) => event.call === call && this.#names.of(event) === name);
  }

  /** The first call that has failed. @param call for instance `connect` */
  failureOf(call: string): CallEvent | undefined {
    return this.#events.filter((event) => event.type === "call")
      .find((event) => event.call === call && event.error !== undefined);
  }

  /** How many clients became ESTABLISHED. @param when whether a time counts, in microseconds */
  connected(when: (at: number) => boolean): number {
    const opened = new Map<string, number>();
    for (const event of this.#events) {
      if (event.type !== "socket" || event.end !== "client") continue;
      const { state, cookie, at } = event;
      if (state === "ESTABLISHED" && !opened.has(cookie)) opened.set(cookie, at);
    }
    return [...opened.values()].filter(when).length;
  }

  /** How the calls of an end have failed, a fact each. */
  errors(name: string, call: string): Fact[] {
    return this.calls(name, call).flatMap(({ error }): Fact[] =>
      error === undefined ? [] : [{ fact: "error", about: `${call} of ${name}`, value: error }]
    );
  }

  /** The largest set of states that sockets were in at the same time, in the usual order. */
  heldAtOnce(): TcpState[] {
    const now = new Map<string, TcpState>();
    let most: TcpState[] = [];
    for (const event of this.#events) {
      if (event.type === "listener") now.set(event.local, "LISTEN");
      else if (event.type !== "socket") continue;
      // What the table has no more is gone, except a socket that was never in it.
      else if (event.state === "CLOSE" && now.has(event.cookie)) now.delete(event.cookie);
      else now.set(event.cookie, event.state);
      const held = new Set(now.values());
      if (held.size > most.length) most = TCP_STATES.filter((state) => held.has(state));
    }
    return most;
  }

  /** The looks at listeners. */
  listeners(): ListenerEvent[] {
    return this.#events.filter((event) => event.type === "listener");
  }

  /** By how much a counter of the kernel has moved. @param name the kernel's name */
  moved(name: string): Fact {
    const values = this.#values(name);
    return { fact: "counter", about: name, value: (values.at(-1) ?? 0) - (values[0] ?? 0) };
  }

  /** Whether a counter was looked at. */
  hasCounted(name: string): boolean {
    return this.#values(name).length > 0;
  }

  /** What was measured, the last time. @param name what the lesson calls it */
  measured(name: string): number {
    return this.#values(name).at(-1) ?? NaN;
  }

  #values(name: string): number[] {
    return this.#events.filter((event) => event.type === "counters")
      .flatMap(({ values }) => values[name] === undefined ? [] : [values[name]]);
  }
}

/** How many there were of something. */
export function count(about: string, value: number): Fact {
  return { fact: "count", about, value };
}

/** What followed what. */
export function order(about: string, value: readonly string[]): Fact {
  return { fact: "order", about, value };
}
