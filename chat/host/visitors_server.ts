/**
 * A server of visitors. It listens, and when it is about to end it tells its visitors, lets them
 * finish and sees them off.
 *
 * @module
 */

import type { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Elsewhere } from "../../engine/drivers/elsewhere.ts";
import { lingerLimits } from "../../engine/drivers/limits.ts";
import { LingerSet } from "../../engine/drivers/linger.ts";
import { SendQueueLooks } from "../../engine/drivers/send_queue_looks.ts";
import type { Listener } from "../../engine/net/listener.ts";
import type { KeepAlive } from "../../engine/net/transport.ts";
import type { Address, Protocol } from "../../protocols/effects.ts";
import { CounterBlock, type Counters } from "../../engine/server/core/counters.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { listen } from "../../engine/server/core/listening.ts";
import { hostCountsFor, openDoor } from "../../engine/server/core/open_door.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import { openReception } from "../../engine/server/core/reception.ts";
import { refuseUnix } from "../../engine/server/core/options.ts";
import { makeServer, type Server } from "../../engine/server/core/server.ts";
import { stopListening } from "../../engine/server/listening/stop_listening.ts";
import { startHeartbeat } from "../../engine/server/statistics/heartbeat.ts";
import type { OwnCounts } from "../../engine/server/core/own_counts.ts";
import type { LivePage } from "../../engine/server/trace/live_feed.ts";
import { openTimeline } from "../../engine/server/trace/open_timeline.ts";
import { countedCeiling } from "../../engine/workers/descriptor_limits.ts";
import { Farewell } from "./farewell.ts";
import type { Rounds } from "./rounds.ts";
import { GRACE_MS } from "./visitor_connection.ts";
import { type AdmissionCounts, type AdmissionLimits, type Visitor, Visitors } from "./visitors.ts";

/** The parts and settings of a server of visitors. */
export interface VisitorsPlan<Count extends Counters = Counters> {
  /** The name of the server. */
  readonly mode: string;
  /** The name of its protocol. */
  readonly protocol: string;
  /** How it runs, for people to read. */
  readonly details: readonly string[];
  /** The address to listen on. */
  readonly address: Address;
  /** How many visitors are admitted, and the limits for each. */
  readonly limits: AdmissionLimits;
  /** Counts those who are refused, and the lines that are dropped. */
  readonly counts: AdmissionCounts;
  /** Where its own counters lie, if it tells them. */
  readonly own?: OwnCounts;
  /** How long visitors may stay once the server is about to end, in milliseconds. */
  readonly drainMs: number;
  /** When the kernel counts a silent peer as gone; `undefined` is never. */
  readonly keepAlive: KeepAlive | undefined;
  /** How often its statistics are to be read, in milliseconds; 0 means never. */
  readonly statsEveryMs: number;
  /** Closes the server when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** The file of the recording, if there is to be one. */
  readonly record?: string | URL | undefined;
  /** Reads along, if somebody may. */
  readonly live?: LivePage | undefined;
  /** Reports what happens. */
  readonly journal: Journal;
  /** Keeps time; disposed of when the server is closed. */
  readonly deadlines: TimedDeadlines;
  /** Says when it is whose turn to be written to. */
  readonly rounds: Rounds;
  /** Does what the conversations wait for. */
  readonly events?: Elsewhere;
  /** Begins the conversation with a visitor. */
  converse(visitor: Visitor): Protocol;
  /** Adds the server's own counters to those that every server has. */
  count(counters: Counters): Count;
  /** Everybody is about to be asked to leave. */
  onEnding?(): void;
  /** Everybody is gone. */
  onGone?(): void | Promise<void>;
}

/** Takes connections from the listener until there are no more. */
export type Accept = (listener: Listener, visitors: Visitors) => Promise<void>;

/**
 * Serves visitors, and tells them when it ends.
 *
 * @param plan what the server is
 * @param accept takes connections from the listener until there are no more
 * @returns the server, listening, and its visitors
 */
export async function serveVisitors<Count extends Counters>(
  plan: VisitorsPlan<Count>,
  accept: Accept,
): Promise<{ readonly server: Server<Count>; readonly visitors: Visitors }> {
  const { mode, protocol, details, drainMs, signal, record, live, journal, deadlines } = plan;
  refuseUnix(plan.address);
  const counters = new CounterBlock();
  const proxyProtocol = plan.limits.rules.proxies !== undefined;
  const timeline = await openTimeline({ record, live, proxyProtocol }, { mode, isLoop: true });
  let listener: Listener;
  try {
    listener = await listen(plan, counters, journal);
  } catch (error) {
    timeline?.[Symbol.dispose]();
    throw error;
  }
  const observer = new Observer(counters, journal, timeline?.main);
  const { rules, maxConnections, outbox: { writeTimeoutMs } } = plan.limits;
  // The visitors have their own words for those who are refused.
  const parts = { rules, counters, journal, protocol: {} };
  const door = openDoor(parts, { hosts: hostCountsFor(rules, maxConnections) });
  const reception = openReception({ door, observer, deadlines });
  const lingering = new LingerSet(deadlines, () => lingerLimits(countedCeiling()));
  const queues = new SendQueueLooks(deadlines, writeTimeoutMs, GRACE_MS);
  const visitors = new Visitors({ ...plan, lingering, queues, observer, door, reception });
  const accepting = accept(listener, visitors);
  const heartbeat = startHeartbeat(plan.statsEveryMs, deadlines);
  const farewell = new Farewell({ visitors, deadlines, onEnding: () => plan.onEnding?.() });
  const server = makeServer({
    mode,
    address: listener.address,
    protocol,
    details,
    drainMs,
    signal,
    timeline,
    count: () => plan.count(CounterBlock.sum([counters])),
    counters: counters.memory,
    figures: { beats: heartbeat?.memory, counts: plan.own },
    async shutDown(drainMs) {
      using _heartbeat = heartbeat;
      using _limits = deadlines;
      farewell.announce(drainMs);
      // Clients that wait in the accept queue are still served.
      await stopListening(listener, journal, () => farewell.leftMs === 0, timeline?.ownPort);
      await accepting;
      await new Promise<void>((resolve) => farewell.seeOff(resolve));
      await plan.onGone?.();
    },
    hasten: (drainMs) => farewell.announce(drainMs),
  });
  return { server, visitors };
}
