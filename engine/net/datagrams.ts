/**
 * Datagrams to one peer and back: UDP as the runtimes offer it, through `node:dgram`.
 *
 * @module
 */

import type { Socket } from "node:dgram";
import type { Address } from "../../protocols/effects.ts";
import { isIPv6 } from "./address.ts";

/** The most bytes that one datagram can carry over IPv4: 65,535 less the headers (RFC 768). */
export const LARGEST_DATAGRAM = 65_507;

/** How many datagrams wait to be received; of more the rest is lost, as the kernel does it too. */
const WAITING = 256;

/** What a receive that waits is told: a datagram, an error, or nothing of either in time. */
type Arrival = { readonly bytes?: Uint8Array; readonly error?: Error };

/** A UDP socket that speaks with one peer. */
export class DatagramClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #arrived: Arrival[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, { hostname, port }: Address) {
    this.#socket = socket;
    // A socket that is connected receives from its peer only. Deno does not connect it really.
    socket.on("message", (bytes, from) => {
      if (from.port === port && from.address === hostname) this.#arrive({ bytes });
    });
    // Always there: Bun is ended by an ICMP port-unreachable that nobody listens to.
    socket.on("error", (error) => this.#arrive({ error }));
  }

  /**
   * Opens a socket.
   *
   * @param peer with whom to speak, numeric
   */
  static async open(peer: Address): Promise<DatagramClient> {
    // Loaded when it is needed: it takes longer to load than most answers to come.
    const { createSocket } = await import("node:dgram");
    const socket = createSocket(isIPv6(peer.hostname) ? "udp6" : "udp4");
    const failed = Promise.withResolvers<never>();
    socket.once("error", failed.reject);
    const done = (begin: (resolve: () => void) => void) =>
      Promise.race([new Promise<void>(begin), failed.promise]);
    // To itself a machine sends from the loopback in any case, and Deno asks for the permission to
    // use all addresses where none is named.
    if (/^(127\.|::1$)/.test(peer.hostname)) {
      const loopback = isIPv6(peer.hostname) ? "::1" : "127.0.0.1";
      await done((resolve) => socket.bind(0, loopback, resolve));
    }
    // A connected socket is told of the peer's ICMP errors (udp(7)); on Deno it is not.
    await done((resolve) => socket.connect(peer.port, peer.hostname, resolve));
    socket.off("error", failed.reject);
    return new DatagramClient(socket, peer);
  }

  /**
   * Sends one datagram.
   *
   * @param bytes at most {@linkcode LARGEST_DATAGRAM}
   */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  /**
   * Waits for the next datagram of the peer.
   *
   * @param withinMs how long, in milliseconds; 0 is for ever
   * @returns what it holds; `undefined` when none came in time
   * @throws {Error} if what was sent could not be delivered and the system was told so
   */
  async receive(withinMs: number): Promise<Uint8Array | undefined> {
    if (this.#arrived.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = withinMs > 0 ? setTimeout(resolve, withinMs) : undefined;
      this.#wake = resolve;
      await promise;
      this.#wake = undefined;
      clearTimeout(timer);
    }
    const arrival = this.#arrived.shift();
    if (arrival?.error !== undefined) throw arrival.error;
    return arrival?.bytes;
  }

  #arrive(arrival: Arrival): void {
    if (this.#arrived.length < WAITING) this.#arrived.push(arrival);
    this.#wake?.();
  }

  /** Closes it. */
  [Symbol.asyncDispose](): Promise<void> {
    return new Promise((resolve) => this.#socket.close(resolve));
  }
}
