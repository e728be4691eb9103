/**
 * `observe --path`: the routers on the way to a server, as traceroute(8) finds them, but with SYNs to
 * the server's own port and without root.
 *
 * @module
 */

import { formatAddress } from "../../../protocols/address.ts";
import type { Address } from "../../../protocols/effects.ts";
import { EXIT_DONE } from "../../../engine/cli/exit_status.ts";
import { formatRow } from "../../report/csv.ts";
import {
  describeFailure,
  describeIcmp,
  evidenceOf,
  exitStatus,
  type Failure,
  showAddress,
} from "./failure.ts";
import { jsonLine } from "../../report/json_line.ts";
import { type Interrupt, INTERRUPTED } from "./interrupt.ts";
import type { Lines } from "./lines.ts";
import type { Hop, HopProbe } from "./path_tracer.ts";
import type { Format } from "./report.ts";
import { lookUp, type SeriesPlan } from "./series.ts";
import { ThreadProber } from "./thread.ts";

/** How many SYNs go to each distance. */
const PROBES = 3;

/**
 * How many distances are asked about at a time. More would be faster, and would open more
 * connections to a server that is near.
 */
const AT_A_TIME = 3;

/** What to find. */
export interface PathPlan extends Pick<SeriesPlan, "server" | "family" | "timeoutMs" | "source"> {
  /** How far to look. */
  readonly maxHops: number;
  /** How long an answer may take, in milliseconds. */
  readonly withinMs: number;
  /** How to write it. */
  readonly format: Format;
  /** Which means there are, in one line. */
  readonly means: string;
}

/**
 * Finds the routers on the way, and prints them.
 *
 * @param plan what to find
 * @param lines where to print
 * @param interrupt ends it
 * @returns the exit status: 0 if the server was reached, and otherwise as for attempts
 */
export async function tracePath(
  plan: PathPlan,
  lines: Lines,
  interrupt: Interrupt,
): Promise<number> {
  const { server, format, maxHops, withinMs, source } = plan;
  const found = await interrupt.race(lookUp(plan));
  if (found === INTERRUPTED) return exitStatus(0, new Map());
  const address = found.addresses[0];
  if (address === undefined) {
    const { failure } = found;
    if (failure !== undefined) lines.print(formatPath(plan, { failure }));
    await lines.end(interrupt);
    return exitStatus(0, new Map(failure === undefined ? [] : [[failure.kind, 1]]));
  }
  if (format === "text") {
    const name = showAddress(server);
    const where = showAddress(address);
    lines.print([`path to ${name}${name === where ? "" : ` (${where})`} · ${plan.means}`]);
  } else if (format === "csv") lines.print([formatRow(["hop", "by", "us", "result"])]);
  const prober = await ThreadProber.start();
  let end: PathEnd = {};
  for (let from = 1; from <= maxHops && end.hops === undefined; from += AT_A_TIME) {
    const to = Math.min(maxHops, from + AT_A_TIME - 1);
    const request = { address, from, to, probes: PROBES, withinMs, source };
    const hops = await interrupt.race(prober.trace(request));
    if (hops === INTERRUPTED) break;
    for (const hop of hops) {
      await lines.written(formatHop(hop, format), interrupt);
      end = endAt(hop);
      if (end.hops !== undefined) break;
    }
  }
  lines.print(formatPath(plan, { address, ...end }));
  await interrupt.race(prober.finish());
  await lines.end(interrupt);
  if (end.reached !== undefined) return EXIT_DONE;
  return exitStatus(0, new Map([[end.failure?.kind ?? "timeout", 1]]));
}

/** Where a path ends. */
interface PathEnd {
  readonly address?: Address;
  /** At which distance; absent if it was not found. */
  readonly hops?: number;
  /** How the server has answered. */
  readonly reached?: "connected" | "refused";
  /** Why the path ends before the server. */
  readonly failure?: Failure;
}

/** Whether the path ends at a distance. */
function endAt({ hop, probes }: Hop): PathEnd {
  const reached = probes.find((probe) => probe.reached !== undefined)?.reached;
  if (reached !== undefined) return { hops: hop, reached };
  const failure = probes.find((probe) => probe.failure !== undefined)?.failure;
  return failure === undefined ? {} : { hops: hop, failure };
}

function formatHop({ hop, probes }: Hop, format: Format): string[] {
  switch (format) {
    case "text":
      return [`${String(hop).padStart(3)}  ${describeProbes(probes)}`];
    case "json":
      return [jsonLine({ type: "hop", hop, probes: probes.map(probeObject) })];
    case "csv":
      return probes.map(({ by, us, ...probe }) =>
        formatRow([hop, by ?? null, us === undefined ? null : Math.round(us), resultOf(probe)])
      );
  }
}

/** Each router once, with the times of its answers. */
function describeProbes(probes: readonly HopProbe[]): string {
  const answers = new Map<string, string[]>();
  for (const probe of probes) {
    const who = describeProbe(probe);
    const times = answers.get(who) ?? [];
    if (probe.us !== undefined) times.push(`${Math.round(probe.us)} µs`);
    answers.set(who, times);
  }
  return [...answers].map(([who, times]) => [who, ...times].join("  ")).join("   ");
}

function describeProbe({ by, reached, icmp, failure }: HopProbe): string {
  if (reached === "refused" && icmp !== undefined) return `${by} refused by ${describeIcmp(icmp)}`;
  if (reached !== undefined) return `${by} ${reached}`;
  if (failure !== undefined) return describeFailure(failure);
  return by ?? "*";
}

function resultOf({ reached, failure, icmp }: Omit<HopProbe, "by" | "us">): string {
  return reached ?? failure?.kind ?? (icmp === undefined ? "timeout" : "hop");
}

function probeObject(probe: HopProbe): object {
  const { by, us, icmp, failure } = probe;
  return {
    result: resultOf(probe),
    ...(by !== undefined && { by }),
    ...(us !== undefined && { rtt_us: Math.round(us) }),
    ...(icmp !== undefined && { icmp: { type: icmp.type, code: icmp.code } }),
    ...(failure !== undefined && { evidence: evidenceOf(failure) }),
  };
}

/** The last line. */
function formatPath(
  { server, format, maxHops }: PathPlan,
  { address, hops, reached, failure }: PathEnd,
): string[] {
  switch (format) {
    case "csv":
      return [];
    case "json":
      return [jsonLine({
        type: "path",
        server: formatAddress(server),
        ...(address !== undefined && { address: formatAddress(address) }),
        tier: "T0",
        reached: reached !== undefined,
        ...(hops !== undefined && { hops }),
        ...(reached !== undefined && { by: reached }),
        ...(failure !== undefined && { failure: failure.kind, evidence: evidenceOf(failure) }),
      })];
    case "text": {
      const name = showAddress(server);
      const count = (many: number) => `${many} ${many === 1 ? "hop" : "hops"}`;
      const where = hops === undefined ? "" : ` after ${count(hops)}`;
      if (reached !== undefined) return [`${name} was reached${where}: ${reached}`];
      if (failure === undefined) return [`${name} was not reached within ${count(maxHops)}`];
      return [`${name} was not reached${where}: ${describeFailure(failure, address)}`];
    }
  }
}
