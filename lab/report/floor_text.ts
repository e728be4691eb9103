/**
 * Says in sentences what the machine can do at best.
 *
 * @module
 */

import type { Floor, NullRun } from "../load/results.ts";
import { formatLoad } from "./contests.ts";
import { formatRate, formatShare, formatTime } from "../../engine/values/units.ts";

/**
 * Says what the machine can do at best.
 *
 * @param floor what was measured of it
 * @returns one or two sentences for each entry; empty if nothing was measured
 */
export function floorSentences(floor: Floor | null): string[] {
  if (floor === null) return [];
  const { noise: { longest_us, lost_share }, nulls } = floor;
  const noise = `A busy thread was not run for up to ${formatTime(longest_us)} at a time on this ` +
    `machine, ${formatShare(lost_share)} of the time: what is shorter or rarer may be noise.`;
  return [...nulls.map((one) => nullSentence(one, nulls.length > 1)), noise];
}

function nullSentence(
  { load, protocol, connections, rate, latency_us, why }: NullRun,
  isNamed: boolean,
): string {
  const where = isNamed ? ` under ${formatLoad(load)}` : "";
  if (why !== null) return `There is no null server to compare with${where}: ${why}.`;
  const differences = [
    ...(protocol === load.protocol ? [] : [`an ${protocol} server`]),
    ...(connections === load.connections ? [] : [`with ${connections} connections`]),
  ];
  const kind = differences.length === 0 ? "" : ` (${differences.join(" ")})`;
  const p99 = latency_us?.p99 ?? null;
  const times = [
    `p50 ${formatTime(latency_us?.p50 ?? null)}`,
    ...(p99 === null ? [] : [`p99 ${formatTime(p99)}`]),
  ].join(", ");
  const most = load.target_rate === null ? "no server can do more" : "no server can be faster";
  return `A null server${kind}, which answers at once, reached ${formatRate(rate)}, ${times}` +
    `${where}: ${most} with this load and what else runs here.`;
}
