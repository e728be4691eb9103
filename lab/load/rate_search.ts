/**
 * The search for the highest rate that meets a target: it doubles the rate until a step fails,
 * halves the distance between the last that passed and the first that failed, and then confirms what
 * it has found. If the first step fails, it goes down until one passes, at least by half each time:
 * a server that was asked for far too much has shown by its answers how much it can do.
 *
 * A step that does not pass is measured a second time before it counts. Somebody else's work on the
 * machine may spoil one run, and the search would end far too low. On the way down it does not count
 * yet: it does when the search comes up to it again. A step that passes by chance does
 * less harm, because what is found is confirmed three times. If a confirming run fails, the search
 * goes back, by 2 %, then by 4 % and so on, until a rate is confirmed; and then it halves the distance
 * again.
 *
 * @module
 */

/** How one step went. */
export interface Verdict {
  /**
   * Whether the target was met. `load limited` is no pass: the load, and not the server, set the
   * limit. `silent` is a server that answered nothing at all.
   */
  readonly kind: "passed" | "failed" | "load limited" | "silent";
  /** Why it is no pass, a clause without a full stop; `null` if it is one. */
  readonly why: string | null;
  /** How many requests a second were answered all the same, if that is known. */
  readonly answered?: number | undefined;
}

/** What a step is for. */
export type Phase = "doubling" | "halving" | "confirming";

/** Measures a step; resolves with `undefined` if it was interrupted. */
export type Attempt = (rate: number, phase: Phase) => Promise<Verdict | undefined>;

/** Where the search takes place, in requests a second. */
export interface SearchRange {
  /** The first step. */
  readonly first: number;
  /** No step is lower: fewer requests would tell nothing. */
  readonly least: number;
  /** No step is higher. */
  readonly most: number;
}

/** How a search ended. */
export type SearchEnd =
  | "found"
  /** The highest step of all passed. */
  | "every rate"
  /** Not even the lowest step passed. */
  | "never"
  /** Some steps passed, but no rate did so every time. */
  | "not confirmed"
  /** The server answered nothing any more, in two steps in a row. */
  | "silent"
  | "interrupted";

/** A step that was no pass. */
export interface NoPass extends Verdict {
  readonly rate: number;
}

/** The result of a search. */
export interface Searched {
  readonly end: SearchEnd;
  /** The highest rate that passed; confirmed if the search did not end early. */
  readonly rate: number | undefined;
  /** The lowest rate above it that did not pass. */
  readonly next: NoPass | undefined;
}

/** How close to the lowest rate that did not pass the search comes, as a share. */
export const PRECISION = 0.02;

/** How many runs confirm what was found. */
export const CONFIRMATIONS = 3;

/**
 * After so many steps the search tries to confirm nothing more: on a machine where chance decides, it
 * would go back and forth for long.
 */
export const MOST_STEPS = 60;

/** The search ends early, with what is known so far. */
class EarlyEnd extends Error {
  readonly end: "silent" | "interrupted";

  constructor(end: "silent" | "interrupted") {
    super(end);
    this.end = end;
  }
}

/**
 * Searches for the highest rate that passes.
 *
 * @param attempt measures a step
 * @param range where to search
 */
export async function findRate(attempt: Attempt, range: SearchRange): Promise<Searched> {
  const search = new Search(attempt, range);
  try {
    return await search.run();
  } catch (error) {
    if (!(error instanceof EarlyEnd)) throw error;
    return { end: error.end, rate: search.best, next: search.next };
  }
}

class Search {
  /** The highest rate that passed, and the lowest above it that did not. */
  passed: number | undefined;
  next: NoPass | undefined;
  readonly #attempt: Attempt;
  readonly #range: SearchRange;
  #steps = 0;
  /** Whether nothing was answered in the last step. */
  #isSilent = false;
  /** Every rate that has passed, confirmed or not. */
  readonly #passes: number[] = [];

  constructor(attempt: Attempt, range: SearchRange) {
    this.#attempt = attempt;
    this.#range = range;
  }

  /** The highest rate that has passed, below those that have not; `undefined` if there is none. */
  get best(): number | undefined {
    const below = this.#passes.filter((rate) => rate < (this.next?.rate ?? Infinity));
    return below.length === 0 ? undefined : Math.max(...below);
  }

