/**
 * What load to make: checked, completed, and plain data that can be posted to Workers.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { pollerKinds } from "../../engine/net/poller.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/sockets.ts";
import { OptionError } from "../../engine/values/checks.ts";
import { locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import type { Load } from "./results.ts";
import { loadLoadProtocol, type LoadProtocol } from "./load_protocol.ts";

/** How connections are made: descriptors through foreign functions, or the runtime's sockets. */
export type EngineKind = "descriptors" | "runtime";

/** The load to make. */
export interface Plan {
  /** Where the protocol is: a name or a location (see `protocol_loader.ts`). */
  readonly protocol: string;
  /** The name of the protocol. */
  readonly protocolName: string;
  readonly connections: number;
  /** How many requests a connection has under way at a time. */
  readonly pipeline: number;
  /** Requests a second, over all connections together; `null` in the closed model. */
  readonly rate: number | null;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** How long a connection waits between an answer and its next request, in milliseconds. */
  readonly thinkMs: number;
  /** The time over which the connections begin, in milliseconds. */
  readonly rampMs: number;
  /** The least and the most bytes of a request's payload. */
  readonly size: readonly [least: number, most: number];
  /** How long the load lasts, in milliseconds; `Infinity` if the number of requests limits it. */
  readonly durationMs: number;
  /** How many requests there are; `Infinity` if the time limits them. */
  readonly requests: number;
  /** How long connecting may take, and then each request, in milliseconds. */
  readonly timeoutMs: number;
  /** How many Workers make the load. */
  readonly threads: number;
  /** How connections are made. */
  readonly engine: EngineKind;
  /** The seed of the payloads. */
  readonly seed: number;
}

/** What a user says about the load. The rest is filled in. */
export interface PlanOptions {
  /** A name, or the path of a module. @default {"hello"} */
  readonly protocol?: string;
  /** @default {50} */
  readonly connections?: number;
  /** @default {1} */
  readonly pipeline?: number;
  /** Requests a second; 0 is the closed model. @default {0} */
  readonly rate?: number;
  /** @default {false}, except for `hello` */
  readonly connect?: boolean;
  /** Milliseconds. @default {0} */
  readonly think?: number;
  /** Milliseconds. @default {0} */
  readonly ramp?: number;
  /** Bytes. @default {[64, 64]} */
  readonly size?: readonly [least: number, most: number];
  /** Milliseconds. @default {10000}, or no limit if `requests` is given */
  readonly duration?: number;
  readonly requests?: number;
  /** Milliseconds. @default {10000} */
  readonly timeout?: number;
  /** @default one for every four processors */
  readonly threads?: number;
  /** @default descriptors where the system has them */
  readonly engine?: EngineKind;
  /** @default {1} */
  readonly seed?: number;
}

/** The longest request that can be sent before its answer is read, in bytes. */
const WHOLE_BYTES = 16 * 1024;

/** The most bytes under way on one connection: already more than the buffers on the way hold. */
const PIPELINE_BYTES = 1024 * 1024;

/**
 * Checks what a user says about the load, and fills in the rest.
 *
 * @param options what the user said
 * @throws {OptionError} if something is wrong
 */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  const location = locateProtocol(options.protocol ?? "hello");
  const protocol = await loadLoadProtocol(location);
  const { requests = Infinity, connections = 50 } = options;
  const plan: Plan = {
    protocol: location,
    protocolName: protocol.name,
    connections,
    pipeline: options.pipeline ?? 1,
    rate: options.rate ? options.rate : null,
    connect: options.connect === true || protocol.connects === true,
    thinkMs: options.think ?? 0,
    rampMs: options.ramp ?? 0,
    size: options.size ?? [64, 64],
    durationMs: options.duration ?? (requests === Infinity ? 10_000 : Infinity),
    requests,
    timeoutMs: options.timeout ?? 10_000,
    threads: Math.min(options.threads ?? Math.max(1, runtime.cpus >> 2), connections),
    engine: options.engine ?? (whyNoDescriptors() === undefined ? "descriptors" : "runtime"),
    seed: options.seed ?? 1,
  };
  checkPlan(plan, protocol);
  return plan;
}

/** Why connections cannot be made on descriptors; `undefined` if they can. */
export function whyNoDescriptors(): string | undefined {
  if (pollerKinds()[0] === "epoll") return undefined;
  return whyNoSockets() ?? "only Linux has sockets that connect without blocking";
}

function checkPlan(plan: Plan, protocol: LoadProtocol): void {
  const { size: [least, most], pipeline, rate, thinkMs, connect, timeoutMs, durationMs } = plan;
  const refuse = (why: string): never => {
    throw new OptionError(why);
  };
  if (!(least > 0 && least <= most)) refuse(`Cannot use size: expected 64 or 1k..64k`);
  if (durationMs <= 0) refuse("Cannot use duration: expected more than 0");
  if (timeoutMs <= 0) refuse("Cannot use timeout: expected more than 0");
  if (rate !== null && thinkMs > 0) {
    refuse("Cannot use think with rate: the rate says when the next request is due");
  }
  if (plan.engine === "descriptors") {
    const why = whyNoDescriptors();
    if (why !== undefined) refuse(`Cannot use the engine descriptors: ${why}`);
  }
  if (pipeline === 1) return;
  if (connect) {
    const what = protocol.connects ? protocol.name : "connect";
    refuse(`Cannot use pipeline with ${what}: each request has a connection of its own`);
  }
  if (most > WHOLE_BYTES || most * pipeline > PIPELINE_BYTES) {
    refuse(
      `Cannot use pipeline with such a size: expected at most ${WHOLE_BYTES} bytes a request and ` +
        `${PIPELINE_BYTES} under way`,
    );
  }
}

/** The load in the form in which the results hold it. */
export function loadOf(plan: Plan): Load {
  return {
    protocol: plan.protocolName,
    connections: plan.connections,
    pipeline: plan.pipeline,
    target_rate: plan.rate,
    connect: plan.connect,
    think_ms: plan.thinkMs,
    ramp_ms: plan.rampMs,
    size: plan.size,
    timeout_ms: plan.timeoutMs,
  };
}

/** One thread's share of the load. */
export interface Share {
  readonly plan: Plan;
  /** A numeric address. */
  readonly address: Address;
  /** The number of the thread, from 0. */
  readonly thread: number;
  readonly connections: number;
  readonly requests: number;
}

/**
 * Divides the load among the threads.
 *
 * @param plan the whole load
 * @param address the server's address
 */
export function shareOut(plan: Plan, address: Address): Share[] {
  const { threads, connections, requests } = plan;
  const part = (whole: number, thread: number) =>
    Math.floor(whole / threads) + (thread < whole % threads ? 1 : 0);
  return Array.from({ length: threads }, (_, thread) => ({
    plan,
    address,
    thread,
    connections: part(connections, thread),
    requests: requests === Infinity ? Infinity : part(requests, thread),
  }));
}
