/**
 * A server whose blocking threads serve its connections. This module says how it opens, and how it
 * closes without losing a connection that waits in a queue: see `seal.ts`.
 *
 * @module
 */

import { stamp } from "../../values/moment.ts";
import { pause } from "../../values/pause.ts";
import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { saveSyns } from "../../kernel/saved_syn.ts";
import { AcceptPolicy } from "../../net/accept_policy.ts";
import { isUnix, SOCKADDR_SIZE } from "../../net/address.ts";
import { betweenMessagesMs, lingerLimits } from "../../drivers/limits.ts";
import { DescriptorLingerer } from "../team/lingerer.ts";
import { LingerQueue } from "../team/linger_queue.ts";
import { DescriptorRing } from "./descriptor_ring.ts";
import { resolveHost } from "../../net/resolve.ts";
import { runtime } from "../../net/runtime.ts";
import { SocketError } from "../../net/socket_error.ts";
import { type Sockets, sockets } from "../../net/sockets.ts";
import { ACCEPT_QUEUE } from "../../net/transport.ts";
import { DatagramService } from "../datagrams/datagram_service.ts";
import type { SharedDatagramSocket } from "../datagrams/shared_datagram_socket.ts";
import { connectionCeiling, requireRoomToServe } from "../../workers/descriptor_limits.ts";
import type { Door } from "../core/door.ts";
import { Observer } from "../core/observer.ts";
import { openDoor } from "../core/open_door.ts";
import { REFUSED_LIMITS } from "../core/refusals.ts";
import { MainJournal } from "../journal/journal.ts";
import { Seal } from "../listening/seal.ts";
import { openSockets, type ServerSockets, type SocketOpeners } from "./open_sockets.ts";
import { type CheckedOptions, checkOptions, type ServeOptions } from "../core/options.ts";
import { makeServer, type Server } from "../core/server.ts";
import type { OwnFigures } from "../core/statistics_share.ts";
import { processNumbers, workerFigures, workerPulses } from "../team/team_memory.ts";
import type { Timeline } from "../trace/timeline.ts";
import { openTimeline } from "../trace/open_timeline.ts";
import type { HeldListener } from "../takeover/held_listener.ts";
import { CUT_MS, type ProcessStarter, ThreadTeam } from "../team/thread_team.ts";
import { requireWorkers } from "../../workers/supervised_worker.ts";
import { Places } from "../core/header_places.ts";
import { logCalls } from "./call_log.ts";
import type { SharedSocket } from "./thread.ts";

/** How often a server that is closing looks whether it can go on, in milliseconds. */
const LOOK_MS = 2;

const WAKE = Uint8Array.of(1);

/** How a mode opens its server. */
export interface DescriptorServerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module. */
  readonly url: string;
  /** The most threads that run at the same time. */
  readonly threads: number;
  /**
   * The most accepted connections that wait for a thread. With 0, the threads accept for themselves:
   * then the queue holds only the connections that wait when the server closes.
   *
   * @default {0}
   */
  readonly queue?: number;
  /** The most connections at the same time, if the model itself limits them. */
  readonly connections?: number;
  /** Opens the sockets, in modes that show how. By default there is one socket, which listens. */
  readonly open?: SocketOpeners;
  /** Whether the log shows every call on a socket. */
  readonly traceCalls?: boolean;
  /** Starts the processes, if those serve the connections. */
  readonly processes?: ProcessStarter;
}

/** A connection that waited in the accept queue when the server began to close. */
interface Rescued {
  readonly fd: number;
  readonly sockaddr: Uint8Array;
  /** The stamp of when it began to wait here. */
  readonly since: number;
}

/** A server of threads. A mode opens it, starts its threads and then calls `serve`. */
export class DescriptorServer {
  /** The threads. */
  readonly team: ThreadTeam;
  /** The queue of accepted connections that wait for a thread. */
  readonly ring: DescriptorRing;
  /** The UDP socket, if there is one. */
  readonly datagrams: SharedDatagramSocket | undefined;
  readonly #plan: DescriptorServerPlan;
  readonly #options: ServeOptions;
  readonly #checked: CheckedOptions;
  readonly #sockets: Sockets;
  readonly #timeline: Timeline | undefined;
  readonly #held: HeldListener;
  readonly #listener: number;
  readonly #address: Address;
  readonly #policy: AcceptPolicy;
  /** Says who may come in. */
  readonly #door: Door;
  readonly #lingerer: DescriptorLingerer;
  /** Calls that `--trace-calls` does not show: they are no part of a connection's life. */
  readonly #quiet: Sockets = sockets();
  /** Two connected sockets: a byte into the second wakes all threads that wait for connections. */
  readonly #wakePair: readonly [number, number] = this.#quiet.socketpair();
  /** Lets the connections linger that were refused. */
  readonly #refused: DescriptorLingerer;
  #isOver = false;
  /** The connections that waited in the accept queue when the server began to close. */
  #rescued: Rescued[] = [];

