/**
 * Writes what runs at different rates say: sentences, and a table of the steps.
 *
 * @module
 */

import { kneeOf } from "../load/knee.ts";
import { CONFIRMATIONS, type Searched } from "../load/rate_search.ts";
import type { FoundRate, RateStep, RateStudy, Run } from "../load/results.ts";
import { askedOf } from "./columns.ts";
import { errorsOf, formatLoad } from "./contests.ts";
import { deviation, mean } from "./statistics.ts";
import type { Threshold } from "./thresholds.ts";
import { formatCount, formatRate, formatShare, formatTime } from "../../engine/values/units.ts";

/**
 * Says what a series has shown.
 *
 * @param steps its steps, in the order of measuring
 * @param runs the runs of the steps
 * @param isCut whether it was interrupted
 */
export function concludeSeries(
  steps: readonly RateStep[],
  runs: readonly Run[],
  isCut: boolean,
): Pick<RateStudy, "knee" | "conclusion"> {
  const whole = steps.filter(({ verdict }) => verdict !== "interrupted");
  const knee = kneeOf(whole.map(({ rate, run, reached }) => {
    const { rate: answered, latency_us, load_limited } = runs[run] as Run;
    return { rate, answered, reached, mean: latency_us.mean, isLoadLimited: load_limited };
  }));
  const limited = whole.filter(({ verdict }) => verdict === "load limited");
  const own = whole.filter(({ verdict }) => verdict !== "load limited");
  const last = own.at(-1);
  const answering = own.filter(({ verdict }) => verdict !== "silent");
  const orBelow = knee.rate === whole[0]?.rate ? " or below" : "";
  const rateOf = ({ rate }: RateStep) => formatRate(rate);
  return {
    knee,
    conclusion: [
      ...(isCut
        ? [`The series was ${howEnded(runs)}: what follows is about the steps until then.`]
        : []),
      ...(last === undefined ? [] : [
        answering.length === 0
          ? `Nothing was answered up to ${rateOf(last)}, so there is no knee to be seen.`
          : own.length === 1
          ? `Where the knee is cannot be told from ${rateOf(last)} alone.`
          : knee.rate === null
          ? `No knee up to ${rateOf(last)}: answers still become more frequent faster than slower.`
          : `The knee is at ${
            formatRate(knee.rate)
          }${orBelow}: there the rate of answers divided by their ` +
            "mean response time is the highest, and more load brings more waiting than answers.",
      ]),
      ...(knee.overloaded === null ? [] : [
        `The server is overloaded from ${formatRate(knee.overloaded)} on: ${
          whole.find(({ rate }) => rate === knee.overloaded)?.why
        }.`,
      ]),
      ...(limited.length === 0 ? [] : [
        `The load and not the server set the limit at ${
          limited.map(rateOf).join(", ")
        }: these steps do not count for the knee.`,
      ]),
    ],
  };
}

/**
 * Says what a search has found.
 *
 * @param targets what was to be met
 * @param searched its result
 * @param steps its steps, in the order of measuring
 * @param runs the runs of the steps
 */
export function concludeSearch(
  targets: readonly Threshold[],
  { end, rate: highest, next }: Searched,
  steps: readonly RateStep[],
  runs: readonly Run[],
): { readonly found: FoundRate; readonly conclusion: readonly string[] } {
  const rate = highest ?? null;
  const confirming = confirmingRuns(steps, runs, rate);
  const rates = confirming.map((run) => run.rate);
  const spread = deviation(rates);
  const found: FoundRate = {
    targets: targets.map(({ text }) => text),
    end,
    rate,
    spread: spread === undefined ? null : Number((spread / mean(rates)).toPrecision(3)),
    next: next === undefined ? null : { rate: next.rate, why: next.why ?? "" },
  };
  const isLimit = next?.kind === "load limited";
  const sentences = sentencesOf(found, targets, confirming, isLimit, howEnded(runs));
  return { found, conclusion: [...sentences, `The search took ${some(steps.length, "step")}.`] };
}

/** For instance `1 step` or `14 steps`. */
function some(count: number, what: string): string {
  return `${formatCount(count)} ${what}${count === 1 ? "" : "s"}`;
}

/** How a study ended before its time. */
function howEnded(runs: readonly Run[]): string {
  const aborted = runs.find(({ aborted }) => aborted !== null)?.aborted ?? null;
  return aborted === null ? "interrupted" : `ended by --abort-on ${aborted}`;
}

/** The runs that have confirmed a rate. */
function confirmingRuns(
  steps: readonly RateStep[],
  runs: readonly Run[],
  rate: number | null,
): Run[] {
  return steps.filter((step) =>
    step.phase === "confirming" && step.rate === rate && step.verdict === "passed"
  ).slice(-CONFIRMATIONS).map(({ run }) => runs[run] as Run);
}

