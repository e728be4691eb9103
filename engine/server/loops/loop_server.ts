/**
 * A server whose Workers are event loops: it starts them, computes for them, and closes them.
 *
 * @module
 */

import type { Address } from "../../../protocols/effects.ts";
import { lingerLimits } from "../../drivers/limits.ts";
import { resolveHost } from "../../net/resolve.ts";
import { listenAt } from "../core/listening.ts";
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
  refuseLogSyn,
  type ServeOptions,
} from "../core/options.ts";
import { makeServer, type Server } from "../core/server.ts";
import type { Timeline } from "../trace/timeline.ts";
import { openTimeline } from "../trace/open_timeline.ts";
import { CUT_MS, type ThreadData, ThreadTeam } from "../team/thread_team.ts";
import { countedCeiling } from "../../workers/descriptor_limits.ts";
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
  /** The address, if the mode already listens. Otherwise the first loop reports it. */
  readonly address?: Address;
  /** Whether the listener keeps the SYNs of its connections, and the loops can read them. */
  readonly savesSyns?: boolean;
  /** The number below which descriptors must stay, if the loops check that. */
  readonly descriptorCeiling?: number;
  /** Prepares another loop, if it needs anything. */
  prepare?(): LoopParts;
  /** Is called when all loops are gone. */
  onClosed?(): void;
}

/** The main thread's view of a loop. */
interface Link {
  readonly port: MessagePort;
  readonly clerk: OffloadClerk | undefined;
  readonly wake: (() => void) | undefined;
}

/** A server of loops. */
export class LoopServer {
  readonly #plan: LoopPlan;
  readonly #options: ServeOptions & OffloadOptions;
  readonly #checked: CheckedOptions;
  readonly #team: ThreadTeam;
  readonly #timeline: Timeline | undefined;
  #pool: OffloadPool | undefined;
  readonly #links = new Set<Link>();
  /** The address. Its port is the one that the kernel picked, once that is known. */
  #address: Address;

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
      timeline,
    });
    this.#team.gate.limit(checked.maxConnections, plan.descriptorCeiling ?? Infinity);
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
    if (plan.savesSyns !== true) refuseLogSyn(checked, plan.mode);
    let timeline: Timeline | undefined;
    try {
      timeline = await openTimeline(options, {
        mode: plan.mode,
        threads: countComputing(checked, options) + 1,
      });
    } catch (error) {
      // The trace or the recording cannot be written.
      plan.onClosed?.();
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
          timeline,
        });
      }
      // The first loop finds the port that all loops share.
      await this.#keepLoop();
      await Promise.all(Array.from({ length: loops - 1 }, () => this.#keepLoop()));
    } catch (error) {
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
      count: () => this.#team.count(),
      counters: this.#team.memory.counters,
      figures: { beats: this.#team.memory.beats },
      shutDown: (drainMs) => this.#shutDown(drainMs),
    });
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
    const link: Link = { port: port1, clerk, wake };
    this.#links.add(link);
    port1.onmessage = ({ data: message }: MessageEvent<FromLoop>) => {
      if (message.kind === "listening") this.#address = message.address;
      else clerk?.handle(message);
    };
    const { loops, descriptorCeiling = countedCeiling() } = this.#plan;
    const data: LoopData = {
      port: port2,
      address: this.#address,
      logSyn: this.#checked.logSyn,
      offloads: clerk !== undefined,
      lingering: lingerLimits(descriptorCeiling / loops),
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
      },
    };
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
    gate.close();
    this.#wakeAll();
    const timer = setTimeout(() => {
      gate.cut();
      this.#wakeAll();
    }, drainMs);
    const killer = setTimeout(() => this.#team.terminateAll(), drainMs + CUT_MS);
    await this.#team.empty();
    clearTimeout(timer);
    clearTimeout(killer);
    this.#team.dispose();
    this.#pool?.[Symbol.dispose]();
    this.#plan.onClosed?.();
  }
}

/**
 * Makes sure that an address can be listened on and that its port is free. The loops share their
 * port with one another, so they would also share it with another server.
 *
 * @param address the address that the loops will listen on
 * @throws {Error} that names the address, if it cannot be listened on
 */
export async function requireFreePort(address: Address): Promise<void> {
  const listener = await listenAt(address);
  listener.close();
}
