/**
 * A question, what was seen, and what follows, as lines for people.
 *
 * @module
 */

import { escapeText } from "../../protocols/text.ts";
import type { Event } from "../../engine/recording/events.ts";
import { LessonText } from "../observe/stage/lesson_text.ts";
import { render, type Screen, wrap } from "../report/screen.ts";
import type { Question } from "./question.ts";
import type { Round } from "./score.ts";

/** The widest that text may be, in characters. */
const WIDEST = 80;

/** Draws one question. */
export class QuestionText {
  readonly #question: Question;
  readonly #screen: Screen;
  readonly #columns: number;
  readonly #lesson: LessonText;

  /**
   * @param question the question
   * @param screen where it appears
   */
  constructor(question: Question, screen: Screen) {
    this.#question = question;
    this.#screen = screen;
    this.#columns = Math.min(WIDEST, screen.columns());
    const draws = question.on === "sockets" ? question.draws ?? "calls" : "calls";
    this.#lesson = new LessonText({ draws }, this.#columns);
  }

  /**
   * The question.
   *
   * @param place its place among all that are asked, from 1
   * @param count how many are asked
   */
  ask(place: number, count: number): string[] {
    const { id, topic, text, answers } = this.#question;
    const title = wrap(`${place} of ${count}: ${id} (${topic})`, this.#columns);
    return [
      ...title.map((line) => render(this.#screen, "bold", line)),
      ...this.#lesson.draw({ type: "question", at: 0, lesson: id, text, answers }),
    ];
  }

  /** What is seen, as it comes. @param event the next event */
  see(event: Event): string[] {
    return this.#lesson.draw(event);
  }

  /** What follows from it. @param round what was asked */
  judge({ question, finding, bet, right, standing }: Round): string[] {
    const { book, shown, why, sources } = { ...question, ...finding };
    const before = finding.whyNot === undefined
      ? []
      : ["", ...this.#paragraph(`Not run here: ${finding.whyNot}. So the book alone decides.`)];
    const verdict = right === undefined
      ? ["", ...this.#contradict(book, shown), ...this.#paragraph(`The book says: ${why}`)]
      : this.#lesson.draw({
        type: "result",
        at: 0,
        ...(bet !== undefined && { given: bet }),
        right,
        why,
      });
    const colour = standing === "won" ? "green" : standing === "no bet" ? undefined : "yellow";
    const first = verdict.findIndex((line) => line !== "");
    return [
      ...before,
      ...verdict.map((line, index) =>
        index === first && colour !== undefined ? render(this.#screen, colour, line) : line
      ),
      ...this.#paragraph(`Source: ${sources.join("; ")}.`, 2),
    ];
  }

  #contradict(book: number, shown: number | undefined): string[] {
    const found = shown === undefined ? "none of these answers" : `answer ${shown}`;
    return this.#paragraph(
      `The run shows ${found}, and the book says ${book}. This question is not counted.`,
    );
  }

  #paragraph(text: string, indent = 0): string[] {
    return wrap(escapeText(text), this.#columns, indent);
  }
}
