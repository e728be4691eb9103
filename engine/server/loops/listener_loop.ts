/**
 * The runtime's own listener and its loop. It accepts connections while there is room, and closes
 * without losing a connection.
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

// These are loaded only when they are needed. The Workers of `cluster` load this module too, but
// they check no options and start no Workers.
const checking = () => import("../core/options.ts");
const limiting = () => import("../../workers/descriptor_limits.ts");
const admitting = () => import("../core/open_door.ts");
const receiving = () => import("../core/reception.ts");
const blaming = () => import("../core/culprits.ts");
const recording = () => import("../trace/open_timeline.ts");
const beating = () => import("../statistics/heartbeat.ts");
const offloading = () => import("../offload/offload_pool.ts");
const stopping = () => import("../listening/stop_listening.ts");

/** Limits how many connections are served at a time, as a semaphore does. */
export interface Admission {
  /** Counts one more connection if that is allowed. Returns whether it is. */
  tryEnter(): boolean;
  /** Counts one connection less: it ends, and its peer cannot see that yet. */
  leave(): void;
  /** Its conversation is over too. */
  over?(): void;
  /** How often to ask again, in milliseconds, if connections of other loops count too. */
  readonly pollMs?: number;
}

/** The connections of a listener, as the loop of a mode sees them. */
export class ListenerLoop {
  readonly #listener: Listener;
  readonly #sessions: SessionSet;
  readonly #admission: Admission;
  /** Called when the next conversation is over. */
  readonly #waiters = new Set<() => void>();

  /**
   * @param listener where the connections come from
   * @param sessions the conversations
   * @param admission limits how many there may be
   */
  constructor(listener: Listener, sessions: SessionSet, admission: Admission) {
    this.#listener = listener;
    this.#sessions = sessions;
    this.#admission = admission;
    sessions.onParting = () => admission.leave();
    sessions.onOver = () => {
      admission.over?.();
      for (const wake of this.#waiters) wake();
    };
  }

  /**
   * Yields connections as they are accepted, until the server closes. The last ones are those that
   * waited in the accept queue then. At the limit of `--max-connections` it waits until another
   * connection has ended.
   *
   * @returns connections; give each of them to {@linkcode ListenerLoop.serve}
   */
  async *connections(): AsyncGenerator<Connection, void> {
    const { tryEnter, pollMs } = this.#admission;
    const sessions = this.#sessions;
    const isRefused = sessions.refusesOverflow;
    for await (const connection of this.#listener) {
      if (!sessions.letIn(connection, isRefused ? tryEnter : mayWait)) continue;
      while (!isRefused && !tryEnter()) await this.#change(pollMs);
      yield connection;
    }
  }

  /**
   * Serves a connection beside all others, and returns at once.
   *
   * @param connection the connection; it is closed when its conversation is over
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

/** There is room, perhaps later. */
function mayWait(): boolean {
  return true;
}

/** How a mode with the runtime's own listener opens its server. */
export interface ListenerPlan {
  /** The mode's name. */
  readonly mode: string;
  /** How it runs, in words for people. */
  readonly details: readonly string[];
  /**
   * The protocol, whatever the options say. It cannot be combined with
   * {@linkcode ListenerPlan.computing}: a Worker finds a protocol only by its name or its module.
   */
  readonly protocol?: ProtocolDefinition;
  /** The URL of its module, if that calls `onComputeThread`. */
  readonly url?: string;
  /**
   * How many Workers compute, for these options. If this is not set, the loop computes in place.
   */
  readonly computing?: (checked: CheckedOptions) => number;
}

/**
 * Serves all connections on this thread, with the runtime's own listener.
 *
 * @param plan how the mode opens its server
 * @param options the caller's options
 * @param accept serves the connections of the loop until there are no more
 */
export async function serveListener(
  plan: ListenerPlan,
  options: ServeOptions,
  accept: (loop: ListenerLoop) => Promise<void>,
): Promise<Server> {
  const { mode, url = "", details } = plan;
  const { checkOptions, refuseListener, refuseLogSyn, refuseUnix } = await checking();
  const { countedCeiling } = await limiting();
  const checked = await checkOptions(options, plan.protocol);
  refuseLogSyn(checked, mode);
  refuseListener(checked, mode);
  refuseUnix(checked.address);
  const counters = new CounterBlock();
  const journal = new MainJournal(mode, options.onReport);
  const threads = plan.computing?.(checked) ?? 0;
  const { openTimeline } = await recording();
  const { stopListening } = await stopping();
  const timeline = await openTimeline(options, { mode, isLoop: true, threads });
  let offload: OffloadPool | undefined;
  const { CulpritList } = await blaming();
  const culprits = new CulpritList(journal);
  try {
    const { protocol, computeTimeoutMs } = checked.settings;
    if (threads > 0) {
      const { OffloadPool } = await offloading();
      offload = await OffloadPool.start({
        mode,
        url,
        threads,
        protocol,
        computeTimeoutMs,
        journal,
        counters,
        culprits,
        timeline,
      });
    }
    const listener = await listen(checked, counters, journal);
    const deadlines = new TimedDeadlines({ extendsLate: true });
    const observer = new Observer(counters, journal, timeline?.main);
    // To count descriptors, the C library has to be loaded.
    const lingering = () => lingerLimits(countedCeiling());
    const track = timeline?.main;
    const { maxConnections, protocol: spoken, settings: { admission: rules } } = checked;
    const { openDoor, hostCountsFor } = await admitting();
    const door = openDoor(
      { rules, counters, journal, protocol: spoken },
      { hosts: hostCountsFor(rules, maxConnections), culprits: culprits.memory },
    );
    const reception = door.headerMs === undefined
      ? undefined
      : (await receiving()).openReception({ door, observer, deadlines });
    const sessions = new SessionSet(
      checked,
      observer,
      deadlines,
      offload,
      track,
      lingering,
      door,
      reception,
    );
    const loop = new ListenerLoop(listener, sessions, {
      tryEnter: () => sessions.size < checked.maxConnections,
      leave() {},
    });
    const { noteTurns, startHeartbeat } = await beating();
    const heartbeat = startHeartbeat(checked.statsEveryMs, deadlines, checked.stallMs > 0);
    const beats = heartbeat?.memory;
    if (beats !== undefined) sessions.noteTurns(noteTurns(beats, 0));
    const accepting = accept(loop);
    return makeServer({
      mode,
      address: listener.address,
      protocol: checked.protocol.name,
      details: [...details, ...describeComputing(threads)],
      drainMs: checked.drainMs,
      signal: options.signal,
      timeline,
      count: () => CounterBlock.sum([counters]),
      counters: counters.memory,
      figures: { beats, loopsOnMain: true },
      async shutDown(drainMs) {
        using _heartbeat = heartbeat;
        using _limits = deadlines;
        using _threads = offload;
        using _culprits = culprits;
        let isLate = drainMs === 0;
        const late = setTimeout(() => {
          isLate = true;
          sessions.cutAll();
        }, drainMs);
        // The connections that wait in its accept queue are still served.
        const stopped = stopListening(listener, journal, () => isLate, timeline?.ownPort);
        if (drainMs === 0) sessions.cutAll();
        await stopped;
        await accepting;
        await loop.over();
        clearTimeout(late);
      },
    });
  } catch (error) {
    offload?.[Symbol.dispose]();
    culprits[Symbol.dispose]();
    timeline?.[Symbol.dispose]();
    throw error;
  }
}
