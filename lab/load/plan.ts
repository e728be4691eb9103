/**
 * What load to make: checked, completed, and plain data that can be posted to Workers.
 *
 * @module
 */

import type { Address } from "../../protocols/effects.ts";
import { pollerKinds } from "../../engine/net/poller.ts";
import { runtime } from "../../engine/net/runtime.ts";
import { whyNoSockets } from "../../engine/net/libc.ts";
import type { Flag } from "../../engine/cli/flags.ts";
import {
  booleanOption,
  choiceOption,
  defineOption,
  integerOption,
  OptionError,
  stringOption,
} from "../../engine/cli/options.ts";
import { durationOption } from "../../engine/cli/quantity_options.ts";
import { parseRate, parseSize, type Rate } from "../../engine/values/quantities.ts";
import { locateProtocol } from "../../engine/server/core/protocol_loader.ts";
import { type ArrivalKind, ARRIVALS_FORM, burstOf, readArrivals } from "./arrivals.ts";
import { COURSE_FORM, parseCourse, RateCourse, type RatePart } from "./rate_course.ts";
import type { Load } from "./results.ts";
import { loadLoadProtocol, type LoadProtocol, MEASURABLE } from "./load_protocol.ts";
import { readSources, SOURCE } from "./sources.ts";
import { protocolOf, type Talk } from "./talk.ts";
import { readTalk, recordTalk, TALK_FLAGS, type TalkOptions } from "./talk_options.ts";

/** The least and the most bytes of a request's payload. */
export type Sizes = readonly [least: number, most: number];

/** How connections are made: descriptors through foreign functions, or the runtime's sockets. */
export type EngineKind = "descriptors" | "runtime";

/** The load to make. */
export interface Plan {
  /** Where the protocol is: a name or a location (see `protocol_loader.ts`). */
  readonly protocol: string;
  /** The name of the protocol. */
  readonly protocolName: string;
  /** What is sent in place of a protocol's requests. */
  readonly talk?: Talk | undefined;
  readonly connections: number;
  /** How many requests a connection has under way at a time. */
  readonly pipeline: number;
  /**
   * Requests a second, over all connections together; `null` in the closed model. The mean of a rate
   * that changes.
   */
  readonly rate: number | null;
  /** The parts of a rate that changes; `null` if it is constant. */
  readonly rateParts: readonly RatePart[] | null;
  /** How the requests of an open model follow each other. */
  readonly arrivals: ArrivalKind;
  /** Whether each request has a connection of its own. */
  readonly connect: boolean;
  /** How long a connection waits between an answer and its next request, in milliseconds. */
  readonly thinkMs: number;
  /** The time over which the connections begin, in milliseconds. */
  readonly rampMs: number;
  /** The least and the most bytes of a request's payload. */
  readonly size: Sizes;
  /** How long it lasts, in milliseconds; `Infinity` where the requests are counted. */
  readonly durationMs: number;
  /** How many requests there are; `Infinity` if the time limits them. */
  readonly requests: number;
  /** How long connecting may take, and then each request, in milliseconds. */
  readonly timeoutMs: number;
  /** How many Workers make the load. */
  readonly threads: number;
  /** How connections are made. */
  readonly engine: EngineKind;
  /** The addresses that connections come from, in turn; empty for any. */
  readonly sources: readonly string[];
  /** The same as the user has written it. */
  readonly source?: string | undefined;
  /** The seed of the payloads and of random arrivals. */
  readonly seed: number;
  /** Whether the threads warm up before the run. Without it, its first requests are slow. */
  readonly rehearse: boolean;
  /** Whether each second also tells what still waits for its answer. @default {false} */
  readonly tellsWaiting?: boolean;
}

