/**
 * Judges a soak: whether the server's figures rise, whether it has lost a request, and whether there
 * was enough work to say so.
 *
 * @module
 */

import { median } from "../report/statistics.ts";
import { formatBytes } from "../../engine/values/units.ts";
import type { Course, Sample, SoakFigure, SoakVerdict, Work } from "./results.ts";
import { isRising, LEAST_LOOKS, trendOf } from "./trend.ts";

/** From which part of the run on nothing may rise. */
const LAST_HALF = 0.5;

/** Where a run without restarts is warm. */
const WARM = 1 / 3;

/** How often a process bears each attack until it is warm: heaps grow with the first floods. */
export const WARM_ROUNDS = 2;

/** The part of the samples since the warm-up that makes a figure at its beginning and at its end. */
const PART = 1 / 3;

/** How much more memory there may be at the end than after the warm-up. */
const MORE_SHARE = 0.1;
const MORE_BYTES = 32 * 2 ** 20;

/**
 * How many faults of a kind a run must have had occasion for. If they come by chance, five are
 * missed in 7 of 1,000 runs, and of eight leaked descriptors fewer than three come in 14 of 1,000.
 */
const LOST = 5;
const LEAKED = 8;

/** A leak of a descriptor is looked for that is so many times as frequent as a lost request. */
const MORE_FREQUENT = 10;

/** What a figure is called, and from which rise over the last half on that matters. */
const FIGURES: Readonly<
  Record<SoakFigure, {
    readonly name: string;
    least(warm: number): number;
    format(value: number): string;
  }>
> = {
  memory_bytes: {
    name: "memory",
    // Half of what it may end above: a heap grows a little for as long as code is compiled.
    least: (warm) => Math.max(16 * 2 ** 20, warm * 0.05),
    format: formatBytes,
  },
  descriptors: { name: "descriptors", least: () => 2, format: String },
  threads: { name: "threads", least: () => 2, format: String },
};

/** The figures, in the order in which they are shown. */
export const FIGURE_NAMES: readonly SoakFigure[] = ["memory_bytes", "descriptors", "threads"];

/**
 * Writes a figure for people.
 *
 * @param figure which one
 * @param value its value; `null` if it is not known
 */
export function formatFigure(figure: SoakFigure, value: number | null): string {
  return value === null ? "–" : FIGURES[figure].format(Math.round(value));
}

/** Everything that is judged. */
export interface Evidence {
  readonly samples: readonly Sample[];
  readonly work: Work;
  readonly failed: Readonly<Record<string, number>>;
  /** The first failure of each kind, in words. */
  readonly words: Readonly<Record<string, string>>;
  /** What went wrong besides. */
  readonly troubles: readonly string[];
  /** How many kinds of attack there are. */
  readonly attackKinds: number;
  /** One lost request in so many is to be found. */
  readonly rarest: number;
}

/** What the evidence says. */
export interface Judgement {
  readonly verdict: SoakVerdict;
  readonly reasons: readonly string[];
  /** Whether a longer run may have another verdict: memory may end to grow, and work adds up. */
  readonly mayChange: boolean;
  readonly courses: Readonly<Record<SoakFigure, Course>>;
}

/**
 * How much work a run needs to find a fault.
 *
 * @param rarest one lost request in so many is to be found
 * @returns the least number of requests, and of connections in the last half
 */
export function leastWork(rarest: number): { readonly requests: number; readonly leaks: number } {
  return { requests: LOST * rarest, leaks: Math.ceil(LEAKED * rarest / MORE_FREQUENT) };
}

/**
 * Judges a run that was not broken off.
 *
 * @param evidence what was seen
 */
export function judge(evidence: Evidence): Judgement {
  const { samples, failed, words, troubles } = evidence;
  const courses = Object.fromEntries(
    FIGURE_NAMES.map((figure) => [figure, courseOf(figure, evidence)]),
  ) as Record<SoakFigure, Course>;
  const rising = (figure: SoakFigure) => risesIn(figure, courses[figure], lastHalf(samples));
  const ofMemory = [...rising("memory_bytes"), ...memoryKept(courses.memory_bytes)];
  const others = [
    ...troubles,
    ...Object.entries(failed).map(([kind, count]) =>
      `${count.toLocaleString("en")} honest ${
        count === 1 ? "request" : "requests"
      } failed: ${kind}, the first with "${words[kind] ?? kind}"`
    ),
    ...rising("descriptors"),
    ...rising("threads"),
    ...inherited(samples),
  ];
  const faults = [...others, ...ofMemory];
  const mayChange = others.length === 0;
  if (faults.length > 0) return { verdict: "failed", reasons: faults, mayChange, courses };
  const lacking = whatLacks(evidence);
  return lacking.length > 0
    ? { verdict: "too little", reasons: lacking, mayChange, courses }
    : { verdict: "passed", reasons: [], mayChange: false, courses };
}

