/**
 * A client that sends datagrams from any address of the loopback and hears what comes back.
 *
 * @module
 */

import { encodeSockaddr, SOCKADDR_SIZE } from "../../engine/net/address.ts";
import { type Sockets, sockets } from "../../engine/net/sockets.ts";
import { type Address, formatAddress } from "../../protocol.ts";
import { bytesOf } from "./conversation.ts";
import { assert, delay, WaitError } from "./harness.ts";

/** One UDP socket of a client. */
export class DatagramPeer implements Disposable {
  /** This end, as the server's log names it. */
  readonly name: string;
  readonly #net: Sockets = sockets();
  readonly #fd: number;
  readonly #server: Uint8Array;
  readonly #buffer = new Uint8Array(65_535);
  #isOpen = true;

  /** @param server the address to send to @param own the own address; port 0 is a free one */
  constructor(server: Address, own: Address = { hostname: server.hostname, port: 0 }) {
    const net = this.#net;
    const { AF_INET, AF_INET6, SOCK_DGRAM } = net.constants;
    this.#fd = net.socket(own.hostname.includes(":") ? AF_INET6 : AF_INET, SOCK_DGRAM);
    net.bind(this.#fd, own);
    this.name = `udp ${formatAddress(net.localAddress(this.#fd))}`;
    this.#server = encodeSockaddr(server, net.constants);
  }

  /** Its port. */
  get port(): number {
    return this.#net.localAddress(this.#fd).port;
  }

  /** Sends one datagram. Returns whether the kernel has taken it. */
  send(what: string | Uint8Array): boolean {
    const bytes = typeof what === "string" ? bytesOf(what) : what;
    return this.#net.sendto(this.#fd, bytes, this.#server) === bytes.length;
  }

  /** Takes a datagram that has come; `undefined` if none has. */
  take(): Uint8Array | undefined {
    const { MSG_DONTWAIT } = this.#net.constants;
    const from = new Uint8Array(SOCKADDR_SIZE);
    const count = this.#net.recvfrom(this.#fd, this.#buffer, from, MSG_DONTWAIT);
    return count < 0 ? undefined : this.#buffer.slice(0, count);
  }

  /** Waits for a datagram. */
  async receive(what = "an answer", ms = 10_000): Promise<Uint8Array> {
    const endsAt = performance.now() + ms;
    for (;;) {
      const bytes = this.take();
      if (bytes !== undefined) return bytes;
      if (performance.now() > endsAt) throw new WaitError(`Waited ${ms} ms in vain: ${what}`);
      await delay(1);
    }
  }

  /** Sends a datagram and waits for its answer. */
  async ask(what: string): Promise<string> {
    assert(this.send(what));
    return new TextDecoder().decode(await this.receive(`the answer to ${what}`));
  }

  /** Leaves. The system answers later datagrams with an ICMP message. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#net.close(this.#fd);
    this.#isOpen = false;
  }
}
