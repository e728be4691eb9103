/**
 * The metrics of a measurement that goes on, for those who collect them.
 *
 * @module
 */

import type { Metric, Sample } from "../../engine/server/metrics/exposition.ts";
import type { SoFar } from "../load/measure.ts";
import type { Load, Second } from "../load/results.ts";

/** The upper bounds of the buckets of response times, in microseconds. */
const BOUNDS_US = [1, 2, 5].flatMap((step) =>
  [10, 100, 1_000, 10_000, 100_000, 1_000_000].map((decade) => step * decade)
).sort((a, b) => a - b).concat(10_000_000);

/** What tells a run from the others. */
export type RunLabels =
  & Readonly<Record<"server" | "protocol" | "connections" | "repeat", string>>
  & { readonly rate?: string };

/**
 * What tells a run from the others: of the steps of a search or a series, the rate that is due.
 *
 * @param server the name of the run
 * @param load its load
 * @param repeat which repeat of the same run it is
 */
export function labelsOf(server: string, load: Load, repeat: number): RunLabels {
  const { protocol, connections, target_rate: rate } = load;
  return {
    server,
    protocol,
    connections: String(connections),
    ...(rate !== null && { rate: String(rate) }),
    repeat: String(repeat),
  };
}

interface Counted {
  readonly labels: RunLabels;
  requests: number;
  errors: number;
  /** How many requests took no longer than each bound, and in the last place all. */
  readonly buckets: number[];
  sumS: number;
  rate: number;
}

/** The metrics of all runs so far. */
export class LiveMetrics {
  readonly #runs = new Map<string, Counted>();
  #isRunning = false;

  /** A run begins. */
  begin(labels: RunLabels): void {
    this.#isRunning = true;
    this.#of(labels);
  }

  /** No run goes on. */
  end(): void {
    this.#isRunning = false;
    for (const run of this.#runs.values()) run.rate = 0;
  }

  /** Adds a second of a run. */
  add(labels: RunLabels, { errors, rate }: Second, { latency, requests }: SoFar): void {
    const run = this.#of(labels);
    run.requests += requests;
    run.errors += errors;
    run.rate = rate;
    for (const [us, count] of latency.counts()) {
      run.sumS += us * count / 1e6;
      for (let at = BOUNDS_US.length; at >= 0; at--) {
        if (us > (BOUNDS_US[at] ?? Infinity)) break;
        run.buckets[at] = (run.buckets[at] as number) + count;
      }
    }
  }

  #of(labels: RunLabels): Counted {
    const key = JSON.stringify(labels);
    const buckets = new Array(BOUNDS_US.length + 1).fill(0);
    const run = this.#runs.get(key) ??
      { labels, requests: 0, errors: 0, buckets, sumS: 0, rate: 0 };
    this.#runs.set(key, run);
    return run;
  }

  /**
   * All metrics.
   *
   * @param about what does not change, by name
   */
  all(about: Readonly<Record<string, string>>): Metric[] {
    const runs = [...this.#runs.values()];
    const samples = (of: (run: Counted) => number): Sample[] =>
      runs.map((run) => ({ labels: run.labels, value: of(run) }));
    return [
      {
        name: "handshake_bench",
        type: "info",
        help: "The bench.",
        samples: [{ labels: about, value: 1 }],
      },
      {
        name: "handshake_bench_running",
        type: "gauge",
        help: "Whether a run goes on.",
        samples: [{ value: this.#isRunning ? 1 : 0 }],
      },
      {
        name: "handshake_bench_requests",
        type: "counter",
        help: "Requests with a correct answer.",
        samples: samples(({ requests }) => requests),
      },
      {
        name: "handshake_bench_errors",
        type: "counter",
        help: "Requests that failed.",
        samples: samples(({ errors }) => errors),
      },
      {
        name: "handshake_bench_rate",
        type: "gauge",
        help: "Requests answered in the latest second.",
        samples: samples(({ rate }) => rate),
      },
      {
        name: "handshake_bench_response_seconds",
        type: "histogram",
        unit: "seconds",
        help: "From when a request was due to its answer.",
        samples: runs.flatMap(({ labels, buckets, sumS }) => [
          ...buckets.map((value, at) => ({
            suffix: "_bucket",
            labels: { ...labels, le: boundOf(at) },
            value,
          })),
          { suffix: "_count", labels, value: buckets.at(-1) as number },
          { suffix: "_sum", labels, value: sumS },
        ]),
      },
    ];
  }
}

function boundOf(at: number): string {
  const us = BOUNDS_US[at];
  if (us === undefined) return "+Inf";
  // OpenMetrics writes whole numbers with a point.
  return us % 1e6 === 0 ? (us / 1e6).toFixed(1) : String(us / 1e6);
}
