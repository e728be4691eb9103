/**
 * A server whose connections are served by blocking threads: how it opens, and how it closes
 * without losing anybody who waits in a queue.
 *
 * @module
 */

// @ts-types="../../types/delay.d.ts"
import { delay } from "@std/async/delay";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { isIPv6, SOCKADDR_SIZE } from "../../net/address.ts";
import { lingerLimits } from "../../drivers/limits.ts";
import { DescriptorLingerer } from "./lingerer.ts";
import { LingerQueue } from "./linger_queue.ts";
import { DescriptorRing } from "./descriptor_ring.ts";
import { resolveHost } from "../../net/resolve.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import { ACCEPT_QUEUE } from "../../net/transport.ts";
import { DatagramService } from "../datagrams/datagram_service.ts";
import type { SharedDatagramSocket } from "../datagrams/shared_datagram_socket.ts";
import { connectionCeiling } from "../../workers/descriptor_limits.ts";
import { Observer } from "../core/observer.ts";
import { MainJournal } from "../journal/journal.ts";
import { openSockets, type ServerSockets, type SocketOpeners } from "./open_sockets.ts";
import { type CheckedOptions, checkOptions, type ServeOptions } from "../core/options.ts";
import { makeServer, type Server } from "../core/server.ts";
import { Timeline } from "../trace/timeline.ts";
import { CUT_MS, ThreadTeam } from "../team/thread_team.ts";
import { requireWorkers } from "../../workers/supervised_worker.ts";
import { logCalls } from "./call_log.ts";
import type { SharedSocket } from "./thread.ts";

/** How often closing looks whether it can go on, in milliseconds. */
const LOOK_MS = 2;

/** How a mode opens its server. */
export interface DescriptorServerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module. */
  readonly url: string;
  /** The most threads that it starts at a time. */
  readonly threads: number;
  /**
   * How many accepted connections wait for a thread at most. With 0, the threads accept for
   * themselves: then only those are queued that wait to be accepted when the server closes.
   *
   * @default {0}
   */
  readonly queue?: number;
  /** The most connections that it takes at a time, if the model itself limits them. */
  readonly connections?: number;
  /** Opens the sockets, where a mode shows how; by default there is a listening one. */
  readonly open?: SocketOpeners;
  /** Whether every call on a socket is to be shown. */
  readonly traceCalls?: boolean;
}

/** A connection that waited in the accept queue when the server began to close. */
interface Rescued {
  readonly fd: number;
  readonly sockaddr: Uint8Array;
}

/** A server of threads. A mode opens it, starts its threads and then hands it out. */
export class DescriptorServer {
  /** The threads. */
  readonly team: ThreadTeam;
  /** The connections that were accepted and wait for a thread. */
  readonly ring: DescriptorRing;
  /** The UDP socket, if there is one. */
  readonly datagrams: SharedDatagramSocket | undefined;
  readonly #plan: DescriptorServerPlan;
  readonly #options: ServeOptions;
  readonly #checked: CheckedOptions;
  readonly #sockets: Sockets;
  readonly #timeline: Timeline | undefined;
  readonly #listener: number;
  readonly #address: Address;
  readonly #policy: AcceptPolicy;
  readonly #lingerer: DescriptorLingerer;
  #isOver = false;
  /** What waited in the accept queue when the server began to close. */
  #rescued: Rescued[] = [];

