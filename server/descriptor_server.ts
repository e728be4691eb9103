/**
 * A server whose connections are served by blocking threads: how it opens, and how it closes
 * without losing anybody who waits in a queue.
 *
 * @module
 */

import type { Address } from "../protocols/effects.ts";
import { isIPv6, SOCKADDR_SIZE } from "../net/address.ts";
import { Backoff } from "../net/backoff.ts";
import { DescriptorRing } from "../net/descriptor_ring.ts";
import { resolveHost } from "../net/resolve.ts";
import { runtime } from "../net/runtime.ts";
import { type Sockets, sockets } from "../net/sockets.ts";
import { type CheckedOptions, checkOptions, type ServeOptions } from "./options.ts";
import { makeServer, type Server } from "./server.ts";
import { requireWorkers, type ThreadHandle, ThreadTeam } from "./thread_team.ts";

/** How long a thread may take to end after its connection was cut, in milliseconds. */
const CUT_MS = 1_000;

/** How often closing looks whether it can go on, in milliseconds. */
const LOOK_MS = 2;

/** A thread that lived so long, in milliseconds, did not die of how it was started. */
const LIVED_MS = 10_000;

/** How many descriptors are kept back for the process itself: a resolver, a file, a pipe. */
const RESERVE = 16;

/** How a mode opens its server. */
export interface DescriptorServerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of its module. */
  readonly url: string;
  /** The most threads that it starts at a time. */
  readonly threads: number;
  /**
   * How many accepted connections wait for a thread at most; at least 1. Where threads accept for
   * themselves it is used for those that wait when the server closes.
   */
  readonly queue: number;
  /** The most connections that it takes at a time, if the model itself limits them. */
  readonly connections?: number;
}

/** A server of threads. A mode opens it, starts its threads and then hands it out. */
export class DescriptorServer {
  /** The threads. */
  readonly team: ThreadTeam;
  /** The connections that were accepted and wait for a thread. */
  readonly ring: DescriptorRing;
  readonly #plan: DescriptorServerPlan;
  readonly #options: ServeOptions;
  readonly #checked: CheckedOptions;
  readonly #sockets: Sockets;
  readonly #listener: number;
  readonly #address: Address;
  /** What waited in the accept queue when the server began to close. */
  readonly #replacing = new Backoff();
  #rescues = 0;
  #isOver = false;
  #rescued: { readonly fd: number; readonly sockaddr: Uint8Array }[] = [];

  private constructor(
    plan: DescriptorServerPlan,
    options: ServeOptions,
    checked: CheckedOptions,
    sockets: Sockets,
    listener: number,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#checked = checked;
    this.#sockets = sockets;
    this.#listener = listener;
    this.#address = sockets.localAddress(listener);
    this.ring = DescriptorRing.create(plan.queue, plan.threads);
    this.team = new ThreadTeam({
      mode: plan.mode,
      url: plan.url,
      threads: plan.threads,
      options: checked,
      onReport: options.onReport,
      sockets,
      listener,
      ring: this.ring.memory,
    });
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
    const calls = sockets();
    const hostname = await resolveHost(checked.address.hostname);
    const address = { hostname, port: checked.address.port };
    // Accepted connections inherit it, which saves a call for each of them.
    const receiveTimeoutMs = checked.settings.readTimeoutMs;
    const listener = calls.openListener(address, { receiveTimeoutMs });
    try {
      const server = new DescriptorServer(plan, options, checked, calls, listener);
      server.#setLimits();
      return server;
    } catch (error) {
      calls.close(listener);
      throw error;
    }
  }

  /** Whether there are descriptors for another thread: without, Deno would end the process. */
  get hasRoomForThread(): boolean {
    const next = this.#sockets.nextDescriptor();
    return next >= 0 && next + runtime.descriptorsPerThread <= this.#sockets.descriptorLimit();
  }

  /**
   * Starts a thread, and another in its place whenever it dies.
   *
   * @param role the part it plays in its mode
   * @returns resolves when the first one runs; rejects if it could not be started
   */
  async keep(role: string): Promise<void> {
    const handle = this.team.start(role);
    await handle.ready;
    void this.#replace(role, handle);
  }

  async #replace(role: string, handle: ThreadHandle): Promise<void> {
    for (;;) {
      const error = await this.settle(handle);
      if (error === undefined || this.#isOver || this.team.gate.cutting) return;
      this.team.journal.log({ level: "warning", text: "a thread is replaced" });
      handle = this.team.start(role);
    }
  }

