/**
 * Adds up measurements that several machines have made of the same server at the same time.
 *
 * The distributions are added count by count, so the percentiles are those of all requests together:
 * percentiles themselves cannot be averaged. What does not belong together is refused.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { Distribution } from "../load/distribution.ts";
import { recoveriesOf } from "../load/recovery.ts";
import type {
  Latency,
  Load,
  LoadPart,
  Machine,
  Part,
  Recovery,
  Report,
  Run,
  Second,
} from "../load/results.ts";
import { formatTime } from "../../engine/values/units.ts";

/** By how much runs that were equally long may differ: by a share, and in seconds. */
const ALIKE = 0.02;
const ALIKE_S = 0.1;

/** The share of their time in which runs must have gone on together. */
const TOGETHER = 0.5;

/** A measurement, and the file that it is from. */
export interface Source {
  readonly file: string;
  readonly report: Report;
}

/** The measurements do not belong together. The message is one line. */
export class MergeError extends Error {
  override readonly name = "MergeError";
}

/**
 * Adds up measurements.
 *
 * @param sources at least two
 * @param command the command line that makes the sum
 * @returns the sum, without findings
 * @throws {MergeError} if they do not belong together
 */
export function mergeReports(sources: readonly Source[], command: string): Report {
  const [first, ...others] = sources as [Source, ...Source[]];
  refuseTwice(sources);
  for (const other of others) {
    if (first.report.runs.length === other.report.runs.length) continue;
    throw new MergeError(
      `${first.file} has ${runsOf(first)} and ${other.file} has ${runsOf(other)}: ` +
        "they are not the same measurement",
    );
  }
  for (const { file, report: { rate_study } } of sources) {
    if (rate_study === null) continue;
    throw new MergeError(
      `${file} has a search or a series of rates: each machine has searched for its own limit`,
    );
  }
  if (first.report.runs.length === 0) throw new MergeError(`${first.file} has no run`);
  const merged = first.report.runs.map((run, index) =>
    mergeRuns(sources.map(({ file, report }) => ({ file, run: partnerOf(report, run, index) })))
  );
  refuseOthers(sources);
  const parts = sources.flatMap(partsOf);
  const { reference } = first.report;
  const isAgreed = others.every(({ report }) => report.reference === reference);
  return {
    schema: first.report.schema,
    machine: together(parts.map(({ machine }) => machine)),
    floor: null,
    command,
    runs: merged,
    missing: sources.flatMap(({ report }) => report.missing),
    profiles: [],
    parts,
    ...(reference !== undefined && isAgreed && { reference }),
    rate_study: null,
    findings: [],
  };
}

/**
 * Says which runs did not go on at the same time: their rates were not reached together.
 *
 * @param sources what was merged
 * @returns one sentence for each file that the others did not go on beside
 */
export function apartNotes(sources: readonly Source[]): string[] {
  const [first, ...others] = sources as [Source, ...Source[]];
  return others.flatMap(({ file, report }) => {
    const apart = report.runs.some((run, index) => {
      const other = partnerOf(first.report, run, index);
      const [from, to] = [Date.parse(run.started_at), Date.parse(other.started_at)];
      const shortestMs = Math.min(run.duration_s, other.duration_s) * 1_000;
      return Math.abs(from - to) > (1 - TOGETHER) * shortestMs;
    });
    if (!apart) return [];
    const [one, other] = [report.runs[0], first.report.runs[0]] as [Run, Run];
    const us = Math.abs(Date.parse(one.started_at) - Date.parse(other.started_at)) * 1_000;
    return [
      `${first.file} and ${file} began ${formatTime(us)} apart, by the clocks of their machines: ` +
      "the sum of their rates was not reached at one time",
    ];
  });
}

function runsOf({ report: { runs } }: Source): string {
  return runs.length === 1 ? "one run" : `${runs.length} runs`;
}

/** What a file brings: what it was added up from itself, if it was. */
function partsOf({ file, report: { machine, command, runs, parts } }: Source): readonly Part[] {
  if (parts.length > 0) return parts;
  const [first] = runs;
  return [{
    file,
    machine,
    command,
    started_at: first?.started_at ?? "",
    digests: runs.map(digestOf),
  }];
}

