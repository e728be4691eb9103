/**
 * Makes attempts with the Berkeley sockets of Linux, and asks the kernel for evidence. It blocks its
 * thread, so it must run in a Worker.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { BlockingDriver } from "../../../engine/drivers/blocking.ts";
import { wantErrors } from "../../../engine/kernel/error_queue.ts";
import { SOL_IP } from "../../../engine/kernel/linux.ts";
import {
  readCounters,
  readSetting,
  readSocketTable,
  synSchedule,
} from "../../../engine/kernel/proc_net.ts";
import { cookieOf, SockDiag, type SocketRow } from "../../../engine/kernel/sock_diag.ts";
import { readTcpInfo, type TcpInfo } from "../../../engine/kernel/tcp_info.ts";
import { isIPv6 } from "../../../engine/net/address.ts";
import { PollSet } from "../../../engine/net/poll_sets.ts";
import { errorName, type SocketError } from "../../../engine/net/socket_error.ts";
import type { Sockets } from "../../../engine/net/sockets.ts";
import { LONGEST_MS } from "../../../engine/values/durations.ts";
import type { ClosingConnections } from "./closing_connections.ts";
import { type AcceptQueue, type Failure, failureOf } from "./failure.ts";
import { takeIcmp } from "./icmp.ts";
import { HelloHandshake } from "./hello_handshake.ts";
import { PatientSockets } from "./patient_sockets.ts";
import { Fates, type Outcome, type ProbeRequest } from "./probe.ts";
import { Race } from "./race.ts";

/** Option of IP: bind an address now, and choose the port when the peer is known (ip(7)). */
const IP_BIND_ADDRESS_NO_PORT = 24;

/** How many attempts are made before the first one counts. */
const WARM_UP_ROUNDS = 5;

/** How long each of them may take, in milliseconds. */
const WARM_UP_MS = 20;

/** An attempt at one address. */
interface Attempt {
  readonly index: number;
  readonly address: Address;
  readonly fd: number;
  /** When `connect` was called. */
  readonly beganAt: number;
}

/** Makes attempts, one at a time. */
export class DescriptorProber {
  readonly #net: Sockets;
  readonly #closing: ClosingConnections;
  readonly #buffer = new Uint8Array(1);
  /** ListenOverflows before the attempt, if the server may be this machine. */
  #overflows: number | undefined;

  /** @param net the calls @param closing takes the connections that were made */
  constructor(net: Sockets, closing: ClosingConnections) {
    this.#net = net;
    this.#closing = closing;
  }

  /**
   * Makes a few attempts at a listener of its own, because a runtime takes milliseconds for the first
   * one, and they would count as the server's.
   */
  warmUp(): void {
    const net = this.#net;
    let listener = -1;
    try {
      listener = net.openListener({ hostname: "127.0.0.1", port: 0 }, { backlog: WARM_UP_ROUNDS });
      const addresses = [net.localAddress(listener)];
      const limits = { timeoutMs: WARM_UP_MS, firstByteMs: 0, closeWithinMs: 0 };
      for (let round = 0; round < WARM_UP_ROUNDS; round++) {
        // A RST leaves nothing behind, not even a port in TIME_WAIT.
        this.probe({ addresses, ...limits, hello: false, rst: true, source: undefined });
      }
    } catch {
      // There is no loopback here, or no descriptor. The first attempt takes longer then.
    } finally {
      if (listener >= 0) net.close(listener);
    }
  }

