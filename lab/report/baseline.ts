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
  const pairs = pair(report, baseline);
  const sentences = differentMachine(baseline.machine, report.machine);
  if (pairs.length === 0) {
    return [...sentences, "Nothing of the baseline was measured again with the same load."];
  }
  const repeated = pairs.filter(({ before, now }) =>
    Math.min(before.runs.length, now.runs.length) >= LEAST_REPEATS
  );
  const changes = repeated.flatMap(changesOf);
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

function changesOf({ title, before, now }: Pair): string[] {
  const known = hasServer(before) && hasServer(now);
  return COMPARED.flatMap(([name, figure, needsServer]) => {
    if (needsServer && !known) return [];
    const [earlier, values] = [figures(before, figure.of), figures(now, figure.of)];
    if (!differ(values, earlier)) return [];
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
