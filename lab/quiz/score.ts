/**
 * What was bet, what was right, and the score.
 *
 * @module
 */

import type { Finding } from "./laboratory.ts";
import type { Choice, Question } from "./question.ts";

/** What becomes of a question. */
export type Standing =
  /** The bet was right. */
  | "won"
  /** The bet was wrong. */
  | "lost"
  /** Nobody has bet. */
  | "no bet"
  /** The experiment has not shown what the sources say, so nothing is counted. */
  | "contradicted";

/** A question that was asked. */
export interface Round {
  readonly question: Question;
  readonly finding: Finding;
  /** The number of the answer that was given; `undefined` if none was. */
  readonly bet: Choice | undefined;
  /** The number of the right one; `undefined` if that is in doubt. */
  readonly right: Choice | undefined;
  readonly standing: Standing;
}

/**
 * Compares what was bet, what was found, and what the sources say. Whatever was found decides. Where
 * nothing could be found, the sources do.
 *
 * @param question the question
 * @param finding what its experiment has found
 * @param bet the number of the answer that was given
 */
export function judge(question: Question, finding: Finding, bet: Choice | undefined): Round {
  const { book } = question;
  const right = finding.place === undefined ? book : finding.shown;
  const asked = { question, finding, bet };
  if (right === undefined || right !== book) {
    return { ...asked, right: undefined, standing: "contradicted" };
  }
  const standing = bet === undefined ? "no bet" : bet === right ? "won" : "lost";
  return { ...asked, right, standing };
}

/**
 * The score, in lines for people.
 *
 * @param rounds what was asked
 */
export function scoreOf(rounds: readonly Round[]): string[] {
  if (rounds.length === 0) return ["Nothing was asked."];
  const ran = rounds.filter(({ finding }) => finding.place !== undefined);
  const told = rounds.filter(({ finding }) => finding.place === undefined);
  const won = (some: readonly Round[]) => some.filter(({ standing }) => standing === "won").length;
  const bets = (some: readonly Round[]) =>
    some.filter(({ standing }) => standing === "won" || standing === "lost").length;
  const how = (standing: Standing) => rounds.filter((round) => round.standing === standing).length;
  const lines = [`Score: ${won(ran)} of ${bets(ran)} right, decided by what was run.`];
  if (bets(told) > 0) {
    lines.push(
      `${won(told)} of ${bets(told)} right by the book alone: they could not be run here.`,
    );
  }
  if (how("contradicted") > 0) {
    lines.push(`${how("contradicted")} not counted: the run and the book disagree.`);
  }
  if (how("no bet") > 0) lines.push(`${how("no bet")} without a bet.`);
  return lines;
}

/** A round as a line of JSON has it: `docs/quiz.md` describes it. */
export interface RoundLine {
  readonly id: string;
  readonly topic: string;
  readonly question: string;
  readonly answers: readonly string[];
  readonly bet: number | null;
  readonly right: number | null;
  readonly won: boolean | null;
  readonly book: number;
  readonly shown: number | null;
  readonly run: string | null;
  readonly why_not: string | null;
  readonly seen: readonly { readonly about: string; readonly value: unknown }[];
  readonly why: string;
  readonly source: readonly string[];
}

/**
 * A round as a line of JSON.
 *
 * @param round what was asked
 */
export function lineOf({ question, finding, bet, right, standing }: Round): RoundLine {
  const { id, topic, text, answers, book, why, sources } = question;
  return {
    id,
    topic,
    question: text,
    answers,
    bet: bet ?? null,
    right: right ?? null,
    won: standing === "won" ? true : standing === "lost" ? false : null,
    book,
    shown: finding.shown ?? null,
    run: finding.place ?? null,
    why_not: finding.whyNot ?? null,
    seen: finding.facts.map(({ about, value }) => ({ about, value })),
    why,
    source: sources,
  };
}
