/**
 * A server whose Workers are event loops: it starts them, computes for them, and closes them.
 *
 * @module
 */

import { pause } from "../../values/pause.ts";
import type { Address } from "../../../protocols/effects.ts";
import { TimedDeadlines } from "../../drivers/deadlines.ts";
import { lingerLimits } from "../../drivers/limits.ts";
import { whyNoKernel } from "../../kernel/linux.ts";
import { isUnix } from "../../net/address.ts";
import { whyNoSockets } from "../../net/libc.ts";
import { resolveHost } from "../../net/resolve.ts";
import { SocketError } from "../../net/socket_error.ts";
import { sockets } from "../../net/sockets.ts";
import { listenAt } from "../core/listening.ts";
import { Observer } from "../core/observer.ts";
import { openDoor } from "../core/open_door.ts";
import { MOST_EXPECTED } from "../core/header_places.ts";
import { openReception } from "../core/reception.ts";
import { SessionSet } from "../core/session_set.ts";
import { type KeptListener, ListenerGroup } from "../listening/listener_group.ts";
import { Seal } from "../listening/seal.ts";
import type { HeldListener } from "../takeover/held_listener.ts";
import type { FromLoop, LoopData, ToLoop } from "./loop_thread.ts";
import {
  countComputing,
  describeComputing,
  type OffloadOptions,
} from "../offload/offload_options.ts";
import { OffloadPool } from "../offload/offload_pool.ts";
import { OffloadClerk } from "../offload/offload_port.ts";
import {
  type CheckedOptions,
  checkOptions,
  refuseListener,
  refuseLogSyn,
  refuseUnix,
  type ServeOptions,
} from "../core/options.ts";
import { makeServer, type Server } from "../core/server.ts";
import type { Timeline } from "../trace/timeline.ts";
import { openTimeline } from "../trace/open_timeline.ts";
import { CUT_MS, type ThreadData, ThreadTeam } from "../team/thread_team.ts";
import { countedCeiling, requireRoomToServe } from "../../workers/descriptor_limits.ts";
import { requireWorkers } from "../../workers/supervised_worker.ts";

/** What a mode gives to one of its loops. */
export interface LoopParts {
  /** The mode's own message to the loop. */
  readonly own?: unknown;
  /** Wakes the loop, if a message alone does not. */
  readonly wake?: () => void;
  /**
   * Is called when the loop is gone: with the error if it died, and with whether it may still run.
   */
  readonly onGone?: (error: Error | undefined, mayRun: boolean) => void;
}

/** How a mode sets up such a server. */
export interface LoopPlan {
  /** The mode's name. */
  readonly mode: string;
  /** The URL of the mode's module, which calls `onLoop` and `onComputeThread`. */
  readonly url: string;
  /** The number of loops. */
  readonly loops: number;
  /** How large the young generation of a loop may become: see `ThreadOptions`. */
  readonly youngMiB?: number;
  /** The address, if the mode already listens. Otherwise the first loop reports it. */
  readonly address?: Address;
  /** Whether the listener keeps the SYNs of its connections, and the loops can read them. */
  readonly savesSyns?: boolean;
  /** Returns the number below which descriptors must stay, if the loops check that. */
  readonly descriptorCeiling?: () => number;
  /** Prepares another loop, if it needs anything. */
  prepare?(): LoopParts;
  /** The listening socket, if the main thread has it. */
  readonly held?: HeldListener;
  /** Is called when no loop accepts any more. It may be called again. */
  onStoppedListening?(): void;
  /** Is called when all loops are gone. */
  onClosed?(): void;
}

/** The main thread's view of a loop. */
interface Link {
  readonly port: MessagePort;
  readonly clerk: OffloadClerk | undefined;
  readonly wake: (() => void) | undefined;
  /** Its listener, as the main thread keeps it. */
  kept: KeptListener | undefined;
  /** Whether it accepts nobody any more. */
  isDeaf: boolean;
}

/** How often a server that is closing looks whether it can go on, in milliseconds. */
const LOOK_MS = 4;