  async run(): Promise<Searched> {
    if (!await this.#goDown()) return { end: "never", rate: undefined, next: this.next };
    await this.#goUp();
    for (let middle = this.#middle(); middle !== undefined; middle = this.#middle()) {
      await this.#step(middle, "halving");
    }
    return await this.#confirm();
  }

  /** Measures the first step, and lower ones until one passes; returns whether one did. */
  async #goDown(): Promise<boolean> {
    const { first, least } = this.#range;
    let rate = first;
    let verdict = await this.#once(rate, "doubling");
    while (verdict.kind !== "passed") {
      // Of the lowest step it must be certain, and of a server that answers nothing too.
      if (rate <= least || verdict.kind === "silent") {
        verdict = await this.#once(rate, "halving");
        if (verdict.kind === "passed") break;
      }
      this.next = { rate, ...verdict };
      this.#listen(verdict);
      if (rate <= least) return false;
      const { answered = Infinity } = verdict;
      rate = Math.max(least, rounded(Math.min(rate / 2, answered > 0 ? answered : Infinity)));
      verdict = await this.#once(rate, "halving");
    }
    this.#pass(rate);
    return true;
  }

  /** Doubles the rate until a step has failed twice. */
  async #goUp(): Promise<void> {
    const { most } = this.#range;
    for (let isSure = false; !isSure && this.passed !== most;) {
      const double = Math.min(most, 2 * (this.passed as number));
      const failed = this.next?.rate ?? Infinity;
      if (double < failed) {
        await this.#step(double, "doubling");
        isSure = this.passed !== double;
      } else {
        const verdict = await this.#once(failed, "doubling");
        isSure = verdict.kind !== "passed";
        if (isSure) this.next = { rate: failed, ...verdict };
        else this.#pass(failed);
      }
    }
  }

  #pass(rate: number): void {
    this.#passes.push(this.passed = rate);
    // What has failed once below it was spoiled.
    if (this.next !== undefined && this.next.rate <= rate) this.next = undefined;
  }

  /** The next rate to halve the distance; `undefined` where it is small enough. */
  #middle(): number | undefined {
    const { passed, next } = this;
    if (passed === undefined || next === undefined) return undefined;
    if (next.rate - passed <= PRECISION * passed) return undefined;
    const middle = rounded((passed + next.rate) / 2);
    return middle > passed && middle < next.rate ? middle : undefined;
  }

  /** Measures a step until it passes, at most twice. */
  async #step(rate: number, phase: Phase): Promise<void> {
    let verdict = await this.#once(rate, phase);
    if (verdict.kind !== "passed") verdict = await this.#once(rate, phase);
    if (verdict.kind === "passed") this.#pass(rate);
    else this.next = { rate, ...verdict };
    this.#listen(verdict);
  }

  /** Ends the search of a server that answers no step any more: it may have ended. */
  #listen({ kind }: Verdict): void {
    const isSilent = kind === "silent";
    if (isSilent && this.#isSilent) throw new EarlyEnd("silent");
    this.#isSilent = isSilent;
  }

  async #once(rate: number, phase: Phase): Promise<Verdict> {
    this.#steps++;
    const verdict = await this.#attempt(rate, phase);
    if (verdict === undefined) throw new EarlyEnd("interrupted");
    return verdict;
  }

  /** Confirms what was found, or goes back until something is confirmed. */
  async #confirm(): Promise<Searched> {
    const { least } = this.#range;
    const found = this.passed as number;
    let rate = found;
    for (let back = PRECISION; !await this.#isConfirmed(rate); back *= 2) {
      if (rate <= least || this.#isLong) {
        return { end: "not confirmed", rate: undefined, next: this.next };
      }
      rate = Math.max(least, rounded(back < 1 ? found * (1 - back) : rate / 2));
    }
    while (!this.#isLong) {
      const middle = this.#middle();
      if (middle === undefined) break;
      await this.#isConfirmed(middle);
    }
    const { next } = this;
    return { end: next === undefined ? "every rate" : "found", rate: this.passed, next };
  }

  get #isLong(): boolean {
    return this.#steps >= MOST_STEPS;
  }

  /** Whether a rate passes every time. */
  async #isConfirmed(rate: number): Promise<boolean> {
    const failed = await this.#confirmOne(rate);
    if (failed === undefined) this.passed = rate;
    else this.next = { rate, ...failed };
    if (failed === undefined) return true;
    if (this.passed === rate) this.passed = undefined;
    this.#listen(failed);
    return false;
  }

  /** Confirms a rate; returns the verdict of the run that did not pass. */
  async #confirmOne(rate: number): Promise<Verdict | undefined> {
    // A run that the load spoiled tells nothing about the server. But it may happen only once.
    let spoiled = 0;
    for (let passed = 0; passed < CONFIRMATIONS;) {
      const verdict = await this.#once(rate, "confirming");
      if (verdict.kind === "passed") passed++;
      else if (verdict.kind !== "load limited" || ++spoiled > 1) return verdict;
    }
    return undefined;
  }
}

/** A rate with no more digits than anybody wants to read. */
function rounded(rate: number): number {
  return rate >= 1_000 ? Math.round(rate) : Number(rate.toPrecision(4));
}
