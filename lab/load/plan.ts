/**
 * What load to make: checked, completed, and plain data that travels to Workers.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { pollerKinds } from "../../engine/net/poller.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import { OptionError } from "../../engine/values/checks.ts";
import { locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import type { Load } from "./results.ts";
import { loadLoadProtocol, type LoadProtocol } from "./load_protocol.ts";

/** How connections are made: descriptors through foreign functions, or the runtime's sockets. */
export type EngineKind = "descriptors" | "runtime";

/** The load to make. */
export interface Plan {
  /** Where its protocol is found: see `protocol_loader.ts`. */
  readonly protocol: string;
  /** What it is called. */
  readonly protocolName: string;
  readonly connections: number;
  /** How many requests a connection has under way at a time. */
  readonly pipeline: number;
  /** Requests a second of all connections together; `null` in the closed model. */
  readonly rate: number | null;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** How long a connection waits between an answer and its next request, in milliseconds. */
  readonly thinkMs: number;
  /** Over how long the connections begin, in milliseconds. */
  readonly rampMs: number;
  /** The least and the most bytes of a request's payload. */
  readonly size: readonly [least: number, most: number];
  /** How long it lasts, in milliseconds; `Infinity` where the requests are counted. */
  readonly durationMs: number;
  /** How many requests there are; `Infinity` where the time is measured. */
  readonly requests: number;
  /** How long connecting, and then a request, may take, in milliseconds. */
  readonly timeoutMs: number;
  /** How many Workers make it. */
  readonly threads: number;
  /** How connections are made. */
  readonly engine: EngineKind;
  /** Another seed gives other payloads. */
  readonly seed: number;
}

/** What a person says of it; the rest is completed. */
export interface PlanOptions {
  /** A name, or the path of a module. @default {"hello"} */
  readonly protocol?: string;
  /** @default {50} */
  readonly connections?: number;
  /** @default {1} */
  readonly pipeline?: number;
  /** Requests a second; 0 is the closed model. @default {0} */
  readonly rate?: number;
  /** @default {false}, but for `hello` */
  readonly connect?: boolean;
  /** Milliseconds. @default {0} */
  readonly think?: number;
  /** Milliseconds. @default {0} */
  readonly ramp?: number;
  /** Bytes. @default {[64, 64]} */
  readonly size?: readonly [least: number, most: number];
  /** Milliseconds. @default {10000}, or without end where `requests` is given */
  readonly duration?: number;
  readonly requests?: number;
  /** Milliseconds. @default {10000} */
  readonly timeout?: number;
  /** @default one for each four processors */
  readonly threads?: number;
  /** @default descriptors where they can be had */
  readonly engine?: EngineKind;
  /** @default {1} */
  readonly seed?: number;
}

/** The longest request that can be sent before its answer is read, in bytes. */
const WHOLE_BYTES = 16 * 1024;

/** The most bytes that a connection has under way: more than buffers on the way would hold. */
const PIPELINE_BYTES = 1024 * 1024;

/**
 * Checks and completes what a person says.
 *
 * @param options what was said
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

/** Why connections cannot be made by descriptor; `undefined` where they can. */
export function whyNoDescriptors(): string | undefined {
  if (pollerKinds()[0] === "epoll") return undefined;
  return whyNoSockets() ?? "sockets that do not block while they connect are there on Linux alone";
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

/** The load as the results name it. */
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

/** What one thread has of the load. */
export interface Share {
  readonly plan: Plan;
  /** A numeric address. */
  readonly address: Address;
  /** Which thread it is, from 0. */
  readonly thread: number;
  readonly connections: number;
  readonly requests: number;
}

/**
 * Shares the load among the threads.
 *
 * @param plan the whole
 * @param address where it goes
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