  private constructor(
    plan: DescriptorServerPlan,
    options: ServeOptions,
    checked: CheckedOptions,
    sockets: Sockets,
    { held, datagrams }: ServerSockets,
    timeline: Timeline | undefined,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#checked = checked;
    this.#sockets = sockets;
    this.#timeline = timeline;
    const { listener, address } = held;
    this.#held = held;
    this.#listener = listener;
    this.datagrams = datagrams;
    this.#address = address;
    const allocate = plan.processes?.allocate;
    this.ring = DescriptorRing.create(plan.queue || ACCEPT_QUEUE, plan.threads, allocate);
    const lingering = LingerQueue.create(allocate);
    const ceiling = connectionCeiling(sockets, 1);
    const limits = lingerLimits(ceiling, checked.settings.writeTimeoutMs);
    this.#lingerer = new DescriptorLingerer(lingering, sockets, limits);
    const refused = LingerQueue.create(allocate);
    this.#refused = new DescriptorLingerer(refused, sockets, REFUSED_LIMITS);
    this.team = new ThreadTeam({
      mode: plan.mode,
      url: plan.url,
      threads: plan.threads,
      options: checked,
      onReport: options.onReport,
      timeline,
      sockets,
      processes: plan.processes,
      shared: {
        listener,
        wake: this.#wakePair[0],
        ring: this.ring.memory,
        lingering: lingering.memory,
        refused: refused.memory,
        datagrams: datagrams?.share,
        places: this.#places(checked, plan),
        traceCalls: plan.traceCalls ?? false,
        logSyn: checked.logSyn,
        isCrowded: plan.threads > 1 && !plan.queue,
        inheritsTimeout: held.inheritsTimeout(betweenMessagesMs(checked.settings)),
      } satisfies SharedSocket,
    });
    const { team } = this;
    const { settings: { admission: rules }, protocol } = checked;
    const { culprits } = team.memory;
    const parts = { rules, counters: team.counters, journal: team.journal, protocol };
    this.#door = openDoor(parts, { culprits });
    this.#policy = new AcceptPolicy({
      ceiling() {
        // Threads that are started on demand need descriptors too.
        const startable = team.onQueued === undefined ? 0 : runtime.cpus;
        return team.gate.ceiling - startable * runtime.descriptorsPerThread;
      },
      nextDescriptor: () => sockets.nextDescriptor(),
    });
    this.team.onLingering = () => {
      this.#lingerer.wake();
      this.#refused.wake();
    };
    this.team.onLeft = (fd) => this.#lingerer.takeOver(fd);
  }

  /**
   * Opens the server's sockets.
   *
   * @param plan how the mode opens its server
   * @param options the caller's options
   */
  static async open(plan: DescriptorServerPlan, options: ServeOptions): Promise<DescriptorServer> {
    requireWorkers(plan.url);
    const checked = await checkOptions(options);
    let server: DescriptorServer | undefined;
    const journal = new MainJournal(plan.mode);
    const calls = !plan.traceCalls ? sockets() : logCalls((event) => {
      // Entries that other threads have written earlier come first.
      server?.team.printJournals();
      journal.log(event);
    });
    const hostname = await resolveHost(checked.address.hostname);
    const address = { hostname, port: checked.address.port };
    let timeline: Timeline | undefined;
    let opened: ServerSockets | undefined;
    try {
      opened = await openSockets(calls, address, checked, journal, plan.open);
      timeline = await openTimeline(options, {
        mode: plan.mode,
        threads: plan.threads,
        descriptors: calls.descriptorLimit(),
        isSuccessor: opened.held.isSuccessor,
        allocate: plan.processes?.allocate,
      });
      if (checked.logSyn) saveSyns(calls, opened.held.listener);
      server = new DescriptorServer(plan, options, checked, calls, opened, timeline);
      server.#setLimits();
      return server;
    } catch (error) {
      timeline?.[Symbol.dispose]();
      opened?.held.abandon();
      if (opened !== undefined) calls.close(opened.held.listener);
      opened?.datagrams?.close();
      opened?.datagrams?.closeWakePair();
      throw error;
    }
  }

  /**
   * Lets connections in and returns the server. If the threads cannot be started, everything is
   * closed again.
   *
   * @param started resolves when the threads run
   * @param details how it runs, in words for people
   */
  async serve(started: Promise<unknown>, details: readonly string[]): Promise<Server> {
    try {
      await started;
      requireRoomToServe();
      await this.#held.confirm();
    } catch (error) {
      this.#held.abandon();
      await this.#shutDown(0);
      this.#timeline?.[Symbol.dispose]();
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
      timeline: this.#timeline,
      handover: this.#held,
      count: () => this.team.count(),
      counters: this.team.memory.counters,
      figures: this.#figures,
      shutDown: (drainMs) => this.#shutDown(drainMs),
    });
  }

  /** Where threads wait until they may wait for a header, if there are very many of them. */
  #places(
    { settings: { admission } }: CheckedOptions,
    { threads, processes }: DescriptorServerPlan,
  ): SharedArrayBuffer | undefined {
    // There are never more processes than places, and one that is killed gives none back.
    if (processes !== undefined) return undefined;
    return admission?.proxies && Places.create(threads)?.memory;
  }

  get #figures(): OwnFigures {
    const { queue, processes } = this.#plan;
    const queued = queue ? this.ring.figure : processes?.queued;
    const { memory } = this.team;
    return {
      ...(queued !== undefined && { queued }),
      ...(queue && { queue: this.ring.memory }),
      ...workerFigures(memory),
      pulses: workerPulses(memory),
      ...(processes !== undefined && { processes: processNumbers(memory) }),
    };
  }

  #setLimits(): void {
    const { threads, queue = 0, connections: most = Infinity } = this.#plan;
    const { maxConnections, settings: { admission } } = this.#checked;
    // What finds all threads busy and the queue full waits in the accept queue, or is refused. One
    // of the threads accepts.
    const room = admission?.refusesOverflow === true && queue > 0 ? queue + threads - 1 : Infinity;
    const connections = Math.min(most, maxConnections, room);
    this.team.gate.limit(connections, connectionCeiling(this.#sockets, 1));
  }

  async #shutDown(drainMs: number): Promise<void> {
    const { team, ring } = this;
    const cutAt = performance.now() + drainMs;
    const late = () => performance.now() >= cutAt;
    team.gate.close();
    ring.wakeProducer();
    this.datagrams?.wake();
    this.#held.refuseOthers();
    this.#quiet.send(this.#wakePair[1], WAKE);
    this.#plan.processes?.continueAll();
    while (team.accepting && performance.now() < cutAt + CUT_MS) {
      await pause(LOOK_MS);
      if (runtime.os !== "linux") this.#wakeByConnecting();
    }
    await this.#closeListener(late);
    const noDatagrams = this.#closeDatagrams();

    while (!late() && !this.#queueRescued()) await pause(LOOK_MS);
    if (this.#rescued.length === 0) ring.close();
    const timer = setTimeout(() => this.#cut(), Math.max(0, cutAt - performance.now()));
    const killAll = () => {
      team.terminateAll();
      // If these were processes, the threads that deal with them have as long again.
      killer = setTimeout(killAll, CUT_MS);
    };
    let killer = setTimeout(killAll, Math.max(0, cutAt - performance.now()) + CUT_MS);
    await team.empty();
    await Promise.all([this.#lingerer.empty(), this.#refused.empty()]);
    clearTimeout(timer);
    clearTimeout(killer);
    this.#isOver = true;
    this.#closeQueued();
    await noDatagrams;
    for (const fd of this.#wakePair) this.#quiet.close(fd);
    team.dispose();
  }

  /**
   * Takes all connections out of the accept queue, and closes the listener. If others go on accepting
   * from it, the queue is theirs.
   */
  async #closeListener(late: () => boolean): Promise<void> {
    const { isLeft } = this.#held;
    // Nobody comes to a Unix domain socket any more: see `HeldListener.refuseOthers`.
    const isSealed = isLeft || late() || isUnix(this.#address.hostname);
    await using seal = isSealed ? undefined : await Seal.begin({
      listeners: [this.#listener],
      journal: this.team.journal,
      ownPort: this.#timeline?.ownPort,
      onConnection: (fd, sockaddr) => this.#hold(fd, sockaddr),
    });
    // When there are no descriptors left, the rest is accepted later: connections that end give
    // theirs back.
    const isDone = () => this.#rescueWaiting() && (seal === undefined || seal.isEmpty());
    while (!isLeft && !isDone() && !late()) {
      this.#queueRescued();
      await pause(LOOK_MS);
    }
    // Processes have it too, and those that are busy cannot close it now.
    if (!isLeft && this.#plan.processes !== undefined) {
      this.#sockets.shutdown(this.#listener, this.#sockets.constants.SHUT_RDWR);
    }
    // A thread that has not come back yet must not find something else under this number.
    if (this.team.accepting) this.#sockets.hollow(this.#listener);
    else this.#sockets.close(this.#listener);
  }

  /** Ends the UDP conversations, and closes their socket when no thread can be in a call on it. */
  async #closeDatagrams(): Promise<void> {
    const { datagrams, team } = this;
    if (datagrams === undefined) return;
    while (!datagrams.isHome && !this.#isOver) await pause(LOOK_MS);
    // An abandoned thread may still use it.
    if (!datagrams.isHome) return;
    datagrams.close();
    team.printJournals();
    const { protocol, settings: { computeTimeoutMs } } = this.#checked;
    const observer = new Observer(team.counters, team.journal);
    const parts = { calls: this.#sockets, protocol, observer, computeTimeoutMs };
    new DatagramService(datagrams, parts).endAll();
    while (!this.#isOver) await pause(LOOK_MS);
    datagrams.closeWakePair();
  }

  /**
   * Connects to the listener. Where listeners block, another thread may have taken the connection for
   * which a thread has begun to accept.
   */
  #wakeByConnecting(): void {
    const { SOCK_STREAM } = this.#sockets.constants;
    const fd = this.#sockets.socket(this.#sockets.familyOf(this.#address), SOCK_STREAM);
    try {
      this.#sockets.connect(fd, this.#address);
    } catch {
      // The connection was refused, so no thread can be waiting in accept(2) either.
    } finally {
      this.#sockets.close(fd);
    }
  }

  /**
   * Takes the connections out of the accept queue, because closing the socket would reset them.
   *
   * @returns whether the accept queue is empty; if not, there are no descriptors to spare
   */
  #rescueWaiting(): boolean {
    const { team } = this;
    // To see that nobody waits takes no descriptor.
    if (!this.#isAwaited) return true;
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    return this.#policy.rescue(
      () => this.#acceptWaiting(sockaddr),
      (fd) => this.#hold(fd, sockaddr),
      () => team.counters.lost(),
    );
  }

  /** Whether somebody waits in the accept queue. */
  get #isAwaited(): boolean {
    return this.#sockets.poll(this.#listener, this.#sockets.constants.POLLIN, 0) > 0;
  }

  /** Keeps an accepted connection until there is room for it in the queue. */
  #hold(fd: number, sockaddr: Uint8Array): void {
    const door = this.#door;
    // Those who wait are not counted for their hosts any more.
    if (door.asks && door.enter(this.#sockets.readAddress(sockaddr), () => true) !== undefined) {
      return void this.#sockets.close(fd);
    }
    this.#timeline?.main.enqueued(fd);
    this.#rescued.push({ fd, sockaddr: sockaddr.slice(), since: stamp() });
  }

  /** Accepts a connection that waits. Returns `undefined` if there is none. */
  #acceptWaiting(sockaddr: Uint8Array): number | undefined {
    const { errno } = this.#sockets.constants;
    if (!this.#isAwaited) return undefined;
    const fd = this.#sockets.accept(this.#listener, sockaddr);
    if (fd >= 0) return fd;
    // Another thread was faster, and after `shutdown` the queue looks like this when it is empty.
    if (fd === -errno.EAGAIN || fd === -errno.EINVAL) return undefined;
    throw new SocketError("accept", -fd);
  }

  /** Puts rescued connections into the queue while there is room. Returns whether all are in. */
  #queueRescued(): boolean {
    let put = 0;
    for (const { fd, sockaddr, since } of this.#rescued) {
      if (!this.ring.tryPut(fd, sockaddr, since)) break;
      this.ring.wakeTaker();
      put++;
    }
    this.#rescued = this.#rescued.slice(put);
    this.team.onQueued?.(Infinity);
    return this.#rescued.length === 0;
  }

  /** Cuts all connections, because the time to finish has passed. */
  #cut(): void {
    this.#closeQueued();
    this.ring.close();
    this.#lingerer.close();
    this.#refused.close();
    this.team.cutAll();
  }

  /** Closes the connections that no thread will serve. */
  #closeQueued(): void {
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    const left: Omit<Rescued, "since">[] = this.#rescued.splice(0);
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
