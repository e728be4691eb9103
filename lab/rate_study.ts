/**
 * Runs at different rates against one server: `--find` searches for the highest rate that meets a
 * target, `--rates` measures a series.
 *
 * @module
 */

import { type Flag, UsageError, type Values } from "../engine/cli/flags.ts";
import { burstOf } from "./load/arrivals.ts";
import { REACHED } from "./load/knee.ts";
import { readPercentile } from "./load/percentiles.ts";
import { makePlan, type Plan, type PlanOptions } from "./load/plan.ts";
import {
  findRate,
  type Phase,
  PRECISION,
  type SearchRange,
  type Verdict,
} from "./load/rate_search.ts";
import { parseSteps, STEPS_FORM } from "./load/rate_steps.ts";
import type { RateStep, RateStudy, Run } from "./load/results.ts";
import { errorsOf } from "./report/contests.ts";
import { sayLag } from "./report/findings.ts";
import { concludeSearch, concludeSeries } from "./report/rate_study.ts";
import { parseThreshold, type Threshold } from "./report/thresholds.ts";
import { formatCount, formatRate, formatShare, formatTime } from "../engine/values/units.ts";

/** The first step of a search, in requests a second, where the user says nothing. */
const FIRST = 1_000;

/** The highest step: the bench takes no higher rate. */
const MOST = 1e9;
const MOST_RANDOM = 1e6;

/** The flags. */
export const RATE_STUDY_FLAGS: readonly Flag[] = [
  {
    name: "find",
    kind: "string",
    value: "'p99<5ms'",
    repeats: true,
    help: "search for the highest rate that meets this; each step is a run of -d, " +
      "--rate is the first",
  },
  {
    name: "rates",
    kind: "string",
    value: "A..B|LIST",
    help: "measure at rates that double from A to B (A..B:10 are ten), a run of -d each",
  },
];

/** What to study. */
export interface Study {
  /** The targets of a search; empty for a series. */
  readonly targets: readonly Threshold[];
  /** The rates of a series; empty for a search. */
  readonly rates: readonly number[];
}

/**
 * Reads from the flags which rates to study.
 *
 * @param values the flags
 * @returns what to study; `undefined` for a single load
 * @throws {UsageError} if something is wrong; its message is one line
 */
export function readStudy(values: Values): Study | undefined {
  const find = values.find as readonly string[] | undefined;
  const rates = values.rates as string | undefined;
  if (find === undefined && rates === undefined) return undefined;
  const flag = find === undefined ? "rates" : "find";
  const refuse = (why: string): never => {
    throw new UsageError(why);
  };
  if (find !== undefined && rates !== undefined) {
    refuse("--find and --rates cannot be used together: one searches, the other does not");
  }
  if (values.requests !== undefined) {
    refuse(`--requests and --${flag} cannot be used together: each step is a run of --duration`);
  }
  if (rates === undefined) {
    const targets = (find as readonly string[]).map((text) => parseThreshold(text, "find"));
    if (targets.some(({ name }) => name === "rate")) {
      refuse("wrong value for --find: the rate is what is searched for, so it is no target");
    }
    // What a higher rate makes easier has no highest rate that still meets it.
    const upwards = targets.find(({ isUpwards }) => isUpwards);
    if (upwards !== undefined) {
      refuse(`wrong value for --find: expected < or <= in a target, got "${upwards.text}"`);
    }
    return { targets, rates: [] };
  }
  if (values.rate !== undefined) refuse("--rate and --rates cannot be used together");
  try {
    return { targets: [], rates: parseSteps(rates) };
  } catch {
    throw new UsageError(`wrong value for --rates: expected ${STEPS_FORM}, got "${rates}"`);
  }
}

/**
 * The load of a study. Its rate is that of the first step.
 *
 * @param study what to study
 * @param options what the user says about the load
 * @throws {RangeError} if something is wrong with the load
 */