  /**
   * Makes an attempt.
   *
   * @param request what to do
   * @returns what it has found
   */
  probe(request: ProbeRequest): Outcome {
    this.#closing.drain(0);
    // It takes as long as a short limit, so it is read before the clock starts.
    const isNear = request.addresses.some((address) => isOwnAddress(this.#net, address));
    this.#overflows = isNear ? readCounters().get("ListenOverflows") : undefined;
    const limitMs = request.timeoutMs === 0 ? Infinity : request.timeoutMs;
    const race = new Race(request.addresses.length, limitMs);
    const fates = new Fates(request.addresses);
    const open: Attempt[] = [];
    try {
      const winner = this.#run(race, request, fates, open);
      if (winner === undefined) return fates.lost();
      open.splice(open.indexOf(winner), 1);
      return this.#use(winner, request, fates);
    } finally {
      for (const { index, fd } of open) {
        if (fates.all[index]?.fate === "not tried") fates.set(index, "under way");
        this.#net.close(fd);
      }
    }
  }

  #run(race: Race, request: ProbeRequest, fates: Fates, open: Attempt[]): Attempt | undefined {
    const fail = (attempt: Attempt, failure: Failure, now: number) => {
      fates.set(attempt.index, failure, (now - attempt.beganAt) * 1000);
      open.splice(open.indexOf(attempt), 1);
      this.#net.close(attempt.fd);
      race.failed();
    };
    while (!race.isLost) {
      for (let next = race.next(performance.now()); next !== undefined;) {
        const address = request.addresses[next] as Address;
        const begun = this.#begin(next, address, request.source);
        if ("failure" in begun) {
          fates.set(next, begun.failure, begun.us);
          race.failed();
        } else {
          open.push(begun.attempt);
          race.called(begun.attempt.beganAt);
          if (begun.isConnected) return begun.attempt;
        }
        next = race.next(performance.now());
      }
      const now = performance.now();
      if (race.isLate(now)) {
        for (const attempt of [...open]) fail(attempt, this.#explainSilence(attempt, now), now);
        return undefined;
      }
      if (open.length === 0) continue;
      const ended = this.#await(open, race.waitMs(now));
      const at = performance.now();
      for (const attempt of ended) {
        const errno = this.#errorOf(attempt.fd);
        if (errno === 0) {
          fates.set(attempt.index, "connected", (at - attempt.beganAt) * 1000);
          return attempt;
        }
        fail(attempt, this.#explain(attempt, errno, at), at);
      }
    }
    return undefined;
  }

  /** Calls `connect` on a new socket. */
  #begin(
    index: number,
    address: Address,
    source: string | undefined,
  ):
    | { readonly attempt: Attempt; readonly isConnected: boolean }
    | { readonly failure: Failure; readonly us: number } {
    const net = this.#net;
    const { AF_INET, AF_INET6, SOCK_STREAM, SOCK_NONBLOCK, IPPROTO_TCP, TCP_NODELAY } =
      net.constants;
    const isSix = isIPv6(address.hostname);
    const sockaddr = net.writeAddress(address);
    const before = performance.now();
    let fd = -1;
    try {
      fd = net.socket(isSix ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
      net.setOption(fd, IPPROTO_TCP, TCP_NODELAY, 1);
      wantErrors(net, fd, isSix);
      if (source !== undefined) {
        net.setOption(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
        net.bind(fd, { hostname: source, port: 0 });
      }
    } catch (error) {
      if (fd >= 0) net.close(fd);
      const { code } = error as SocketError;
      return { failure: failureOf({ code, afterMs: 0 }), us: (performance.now() - before) * 1000 };
    }
    const beganAt = performance.now();
    const result = net.connectNonBlocking(fd, sockaddr);
    const attempt: Attempt = { index, address, fd, beganAt };
    if (result === 0) return { attempt, isConnected: true };
    // A signal that comes in between does not end the attempt (connect(2)).
    const { EINPROGRESS, EINTR } = net.constants.errno;
    if (result === -EINPROGRESS || result === -EINTR) return { attempt, isConnected: false };
    const at = performance.now();
    const failure = this.#explain(attempt, -result, at);
    net.close(fd);
    return { failure, us: (at - beganAt) * 1000 };
  }

  /** Waits for attempts, and returns those that have ended. */
  #await(open: readonly Attempt[], waitMs: number): Attempt[] {
    const set = new PollSet(open.length);
    open.forEach(({ fd }, index) => set.watch(index, fd, this.#net.constants.POLLOUT));
    if (this.#net.pollFine(set, Math.min(waitMs, LONGEST_MS)) <= 0) return [];
    return open.filter((_, index) => set.eventsAt(index) !== 0);
  }

  /** The error of a socket that is ready; 0 if it is connected. */
  #errorOf(fd: number): number {
    const { SOL_SOCKET, SO_ERROR } = this.#net.constants;
    return this.#net.getOption(fd, SOL_SOCKET, SO_ERROR);
  }

  /** Uses the connection as was asked for, and closes it. */
  #use(attempt: Attempt, request: ProbeRequest, fates: Fates): Outcome {
    const net = this.#net;
    const { fd, address } = attempt;
    const us = fates.all[attempt.index]?.us ?? (performance.now() - attempt.beganAt) * 1000;
    fates.set(attempt.index, "connected", us);
    const connectedAt = performance.timeOrigin + attempt.beganAt + us / 1000;
    const outcome = { fates: fates.all, address, connectUs: us, connectedAt };
    try {
      const local = net.localAddress(fd);
      const cookie = cookieOf(net, fd);
      const known = { ...outcome, local, cookie };
      const peer = net.peerAddress(fd);
      if (local.hostname === peer.hostname && local.port === peer.port) {
        const failure: Failure = { kind: "self" };
        fates.set(attempt.index, failure, us);
        this.#closing.close(fd, true);
        return { ...known, failure };
      }
      const said = request.firstByteMs > 0 ? this.#listen(fd, request.firstByteMs) : {};
      const done = request.hello && !("failure" in said)
        ? { ...said, ...this.#shakeHands(fd, request.timeoutMs) }
        : said;
      const info = this.#infoOf(fd);
      this.#closing.close(fd, request.rst);
      return { ...known, ...done, ...(info !== undefined && { info }) };
    } catch (error) {
      // Between `poll` and here the peer has reset the connection.
      net.close(fd);
      const { code } = error as SocketError;
      if (code !== "ENOTCONN" && code !== "ECONNRESET" && code !== "EINVAL") throw error;
      return { ...outcome, failure: { kind: "reset", during: "connecting" } };
    }
  }

  /** Waits for the first byte, and leaves it where it is. */
  #listen(
    fd: number,
    withinMs: number,
  ): Pick<Outcome, "beginning" | "firstByteUs" | "failure"> {
    const { EAGAIN, EINTR } = this.#net.constants.errno;
    const { MSG_PEEK, MSG_DONTWAIT } = this.#net.constants;
    const began = performance.now();
    for (;;) {
      const left = withinMs - (performance.now() - began);
      if (left <= 0 || this.#net.waitFine(fd, left) === 0) return { beginning: "silent" };
      const at = performance.now();
      const count = this.#net.recv(fd, this.#buffer, MSG_PEEK | MSG_DONTWAIT);
      if (count === -EINTR || count === -EAGAIN) continue;
      if (count > 0) return { beginning: "spoke", firstByteUs: (at - began) * 1000 };
      if (count === 0) return { beginning: "closed" };
      return { failure: { kind: "reset", during: "first byte" } };
    }
  }

  #shakeHands(fd: number, timeoutMs: number): Pick<Outcome, "helloUs" | "failure"> {
    const limits = { readTimeoutMs: 0, sessionTimeoutMs: timeoutMs, computeTimeoutMs: 0 };
    const driver = new BlockingDriver(new PatientSockets(), { ...limits, receiveTimeoutMs: 0 });
    const handshake = new HelloHandshake();
    const began = performance.now();
    try {
      driver.converse(fd, handshake.conversation());
      return { helloUs: (performance.now() - began) * 1000 };
    } catch (error) {
      return { failure: handshake.failure(error, performance.now() - began) };
    }
  }

  #infoOf(fd: number): TcpInfo | undefined {
    try {
      return readTcpInfo(this.#net, fd);
    } catch {
      // This system has no such figures, as on gVisor.
      return undefined;
    }
  }

  /** Why `connect` has failed. */
  #explain({ fd, address, beganAt }: Attempt, errno: number, at: number): Failure {
    const failure = failureOf({
      code: errorName(errno),
      afterMs: at - beganAt,
      icmp: takeIcmp(this.#net, fd),
    });
    if (failure.kind === "no_ports") return { ...failure, ...this.#portsFor(address) };
    if (failure.kind !== "timeout") return failure;
    return { ...failure, ...this.#silenceOf(fd, address) };
  }

  /** Why nothing has come within the limit. */
  #explainSilence({ fd, address, beganAt }: Attempt, at: number): Failure {
    const afterMs = at - beganAt;
    return { kind: "timeout", afterMs, byKernel: false, ...this.#silenceOf(fd, address) };
  }

  /** What is known of SYNs that nobody has answered. */
  #silenceOf(
    fd: number,
    address: Address,
  ): Pick<Failure & { kind: "timeout" }, "syns" | "schedule" | "queue"> {
    const sentAgain = this.#infoOf(fd)?.total_retrans;
    const queue = this.#queueOf(address);
    return {
      schedule: synSchedule(),
      ...(sentAgain !== undefined && { syns: 1 + sentAgain }),
      ...(queue !== undefined && { queue }),
    };
  }

  /** The accept queue of the listener on this machine, if that is where the server is, and full. */
  #queueOf(address: Address): AcceptQueue | undefined {
    if (!isOwnAddress(this.#net, address)) return undefined;
    const found = listeners(this.#net, address.port);
    // The kernel prefers the listener with the very address.
    const at = (hostname: string) => found.find(({ local }) => local.hostname === hostname);
    const isSix = isIPv6(address.hostname);
    const listener = at(address.hostname) ?? (isSix ? undefined : at("0.0.0.0")) ?? at("::");
    if (listener === undefined) return undefined;
    const { receiveQueue: waiting, sendQueue: limit } = listener;
    // Linux takes one more than the limit. Where the limit is not known, a queue is only a hint.
    if (waiting === 0 || waiting < limit) return undefined;
    const [before, now] = [this.#overflows, readCounters().get("ListenOverflows")];
    return {
      waiting,
      ...(Number.isFinite(limit) && { limit }),
      ...(before !== undefined && now !== undefined && { overflows: now - before }),
    };
  }

  #portsFor(address: Address): Pick<Failure & { kind: "no_ports" }, "range" | "timeWait"> {
    const numbers = readSetting("net/ipv4/ip_local_port_range")?.split(/\s+/).map(Number);
    const timeWait = timeWaitTo(this.#net, address);
    return {
      ...(numbers?.length === 2 && { range: [numbers[0], numbers[1]] as [number, number] }),
      ...(timeWait !== undefined && { timeWait }),
    };
  }
}

/** Whether an address is this machine's. A datagram socket finds out without sending anything. */
function isOwnAddress(net: Sockets, address: Address): boolean {
  if (/^(127\.|::1$)/.test(address.hostname)) return true;
  const { AF_INET, AF_INET6, SOCK_DGRAM } = net.constants;
  let fd = -1;
  try {
    fd = net.socket(isIPv6(address.hostname) ? AF_INET6 : AF_INET, SOCK_DGRAM);
    net.connect(fd, address);
    return net.localAddress(fd).hostname === address.hostname;
  } catch {
    // There is no route to it.
    return false;
  } finally {
    if (fd >= 0) net.close(fd);
  }
}

function listeners(net: Sockets, port: number): SocketRow[] {
  try {
    using diag = new SockDiag(net);
    return diag.sockets({ port, states: ["LISTEN"] });
  } catch {
    // No netlink here.
    return readSocketTable(port).filter(({ state }) => state === "LISTEN");
  }
}

function timeWaitTo(net: Sockets, { hostname, port }: Address): number | undefined {
  try {
    using diag = new SockDiag(net);
    return diag.sockets({ port, either: true, states: ["TIME_WAIT"] })
      .filter(({ remote }) => remote.port === port && remote.hostname === hostname).length;
  } catch {
    return undefined;
  }
}