function sentencesOf(
  { end, rate, spread, next, targets: texts }: FoundRate,
  targets: readonly Threshold[],
  confirming: readonly Run[],
  isLimit: boolean,
  how: string,
): string[] {
  const all = texts.join(" and ");
  const why = next === null ? "" : `${formatRate(next.rate)}: ${next.why}`;
  switch (end) {
    case "found":
    case "every rate": {
      const shown = formatRate(rate);
      const answered = `${confirming.length} confirming runs answered ${
        formatRate(mean(confirming.map((run) => run.rate)))
      } ± ${((spread ?? 0) * 100).toFixed(1)} %, with ${rangesOf(targets, confirming)}.`;
      if (next === null) {
        return [`Every rate up to ${shown}, the highest there is, meets ${all}: ${answered}`];
      }
      if (isLimit) {
        return [
          `At least ${shown} meets ${all}: ${answered}`,
          `The next step tells nothing, ${why}. Give the load more --threads, or another machine.`,
        ];
      }
      return [
        `${shown} is the highest rate that meets ${all}: ${answered}`,
        `The next step failed, ${why}.`,
      ];
    }
    case "never":
      if (isLimit) {
        return [`Whether any rate meets ${all} cannot be told. The lowest step, ${why}.`];
      }
      return [`No rate meets ${all}. The lowest step failed, ${why}.`];
    case "not confirmed":
      return [
        `No rate meets ${all} every time: some steps did, and in the runs that were to confirm ` +
        `them others did not. The last failed, ${why}.`,
      ];
    default: {
      const reason = end === "silent"
        ? "The server answers nothing any more"
        : `The search was ${how}`;
      return [
        rate === null
          ? `${reason}: until then no rate had met ${all}.`
          : `${reason}: until then ${formatRate(rate)} had met ${all}, which was not confirmed.`,
        ...(next === null ? [] : [`${why}.`]),
      ];
    }
  }
}

/** For instance `p99 4.21 ms to 4.63 ms`. */
function rangesOf(targets: readonly Threshold[], runs: readonly Run[]): string {
  return targets.map(({ name, of, format }) => {
    const values = runs.map(of).filter((value) => typeof value === "number");
    const [low, high] = [Math.min(...values), Math.max(...values)].map(format);
    return low === high ? `${name} ${low}` : `${name} ${low} to ${high}`;
  }).join(" and ");
}

/** Whether a search has found what it was to find. */
export function hasFound({ found }: RateStudy): boolean {
  return found === null || found.end === "found" || found.end === "every rate";
}

/**
 * The runs that thresholds judge: all runs of a series, and those that confirm what a search has
 * found. Its other steps are meant to fail.
 *
 * @param runs all runs
 * @param study the study they belong to, if any
 */
export function judgedRuns(
  runs: readonly Run[],
  study: RateStudy | null,
): readonly Run[] {
  if (!study?.found) return runs;
  return confirmingRuns(study.steps, runs, study.found.rate);
}

/**
 * Why thresholds cannot be judged of all that was to be measured.
 *
 * @param study the study, if any
 * @returns `undefined` if they can
 */
export function whyUnjudged(study: RateStudy | null): string | undefined {
  if (study === null) return undefined;
  if (study.found !== null) return hasFound(study) ? undefined : "no rate was confirmed";
  return study.interrupted ? "the series was interrupted" : undefined;
}

/** The load that all steps have in common, on one line. */
export function formatStudiedLoad(runs: readonly Run[]): string {
  const [first] = runs;
  if (first === undefined) return "";
  const { load } = first;
  return formatLoad(load).replace(` · ${formatRate(load.target_rate)} due`, "")
    .replace(/, seed \d+$/, runs.length > 1 ? `, seeds from ${load.seed}` : "$&");
}

/** A table of the steps: a row of titles, then a row for each step, by rate. */
export function stepsTable({ steps, found }: RateStudy, runs: readonly Run[]): string[][] {
  const asked = askedOf([{ name: "", runs }]);
  const sorted = found === null ? steps : steps.toSorted((a, b) => a.rate - b.rate);
  return [
    [
      "rate due",
      "answered",
      "in time",
      ...asked.map(([name]) => `response ${name}`),
      "service p50",
      "service p99",
      "errors",
      ...(found === null ? [""] : ["step", "result"]),
    ],
    ...sorted.map((step) => {
      const run = runs[step.run] as Run;
      return [
        formatRate(step.rate),
        formatRate(run.rate),
        formatShare(step.reached),
        ...asked.map(([, of]) => formatTime(of(run.latency_us))),
        formatTime(run.service_us.p50),
        formatTime(run.service_us.p99),
        formatCount(errorsOf(run)),
        ...(found === null
          ? [step.verdict === "passed" || step.verdict === "failed" ? "" : step.verdict]
          : [step.phase, step.verdict]),
      ];
    }),
  ];
}
