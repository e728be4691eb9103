/**
 * Compares a measurement with an earlier one.
 *
 * @module
 */

import type { Load, Machine, Report } from "../load/results.ts";
import {
  contestsOf,
  type Entry,
  figures,
  formatLoad,
  hasServer,
  loadKey,
  meanOf,
} from "./contests.ts";
import { type Figure, MEMORY, P99, PER_CPU_SECOND, RATE } from "./findings.ts";
import { differ, formatRatio, LEAST_REPEATS, ratioOf } from "./statistics.ts";
import { formatRate } from "../../engine/values/units.ts";

/** By how many standard deviations what two searches have found may differ by chance. */
const DEVIATIONS = 3;

/** The figures that are compared, and their names. */
const COMPARED: readonly (readonly [name: string, figure: Figure, needsServer: boolean])[] = [
  ["rate", RATE, false],
  ["p99", P99, false],
  ["requests for each CPU second", PER_CPU_SECOND, true],
  ["memory", MEMORY, true],
];

/** Something that was measured both earlier and now. */
interface Pair {
  readonly title: string;
  readonly before: Entry;
  readonly now: Entry;
}

/**
 * Says what has changed since an earlier measurement. A difference is reported only if the spread
 * of both sides' repeats supports it.
 *
 * @param report the new measurement
 * @param baseline the earlier one
 * @returns one sentence each; at least one
 */
export function compareWithBaseline(report: Report, baseline: Report): string[] {
  const sentences = differentMachine(baseline.machine, report.machine);
  if (isSearch(report) || isSearch(baseline)) {
    return [...sentences, compareSearches(report, baseline)];
  }
  const pairs = pair(report, baseline);
  if (pairs.length === 0) {
    return [...sentences, "Nothing of the baseline was measured again with the same load."];
  }
  const repeated = pairs.filter(({ before, now }) =>
    Math.min(before.runs.length, now.runs.length) >= LEAST_REPEATS
  );
  const changes = repeated.flatMap((pair) => changesOf(pair, repeated.length * COMPARED.length));
  sentences.push(...changes);
  if (repeated.length > 0 && changes.length === 0) {
    sentences.push("Nothing differs from the baseline by more than the repeats differ.");
  }
  if (repeated.length < pairs.length) {
    sentences.push(
      `No difference from the baseline is reported where something was measured fewer than ` +
        `${LEAST_REPEATS} times.`,
    );
  }
  return sentences;
}

function isSearch({ rate_study: study }: Report): boolean {
  return study !== null && study.found !== null;
}

/** A search that has found something, or has found that there is nothing. */
interface Found {
  readonly title: string;
  readonly targets: string;
  readonly load: string;
  /** What was found, for people to read. */
  readonly shown: string;
  readonly rate: number;
  /** The limit that it has searched for is not below the first, and below the second. */
  readonly least: number;
  readonly most: number;
}

/**
 * Compares what two searches have found. The steps on the way have rates of their own, and say
 * nothing about each other. The limit lies somewhere between the rate that was found and the step
 * that failed next, give or take what the confirming runs differ.
 */
function compareSearches(report: Report, baseline: Report): string {
  const [now, before] = [foundIn(report), foundIn(baseline)];
  if (typeof now === "string") return `Cannot compare with the baseline: here ${now}.`;
  if (typeof before === "string") return `Cannot compare with the baseline: there ${before}.`;
  if (now.load !== before.load || now.title !== before.title) {
    return "Nothing of the baseline was measured again with the same load.";
  }
  if (now.targets !== before.targets) {
    return `Cannot compare with the baseline: it has searched for ${before.targets}, and this ` +
      `search for ${now.targets}.`;
  }
  const about = `${now.title}: the highest rate that meets ${now.targets} is ${now.shown}`;
  if (now.least < before.most && before.least < now.most) {
    return `${about}, which cannot be told from the ${before.shown} of the baseline.`;
  }
  const judgement = now.rate > before.rate ? "better" : "worse";
  const ratio = before.rate === 0 || now.rate === 0
    ? "against"
    : `${formatRatio({ ratio: now.rate / before.rate, deviation: undefined })} times`;
  return `${about}, ${ratio} the ${before.shown} of the baseline: ${judgement}, as far as one ` +
    "search each can tell.";
}

/** What a search has found; if there is nothing to compare, why. */
function foundIn({ rate_study: study, runs }: Report): Found | string {
  if (study === null || study.found === null) return "was no search";
  const { end, rate, spread, next, targets } = study.found;
  const [first] = runs;
  if (first === undefined || end === "interrupted" || end === "silent") {
    return "the search did not come to its end";
  }
  const isFound = end === "found" || end === "every rate";
  const isLimited = next !== null &&
    study.steps.findLast((step) => step.rate === next.rate)?.verdict === "load limited";
  if (!isFound && isLimited) return "the load set the limit";
  const { load: { target_rate: _, seed: __, ...load }, name } = first;
  const others = { ...load, target_rate: null, seed: null };
  const margin = DEVIATIONS * (spread ?? 0);
  const upper = next === null || isLimited ? Infinity : next.rate * (1 + margin);
  return {
    title: `${name}, ${formatLoad(others)}`,
    targets: targets.toSorted().join(" and "),
    load: loadKey(others),
    shown: !isFound || rate === null
      ? "none"
      : `${isLimited ? "at least " : ""}${formatRate(rate)} ± ${
        ((spread ?? 0) * 100).toFixed(1)
      } %`,
    rate: isFound ? rate ?? 0 : 0,
    least: isFound ? (rate ?? 0) * (1 - margin) : 0,
    most: upper,
  };
}

/** @param among how many comparisons there are */
function changesOf({ title, before, now }: Pair, among: number): string[] {
  const known = hasServer(before) && hasServer(now);
  return COMPARED.flatMap(([name, figure, needsServer]) => {
    if (needsServer && !known) return [];
    const [earlier, values] = [figures(before, figure.of), figures(now, figure.of)];
    if (!differ(values, earlier, among)) return [];
    const ratio = ratioOf(values, earlier);
    const judgement = ratio.ratio > 1 === figure.more ? "better" : "worse";
    const shown = (entry: Entry) => figure.format(meanOf(entry, figure.of));
    return [
      `${title}: ${name} ${shown(now)}, ${formatRatio(ratio)} times the ${shown(before)} of the ` +
      `baseline: ${judgement}.`,
    ];
  });
}

function pair(report: Report, baseline: Report): Pair[] {
  const earlier = new Map(
    contestsOf(baseline.runs).flatMap(({ load, entries }) =>
      entries.map((entry) => [keyOf(load, entry), entry] as const)
    ),
  );
  return contestsOf(report.runs).flatMap(({ load, entries }) =>
    entries.flatMap((now) => {
      const before = earlier.get(keyOf(load, now));
      return before === undefined
        ? []
        : [{ title: `${now.name}, ${formatLoad(load)}`, before, now }];
    })
  );
}

function keyOf(load: Load, { name }: Entry): string {
  return JSON.stringify([name, loadKey(load)]);
}

function differentMachine(before: Machine, now: Machine): string[] {
  const fields: readonly (keyof Machine)[] = ["os", "cpu", "cores", "runtime"];
  const different = fields.filter((field) => before[field] !== now[field]);
  if (different.length === 0) return [];
  const shown = different.map((field) => `${field} ${before[field]}`);
  return [`The baseline was measured elsewhere (${shown.join(", ")}): differences may be its own.`];
}