/** What the user says about the load. The rest is filled in. */
export interface PlanOptions extends TalkOptions {
  /** A name, or the path of a module. @default {"hello"} */
  readonly protocol?: string;
  /** @default {50} */
  readonly connections?: number;
  /** @default {1} */
  readonly pipeline?: number;
  /**
   * Requests a second, or a rate that changes, as `1k..20k/60s,20k/30s`; 0 is the closed model.
   * @default {0}
   */
  readonly rate?: Rate;
  /** `even`, `poisson` or for instance `burst:10`. @default {"even"} */
  readonly arrivals?: string;
  /** @default {false}, except for `hello` */
  readonly connect?: boolean;
  /** Milliseconds. @default {0} */
  readonly think?: number;
  /** Milliseconds. @default {0} */
  readonly ramp?: number;
  /** Bytes. @default {[64, 64]} */
  readonly size?: Sizes;
  /** Milliseconds. @default {10000}, or without end where `requests` is given */
  readonly duration?: number;
  readonly requests?: number;
  /** Milliseconds. @default {10000} */
  readonly timeout?: number;
  /** @default {Math.max(1, cores >> 2)} */
  readonly threads?: number;
  /** @default {"descriptors"} where they can be used, else `"runtime"` */
  readonly engine?: EngineKind;
  /** The addresses that connections come from, for instance `127.0.0.2-127.0.0.20`. */
  readonly source?: string;
  /** @default {1} */
  readonly seed?: number;
}

/** The protocol of the load. */
const PROTOCOL = stringOption("protocol", {
  value: "NAME|PATH",
  suggestions: MEASURABLE,
  default: "hello",
  help: `the protocol: ${MEASURABLE.join(", ")}, or a module that exports a generator load`,
});

/** How many connections there are at a time. */
const CONNECTIONS = integerOption("connections", {
  short: "c",
  least: 1,
  most: 1_000_000,
  default: 50,
  help: "how many connections at a time",
});

/** How long to measure. */
const DURATION = durationOption("duration", {
  short: "d",
  default: "10s",
  shown: "10s, or as long as -n takes",
  positive: true,
  help: "how long to measure",
});

/** How many requests to send. */
const REQUESTS = integerOption("requests", {
  short: "n",
  least: 1,
  most: 1_000_000_000,
  help: "how many requests to send",
});

/** Requests a second; 0 is the closed model. */
export const RATE = defineOption<Course, Rate>("rate", { kind: "string" }, {
  value: "RATE|A..B/TIME,…",
  default: 0,
  shown: "as fast as the answers come",
  help: `how many requests are due each second, answered or not; ${COURSE_FORM} changes it`,
}, checkRate);

/** How requests follow each other. */
export const ARRIVALS = defineOption<ArrivalKind, string>("arrivals", {
  kind: "string",
  suggestions: ["even", "poisson", "burst:10"],
}, {
  value: "even|poisson|burst:N",
  default: "even",
  help: "how the requests of a --rate follow each other: evenly, at random, N at once",
}, (given) => {
  const kind = readArrivals(given);
  if (kind !== undefined) return kind;
  throw new OptionError(`Cannot use arrivals: expected ${ARRIVALS_FORM}`);
});

/** How many requests a connection has under way. */
const PIPELINE = integerOption("pipeline", {
  least: 1,
  most: 1024,
  default: 1,
  help: "how many requests a connection has under way",
});

/** Whether each request has a connection of its own. */
const CONNECT = booleanOption("connect", {
  default: false,
  help: "a new connection for each request, as in hello",
});

/** How long a connection waits before its next request. */
const THINK = durationOption("think", {
  default: 0,
  help: "how long a connection waits between an answer and its next request",
});

/** The time over which the connections begin. */
const RAMP = durationOption("ramp", {
  default: 0,
  help: "the time over which the connections begin",
});

/** How many bytes a request sends. */
export const SIZE = defineOption<Sizes, Sizes | string>("size", { kind: "string" }, {
  value: "SIZE|LEAST..MOST",
  default: "64",
  help: "how many bytes a request sends: 64, or 1k..64k",
}, checkSizes);

/** How long connecting, and then a request, may take. */
const TIMEOUT = durationOption("timeout", {
  default: "10s",
  positive: true,
  help: "how long connecting, and then a request, may take",
});

/** How many Workers make the load. */
const THREADS = integerOption("threads", {
  least: 1,
  most: 256,
  default: () => Math.max(1, runtime.cpus >> 2),
  shown: "one for each four processors",
  help: "how many Workers make the load",
});

/** How to connect. */
const ENGINE = choiceOption<EngineKind>("engine", {
  choices: ["descriptors", "runtime"],
  default: () => whyNoDescriptors() === undefined ? "descriptors" : "runtime",
  shown: "descriptors where they can be used",
  help: "how to connect: by system calls, or with the runtime's own sockets",
});

