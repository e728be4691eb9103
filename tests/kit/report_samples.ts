/**
 * Measurements for testing reports: plausible, and the same each time.
 *
 * @module
 */

import { build, encodeIntoCompressedBase64, type Histogram } from "hdr-histogram-js";
import { type Latency, type Load, type Report, type Run, SCHEMA } from "../../lab/load/results.ts";
import { findingsOf } from "../../lab/report/findings.ts";

/** A source of numbers that look random: mulberry32. */
export class Dice {
  #state: number;

  /** @param seed the same seed gives the same numbers */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** A number from 0 to just under 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A normally distributed number, with mean 0 and deviation 1: Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.next())) * Math.cos(2 * Math.PI * this.next());
  }
}

/** How a run differs from the usual sample. */
export interface Sample extends Partial<Omit<Run, "load">> {
  readonly load?: Partial<Load>;
  /** About how many requests a second. @default {40000} */
  readonly about?: number;
  /** How much the repeats vary, as a share. @default {0.02} */
  readonly spread?: number;
}

/** The bench's default load. */
export const LOAD: Load = {
  protocol: "frame",
  connections: 50,
  pipeline: 1,
  target_rate: null,
  rate_parts: null,
  arrivals: "even",
  seed: 1,
  connect: false,
  think_ms: 0,
  ramp_ms: 0,
  size: [64, 64],
  timeout_ms: 5_000,
};

/** How many drawn requests stand for all the requests of a run. */
export const DRAWN = 2_000;

/** Makes a run. */
export function sampleRun(dice: Dice, sample: Sample = {}): Run {
  const { about = 40_000, spread = 0.02, load: asked, ...own } = sample;
  const load = { ...LOAD, ...asked };
  const duration_s = own.duration_s ?? 5;
  const possible = about * Math.exp(spread * dice.normal());
  const rate = Math.min(possible, load.target_rate ?? Infinity);
  const usual = load.connections / possible * 1e6;
  const [latency, service] = [newHistogram(), newHistogram()];
  for (let drawn = 0; drawn < DRAWN; drawn++) {
    const stall = dice.next() < 0.002 ? 10 * dice.next() : 0;
    const us = Math.max(1, usual * Math.exp(0.35 * dice.normal() + stall / 3));
    service.recordValue(Math.round(us));
    latency.recordValue(Math.round(load.target_rate === null ? us : us * (1 + 3 * dice.next())));
  }
  const requests = Math.round(rate * duration_s);
  const cpu_s = duration_s * (0.8 + 0.1 * dice.next());
  const memory_bytes = Math.round(2 ** 20 * (60 + 5 * dice.next()));
  return {
    name: "threadpool · deno",
    subject: { mode: "threadpool", runtime: "deno" },
    repeat: 1,
    started_at: "2026-01-02T03:04:05.678Z",
    duration_s,
    interrupted: false,
    aborted: null,
    requests,
    due: load.target_rate === null ? null : Math.round(load.target_rate * duration_s),
    rate,
    bytes_sent: requests * 66,
    bytes_received: requests * 64,
    latency_us: latencyOf(latency),
    service_us: latencyOf(service),
    connect_us: null,
    lag_us: { p50: 8, p90: 12, p99: 40, p999: 90, max: 400, mean: 9, percentiles: [] },
    errors: {},
    starved_connections: 0,
    load_limited: false,
    server: {
      cpu_s,
      requests_per_cpu_s: requests / cpu_s,
      memory_bytes,
      peak_memory_bytes: memory_bytes + 2 ** 20,
      threads: 12,
      voluntary_switches: 120_345,
      involuntary_switches: 5_678,
      ended: false,
    },
    seconds: Array.from({ length: Math.ceil(duration_s) }, (_, index) => ({
      at: index + 1,
      rate: rate * (1 + 0.03 * dice.normal()),
      p50_us: Math.round(latency.getValueAtPercentile(50)),
      p99_us: Math.round(latency.getValueAtPercentile(99) * (1 + 0.2 * dice.next())),
      errors: 0,
      cpu_s: cpu_s / duration_s,
      memory_bytes: memory_bytes - (5 - index) * 2 ** 18,
      histogram: null,
    })),
    recoveries: [],
    histogram: {
      latency: encodeIntoCompressedBase64(latency),
      service: encodeIntoCompressedBase64(service),
      connect: null,
      lag: null,
    },
    ...own,
    load,
  };
}

/** Makes several repeats of the same run. */
export function sampleRepeats(dice: Dice, name: string, count: number, sample: Sample = {}): Run[] {
  const [mode = "", runtime] = name.split(" · ");
  const subject = runtime === undefined ? null : { mode, runtime };
  return Array.from(
    { length: count },
    (_, index) => sampleRun(dice, { name, subject, repeat: index + 1, ...sample }),
  );
}

/** Makes a measurement from runs. */
export function sampleReport(runs: readonly Run[]): Report {
  return {
    schema: SCHEMA,
    machine: {
      os: "Linux 6.1.0 x86_64",
      cpu: "Intel(R) Xeon(R) Processor @ 2.80GHz",
      cores: 2,
      memory_bytes: 8 * 2 ** 30,
      runtime: "deno 2.9.6",
    },
    command: "deno run -A lab/bench.ts compare --modes all -d 5s --repeat 3",
    runs,
    missing: [],
    profiles: [],
    floor: null,
    parts: [],
    findings: findingsOf(runs),
  };
}

/** All modes on both runtimes, under several loads. */
export function sampleComparison(seed = 1, repeats = 3): Report {
  const dice = new Dice(seed);
  const modes = {
    sequential: 9_000,
    threaded: 38_000,
    threadpool: 41_000,
    nonblocking: 52_000,
    event: 27_000,
    cluster: 33_000,
    berkeley: 40_500,
  };
  const loads: readonly Partial<Load>[] = [
    {},
    { connections: 500 },
    { protocol: "hello", connect: true, size: [0, 0] },
    { target_rate: 30_000 },
  ];
  return sampleReport(
    loads.flatMap((load) =>
      Object.entries(modes).flatMap(([mode, about]) =>
        ["deno", "bun"].flatMap((runtime) =>
          sampleRepeats(dice, `${mode} · ${runtime}`, repeats, {
            load,
            about: runtime === "bun" ? about * 1.15 : about,
          })
        )
      )
    ),
  );
}

function newHistogram(): Histogram {
  return build({ bitBucketSize: 32, numberOfSignificantValueDigits: 3 });
}

function latencyOf(histogram: Histogram): Latency {
  const at = (percentile: number) => histogram.getValueAtPercentile(percentile);
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue,
    mean: histogram.mean,
    percentiles: [],
  };
}