/** What tells a measurement from all others, in hexadecimal digits. */
function digestOf({ started_at, histogram, requests }: Run): string {
  const key = JSON.stringify([started_at, requests, histogram.latency, histogram.lag]);
  return createHash("sha256").update(key).digest("hex");
}

/**
 * No measurement may count twice, whatever its files are called, and whatever it was added to
 * already.
 */
function refuseTwice(sources: readonly Source[]): void {
  const seen = new Map<string, string>();
  for (const source of sources) {
    const { file } = source;
    const digests = partsOf(source).flatMap(({ digests = [] }) => digests);
    for (const digest of digests) {
      const other = seen.get(digest);
      if (other === undefined) continue;
      if (other === file) throw new MergeError(`${file} was given twice`);
      throw new MergeError(`${other} and ${file} hold the same measurement`);
    }
    for (const digest of digests) seen.set(digest, file);
  }
}

/** The names of what a file holds measurements of. */
function namesIn({ report: { runs } }: Source): string[] {
  return [...new Set(runs.map(({ name }) => name))].sort();
}

/**
 * Where several servers were compared, their names tell which is which, so they must be the same. A
 * single one may have another address for each machine.
 */
function refuseOthers(sources: readonly Source[]): void {
  const [first, ...others] = sources as [Source, ...Source[]];
  const names = namesIn(first);
  for (const other of others) {
    const theirs = namesIn(other);
    if (Math.max(names.length, theirs.length) === 1 || String(names) === String(theirs)) continue;
    throw new MergeError(
      `${first.file} and ${other.file} do not belong together: one is of ${names.join(", ")} and ` +
        `the other of ${theirs.join(", ")}`,
    );
  }
}

/**
 * Says which files are of servers with other names: only who has measured knows whether they are one.
 *
 * @param sources what was merged
 * @returns one sentence for each of them
 */
export function nameNotes(sources: readonly Source[]): string[] {
  const [first, ...others] = sources as [Source, ...Source[]];
  const name = namesIn(first).join(", ");
  return others.flatMap((other) => {
    const its = namesIn(other).join(", ");
    if (its === name) return [];
    return [
      `${first.file} is of ${name} and ${other.file} of ${its}: the sum is right if both are ` +
      "one server",
    ];
  });
}

/** The run that belongs to a run of another file: it has the same name and number, or the same place. */
function partnerOf({ runs }: Report, { name, repeat, load }: Run, index: number): Run {
  const same = runs.find((run) =>
    run.name === name && run.repeat === repeat && run.load.protocol === load.protocol &&
    runs.length > 1 && differing(run.load, load).length === 0 &&
    run.load.connections === load.connections
  );
  return same ?? runs[index] as Run;
}

/** The properties of a load that add up over the machines, or are each one's own, and so may differ. */
const ADDED: ReadonlySet<string> = new Set(["connections", "target_rate", "seed", "source"]);

/** What the properties of a load are called. */
const WORDS: Readonly<Record<string, string>> = {
  protocol: "protocol",
  size: "size",
  connect: "way to connect",
  pipeline: "pipeline",
  think_ms: "think time",
  ramp_ms: "ramp",
  timeout_ms: "timeout",
  rate_parts: "course of the rate, in seconds,",
};

/** The properties in which two loads differ and must not. */
function differing(one: Load, other: Load): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) =>
    !ADDED.has(name) && comparedIn(one, name) !== comparedIn(other, name)
  );
}

/** A property of a load, as far as it must be the same. */
function comparedIn(load: Load, name: string): string {
  // Rates add up, also those of a rate that changes. When it changes must be the same.
  if (name === "rate_parts") {
    return JSON.stringify(load.rate_parts?.map(({ seconds }) => seconds) ?? null);
  }
  return JSON.stringify((load as unknown as Record<string, unknown>)[name] ?? null);
}

/** A run and its file. */
interface PartRun {
  readonly file: string;
  readonly run: Run;
}