/** The seed of the payloads and of random arrivals. */
const SEED = integerOption("seed", {
  least: 0,
  most: 0x7fff_ffff,
  default: 1,
  help: "the seed of the payloads and of random arrivals",
});

/** The flags that say what load to make, in the order of the help. */
export const LOAD_FLAGS: readonly Flag[] = [
  PROTOCOL,
  ...TALK_FLAGS,
  CONNECTIONS,
  DURATION,
  REQUESTS,
  RATE,
  ARRIVALS,
  PIPELINE,
  CONNECT,
  THINK,
  RAMP,
  SIZE,
  TIMEOUT,
  THREADS,
  ENGINE,
  SOURCE,
  SEED,
];

/** The longest request: each thread keeps one in memory. */
const LONGEST_REQUEST = 1024 ** 3;

/** The longest request that can be sent before its answer is read, in bytes. */
const WHOLE_BYTES = 16 * 1024;

/** The most bytes under way on one connection. This is already more than the buffers hold. */
const PIPELINE_BYTES = 1024 * 1024;

/**
 * Checks what the user says about the load, and fills in the rest.
 *
 * @param options what the user said
 * @throws {OptionError} if something is wrong
 */
export async function makePlan(options: PlanOptions): Promise<Plan> {
  const talk = await readTalk(options, CONNECT.read(options.connect));
  if (talk !== undefined) refuseBesideTalk(options);
  const location = talk === undefined ? locateProtocol(PROTOCOL.read(options.protocol)) : TALK;
  const protocol = await loadProtocolOf({ protocol: location, talk });
  const connections = CONNECTIONS.read(options.connections);
  const isCounted = options.requests !== undefined;
  const requests = isCounted ? REQUESTS.read(options.requests) : Infinity;
  const { rate, parts } = RATE.read(options.rate);
  if (parts !== null && options.duration !== undefined) {
    throw new OptionError("Cannot use duration with a rate that changes: its parts say how long");
  }
  const plan: Plan = {
    protocol: location,
    protocolName: protocol.name,
    talk,
    connections,
    pipeline: PIPELINE.read(options.pipeline),
    rate: rate || null,
    rateParts: parts,
    arrivals: ARRIVALS.read(options.arrivals),
    connect: CONNECT.read(options.connect) || protocol.connects === true,
    thinkMs: THINK.read(options.think),
    rampMs: RAMP.read(options.ramp),
    size: talk === undefined ? SIZE.read(options.size) : [talk.request.length, talk.request.length],
    durationMs: parts !== null
      ? new RateCourse(parts).durationMs
      : options.duration === undefined && isCounted
      ? Infinity
      : DURATION.read(options.duration),
    requests,
    timeoutMs: TIMEOUT.read(options.timeout),
    threads: Math.min(THREADS.read(options.threads), connections),
    engine: ENGINE.read(options.engine),
    sources: readSources(options.source),
    source: options.source,
    seed: SEED.read(options.seed),
    rehearse: true,
  };
  checkArrivals(plan, options);
  checkPlan(plan, protocol);
  return plan;
}

/** The location of a protocol that is none: what `--send` says is sent. */
const TALK = "send";

/** Refuses what `--send` says already. */
function refuseBesideTalk({ protocol, size }: PlanOptions): void {
  if (protocol !== undefined) {
    throw new OptionError("Cannot use protocol with send: each says what a request is");
  }
  if (size !== undefined) {
    throw new OptionError("Cannot use size with send: a request has the bytes that are sent");
  }
}

/**
 * The client's side of a load.
 *
 * @param plan the load, or its part that says what is spoken
 * @throws {OptionError} if there is none
 */
export function loadProtocolOf(
  { protocol, talk }: Pick<Plan, "protocol" | "talk">,
): Promise<LoadProtocol> {
  return talk === undefined ? loadLoadProtocol(protocol) : Promise.resolve(protocolOf(talk));
}

/** A rate that was asked for. */
interface Course {
  /** Requests a second, on average; 0 is the closed model. */
  readonly rate: number;
  /** The parts of a rate that changes; `null` if it is constant. */
  readonly parts: readonly RatePart[] | null;
}

