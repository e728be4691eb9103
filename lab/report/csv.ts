/**
 * Writes a measurement as a table for other programs: RFC 4180, one row for each second and each
 * run.
 *
 * @module
 */

import { percentileName, USUAL_PERCENTILES } from "../load/percentiles.ts";
import type { Latency, RateStudy, Report, Run, Second, ServerFigures } from "../load/results.ts";
import { askedPercentiles, percentileIn } from "./columns.ts";
import { errorsOf } from "./contests.ts";

/** A value of a table; `null` if it is not known. */
export type Cell = string | number | boolean | null;

/** The names of the columns that all rows have in common, in order. */
const COMMON = [
  "row",
  "name",
  "mode",
  "runtime",
  "repeat",
  "protocol",
  "connections",
  "pipeline",
  "target_rate",
  "connect",
  "think_ms",
  "ramp_ms",
  "size_least",
  "size_most",
  "started_at",
] as const;

/**
 * The columns of the figures, in order. A figure that a second does not have is empty in its row.
 */
const MEASURED = [
  "at_s",
  "duration_s",
  "requests",
  "rate",
  "errors",
  "p50_us",
  "p90_us",
  "p99_us",
  "p999_us",
  "max_us",
  "mean_us",
  "service_p50_us",
  "service_p90_us",
  "service_p99_us",
  "service_p999_us",
  "service_max_us",
  "service_mean_us",
  "connect_p50_us",
  "connect_p99_us",
  "lag_p99_us",
  "starved_connections",
  "load_limited",
  "bytes_sent",
  "bytes_received",
  "cpu_s",
  "requests_per_cpu_s",
  "memory_bytes",
  "peak_memory_bytes",
  "threads",
  "voluntary_switches",
  "involuntary_switches",
  "server_ended",
  "due",
  "interrupted",
  "why_missing",
  "arrivals",
  "seed",
  "rate_parts",
  "recovered_s",
  "step",
  "step_phase",
  "step_verdict",
  "step_why",
  "reached",
  "aborted",
] as const;

type Measured = Partial<Record<(typeof MEASURED)[number], Cell>>;

/**
 * Writes a measurement.
 *
 * @param report the measurement
 * @returns a line of names; then, for each run, a row for each `second` and one for the `run`; then
 * a row for each run that is `missing`.
 * Lines end with CR and LF, decimals are written with a point, and unknown figures are empty.
 */
export function formatCsv({ runs, missing, rate_study }: Report): string {
  const asked = askedPercentiles(runs);
  const rows = [
    ...runs.flatMap((run, index) => [
      ...run.seconds.map((second) => rowOf("second", run, secondCells(second))),
      [
        ...rowOf("run", run, { ...runCells(run), ...stepCells(rate_study, index) }),
        ...askedCells(run, asked),
      ],
    ]),
    ...missing.flatMap(({ name, load, repeats, why }) =>
      repeats.map((repeat) =>
        rowOf("missing", { name, load, repeat, subject: null, started_at: null }, {
          why_missing: why,
        })
      )
    ),
  ];
  const columns = [...COMMON, ...MEASURED, ...askedColumns(asked)];
  // All rows have all columns.
  return [columns, ...rows.map((row) => [...row, ...columns.slice(row.length).map(() => null)])]
    .map((cells) => `${formatRow(cells)}\r\n`)
    .join("");
}

/** The percentiles that always have columns. */
const USUAL = new Set(USUAL_PERCENTILES);

/** The names of the columns for the percentiles that were asked for, and for their intervals. */
function askedColumns(asked: readonly number[]): string[] {
  return asked.flatMap((percentile) => {
    const name = percentileName(percentile).replace(".", "");
    const values = USUAL.has(percentile) ? [] : [`${name}_us`, `service_${name}_us`];
    return [...values, `${name}_low_us`, `${name}_high_us`];
  });
}

function askedCells({ latency_us, service_us }: Run, asked: readonly number[]): Cell[] {
  return asked.flatMap((percentile) => {
    const found = latency_us.percentiles.find((one) => one.percentile === percentile);
    const values = USUAL.has(percentile)
      ? []
      : [percentileIn(latency_us, percentile), percentileIn(service_us, percentile)];
    return [...values, found?.low_us ?? null, found?.high_us ?? null];
  });
}

/**
 * Writes a row of a table.
 *
 * @param cells its values, in the order of the columns
 * @returns a line, without its line end
 */
export function formatRow(cells: readonly Cell[]): string {
  return cells.map(quote).join(",");
}

function rowOf(
  kind: "second" | "run" | "missing",
  run: Pick<Run, "name" | "subject" | "repeat" | "load"> & { readonly started_at: string | null },
  measured: Measured,
): Cell[] {
  const { name, subject, repeat, load, started_at } = run;
  const common: Record<(typeof COMMON)[number], Cell> = {
    row: kind,
    name,
    mode: subject?.mode ?? null,
    runtime: subject?.runtime ?? null,
    repeat,
    protocol: load.protocol,
    connections: load.connections,
    pipeline: load.pipeline,
    target_rate: load.target_rate,
    connect: load.connect,
    think_ms: load.think_ms,
    ramp_ms: load.ramp_ms,
    size_least: load.size[0],
    size_most: load.size[1],
    started_at,
  };
  const asked: Measured = {
    arrivals: load.target_rate === null ? null : load.arrivals,
    seed: load.seed,
    rate_parts:
      load.rate_parts?.map(({ from, to, seconds }) => `${from}..${to}/${seconds}s`).join(",") ??
        null,
  };
  return [
    ...COMMON.map((column) => common[column]),
    ...MEASURED.map((column) => measured[column] ?? asked[column] ?? null),
  ];
}

function secondCells({ at, ...second }: Second): Measured {
  return { at_s: at, ...second };
}

function runCells(run: Run): Measured {
  return {
    duration_s: run.duration_s,
    requests: run.requests,
    rate: run.rate,
    errors: errorsOf(run),
    ...latencyCells("", run.latency_us),
    ...latencyCells("service_", run.service_us),
    connect_p50_us: run.connect_us?.p50 ?? null,
    connect_p99_us: run.connect_us?.p99 ?? null,
    lag_p99_us: run.lag_us.p99,
    starved_connections: run.starved_connections,
    load_limited: run.load_limited,
    bytes_sent: run.bytes_sent,
    bytes_received: run.bytes_received,
    ...serverCells(run.server),
    due: run.due,
    interrupted: run.interrupted,
    recovered_s: run.recoveries.length === 0
      ? null
      : run.recoveries.map(({ recovered_s }) => recovered_s ?? "never").join(" "),
    aborted: run.aborted,
  };
}

/** What a run was in a study of rates. */
function stepCells(study: RateStudy | null | undefined, index: number): Measured {
  const at = study?.steps.findIndex(({ run }) => run === index) ?? -1;
  const step = study?.steps[at];
  if (step === undefined) return {};
  const { phase, verdict, why, reached } = step;
  return { step: at + 1, step_phase: phase, step_verdict: verdict, step_why: why, reached };
}

function serverCells(server: ServerFigures | null): Measured {
  if (server === null) return {};
  const { ended, ...figures } = server;
  return { ...figures, server_ended: ended };
}

function latencyCells(clock: "" | "service_", latency: Latency): Measured {
  return Object.fromEntries(
    Object.entries({ ...latency, percentiles: null }).map((
      [field, us],
    ) => [`${clock}${field}_us`, us]),
  );
}

function quote(cell: Cell): string {
  const text = cell === null ? "" : String(cell);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
