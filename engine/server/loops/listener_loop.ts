/**
 * The runtime's own listener and its loop: connections accepted as there is room, and closing that
 * loses nobody.
 *
 * @module
 */

import type { ProtocolDefinition } from "../../../protocols/catalogue.ts";
import { TimedDeadlines } from "../../drivers/deadlines.ts";
import { lingerLimits } from "../../drivers/limits.ts";
import type { Listener } from "../../net/listener.ts";
import type { Connection } from "../../net/transport.ts";
import { CounterBlock } from "../core/counters.ts";
import { MainJournal } from "../journal/journal.ts";
import { listen } from "../core/listening.ts";
import { Observer } from "../core/observer.ts";
import { describeComputing } from "../offload/offload_options.ts";
import type { OffloadPool } from "../offload/offload_pool.ts";
import type { CheckedOptions, ServeOptions } from "../core/options.ts";
import { makeServer, type Server } from "../core/server.ts";
import { SessionSet } from "../core/session_set.ts";
import { Timeline } from "../trace/timeline.ts";

// Loaded when they are needed: the Workers of `cluster` load this module too. They check no options,
// and start no Workers.
const checking = () => import("../core/options.ts");
const limiting = () => import("../../workers/descriptor_limits.ts");
const offloading = () => import("../offload/offload_pool.ts");

/** Who may be served. */
export interface Admission {
  /** Whether one more may be; if so it counts. */
  tryEnter(): boolean;
  /** One less is. */
  leave(): void;
  /** How often to ask again, in milliseconds, where others than this loop leave too. */
  readonly pollMs?: number;
}

/** The connections of a listener, as the loop of a mode sees them. */
export class ListenerLoop {
  readonly #listener: Listener;
  readonly #sessions: SessionSet;
  readonly #admission: Admission;
  /** Who wants to hear of the next conversation that is over. */
  readonly #waiters = new Set<() => void>();

  /**
   * @param listener where the connections come from
   * @param sessions the conversations
   * @param admission how many there may be
   */
  constructor(listener: Listener, sessions: SessionSet, admission: Admission) {
    this.#listener = listener;
    this.#sessions = sessions;
    this.#admission = admission;
    sessions.onOver = () => {
      admission.leave();
      for (const wake of this.#waiters) wake();
    };
  }

  /**
   * The connections as they are accepted, until the server closes; the last ones are those that
   * waited in the accept queue. With `--max-connections` each comes when another has ended.
   *
   * @returns connections, each to be given to {@linkcode ListenerLoop.serve}
   */
  async *connections(): AsyncGenerator<Connection, void> {
    const { tryEnter, pollMs } = this.#admission;
    for await (const connection of this.#listener) {
      while (!tryEnter()) await this.#change(pollMs);
      yield connection;
    }
  }

  /**
   * Serves a connection, beside all others.
   *
   * @param connection is closed when its conversation is over
   */
  serve(connection: Connection): void {
    this.#sessions.serve(connection);
  }

  /** Resolves when no conversation is under way. */
  async idle(): Promise<void> {
    while (this.#sessions.size > 0) await this.#change();
  }

  /** Resolves when no conversation is under way and no connection lingers. */
  async over(): Promise<void> {
    await this.idle();
    await this.#sessions.lingered();
  }

  #change(withinMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiters.delete(wake);
        clearTimeout(timer);
        resolve();
      };
      const timer = withinMs === undefined ? undefined : setTimeout(wake, withinMs);
      this.#waiters.add(wake);
    });
  }
}

/** What a mode with the runtime's own listener is. */
export interface ListenerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** What a person wants to know of how it runs. */
  readonly details: readonly string[];
  /**
   * What it speaks, whatever the options say. Not together with {@linkcode ListenerPlan.computing}:
   * a Worker knows a protocol only by its name or module.
   */
  readonly protocol?: ProtocolDefinition;
  /** The URL of its module, if that calls `onComputeThread`. */
  readonly url?: string;
  /** How many Workers compute, by what the options say; in place if not set. */
  readonly computing?: (checked: CheckedOptions) => number;
}

/**
 * Serves with the runtime's own listener, all on this thread.
 *
 * @param plan what the mode is
 * @param options what the caller wants
 * @param accept serves the connections of the loop until there are no more
 */
export async function serveListener(
  plan: ListenerPlan,
  options: ServeOptions,
  accept: (loop: ListenerLoop) => Promise<void>,
): Promise<Server> {
  const { mode, url = "", details } = plan;
  const { checkOptions } = await checking();
  const { countedCeiling } = await limiting();
  const checked = await checkOptions(options, plan.protocol);
  const counters = new CounterBlock();
  const journal = new MainJournal(mode, options.onReport);
  const threads = plan.computing?.(checked) ?? 0;
  const timeline = Timeline.open(options.trace, { mode, isLoop: true, threads });
  let offload: OffloadPool | undefined;
  try {
    const { protocol } = checked.settings;
    if (threads > 0) {
      const { OffloadPool } = await offloading();
      offload = await OffloadPool.start({ mode, url, threads, protocol, journal, timeline });
    }
    const listener = await listen(checked, counters, journal);
    const deadlines = new TimedDeadlines();
    const observer = new Observer(counters, journal, timeline?.main);
    const lingering = lingerLimits(countedCeiling());
    const track = timeline?.main;
    const sessions = new SessionSet(checked, observer, deadlines, offload, track, lingering);
    const loop = new ListenerLoop(listener, sessions, {
      tryEnter: () => sessions.size < checked.maxConnections,
      leave() {},
    });
    const accepting = accept(loop);
    return makeServer({
      mode,
      address: listener.address,
      protocol: checked.protocol.name,
      details: [...details, ...describeComputing(threads)],
      drainMs: checked.drainMs,
      signal: options.signal,
      count: () => CounterBlock.sum([counters]),
      async shutDown(drainMs) {
        using _trace = timeline;
        using _limits = deadlines;
        using _threads = offload;
        let isLate = drainMs === 0;
        const late = setTimeout(() => {
          isLate = true;
          sessions.cutAll();
        }, drainMs);
        // Who waits in its accept queue is served.
        const stopped = listener.stop(() => isLate);
        if (drainMs === 0) sessions.cutAll();
        await stopped;
        await accepting;
        await loop.over();
        clearTimeout(late);
      },
    });
  } catch (error) {
    offload?.[Symbol.dispose]();
    timeline?.[Symbol.dispose]();
    throw error;
  }
}
