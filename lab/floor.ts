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

/** The fewest requests due in that time. */
const LEAST_REQUESTS = 300;

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

async function loadNull(plan: Plan, signal: AbortSignal): Promise<NullRun> {
  const asked = loadOf(plan);
  const nothing = { load: asked, protocol: null, connections: 0, rate: null, latency_us: null };
  const why = whyNoDescriptors();
  if (why !== undefined) return { ...nothing, why };
  if (plan.size[1] > LONGEST) {
    return { ...nothing, why: "the requests are larger than those that it answers" };
  }
  const protocol = plan.talk === undefined && plan.protocol === "frame" ? "frame" : "echo";
  try {
    const { connects = false } = await loadProtocolOf(plan);
    const connections = Math.min(MOST_CONNECTIONS, plan.connections);
    const rate = plan.rate === null ? null : Math.max(plan.rate, LEAST_REQUESTS / NULL_MS * 1_000);
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
      rate,
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
