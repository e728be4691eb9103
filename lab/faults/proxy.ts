/**
 * A proxy for TCP that breaks things on purpose.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { Random } from "../load/random.ts";
import type { Connection } from "../../engine/net/transport.ts";
import { type Ends, openEnds } from "./ends.ts";
import { Link, type LinkEnd } from "./link.ts";
import type { Toxic } from "./toxic.ts";

/** How to break things. */
export interface FaultsOptions {
  /**
   * Where clients connect; port 0 picks a free one.
   *
   * @default {{ hostname: "127.0.0.1", port: 0 }}
   */
  readonly listen?: Address;
  /** The server. */
  readonly upstream: Address;
  /** What is wrong, in the order in which bytes meet it. */
  readonly toxics: readonly Toxic[];
  /** How likely it is that a connection meets them: 0 is never, 1 always. @default {1} */
  readonly toxicity?: number;
  /** What the random numbers begin with: the same seed breaks the same. @default a random one */
  readonly seed?: number;
  /** How long the toxics act, in milliseconds; 0 is as long as the proxy runs. @default {0} */
  readonly forMs?: number;
  /** How long connecting to the server may take, in milliseconds. @default {10_000} */
  readonly connectTimeoutMs?: number;
}

/** What has happened to the connections. */
export interface FaultsCounts {
  /** How many clients have connected. */
  accepted: number;
  /** To how many of them toxics applied. */
  toxic: number;
  /** How many ended because a toxic has ended them. */
  cut: number;
  /** How many were reset by one of their ends. */
  reset: number;
  /** How many have vanished. */
  vanished: number;
  /** How many ended in order. */
  closed: number;
  /** For how many there was no connection to the server: their clients got RST. */
  unreachable: number;
}

/** A proxy that runs. */
export interface Faults extends AsyncDisposable {
  /** Where clients connect. */
  readonly address: Address;
  /** What the random numbers began with. */
  readonly seed: number;
  /** Why RST cannot be sent, so that FIN goes in its place; `undefined` if it can. */
  readonly whyNoReset: string | undefined;
  readonly counts: Readonly<FaultsCounts>;
  /** Ends the toxics: what was held back passes, and so does everything from now on. */
  heal(): void;
  /** Closes the listener and all connections. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts a proxy.
 *
 * @param options between whom, and what is wrong
 * @throws {Error} if it cannot listen
 */
export async function startFaults(options: FaultsOptions): Promise<Faults> {
  const proxy = new Proxy(options);
  await proxy.open();
  return proxy;
}

/** The highest seed. */
const MOST_SEED = 0x7fff_ffff;

class Proxy implements Faults {
  readonly seed: number;
  readonly counts: FaultsCounts = {
    accepted: 0,
    toxic: 0,
    cut: 0,
    reset: 0,
    vanished: 0,
    closed: 0,
    unreachable: 0,
  };
  readonly #options: FaultsOptions;
  readonly #links = new Set<Link>();
  #isHealed = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;
  #ends!: Ends;

  constructor(options: FaultsOptions) {
    this.#options = options;
    this.seed = options.seed ?? Math.floor(Math.random() * MOST_SEED);
  }

  async open(): Promise<void> {
    const { listen = { hostname: "127.0.0.1", port: 0 }, forMs = 0 } = this.#options;
    this.#ends = await openEnds(listen, (client) => void this.#take(client));
    if (forMs > 0) this.#timer = setTimeout(() => this.heal(), forMs);
  }

  get address(): Address {
    return this.#ends.address;
  }

  get whyNoReset(): string | undefined {
    return this.#ends.whyNoReset;
  }

  heal(): void {
    clearTimeout(this.#timer);
    this.#isHealed = true;
    for (const link of this.#links) link.heal();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.#ends.stopListening();
    for (const link of [...this.#links]) link.close();
    this.heal();
    this.#ends.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #take(client: Connection): Promise<void> {
    const { upstream, toxics, toxicity = 1, connectTimeoutMs = 10_000 } = this.#options;
    // Each connection has numbers of its own, so that it does not matter how they are interleaved.
    const random = new Random(this.seed + Math.imul(++this.counts.accepted, 0x9e37_79b1));
    const isToxic = random.next() / 0x1_0000_0000 < toxicity;
    let server: Connection;
    try {
      server = await this.#ends.dial(upstream, connectTimeoutMs);
    } catch {
      this.counts.unreachable++;
      return client.reset();
    }
    if (this.#isClosed) {
      client.close();
      return server.close();
    }
    if (isToxic && toxics.length > 0) this.counts.toxic++;
    const link = new Link(client, server, {
      toxics: isToxic ? toxics : [],
      seed: random.next(),
      isHealed: () => this.#isHealed,
      turn: () => this.#ends.turn(),
      onEnd: (how: LinkEnd) => this.counts[how]++,
    });
    this.#links.add(link);
    await link.ended;
    this.#links.delete(link);
  }
}
