/**
 * Datagrams to one peer and back: UDP as the runtimes offer it, through `node:dgram`.
 *
 * @module
 */

import type { Socket } from "node:dgram";
import type { Address } from "../../protocols/effects.ts";
import { hostForRuntime, isIPv6, withoutZone } from "./address.ts";

/** The most bytes that one datagram can carry over IPv4: 65,535 less the headers (RFC 768). */
export const LARGEST_DATAGRAM = 65_507;

/** How many datagrams may wait to be received. Any more are dropped, as the kernel does too. */
const WAITING = 256;

/** What has arrived: a datagram or an error. */
type Arrival = { readonly bytes?: Uint8Array; readonly error?: Error };

/** A UDP socket that talks to one peer. */
export class DatagramClient implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #arrived: Arrival[] = [];
  #wake: (() => void) | undefined;

  private constructor(socket: Socket, { hostname, port }: Address) {
    this.#socket = socket;
    // A connected socket receives from its peer only. But Deno does not really connect it, so the
    // sender is compared here.
    // The runtimes do not agree on whether the sender's address has its zone.
    const host = withoutZone(hostname);
    socket.on("message", (bytes, from) => {
      if (from.port === port && withoutZone(from.address) === host) this.#arrive({ bytes });
    });
    // There must always be a listener: without one an ICMP port-unreachable ends a process of Bun.
    socket.on("error", (error) => this.#arrive({ error }));
  }

  /**
   * Opens a socket.
   *
   * @param peer the peer's numeric address
   */
  static async open(peer: Address): Promise<DatagramClient> {
    // Loaded only when it is needed: loading takes longer than most answers do.
    const { createSocket } = await import("node:dgram");
    const socket = createSocket(isIPv6(peer.hostname) ? "udp6" : "udp4");
    const failed = Promise.withResolvers<never>();
    socket.once("error", failed.reject);
    const done = (begin: (resolve: () => void) => void) =>
      Promise.race([new Promise<void>(begin), failed.promise]);
    // A machine always sends to itself from the loopback. That address is named here because Deno
    // asks for the permission to use all addresses if none is named.
    if (/^(127\.|::1$)/.test(peer.hostname)) {
      const loopback = isIPv6(peer.hostname) ? "::1" : "127.0.0.1";
      await done((resolve) => socket.bind(0, loopback, resolve));
    }
    // A connected socket hears of the peer's ICMP errors (udp(7)), though not on Deno.
    const host = hostForRuntime(peer.hostname);
    await done((resolve) => socket.connect(peer.port, host, resolve));
    socket.off("error", failed.reject);
    return new DatagramClient(socket, peer);
  }

  /**
   * Sends one datagram.
   *
   * @param bytes at most {@linkcode LARGEST_DATAGRAM} of them
   */
  send(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes, (error) => error ? reject(error) : resolve());
    });
  }

  /**
   * Waits for the next datagram from the peer.
   *
   * @param withinMs how long, in milliseconds; 0 is for ever
   * @returns the bytes of the datagram; `undefined` if none came in time
   * @throws {Error} if the system has heard that a datagram could not be delivered
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
