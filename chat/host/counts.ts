/**
 * What a chat server counts. Each protection has a counter.
 *
 * @module
 */

import { type Counters, formatCounters } from "../../engine/server/core/counters.ts";
import { makeCounts, type OwnCounts } from "../../engine/server/core/own_counts.ts";
import type { HallCounts } from "../rooms/hall.ts";
import type { VisitorCounts } from "../rooms/conversation.ts";
import type { AdmissionCounts } from "./visitors.ts";

/** What is counted over all visitors. */
export interface HostCounts extends VisitorCounts, AdmissionCounts {
  /** Users whom an operator has asked to leave. */
  kicked: number;
}

/** Everything that a chat server counts, at one moment. */
export interface ChatCounters extends Counters, HallCounts, HostCounts {}

/** The names of all that a chat counts besides what every server counts. */
const NAMES = [
  "said",
  "delivered",
  "dropped",
  "floodPauses",
  "tooLong",
  "idle",
  "kicked",
  "full",
  "perHost",
  "denied",
  "stranger",
] as const satisfies readonly (keyof HallCounts | keyof HostCounts)[];

/** Counters that start at zero, and where they lie in shared memory. */
export function noCounts(): { readonly counts: HallCounts & HostCounts; readonly own: OwnCounts } {
  return makeCounts(NAMES);
}

/**
 * The counters on one line.
 *
 * @param counters the counters
 */
export function formatChatCounters(counters: ChatCounters): string {
  return [
    // These are told with their reasons below.
    formatCounters({ ...counters, refused: 0 }),
    `said ${counters.said}`,
    `delivered ${counters.delivered}`,
    `disconnected as slow ${counters.failed["slow reader"] ?? 0}`,
    `lines dropped ${counters.dropped}`,
    `flood pauses ${counters.floodPauses}`,
    `too long ${counters.tooLong}`,
    `idle ${counters.idle}`,
    `kicked ${counters.kicked}`,
    `refused ${counters.refused} (${refusals(counters)})`,
  ].join(" · ");
}

function refusals({ full, perHost, denied, stranger }: ChatCounters): string {
  const parts = [`full ${full}`, `per host ${perHost}`];
  if (denied > 0) parts.push(`denied ${denied}`);
  if (stranger > 0) parts.push(`no proxy ${stranger}`);
  return parts.join(", ");
}