export async function planStudy(study: Study, options: PlanOptions): Promise<Plan> {
  const first = options.rate ?? study.rates[0] ?? FIRST;
  // What cannot be done at the highest rate of a series is said before the first step.
  if (study.rates.length > 1) await makePlan({ ...options, rate: study.rates.at(-1) as number });
  const plan = await makePlan({ ...options, rate: first });
  if (plan.rateParts !== null) {
    throw new UsageError("--find needs a constant --rate to begin with");
  }
  if (plan.rate === null) throw new UsageError("--find needs a --rate above 0 to begin with");
  return plan;
}

/**
 * The percentiles that a study shows, where the user asks for no others: the median, the p99, and
 * those of its targets.
 *
 * @param study what to study
 */
export function percentilesFor({ targets }: Study): readonly number[] {
  const asked = targets.flatMap(({ name }) => readPercentile(name) ?? []);
  return [...new Set([50, 99, ...asked])].sort((a, b) => a - b);
}

/** How a study measures, and who hears of it. */
export interface StudyParts {
  /** Measures one step. */
  measure(plan: Plan, repeat: number, title: string): Promise<Run>;
  /** Receives what the user should know. */
  onNote(text: string): void;
  /** Ends the study early. */
  readonly signal: AbortSignal;
}

/** The runs of a study, and what they say. */
export interface Studied {
  readonly runs: readonly Run[];
  readonly study: RateStudy;
}

/**
 * Makes all runs of a study.
 *
 * @param study what to study
 * @param plan the load
 * @param parts how to measure
 */
export async function conduct(study: Study, plan: Plan, parts: StudyParts): Promise<Studied> {
  const conductor = new Conductor(plan, study.targets, parts);
  return study.rates.length > 0
    ? await series(study.rates, conductor, parts)
    : await search(study.targets, plan, conductor, parts);
}

/** Makes the steps of a study. */
class Conductor {
  readonly runs: Run[] = [];
  readonly steps: RateStep[] = [];
  readonly #plan: Plan;
  readonly #targets: readonly Threshold[];
  readonly #parts: StudyParts;

  constructor(plan: Plan, targets: readonly Threshold[], parts: StudyParts) {
    this.#plan = plan;
    this.#targets = targets;
    this.#parts = parts;
  }