/** The process that has served most: the one after the first restarts. */
function mainProcess(samples: readonly Sample[]): number | undefined {
  const processes = [...Map.groupBy(samples, ({ generation }) => generation)];
  const [first] = processes;
  if (first === undefined) return undefined;
  const [main] = processes.reduce(
    (most, its) => connectionsIn(its[1]) > connectionsIn(most[1]) ? its : most,
    first,
  );
  return main;
}

/**
 * The samples of that process after a share of all looks. Another one may have come at the very end.
 */
function since(share: number, samples: readonly Sample[]): readonly Sample[] {
  const main = mainProcess(samples);
  const count = samples.findLastIndex(({ generation }) => generation === main) + 1;
  return samples.slice(Math.ceil(count * share), count)
    .filter(({ generation }) => generation === main);
}

/** The samples of the last half. */
function lastHalf(samples: readonly Sample[]): readonly Sample[] {
  return since(LAST_HALF, samples);
}

/** Whether a process is warm: it has borne each attack so often, if there are any. */
function isWarm({ attack_rounds }: Sample, attackKinds: number): boolean {
  return attackKinds === 0 || attack_rounds >= WARM_ROUNDS;
}

/** The samples from when that process is warm. */
function warmSamples({ samples, attackKinds }: Evidence): readonly Sample[] {
  const share = mainProcess(samples) === 0 ? WARM : LAST_HALF;
  return since(share, samples).filter((sample) => isWarm(sample, attackKinds));
}

function courseOf(figure: SoakFigure, evidence: Evidence): Course {
  const warm = warmSamples(evidence).map((sample) => sample[figure]);
  if (warm.length === 0) return { warm: null, end: null, rise: null, chance: null };
  const count = Math.ceil(warm.length * PART);
  const { rise, chance } = trendOf(lastHalf(evidence.samples).map((sample) => sample[figure]));
  return {
    warm: median(warm.slice(0, count)),
    end: median(warm.slice(-count)),
    rise,
    chance,
  };
}

function risesIn(
  figure: SoakFigure,
  { warm, rise, chance }: Course,
  samples: readonly Sample[],
): string[] {
  if (warm === null || rise === null || chance === null) return [];
  const { name, least, format } = FIGURES[figure];
  if (samples.length < LEAST_LOOKS || !isRising({ rise, chance }, least(warm))) return [];
  const connections = connectionsIn(samples).toLocaleString("en");
  return [
    `${name} rise: by ${
      format(Math.round(rise))
    } over the ${connections} connections of the last half`,
  ];
}

function memoryKept({ warm, end }: Course): string[] {
  if (warm === null || end === null) return [];
  const most = Math.max(warm * MORE_SHARE, MORE_BYTES);
  if (end - warm <= most) return [];
  return [
    `memory ends at ${formatBytes(end)}, after ${formatBytes(warm)} when it was warm: ` +
    `more than 10 % and 32 MiB`,
  ];
}

/** The fewest restarts of which a rise from process to process can be told. */
const LEAST_RESTARTS = 4;

/** Whether each process has more descriptors than the one before: then they are inherited. */
function inherited(samples: readonly Sample[]): string[] {
  const lowest: number[] = [];
  for (const { generation, descriptors } of samples) {
    lowest[generation] = Math.min(lowest[generation] ?? Infinity, descriptors);
  }
  const isRising = lowest.every((count, index) => index === 0 || count > (lowest[index - 1] ?? 0));
  if (lowest.length <= LEAST_RESTARTS || !isRising) return [];
  return [`each process has more descriptors than the one before it: ${lowest.join(", ")}`];
}

function connectionsIn(samples: readonly Sample[]): number {
  return (samples.at(-1)?.connections ?? 0) - (samples[0]?.connections ?? 0);
}

/**
 * How many connections there were in the last half, as far as they tell of leaks.
 *
 * @param samples all samples
 */
export function connectionsInLastHalf(samples: readonly Sample[]): number {
  return connectionsIn(lastHalf(samples));
}

function whatLacks({ samples, work, attackKinds, rarest }: Evidence): string[] {
  const { requests, leaks } = leastWork(rarest);
  const count = (number: number) => number.toLocaleString("en");
  const lacking: string[] = [];
  if (work.requests < requests) {
    lacking.push(
      `too few requests to find one lost in ${count(rarest)}: ${count(work.requests)} of ` +
        count(requests),
    );
  }
  if (work.connections_last_half < leaks) {
    lacking.push(
      `too few connections in the last half to find a descriptor leaked in ` +
        `${count(rarest / MORE_FREQUENT)}: ${count(work.connections_last_half)} of ${count(leaks)}`,
    );
  }
  const half = lastHalf(samples);
  if (half.length < LEAST_LOOKS) {
    lacking.push(
      `too few looks at the process in the last half: ${half.length} of ${LEAST_LOOKS}`,
    );
  }
  if (half[0] !== undefined && !isWarm(half[0], attackKinds)) {
    lacking.push(
      `the process was not warm before the last half: it had borne each attack ${
        half[0].attack_rounds
      } of ${WARM_ROUNDS} times`,
    );
  }
  return lacking;
}
