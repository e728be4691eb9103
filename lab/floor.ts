/**
 * What this machine can do at best, before anything is measured: its noise floor, and a null server
 * under the same load.
 *
 * @module
 */

import type { Flag, Values } from "../engine/cli/flags.ts";
import { describeError } from "../engine/values/thrown.ts";
import { measure } from "./load/measure.ts";
import { measureNoise } from "./load/noise.ts";
import { startNullServer } from "./load/null_server.ts";
import { loadOf, loadProtocolOf, type Plan, whyNoDescriptors } from "./load/plan.ts";
import { formatRate } from "../engine/values/units.ts";
import type { Floor, NullRun } from "./load/results.ts";

/** Turns it off. */
export const NO_FLOOR: Flag = {
  name: "no-floor",
  kind: "boolean",
  help: "do not measure first what this machine can do at best: its noise, and a null server",
};

/** How long a null server is loaded, in milliseconds. Before that its code is compiled. */
const NULL_MS = 300;
const WARM_UP_MS = 300;

/** How long a request to it may take, in milliseconds. */
const TIMEOUT_MS = 1_000;

/** The least rate: with fewer requests in that time, chance would decide what they take. */
const LEAST_RATE = 1_000;

/** The most connections to it: more take longer to open than it is loaded. */
const MOST_CONNECTIONS = 1_000;

/** The longest requests to it, in bytes. */
const LONGEST = 64 * 1024;

/**
 * Measures what this machine can do at best. It takes about a second for each load.
 *
 * @param values the flags
 * @param plans the loads that follow
 * @param signal ends it early
 * @returns `null` if it was turned off or interrupted
 */
export async function measureFloor(
  values: Values,
  plans: readonly Plan[],
  signal: AbortSignal,
): Promise<Floor | null> {
  if (values.noFloor === true) return null;
  const noise = await measureNoise();
  const nulls: NullRun[] = [];
  for (const plan of plans) {
    if (signal.aborted) return null;
    nulls.push(await loadNull(plan, signal));
  }
  return signal.aborted ? null : { noise, nulls };
}

/**
 * Why what a null server does would say nothing about a server under this load: a server that rests
 * between its requests answers them later than one that has no rest, and so does the machine.
 */
function whyIncomparable({ size: [, most], thinkMs, rate, rateParts }: Plan): string | undefined {
  if (most > LONGEST) return "the requests are larger than those that it answers";
  if (thinkMs > 0) {
    return "the clients think, so what is reached is their pace and not what the machine can do";
  }
  if (rateParts !== null) return "the rate changes, and with it the times";
  if (rate !== null && rate < LEAST_RATE) {
    return `${formatRate(rate)} are due, and at more of them than that the times are others`;
  }
  return undefined;
}

async function loadNull(plan: Plan, signal: AbortSignal): Promise<NullRun> {
  const asked = loadOf(plan);
  const nothing = { load: asked, protocol: null, connections: 0, rate: null, latency_us: null };
  const why = whyNoDescriptors();
  if (why !== undefined) return { ...nothing, why };
  const incomparable = whyIncomparable(plan);
  if (incomparable !== undefined) return { ...nothing, why: incomparable };
  const protocol = plan.talk === undefined && plan.protocol === "frame" ? "frame" : "echo";
  try {
    const { connects = false } = await loadProtocolOf(plan);
    const connections = Math.min(MOST_CONNECTIONS, plan.connections);
    await using server = await startNullServer(protocol);
    const load: Omit<Plan, "durationMs"> = {
      ...plan,
      protocol,
      protocolName: protocol,
      talk: undefined,
      rateParts: null,
      sources: [],
      connections,
      threads: Math.min(plan.threads, connections),
      connect: plan.connect || connects,
      size: plan.size[1] === 0 ? [1, 1] : [Math.max(1, plan.size[0]), plan.size[1]],
      requests: Infinity,
      rampMs: 0,
      timeoutMs: TIMEOUT_MS,
    };
    const target = { address: server.address, name: "null server", signal };
    await measure({ ...load, durationMs: WARM_UP_MS }, target);
    const run = await measure({ ...load, durationMs: NULL_MS }, target);
    if (run.requests === 0) return { ...nothing, why: "it answered nothing in time" };
    return {
      load: asked,
      protocol,
      connections,
      rate: run.rate,
      latency_us: run.latency_us,
      why: null,
    };
  } catch (error) {
    return { ...nothing, why: describeError(error) };
  }
}
