/**
 * A server of visitors: it listens, and when it ends it tells them, lets them finish and sees them
 * off.
 *
 * @module
 */

import type { TimedDeadlines } from "../../engine/drivers/deadlines.ts";
import type { Elsewhere } from "../../engine/drivers/elsewhere.ts";
import type { Listener } from "../../engine/net/listener.ts";
import type { Address, Protocol } from "../../protocols/effects.ts";
import { CounterBlock, type Counters } from "../../engine/server/core/counters.ts";
import type { Journal } from "../../engine/server/journal/journal.ts";
import { listen } from "../../engine/server/core/listening.ts";
import { Observer } from "../../engine/server/core/observer.ts";
import { makeServer, type Server } from "../../engine/server/core/server.ts";
import { closing } from "../talk/notices.ts";
import { type AdmissionCounts, type AdmissionLimits, type Visitor, Visitors } from "./visitors.ts";

/** What a server of visitors is. */
export interface VisitorsPlan<Count extends Counters = Counters> {
  /** Its name. */
  readonly mode: string;
  /** What it speaks. */
  readonly protocol: string;
  /** What a person wants to know of how it runs. */
  readonly details: readonly string[];
  /** Where it listens. */
  readonly address: Address;
  /** Who is admitted. */
  readonly limits: AdmissionLimits;
  /** Counts who is not. */
  readonly counts: AdmissionCounts;
  /** How long before its end it tells its visitors, in milliseconds. */
  readonly drainMs: number;
  /** Closes it when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Tells what happens. */
  readonly journal: Journal;
  /** Keeps time; disposed of when the server is closed. */
  readonly deadlines: TimedDeadlines;
  /** Where that happens which the conversations wait for. */
  readonly events?: Elsewhere;
  /** Begins the conversation with a visitor. */
  converse(visitor: Visitor): Protocol;
  /** Adds what it counts itself to what is counted of all servers' connections. */
  count(counters: Counters): Count;
  /** Everybody is about to be asked to go. */
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
  const { mode, protocol, details, drainMs, signal, journal, deadlines } = plan;
  const counters = new CounterBlock();
  const listener = await listen(plan, counters, journal);
  const visitors = new Visitors({ ...plan, observer: new Observer(counters, journal) });
  const accepting = accept(listener, visitors);
  let endsAt = Infinity;
  const leftMs = () => Math.max(0, endsAt - performance.now());
  const server = makeServer({
    mode,
    address: listener.address,
    protocol,
    details,
    drainMs,
    signal,
    count: () => plan.count(CounterBlock.sum([counters])),
    async shutDown(drainMs) {
      using _limits = deadlines;
      endsAt = performance.now() + drainMs;
      visitors.announce(() => closing(leftMs()));
      // Who waits in its accept queue is served.
      await listener.stop();
      await accepting;
      // Once more, if it was hastened.
      while (visitors.open > 0 && leftMs() > 0) await visitors.gone(leftMs());
      plan.onEnding?.();
      visitors.dismissAll();
      await visitors.gone();
      await visitors.parted();
      await plan.onGone?.();
    },
    hasten(drainMs) {
      if (performance.now() + drainMs >= endsAt) return;
      endsAt = performance.now() + drainMs;
      visitors.announce(() => closing(leftMs()));
      visitors.lookAgain();
    },
  });
  return { server, visitors };
}