  private constructor(
    plan: DescriptorServerPlan,
    options: ServeOptions,
    checked: CheckedOptions,
    sockets: Sockets,
    { listener, datagrams }: ServerSockets,
    timeline: Timeline | undefined,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#checked = checked;
    this.#sockets = sockets;
    this.#timeline = timeline;
    this.#listener = listener;
    this.datagrams = datagrams;
    this.#address = sockets.localAddress(listener);
    this.ring = DescriptorRing.create(plan.queue || ACCEPT_QUEUE, plan.threads);
    const lingering = LingerQueue.create();
    const ceiling = connectionCeiling(sockets, 1);
    this.#lingerer = new DescriptorLingerer(lingering, sockets, lingerLimits(ceiling));
    this.team = new ThreadTeam({
      mode: plan.mode,
      url: plan.url,
      threads: plan.threads,
      options: checked,
      onReport: options.onReport,
      timeline,
      sockets,
      shared: {
        listener,
        ring: this.ring.memory,
        lingering: lingering.memory,
        datagrams: datagrams?.share,
        traceCalls: plan.traceCalls ?? false,
      } satisfies SharedSocket,
    });
    const { team } = this;
    this.#policy = new AcceptPolicy({
      get ceiling() {
        // Threads that are started when they are needed must find descriptors too.
        const startable = team.onQueued === undefined ? 0 : runtime.cpus;
        return team.gate.ceiling - startable * runtime.descriptorsPerThread;
      },
      nextDescriptor: () => sockets.nextDescriptor(),
    });
    this.team.onLingering = () => this.#lingerer.wake();
  }

  /**
   * Opens the listening socket.
   *
   * @param plan what the mode is
   * @param options what the caller wants
   */
  static async open(plan: DescriptorServerPlan, options: ServeOptions): Promise<DescriptorServer> {
    requireWorkers(plan.url);
    const checked = await checkOptions(options);
    let server: DescriptorServer | undefined;
    const journal = new MainJournal(plan.mode);
    const calls = !plan.traceCalls ? sockets() : logCalls((event) => {
      // What other threads did before comes first.
      server?.team.tell();
      journal.log(event);
    });
    const hostname = await resolveHost(checked.address.hostname);
    const address = { hostname, port: checked.address.port };
    const timeline = Timeline.open(options.trace, {
      mode: plan.mode,
      threads: plan.threads,
      descriptors: calls.descriptorLimit(),
    });
    let opened: ServerSockets | undefined;
    try {
      opened = openSockets(calls, address, checked, plan.open);
      server = new DescriptorServer(plan, options, checked, calls, opened, timeline);
      server.#setLimits();
      return server;
    } catch (error) {
      timeline?.[Symbol.dispose]();
      if (opened !== undefined) calls.close(opened.listener);
      opened?.datagrams?.close();
      opened?.datagrams?.closeWakePair();
      throw error;
    }
  }

  /**
   * Lets connections in and hands the server out. If the threads cannot be started, everything is
   * closed again.
   *
   * @param started resolves when the threads run
   * @param details what a person wants to know of how it runs
   */
  async serve(started: Promise<unknown>, details: readonly string[]): Promise<Server> {
    try {
      await started;
    } catch (error) {
      await this.#shutDown(0);
      throw error;
    }
    this.#setLimits();
    return makeServer({
      mode: this.#plan.mode,
      address: this.#address,
      protocol: this.#checked.protocol.name,
      details,
      drainMs: this.#checked.drainMs,
      signal: this.#options.signal,
      count: () => this.team.count(),
      shutDown: (drainMs) => this.#shutDown(drainMs),
    });
  }

  #setLimits(): void {
    const connections = Math.min(this.#plan.connections ?? Infinity, this.#checked.maxConnections);
    this.team.gate.limit(connections, connectionCeiling(this.#sockets, 1));
  }

  async #shutDown(drainMs: number): Promise<void> {
    const { team, ring } = this;
    const cutAt = performance.now() + drainMs;
    const late = () => performance.now() >= cutAt;
    team.gate.close();
    ring.wakeProducer();
    this.datagrams?.wake();
    // Out of descriptors, the rest is taken as connections end and give theirs back.
    while (!this.#rescueWaiting() && !late()) {
      this.#queueRescued();
      await delay(LOOK_MS);
    }
    // Wakes the threads that block in accept(2); it would reset who waits in the accept queue.
    this.#sockets.shutdown(this.#listener, this.#sockets.constants.SHUT_RDWR);
    while (team.accepting) {
      await delay(LOOK_MS);
      if (runtime.os !== "linux") this.#wakeByConnecting();
    }
    this.#sockets.close(this.#listener);
    const noDatagrams = this.#closeDatagrams();

    while (!late() && !this.#queueRescued()) await delay(LOOK_MS);
    if (this.#rescued.length === 0) ring.close();
    const timer = setTimeout(() => this.#cut(), Math.max(0, cutAt - performance.now()));
    const killer = setTimeout(
      () => team.terminateAll(),
      Math.max(0, cutAt - performance.now()) + CUT_MS,
    );
    await team.empty();
    await this.#lingerer.empty();
    clearTimeout(timer);
    clearTimeout(killer);
    this.#isOver = true;
    this.#closeQueued();
    await noDatagrams;
    team.dispose();
    this.#timeline?.[Symbol.dispose]();
  }

  /** Closes the UDP socket when no thread can be in a call on it, and ends its conversations. */
  async #closeDatagrams(): Promise<void> {
    const { datagrams, team } = this;
    if (datagrams === undefined) return;
    while (!datagrams.isHome && !this.#isOver) await delay(LOOK_MS);
    // A thread that was given up may still use it.
    if (!datagrams.isHome) return;
    datagrams.close();
    team.tell();
    const { protocol, settings: { computeTimeoutMs } } = this.#checked;
    const observer = new Observer(team.counters, team.journal);
    const parts = { calls: this.#sockets, protocol, observer, computeTimeoutMs };
    new DatagramService(datagrams, parts).endAll();
    while (!this.#isOver) await delay(LOOK_MS);
    datagrams.closeWakePair();
  }

  /** Elsewhere than on Linux `shutdown` does not end an accept(2); a connection does. */
  #wakeByConnecting(): void {
    const { AF_INET, AF_INET6, SOCK_STREAM } = this.#sockets.constants;
    const { hostname } = this.#address;
    const fd = this.#sockets.socket(isIPv6(hostname) ? AF_INET6 : AF_INET, SOCK_STREAM);
    try {
      this.#sockets.connect(fd, this.#address);
    } catch {
      // Refused: then nobody can be waiting in accept(2) either.
    } finally {
      this.#sockets.close(fd);
    }
  }

  /**
   * Takes the connections out of the accept queue: closing the socket would reset them.
   *
   * @returns whether it is empty; if not, there are no descriptors to spare
   */
  #rescueWaiting(): boolean {
    const { team } = this;
    // Another thread may be faster than the accept that follows a poll: it must not block. What
    // is accepted from now on inherits that, which its driver knows from the closed gate.
    this.#sockets.setReceiveTimeout(this.#listener, 1);
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    return this.#policy.rescue(
      () => this.#acceptWaiting(sockaddr),
      (fd) => {
        this.#timeline?.main.enqueued(fd);
        this.#rescued.push({ fd, sockaddr: sockaddr.slice() });
      },
      () => team.counters.lost(),
    );
  }

  /** Accepts a connection that waits; `undefined` if none does. */
  #acceptWaiting(sockaddr: Uint8Array): number | undefined {
    const { POLLIN, errno } = this.#sockets.constants;
    while (this.#sockets.poll(this.#listener, POLLIN, 0) > 0) {
      const fd = this.#sockets.accept(this.#listener, sockaddr);
      if (fd >= 0) return fd;
      if (fd !== -errno.EAGAIN) throw new SocketError("accept", -fd);
    }
    return undefined;
  }

  /** Puts what was rescued into the queue as far as there is room; returns whether all is in. */
  #queueRescued(): boolean {
    let put = 0;
    for (const { fd, sockaddr } of this.#rescued) {
      if (!this.ring.tryPut(fd, sockaddr)) break;
      this.ring.wakeTaker();
      put++;
    }
    this.#rescued = this.#rescued.slice(put);
    this.team.onQueued?.(Infinity);
    return this.#rescued.length === 0;
  }

  /** The time to finish is over. */
  #cut(): void {
    this.#closeQueued();
    this.ring.close();
    this.#lingerer.close();
    this.team.cutAll();
  }

  /** Closes the connections that no thread will serve any more. */
  #closeQueued(): void {
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    const left = this.#rescued.splice(0);
    for (let fd = this.ring.tryTake(sockaddr); fd >= 0; fd = this.ring.tryTake(sockaddr)) {
      if (fd === this.datagrams?.fd) this.datagrams.bringHome();
      else left.push({ fd, sockaddr: sockaddr.slice() });
    }
    for (const { fd, sockaddr } of left) {
      this.#recordRefused(fd, sockaddr);
      this.#sockets.close(fd);
      this.team.counters.accepted();
      this.team.counters.cut();
    }
  }

  #recordRefused(fd: number, sockaddr: Uint8Array): void {
    const track = this.#timeline?.main;
    const peer = () => formatAddress(this.#sockets.readAddress(sockaddr));
    track?.refuse(peer(), track.dequeued(fd));
  }
}