function mergeRuns(parts: readonly PartRun[]): Run {
  const [first, ...others] = parts as [PartRun, ...PartRun[]];
  for (const other of others) refuseStranger(first, other);
  const runs = parts.map(({ run }) => run);
  const sum = (of: (run: Run) => number) => runs.reduce((total, run) => total + of(run), 0);
  const rates = runs.map(({ load }) => load.target_rate);
  const dues = runs.map(({ due }) => due);
  const names = [...new Set(runs.map(({ name }) => name))];
  const hasConnect = runs.every(({ connect_us, histogram }) =>
    connect_us !== null && histogram.connect !== null
  );
  const hasLag = runs.every(({ histogram }) => histogram.lag !== null);
  const clock = (field: "latency" | "service" | "connect" | "lag") =>
    mergeClock(runs, field, first.run.latency_us.percentiles.map(({ percentile }) => percentile));
  const [latency, service] = [clock("latency"), clock("service")];
  const connect = hasConnect ? clock("connect") : null;
  const lag = hasLag ? clock("lag") : null;
  const requests = sum(({ requests }) => requests);
  const watched = runs.filter(({ server }) => server !== null);
  const server = watched.length === 1 ? watched[0]?.server ?? null : null;
  const isCut = runs.some(({ interrupted }) => interrupted);
  const seconds = mergeSeconds(runs, runs.find(({ server: seen }) => seen === server));
  const rate_parts = addCourses(runs.map(({ load }) => load.rate_parts));
  return {
    ...first.run,
    name: names.join(" + "),
    load: {
      ...first.run.load,
      connections: sum(({ load }) => load.connections),
      target_rate: rates.includes(null)
        ? null
        : rates.reduce<number>((total, rate) => total + (rate ?? 0), 0),
      rate_parts,
    },
    started_at: runs.map(({ started_at }) => started_at).sort()[0] as string,
    duration_s: Math.max(...runs.map(({ duration_s }) => duration_s)),
    interrupted: isCut,
    aborted: runs.find(({ aborted }) => aborted !== null)?.aborted ?? null,
    requests,
    due: dues.includes(null) ? null : dues.reduce<number>((total, due) => total + (due ?? 0), 0),
    rate: rounded(sum(({ rate }) => rate)),
    bytes_sent: sum(({ bytes_sent }) => bytes_sent),
    bytes_received: sum(({ bytes_received }) => bytes_received),
    latency_us: latency.figures,
    service_us: service.figures,
    connect_us: connect?.figures ?? null,
    lag_us: lag?.figures ?? first.run.lag_us,
    errors: addCounts(runs.map(({ errors }) => errors)),
    starved_connections: sum(({ starved_connections }) => starved_connections),
    recoveries: rate_parts === null || isCut ? [] : recoveriesIn(seconds, rate_parts),
    load_limited: runs.some(({ load_limited }) => load_limited),
    server: server && {
      ...server,
      requests_per_cpu_s: server.cpu_s > 0 ? rounded(requests / server.cpu_s) : null,
    },
    seconds,
    histogram: {
      latency: latency.text,
      service: service.text,
      connect: connect?.text ?? null,
      lag: lag?.text ?? null,
    },
  };
}

/** Refuses a run that does not belong to another one. */
function refuseStranger(one: PartRun, other: PartRun): void {
  const refuse = (why: string): never => {
    throw new MergeError(`${one.file} and ${other.file} do not belong together: ${why}`);
  };
  const [a, b] = [one.run.load, other.run.load];
  const model = ({ target_rate }: Load) => target_rate === null ? "closed" : "open";
  if (model(a) !== model(b)) refuse(`the model is ${model(a)} in one and ${model(b)} in the other`);
  for (const name of differing(a, b)) {
    const [its, others] = [comparedIn(a, name), comparedIn(b, name)];
    refuse(`the ${WORDS[name] ?? name} is ${its} in one and ${others} in the other`);
  }
  const [long, short] = [one.run.duration_s, other.run.duration_s];
  if (Math.abs(long - short) > Math.max(ALIKE_S, ALIKE * Math.max(long, short))) {
    const [first, second] = [long, short].map((seconds) => formatTime(seconds * 1e6));
    refuse(`one took ${first} and the other ${second}`);
  }
  if (JSON.stringify(one.run.subject) !== JSON.stringify(other.run.subject)) {
    refuse(`one is of ${one.run.name} and the other of ${other.run.name}`);
  }
}