/** A server of loops. */
export class LoopServer {
  readonly #plan: LoopPlan;
  readonly #options: ServeOptions & OffloadOptions;
  readonly #checked: CheckedOptions;
  readonly #team: ThreadTeam;
  readonly #timeline: Timeline | undefined;
  #pool: OffloadPool | undefined;
  readonly #links = new Set<Link>();
  readonly #deaf = Promise.withResolvers<void>();
  /** The descriptors of listeners whose threads were ended while they computed. */
  readonly #stuck = new Set<number>();
  /** The main thread's own listener, if the loops have none. */
  #kept: KeptListener | undefined;
  /** The address. Its port is the one that the kernel picked, once that is known. */
  #address: Address;
  readonly #deadlines = new TimedDeadlines();
  #served: SessionSet | undefined;
  /** Keeps the listeners, where that is possible. */
  readonly #group: ListenerGroup | undefined;

  private constructor(
    plan: LoopPlan,
    options: ServeOptions & OffloadOptions,
    checked: CheckedOptions,
    address: Address,
    timeline: Timeline | undefined,
  ) {
    this.#plan = plan;
    this.#options = options;
    this.#checked = checked;
    this.#address = plan.address ?? address;
    const { mode, url, loops } = plan;
    const { onReport } = options;
    this.#timeline = timeline;
    this.#team = new ThreadTeam({
      mode,
      url,
      threads: loops,
      options: checked,
      onReport,
      areLoops: true,
      youngMiB: plan.youngMiB,
      timeline,
    });
    this.#setLimits();
    // Nobody is lost when a Unix domain socket closes.
    if (whyNoKernel() !== undefined || isUnix(this.#address.hostname)) return;
    const { gate } = this.#team;
    this.#group = new ListenerGroup({
      journal: this.#team.journal,
      tryEnter: () => gate.tryEnter(),
      leave: () => gate.leave(),
      serve: (connection) => {
        const sessions = this.#sessions;
        if (sessions.admit(connection, gate, true)) sessions.serve(connection);
      },
      onLost: () => this.#team.counters.lost(),
    });
    if (plan.held !== undefined) this.#kept = this.#group.add(plan.held.listener);
  }

  /** Those whom the main thread serves. They need memory only if there are any. */
  get #sessions(): SessionSet {
    if (this.#served !== undefined) return this.#served;
    const { counters, journal, gate } = this.#team;
    const track = this.#timeline?.main;
    const observer = new Observer(counters, journal, track);
    const limits = () => lingerLimits(countedCeiling());
    const { settings: { admission: rules }, protocol } = this.#checked;
    // There are few, and only for a while: they do not count for their hosts.
    const { culprits } = this.#team.memory;
    const door = openDoor({ rules, counters, journal, protocol }, { culprits });
    const sessions = new SessionSet(
      this.#checked,
      observer,
      this.#deadlines,
      this.#pool,
      track,
      limits,
      door,
      openReception({ door, observer, deadlines: this.#deadlines }),
    );
    sessions.onParting = () => gate.leave();
    this.#served = sessions;
    return sessions;
  }

  /**
   * Starts the loops and returns the server.
   *
   * @param options the options from the caller
   * @param makePlan makes the mode's plan, for a numeric address to listen on and the checked options
   * @param details what people want to know about how it runs
   */
  static async serve(
    options: ServeOptions & OffloadOptions,
    makePlan: (address: Address, checked: CheckedOptions) => LoopPlan | Promise<LoopPlan>,
    details: readonly string[],
  ): Promise<Server> {
    const checked = await checkOptions(options);
    const hostname = await resolveHost(checked.address.hostname);
    const address = { hostname, port: checked.address.port };
    const plan = await makePlan(address, checked);
    if (plan.held === undefined) refuseListener(checked, plan.mode);
    if (plan.savesSyns !== true) refuseLogSyn(checked, plan.mode);
    let timeline: Timeline | undefined;
    try {
      timeline = await openTimeline(options, {
        mode: plan.mode,
        threads: countComputing(checked, options) + 1,
        isSuccessor: plan.held?.isSuccessor === true,
      });
    } catch (error) {
      // The trace or the recording cannot be written.
      plan.held?.abandon();
      plan.onStoppedListening?.();
      throw error;
    }
    return await new LoopServer(plan, options, checked, address, timeline).#start(details);
  }

  async #start(details: readonly string[]): Promise<Server> {
    const { mode, url, loops } = this.#plan;
    const { journal, counters } = this.#team;
    let threads: number;
    try {
      requireWorkers(url);
      threads = countComputing(this.#checked, this.#options);
      const { protocol, computeTimeoutMs } = this.#checked.settings;
      if (threads > 0) {
        const timeline = this.#timeline;
        this.#pool = await OffloadPool.start({
          mode,
          url,
          threads,
          protocol,
          computeTimeoutMs,
          journal,
          counters,
          culprits: this.#team.culprits,
          timeline,
        });
      }
      // Where one loop serves everybody, only threads that compute can be ended.
      if (loops > 1) this.#timeline?.offerKill(() => this.#killOne());
      // The first loop finds the port that all loops share.
      await this.#keepLoop();
      await Promise.all(Array.from({ length: loops - 1 }, () => this.#keepLoop()));
      // The threads have taken descriptors.
      this.#setLimits();
      requireRoomToServe();
      await this.#plan.held?.confirm();
    } catch (error) {
      this.#plan.held?.abandon();
      await this.#shutDown(0);
      this.#timeline?.[Symbol.dispose]();
      throw error;
    }
    return makeServer({
      mode,
      address: this.#address,
      protocol: this.#checked.protocol.name,
      details: [...details, ...describeComputing(threads)],
      drainMs: this.#checked.drainMs,
      signal: this.#options.signal,
      timeline: this.#timeline,
      handover: this.#plan.held,
      count: () => this.#team.count(),
      counters: this.#team.memory.counters,
      figures: { beats: this.#team.memory.beats },
      shutDown: (drainMs) => this.#shutDown(drainMs),
    });
  }

  #setLimits(): void {
    const ceiling = this.#plan.descriptorCeiling?.() ?? Infinity;
    this.#team.gate.limit(this.#checked.maxConnections, ceiling);
  }

  #keepLoop(): Promise<void> {
    const prepare = () => this.#team.gate.closing ? undefined : this.#prepare();
    return this.#team.keepRunning("loop", prepare);
  }

  #prepare(): ThreadData {
    const { own, wake, onGone } = this.#plan.prepare?.() ?? {};
    const { port1, port2 } = new MessageChannel();
    const answer = (message: ToLoop) => {
      port1.postMessage(message);
      wake?.();
    };
    const clerk = this.#pool && new OffloadClerk(this.#pool, answer);
    const link: Link = { port: port1, clerk, wake, kept: this.#kept, isDeaf: false };
    this.#links.add(link);
    port1.onmessage = ({ data: message }: MessageEvent<FromLoop>) => {
      if (message.kind === "listening") {
        this.#address = message.address;
        if (message.descriptor !== undefined) {
          link.kept = this.#group?.add(message.descriptor, message.address);
          const { thread, address } = message;
          if (link.kept !== undefined && thread !== undefined) {
            this.#timeline?.accepts({ thread, cookie: link.kept.cookie, address });
          }
        }
      } else if (message.kind === "stoppedListening") {
        link.isDeaf = true;
        // A listener of its own is closed by now.
        if (link.kept !== undefined && link.kept !== this.#kept) this.#group?.close(link.kept);
        this.#onDeaf();
      } else clerk?.handle(message);
    };
    const { loops, descriptorCeiling = countedCeiling } = this.#plan;
    const data: LoopData = {
      port: port2,
      address: this.#address,
      keepAlive: this.#checked.keepAlive,
      logSyn: this.#checked.logSyn,
      offloads: clerk !== undefined,
      isWoken: wake !== undefined,
      lingering: lingerLimits(descriptorCeiling() / loops),
      mostExpected: Math.max(1, Math.floor(MOST_EXPECTED / loops)),
      own,
    };
    return {
      data,
      transfer: [port2],
      onGone: (error, mayRun) => {
        this.#links.delete(link);
        clerk?.[Symbol.dispose]();
        port1.close();
        onGone?.(error, mayRun);
        if (mayRun && link.kept !== undefined) this.#stuck.add(link.kept.owned);
        // A loop that is replaced leaves the main thread's listener to the next one.
        const isOrphan = link.kept !== this.#kept || this.#team.gate.closing;
        if (!link.isDeaf && isOrphan && link.kept !== undefined) this.#group?.lose(link.kept);
        this.#onDeaf();
      },
    };
  }

  /** Ends one of several loops as if it had died, with all its connections. */
  #killOne(): string | undefined {
    const [link] = this.#links;
    if (link === undefined || this.#links.size < 2 || this.#team.gate.closing) return undefined;
    link.port.postMessage({ kind: "die" } satisfies ToLoop);
    return "an event loop was ended, with all its connections";
  }

  /** Makes all loops look at the gate. */
  #wakeAll(): void {
    for (const { port, wake } of this.#links) {
      port.postMessage({ kind: "look" } satisfies ToLoop);
      wake?.();
    }
  }

  async #shutDown(drainMs: number): Promise<void> {
    const { gate } = this.#team;
    const { held } = this.#plan;
    held?.refuseOthers();
    using _limits = this.#deadlines;
    const cutAt = performance.now() + drainMs;
    const leftMs = () => Math.max(0, cutAt - performance.now());
    const isLeft = held?.isLeft === true;
    const seal = drainMs > 0 && !isLeft ? await this.#keepOut() : undefined;
    if (isLeft) gate.leaveQueue();
    if (seal !== undefined) gate.trap();
    gate.close();
    this.#group?.closing();
    this.#wakeAll();
    const timer = setTimeout(() => {
      gate.cut();
      this.#served?.cutAll();
      this.#wakeAll();
    }, leftMs());
    const killer = setTimeout(() => this.#team.terminateAll(), leftMs() + CUT_MS);
    while (seal !== undefined && !seal.isEmpty() && leftMs() > 0) await pause(LOOK_MS);
    if (seal !== undefined) gate.seal();
    this.#wakeAll();
    this.#onDeaf();
    await this.#deaf.promise;
    this.#group?.closeAll();
    this.#plan.onStoppedListening?.();
    await seal?.[Symbol.asyncDispose]();
    await this.#team.empty();
    this.#plan.onClosed?.();
    while ((this.#served?.size ?? 0) > 0) await pause(LOOK_MS);
    await this.#served?.lingered();
    clearTimeout(timer);
    clearTimeout(killer);
    this.#team.dispose();
    this.#pool?.[Symbol.dispose]();
  }

  /** Keeps newcomers out. Returns `undefined` where that is impossible. */
  async #keepOut(): Promise<Seal | undefined> {
    if (isUnix(this.#address.hostname)) return undefined;
    const { journal } = this.#team;
    return await Seal.begin({
      listeners: this.#group?.descriptors ?? [],
      owned: this.#group?.owned ?? [],
      mayStay: (owned) => this.#stuck.has(owned),
      journal,
      ownPort: this.#timeline?.ownPort,
      onConnection: (fd, sockaddr) => {
        const [link] = this.#links;
        if (this.#kept === undefined || link === undefined) {
          return this.#group?.serve(fd, sockaddr);
        }
        link.port.postMessage(
          { kind: "accepted", fd, sockaddr: sockaddr.slice() } satisfies ToLoop,
        );
        link.wake?.();
      },
    });
  }

  /** Goes on closing once no loop accepts any more. */
  #onDeaf(): void {
    if (!this.#team.gate.closing) return;
    for (const { isDeaf } of this.#links) if (!isDeaf) return;
    this.#deaf.resolve();
  }
}

/**
 * Makes sure that an address can be listened on and that its port is free. The loops share their
 * port with one another, so they would also share it with another server.
 *
 * @param address the address that the loops will listen on
 * @param mode the mode's name
 * @param checked the options: no listener that is there already can be shared like that
 * @throws {Error} that names the address, if it cannot be listened on
 */
export async function requireFreePort(
  address: Address,
  mode: string,
  checked: CheckedOptions,
): Promise<void> {
  refuseListener(checked, mode);
  refuseUnix(address);
  if (canBind(address)) return;
  const listener = await listenAt(address);
  listener.close();
}

/**
 * Whether an address is free. Nobody listens for that, not even for a moment: who waits for the port
 * would connect, and be reset.
 */
function canBind(address: Address): boolean {
  // Without foreign functions it is only found out by listening.
  if (whyNoSockets() !== undefined) return false;
  const net = sockets();
  const { SOCK_STREAM, SOL_SOCKET, SO_REUSEADDR } = net.constants;
  try {
    const fd = net.socket(net.familyOf(address), SOCK_STREAM);
    try {
      net.setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
      net.bind(fd, address);
      return true;
    } finally {
      net.close(fd);
    }
  } catch (error) {
    // Listening fails too, and the runtime's own error is explained.
    if (error instanceof SocketError) return false;
    throw error;
  }
}