  /** Measures a step and judges it; resolves with `undefined` if it was interrupted. */
  async step(rate: number, phase: RateStep["phase"]): Promise<Verdict | undefined> {
    if (this.#parts.signal.aborted) return undefined;
    const before = this.runs.filter(({ load }) => load.target_rate === rate).length;
    // No run repeats the accidents of another one.
    const seed = (this.#plan.seed + this.runs.length) % 0x8000_0000;
    const plan = { ...this.#plan, rate, seed };
    const number = `${phase === "step" ? "" : `${phase}, `}step ${this.steps.length + 1}`;
    const run = await this.#parts.measure(plan, before + 1, `${number}: ${formatRate(rate)}`);
    const reached = reachedIn(run, plan.durationMs);
    const verdict = run.interrupted ? undefined : judgeStep(run, reached, this.#targets);
    this.steps.push({
      rate,
      run: this.runs.length,
      phase,
      verdict: verdict?.kind ?? "interrupted",
      why: verdict === undefined ? `it was ${howEnded(run)}` : verdict.why,
      reached: Number(reached.toFixed(4)),
    });
    this.runs.push(run);
    return verdict && { ...verdict, answered: run.rate };
  }
}

/** How a run ended before its time. */
function howEnded({ aborted }: Run): string {
  return aborted === null ? "interrupted" : `ended by --abort-on ${aborted}`;
}

/**
 * The share of what was due that was answered, and answered in time: if requests were still waiting
 * for a connection when the last one was due, the same number of answers has taken longer. What the
 * load itself was late is not the server's time.
 *
 * @param run the run
 * @param plannedMs how long it was to be, in milliseconds
 */
export function reachedIn(
  { requests, due, duration_s, lag_us }: Run,
  plannedMs: number,
): number {
  if (due === null || due === 0) return 0;
  const plannedS = plannedMs / 1000;
  const lateS = Math.max(0, duration_s - plannedS - (lag_us.max ?? 0) / 1e6);
  return Math.min(1, requests / due * plannedS / (plannedS + lateS));
}

/**
 * Judges a step.
 *
 * @param run its run
 * @param reached the share of what was due that was answered in time
 * @param targets what it must meet
 */
export function judgeStep(run: Run, reached: number, targets: readonly Threshold[]): Verdict {
  const failures = errorsOf(run) === 0
    ? ""
    : ` (${
      Object.entries(run.errors).filter(([, count]) => count > 0)
        .map(([kind, count]) => `${kind} ${formatCount(count)}`).join(", ")
    })`;
  if (run.requests === 0) return { kind: "silent", why: `nothing was answered${failures}` };
  if (run.load_limited) {
    const why = `the load and not the server set the limit (${sayLag([run])})`;
    return { kind: "load limited", why };
  }
  const missed = targets.flatMap(({ name, judge }) => {
    const { kept, measured } = judge(run);
    return kept ? [] : [`${name} was ${measured}`];
  });
  if (reached < REACHED) {
    missed.push(`${formatShare(reached)} of what was due was answered in time${failures}`);
  }
  return missed.length === 0
    ? { kind: "passed", why: null }
    : { kind: "failed", why: missed.join(", ") };
}

async function series(
  rates: readonly number[],
  conductor: Conductor,
  { signal }: StudyParts,
): Promise<Studied> {
  for (const rate of rates) {
    if (signal.aborted) break;
    // What ended one step would end the higher ones too.
    if (await conductor.step(rate, "step") === undefined) break;
  }
  const { runs, steps } = conductor;
  const isCut = steps.length < rates.length || steps.some(isInterrupted);
  const concluded = concludeSeries(steps, runs, isCut);
  return { runs, study: { steps, found: null, interrupted: isCut, ...concluded } };
}

function isInterrupted({ verdict }: RateStep): boolean {
  return verdict === "interrupted";
}

async function search(
  targets: readonly Threshold[],
  plan: Plan,
  conductor: Conductor,
  { onNote }: StudyParts,
): Promise<Studied> {
  const range = rangeOf(targets, plan);
  if (range.first > (plan.rate as number)) {
    onNote(
      `the search begins with ${formatRate(range.first)}: fewer requests in ${
        formatTime(plan.durationMs * 1000)
      } do not tell ${targets.filter(({ least }) => least > 1).map(({ name }) => name).join(", ")}`,
    );
  }
  const searched = await findRate((rate, phase: Phase) => conductor.step(rate, phase), range);
  const { runs, steps } = conductor;
  const interrupted = searched.end === "interrupted";
  const concluded = concludeSearch(targets, searched, steps, runs);
  return { runs, study: { steps, knee: null, interrupted, ...concluded } };
}

/** Where to search: each step must have enough requests for the figures of the targets. */
export function rangeOf(
  targets: readonly Threshold[],
  { rate, arrivals, durationMs }: Pick<Plan, "rate" | "arrivals" | "durationMs">,
): SearchRange {
  const count = Math.max(burstOf(arrivals), ...targets.map(({ least }) => least));
  // Of random arrivals there may be fewer than on average. Five deviations are never seen. Of the
  // others, up to 2 % may not be answered.
  const enough = arrivals === "poisson" ? count + 5 * Math.sqrt(count) + 5 : count;
  const least = Math.ceil(enough * (1 + PRECISION) / durationMs * 1e6 - 1e-3) / 1e3;
  const most = arrivals === "poisson" ? MOST_RANDOM : MOST;
  return { first: Math.min(most, Math.max(rate as number, least)), least, most };
}