  /**
   * Waits until a thread is gone; if it died a while longer, so that one that cannot live is not
   * brought back to life without end.
   *
   * @param handle the thread
   * @returns the error that it died of, if it did
   */
  async settle(handle: ThreadHandle): Promise<Error | undefined> {
    const startedAt = performance.now();
    const error = await handle.gone;
    if (performance.now() - startedAt > LIVED_MS) this.#replacing.reset();
    // While the server closes, what is queued must not wait for a pause.
    if (error !== undefined && !this.team.gate.closing) await pause(this.#replacing.next());
    return error;
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
    const limit = this.#sockets.descriptorLimit();
    const next = this.#sockets.nextDescriptor();
    // With very few descriptors, half of what is left is for connections.
    const reserve = Math.min(RESERVE + runtime.descriptorsPerThread, (limit - next) >> 1);
    this.team.gate.limit(connections, limit - reserve);
  }

  async #shutDown(drainMs: number): Promise<void> {
    const { team, ring } = this;
    const cutAt = performance.now() + drainMs;
    const late = () => performance.now() >= cutAt;
    team.gate.close();
    ring.wakeProducer();
    // Out of descriptors, the rest is taken as connections end and give theirs back.
    while (!this.#rescueWaiting() && !late()) {
      this.#queueRescued();
      await pause(LOOK_MS);
    }
    // Wakes the threads that block in accept(2); it would reset who waits in the accept queue.
    this.#sockets.shutdown(this.#listener, this.#sockets.constants.SHUT_RDWR);
    while (team.accepting) {
      await pause(LOOK_MS);
      if (runtime.os !== "linux") this.#wakeByConnecting();
    }
    this.#sockets.close(this.#listener);

    while (!late() && !this.#queueRescued()) await pause(LOOK_MS);
    if (this.#rescued.length === 0) ring.close();
    const timer = setTimeout(() => this.#cut(), Math.max(0, cutAt - performance.now()));
    const killer = setTimeout(
      () => team.terminateAll(),
      Math.max(0, cutAt - performance.now()) + CUT_MS,
    );
    await team.empty();
    clearTimeout(timer);
    clearTimeout(killer);
    this.#isOver = true;
    this.#closeQueued();
    team.dispose();
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
    const { POLLIN, errno } = this.#sockets.constants;
    // Threads that are started when they are needed must find descriptors too.
    const forThreads = this.team.onQueued === undefined
      ? 0
      : runtime.cpus * runtime.descriptorsPerThread;
    const ceiling = this.team.gate.ceiling - forThreads;
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    // Another thread may be faster than the accept that follows a poll: it must not block. What
    // is accepted from now on inherits that, which its driver knows from the closed gate.
    this.#sockets.setReceiveTimeout(this.#listener, 1);
    while (this.#sockets.poll(this.#listener, POLLIN, 0) > 0) {
      const next = this.#sockets.nextDescriptor();
      if (next < 0 || next >= ceiling) return false;
      const fd = this.#sockets.accept(this.#listener, sockaddr);
      if (fd === -errno.EMFILE || fd === -errno.ENFILE) return false;
      // Any other error was of that one connection, or another thread was faster.
      if (fd < 0) continue;
      this.#rescued.push({ fd, sockaddr: sockaddr.slice() });
      // Clients that come faster than they are taken must not hold the server open.
      if (++this.#rescues >= MOST_RESCUED) break;
    }
    return true;
  }

  /** Puts what was rescued into the queue as far as there is room; returns whether all is in. */
  #queueRescued(): boolean {
    let put = 0;
    for (const { fd, sockaddr } of this.#rescued) {
      if (!this.ring.tryPut(fd, sockaddr)) break;
      this.ring.call();
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
    this.team.cutAll();
  }

  /** Closes the connections that no thread will serve any more. */
  #closeQueued(): void {
    const sockaddr = new Uint8Array(SOCKADDR_SIZE);
    const left = this.#rescued.splice(0).map(({ fd }) => fd);
    for (let fd = this.ring.tryTake(sockaddr); fd >= 0; fd = this.ring.tryTake(sockaddr)) {
      left.push(fd);
    }
    for (const fd of left) {
      this.#sockets.close(fd);
      this.team.counters.accepted();
      this.team.counters.cut();
    }
  }
}

/** The most connections taken out of the accept queue at closing: no kernel's queue is longer. */
const MOST_RESCUED = 65_536;

/**
 * How many threads the limit of descriptors allows, beside as many connections.
 *
 * @returns at least 0
 */
export function threadsThatFit(): number {
  const calls = sockets();
  const free = calls.descriptorLimit() - calls.nextDescriptor() - RESERVE;
  return Math.max(0, Math.floor(free / (runtime.descriptorsPerThread + 1)));
}

/**
 * Makes sure that a mode can have its threads.
 *
 * @param threads how many it starts
 * @throws {Error} if the limit of descriptors does not allow them
 */
export function requireThreads(threads: number): void {
  const fit = threadsThatFit();
  if (threads <= fit) return;
  throw new Error(
    `Cannot start ${threads} threads: the limit of open files (ulimit -n) allows ${fit}`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
