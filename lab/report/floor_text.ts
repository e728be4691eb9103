/**
 * Says in sentences what the machine can do at best.
 *
 * @module
 */

import type { Floor, NullRun, Run } from "../load/results.ts";
import { formatLoad, loadKey } from "./contests.ts";
import { formatRate, formatShare, formatTime } from "../../engine/values/units.ts";

/**
 * Says what the machine can do at best.
 *
 * @param floor what was measured of it
 * @param runs what was measured afterwards
 * @returns one or two sentences for each entry; empty if nothing was measured
 */
export function floorSentences(floor: Floor | null, runs: readonly Run[]): string[] {
  if (floor === null) return [];
  const { noise: { longest_us, lost_share }, nulls } = floor;
  const noise = `A busy thread was not run for up to ${formatTime(longest_us)} at a time on this ` +
    `machine, ${formatShare(lost_share)} of the time: what is shorter or rarer may be noise.`;
  return [...nulls.map((one) => nullSentence(one, runs, nulls.length > 1)), noise];
}

function nullSentence(
  { load, protocol, connections, rate, latency_us, why }: NullRun,
  runs: readonly Run[],
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
  const p50 = latency_us?.p50 ?? Infinity;
  const times = [
    `p50 ${formatTime(latency_us?.p50 ?? null)}`,
    ...(p99 === null ? [] : [`p99 ${formatTime(p99)}`]),
  ].join(", ");
  const isOpen = load.target_rate !== null;
  // Whoever keeps up reaches the rate that is due. Only the times tell servers apart.
  const did = isOpen ? `had at ${formatRate(rate)}` : `reached ${formatRate(rate)},`;
  const text = `A null server${kind}, which answers at once, ${did} ${times}${where}`;
  const best = runs.filter((run) => loadKey(run.load) === loadKey(load) && run.requests > 0)
    .toSorted((a, b) => isOpen ? medianOf(a) - medianOf(b) : b.rate - a.rate)[0];
  if (best !== undefined && (isOpen ? medianOf(best) < p50 : best.rate > (rate ?? 0))) {
    const reached = isOpen ? `p50 ${formatTime(medianOf(best))}` : formatRate(best.rate);
    return `${text}: ${best.name} did better, ${reached}, so this machine can do more than that.`;
  }
  return isOpen
    ? `${text}: times that come near these are those of this load and what else runs here.`
    : `${text}: a server that comes near this is limited by this load and what else runs here.`;
}

/** The median of a run, in microseconds; infinite if it is not known. */
function medianOf({ latency_us: { p50 } }: Run): number {
  return p50 ?? Infinity;
}