/** Reads a rate, or a rate that changes. */
function checkRate(given: Rate): Course {
  try {
    const parts = typeof given === "string" ? parseCourse(given) : undefined;
    if (parts === undefined) return { rate: parseRate(given), parts: null };
    return { rate: new RateCourse(parts).mean, parts };
  } catch (cause) {
    const why = String(given).includes(",") || String(given).includes("..")
      ? `, or ${COURSE_FORM}`
      : "";
    throw new OptionError(`Cannot use rate: ${(cause as Error).message}${why}`, { cause });
  }
}

/** The most random arrivals a second: they are drawn one by one. */
const MOST_RANDOM = 1_000_000;

function checkArrivals(plan: Plan, options: PlanOptions): void {
  const { rate, rateParts, rampMs, arrivals, durationMs } = plan;
  const refuse = (why: string): never => {
    throw new OptionError(why);
  };
  if (rate === null && options.arrivals !== undefined) {
    refuse("Cannot use arrivals without rate: in the closed model an answer brings the next one");
  }
  const most = Math.max(rate ?? 0, ...(rateParts ?? []).flatMap(({ from, to }) => [from, to]));
  if (arrivals === "poisson" && most > MOST_RANDOM) {
    refuse("Cannot use arrivals poisson with such a rate: expected at most 1M/s");
  }
  const burst = burstOf(arrivals);
  // They would all come at the beginning, and the rate would be another one.
  if (burst > 1 && rate !== null && burst > rate * durationMs / 1000) {
    refuse(`Cannot use arrivals ${arrivals}: so many are not due in the whole run`);
  }
  if (rateParts !== null && rampMs > 0) {
    refuse(
      "Cannot use ramp with a rate that changes: ramp spreads the beginnings of the connections, " +
        "and a rate that begins low, as 0..1k/10s, needs no such thing",
    );
  }
}

/** Reads a size or a range of sizes, for instance `64` or `1k..64k`. */
function checkSizes(given: Sizes | string): Sizes {
  try {
    const sizes = typeof given === "string" ? given.split("..").map(parseSize) : given;
    const [least = 0, most = least, ...more] = sizes;
    const isRange = least > 0 && least <= most && more.length === 0;
    if (isRange && most <= LONGEST_REQUEST) return [least, most];
  } catch {
    // The error is thrown below.
  }
  throw new OptionError("Cannot use size: expected 64 or 1k..64k, at most 1g");
}

/** Why connections cannot be made by descriptor; `undefined` if they can. */
export function whyNoDescriptors(): string | undefined {
  if (pollerKinds()[0] === "epoll") return undefined;
  return whyNoSockets() ?? "only Linux has sockets that connect without blocking";
}

function checkPlan(plan: Plan, protocol: LoadProtocol): void {
  const { size: [, most], pipeline, rate, thinkMs, connect, rampMs, durationMs } = plan;
  const refuse = (why: string): never => {
    throw new OptionError(why);
  };
  if (rampMs > durationMs) {
    refuse("Cannot use ramp: it is longer than the run, so some connections would never begin");
  }
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

/**
 * The load with which a server is warmed up.
 *
 * @param plan the load that is measured afterwards
 * @param durationMs how long it lasts, in milliseconds
 */
export function warmUpOf(plan: Plan, durationMs: number): Plan {
  return {
    ...plan,
    durationMs,
    requests: Infinity,
    rateParts: null,
    rampMs: 0,
    rehearse: false,
  };
}

/** The load in the form in which the results hold it. */
export function loadOf(plan: Plan): Load {
  return {
    protocol: plan.protocolName,
    connections: plan.connections,
    pipeline: plan.pipeline,
    target_rate: plan.rate,
    rate_parts: plan.rateParts?.map(({ from, to, ms }) => ({ from, to, seconds: ms / 1000 })) ??
      null,
    arrivals: plan.arrivals,
    seed: plan.seed,
    connect: plan.connect,
    think_ms: plan.thinkMs,
    ramp_ms: plan.rampMs,
    size: plan.size,
    timeout_ms: plan.timeoutMs,
    ...(plan.source !== undefined && { source: plan.source }),
    ...(plan.talk !== undefined && { send: recordTalk(plan.talk) }),
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
