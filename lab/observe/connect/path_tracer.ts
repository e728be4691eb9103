/**
 * Finds the routers on the way to a server, with SYNs that may pass only some of them. No root is
 * needed: the kernel tells the socket who has dropped its SYN. It blocks its thread.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { setHops, wantErrors } from "../../../engine/kernel/error_queue.ts";
import { SOL_TCP, TCP_SYNCNT } from "../../../engine/kernel/linux.ts";
import { isIPv6 } from "../../../engine/net/address.ts";
import { PollSet } from "../../../engine/net/poll_sets.ts";
import { errorName, type SocketError } from "../../../engine/net/socket_error.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import type { ClosingConnections } from "./closing_connections.ts";
import { type Failure, failureOf, type Icmp } from "./failure.ts";
import { takeIcmp } from "./icmp.ts";

/** Which distances to ask about. */
export interface TraceRequest {
  /** The server. */
  readonly address: Address;
  /** The first distance: how many hops the SYNs may go, from 1. */
  readonly from: number;
  /** The last distance. */
  readonly to: number;
  /** How many SYNs go to each distance. */
  readonly probes: number;
  /** How long an answer may take, in milliseconds. */
  readonly withinMs: number;
  /** The address to call from. */
  readonly source: string | undefined;
}

/** What became of one SYN. */
export interface HopProbe {
  /** Who has answered; `undefined` if nobody has. */
  readonly by: string | undefined;
  /** How long that took, in microseconds. */
  readonly us?: number;
  /** Whether the server itself has answered, and how. */
  readonly reached?: "connected" | "refused";
  /** The message of a router. */
  readonly icmp?: Icmp;
  /** Why it can get no farther; absent if it has only come to the end of its hops. */
  readonly failure?: Failure;
}

/** What was found at one distance. */
export interface Hop {
  /** The distance. */
  readonly hop: number;
  /** A SYN each. */
  readonly probes: readonly HopProbe[];
}

interface Sent {
  readonly hop: number;
  readonly fd: number;
  readonly beganAt: number;
  found: HopProbe | undefined;
}

const SILENT: HopProbe = { by: undefined };

/** Asks about some distances at a time. */
export class PathTracer {
  readonly #net: Sockets;
  readonly #closing: ClosingConnections;

  /** @param net the calls @param closing takes the connections that were made */
  constructor(net: Sockets, closing: ClosingConnections) {
    this.#net = net;
    this.#closing = closing;
  }

  /**
   * Sends SYNs to some distances, all at once, and waits for the answers.
   *
   * @param request which distances
   * @returns what was found at each of them
   */
  trace(request: TraceRequest): Hop[] {
    const { from, to, probes } = request;
    const hops = Array.from({ length: to - from + 1 }, (_, index) => from + index);
    const sent = hops.flatMap((hop) =>
      Array.from({ length: probes }, () => this.#send(hop, request))
    );
    const endsAt = performance.now() + request.withinMs;
    for (;;) {
      const open = sent.filter(({ found }) => found === undefined);
      const leftMs = endsAt - performance.now();
      if (open.length === 0 || leftMs <= 0) break;
      this.#await(open, request.address, leftMs);
    }
    for (const probe of sent) {
      if (probe.found !== undefined) continue;
      probe.found = SILENT;
      this.#net.close(probe.fd);
    }
    return hops.map((hop) => ({
      hop,
      probes: sent.filter((probe) => probe.hop === hop).map(({ found }) => found ?? SILENT),
    }));
  }

  #send(hop: number, { address, source }: TraceRequest): Sent {
    const net = this.#net;
    const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK } = net.constants;
    const isSix = isIPv6(address.hostname);
    const sockaddr = net.writeAddress(address);
    let fd = -1;
    let errno: number;
    const beganAt = performance.now();
    try {
      fd = net.socket(isSix ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      wantErrors(net, fd, isSix);
      setHops(net, fd, isSix, hop);
      // A SYN that nobody has answered is sent again only once: a second one is enough.
      net.setOption(fd, SOL_TCP, TCP_SYNCNT, 1);
      if (source !== undefined) net.bind(fd, { hostname: source, port: 0 });
      errno = -net.connectNonBlocking(fd, sockaddr);
    } catch (error) {
      errno = (error as SocketError).errno;
    }
    const probe: Sent = { hop, fd, beganAt, found: undefined };
    const { EINPROGRESS, EINTR } = net.constants.errno;
    if (errno !== EINPROGRESS && errno !== EINTR) this.#end(probe, address, errno);
    return probe;
  }

  #await(open: readonly Sent[], address: Address, waitMs: number): void {
    const { POLLOUT, SOL_SOCKET, SO_ERROR } = this.#net.constants;
    const set = new PollSet(open.length);
    open.forEach(({ fd }, index) => set.watch(index, fd, POLLOUT));
    if (this.#net.pollFine(set, waitMs) <= 0) return;
    const now = performance.now();
    open.forEach((probe, index) => {
      if (set.eventsAt(index) === 0) return;
      this.#end(probe, address, this.#net.getOption(probe.fd, SOL_SOCKET, SO_ERROR), now);
    });
  }

  /** Notes what became of a SYN, and closes its socket. */
  #end(probe: Sent, { hostname }: Address, errno: number, at = performance.now()): void {
    const { fd, beganAt } = probe;
    const us = (at - beganAt) * 1000;
    if (errno === 0) {
      probe.found = { by: hostname, us, reached: "connected" };
      return this.#closing.close(fd, false);
    }
    const icmp = fd < 0 ? undefined : takeIcmp(this.#net, fd);
    const failure = failureOf({ code: errorName(errno), afterMs: at - beganAt, icmp });
    if (fd >= 0) this.#net.close(fd);
    const by = icmp?.by ?? hostname;
    // A firewall on the way may refuse too, and then nobody knows what the server would say.
    if (failure.kind === "refused" && isSameHost(by, hostname)) {
      probe.found = { by, us, reached: "refused", ...(icmp !== undefined && { icmp }) };
    } else if (failure.kind === "timeout") probe.found = SILENT;
    else if (icmp !== undefined && isTooManyHops(icmp)) probe.found = { by: icmp.by, us, icmp };
    else probe.found = { by: icmp?.by, us, failure, ...(icmp !== undefined && { icmp }) };
  }
}

/** Whether two addresses are the same, whatever their zones are. */
function isSameHost(one: string, other: string): boolean {
  const bare = (address: string) => address.replace(/%.*$/, "");
  return bare(one) === bare(other);
}

/** Whether a router has dropped the packet because it may go no farther (RFC 792, RFC 4443). */
function isTooManyHops({ origin, type }: Icmp): boolean {
  return origin === "icmp6" ? type === 3 : type === 11;
}