interface MergedClock {
  readonly figures: Latency;
  readonly text: string;
}

/** Adds the distributions of one kind of time, count by count. */
function mergeClock(
  runs: readonly Run[],
  field: "latency" | "service" | "connect" | "lag",
  percentiles: readonly number[],
): MergedClock {
  const texts = runs.map(({ histogram }) => histogram[field] as string);
  const all = texts.map((text) => Distribution.decode(text));
  const whole = all.reduce((sum, one) => sum.with(one));
  const figures = runs.map((run) => run[`${field}_us`] as Latency);
  // These are exact in the files, and in the distributions only to three digits.
  const longest = figures.map(({ max }) => max).filter((max) => max !== null);
  const total = figures.reduce(
    (sum, { mean }, index) => sum + (mean ?? 0) * (all[index] as Distribution).count,
    0,
  );
  const asked = percentiles.length === 0 ? undefined : percentiles;
  return {
    figures: {
      ...whole.summary(asked),
      max: longest.length === 0 ? null : Math.max(...longest),
      mean: whole.count === 0 ? null : Math.round(total / whole.count * 10) / 10,
    },
    text: whole.encode(),
  };
}

/** Adds the seconds of runs, the first to the first. */
function mergeSeconds(runs: readonly Run[], watched: Run | undefined): Second[] {
  const length = Math.max(...runs.map(({ seconds }) => seconds.length));
  return Array.from({ length }, (_, index) => {
    const some = runs.flatMap(({ seconds }) => seconds[index] ?? []);
    const isWhole = some.every(({ histogram }) => typeof histogram === "string");
    const all = isWhole ? new Distribution() : undefined;
    for (const { histogram } of some) if (histogram !== null) all?.addEncoded(histogram);
    return {
      at: Math.max(...some.map(({ at }) => at)),
      rate: rounded(some.reduce((sum, { rate }) => sum + rate, 0)),
      p50_us: all?.at(50) ?? null,
      p99_us: all?.at(99) ?? null,
      errors: some.reduce((sum, { errors }) => sum + errors, 0),
      cpu_s: watched?.seconds[index]?.cpu_s ?? null,
      memory_bytes: watched?.seconds[index]?.memory_bytes ?? null,
      histogram: all?.encode() ?? null,
    };
  });
}

/** How the server recovered from the spikes of all machines together. */
function recoveriesIn(seconds: readonly Second[], parts: readonly LoadPart[]): Recovery[] {
  let begins = 0;
  const windows = seconds.flatMap(({ at, errors, histogram }) => {
    const durationMs = (at - begins) * 1000;
    begins = at;
    if (histogram === null) return [];
    const latency = Distribution.decode(histogram);
    return [{ endsAt: at * 1000, durationMs, requests: latency.count, errors, latency }];
  });
  // What is known of a few of the seconds tells nothing.
  if (windows.length < seconds.length) return [];
  return recoveriesOf(
    parts.map(({ from, to, seconds }) => ({ from, to, ms: seconds * 1000 })),
    windows,
  );
}

/** Adds rates that change at the same times. */
function addCourses(courses: readonly Load["rate_parts"][]): Load["rate_parts"] {
  const [first, ...others] = courses;
  if (first === undefined || first === null) return null;
  return first.map(({ from, to, seconds }, index): LoadPart => {
    const same = others.flatMap((course) => course?.[index] ?? []);
    return {
      from: same.reduce((sum, part) => sum + part.from, from),
      to: same.reduce((sum, part) => sum + part.to, to),
      seconds,
    };
  });
}

function addCounts(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const counts of all) {
    for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
  }
  return sum;
}

/** Several machines as one. */
function together(machines: readonly Machine[]): Machine {
  const words = (of: (machine: Machine) => string) => [...new Set(machines.map(of))].join(" + ");
  return {
    os: words(({ os }) => os),
    cpu: `${machines.length} × ${words(({ cpu }) => cpu)}`,
    cores: machines.reduce((sum, { cores }) => sum + cores, 0),
    memory_bytes: machines.reduce((sum, { memory_bytes }) => sum + memory_bytes, 0),
    runtime: words(({ runtime }) => runtime),
  };
}

function rounded(value: number): number {
  return Number(value.toFixed(1));
}
