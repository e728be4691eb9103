/**
 * Puts what queueing theory says of a pool of workers beside what the bench has measured: the table
 * in `docs/measuring.md`. It reads a series of `--rates` with `--arrivals poisson` and a load of
 * `examples/service.ts` or `examples/random_service.ts`.
 *
 * The service time is that of the lowest rate, where almost nothing waits: it holds besides what
 * connecting and the system's timers take. Of random service times there are too few at that rate to
 * tell their mean: `--service` gives what a series of fixed ones has shown. The rate is that at which
 * requests really arrived: random arrivals are seldom as many as on average.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { fail, printAndExit, readCommandLine } from "../engine/cli/command_line.ts";
import { EXIT_FAILED } from "../engine/cli/exit_status.ts";
import type { Command } from "../engine/cli/flags.ts";
import { isMainModule } from "../engine/net/runtime.ts";
import type { Report, Run } from "../lab/load/results.ts";
import { parseJson } from "../lab/report/json.ts";
import { predictFixed, type Prediction, predictRandom } from "../lab/report/queueing.ts";
import { formatRate, formatTime } from "../engine/values/units.ts";

const COMMAND: Command = {
  name: "queueing",
  summary: "compare a measured pool of workers with queueing theory",
  positionals: [{ name: "file", kind: "string", help: "what the bench wrote with --json" }],
  required: 1,
  flags: [
    {
      name: "workers",
      kind: "integer",
      value: "N",
      least: 1,
      most: 10_000,
      default: "4",
      help: "how many workers the pool has",
    },
    {
      name: "service",
      kind: "duration",
      value: "TIME",
      positive: true,
      default: "that of the lowest rate",
      help: "the mean service time",
    },
  ],
  example: "deno run -A scripts/queueing.ts measured.json --workers 4",
};

/** The models, by the name of the load. */
const MODELS: Readonly<Record<string, (pool: Parameters<typeof predictFixed>[0]) => Prediction>> = {
  service: predictFixed,
  random_service: predictRandom,
};

/**
 * Compares a series with theory.
 *
 * @param report what the bench has measured
 * @param workers how many workers the pool has
 * @param serviceMs the mean service time, in milliseconds; by default that of the lowest rate
 * @returns a table in Markdown
 * @throws {RangeError} if it is no such series
 */
export function compareWithTheory(
  { runs }: Report,
  workers: number,
  serviceMs?: number,
): string {
  const [lowest, ...others] = runs.toSorted((a, b) => arrivedIn(a) - arrivedIn(b));
  const predict = MODELS[lowest?.load.protocol ?? ""];
  const isRandom = runs.every(({ load }) => load.arrivals === "poisson");
  if (lowest === undefined || predict === undefined || !isRandom) {
    throw new RangeError("Cannot compare: expected --arrivals poisson and examples/service.ts");
  }
  const service = serviceMs === undefined ? serviceIn(lowest, workers, predict) : serviceMs / 1000;
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  const lines = others.map((run) => {
    const { latency_us: { mean, p50, p99 } } = run;
    const theory = predict({ rate: arrivedIn(run), service, workers });
    const us = (seconds: number) => formatTime(seconds * 1e6);
    return row([
      formatRate(arrivedIn(run)),
      `${(theory.utilisation * 100).toFixed(0)} %`,
      formatTime(mean),
      us(theory.meanResponse),
      formatTime(p50),
      us(theory.response(0.5)),
      formatTime(p99),
      us(theory.response(0.99)),
    ]);
  });
  return [
    `Service time ${formatTime(service * 1e6)}, ${workers} workers`,
    "",
    row(["arrived", "busy", "mean", "computed", "p50", "computed", "p99", "computed"]),
    row(Array(8).fill("---:")),
    ...lines,
  ].join("\n") + "\n";
}

/** How many requests have arrived in each second. */
function arrivedIn({ due, duration_s }: Run): number {
  return (due ?? 0) / duration_s;
}

/** The mean service time: the response time of the lowest rate, without what is waited even there. */
function serviceIn(
  run: Run,
  workers: number,
  predict: (pool: { rate: number; service: number; workers: number }) => Prediction,
): number {
  const measured = (run.latency_us.mean ?? 0) / 1e6;
  let service = measured;
  for (let step = 0; step < 20; step++) {
    service = measured - predict({ rate: arrivedIn(run), service, workers }).meanWait;
  }
  return service;
}

function main(): void {
  const { file, workers = 4, service } = readCommandLine(COMMAND);
  try {
    const report = parseJson(readFileSync(file as string, "utf8"), file as string);
    printAndExit(compareWithTheory(report, workers as number, service as number | undefined));
  } catch (error) {
    fail(COMMAND.name, (error as Error).message, EXIT_FAILED);
  }
}

if (isMainModule(import.meta)) main();
