/**
 * The answers of people: numbers on lines of standard input, from a terminal, a pipe or a file.
 *
 * @module
 */

import { readInput } from "../../../engine/cli/standard_input.ts";
import { runtime } from "../../../engine/net/runtime.ts";

/** What asks for an answer. */
export const PROMPT = "Your answer (1, 2 or 3; Enter to see it without one): ";

/** What was answered. */
export type Answer =
  /** The number of an answer, from 1. */
  | number
  /** Nobody wants to bet: an empty line. */
  | "none"
  /** There will be no more answers. */
  | "end";

/** An answer, as it is typed: a number, or the letter of its place. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  "": "none",
  "1": 1,
  "2": 2,
  "3": 3,
  a: 1,
  b: 2,
  c: 3,
};

/**
 * Reads one answer.
 *
 * @param text what was typed
 * @returns `undefined` if it is none
 */
export function parseAnswer(text: string): Answer | undefined {
  const word = text.trim().toLowerCase();
  return Object.hasOwn(ANSWERS, word) ? ANSWERS[word] : undefined;
}

/** Hears answers from standard input, one after another. */
export class Answers {
  readonly #say: (text: string) => void;
  readonly #signal: AbortSignal;
  readonly #input = readInput();
  readonly #decoder = new TextDecoder();
  /** What has come and was not taken. */
  #unread = "";
  #isOver = false;

  /**
   * @param say shows a prompt, without the end of a line
   * @param signal ends all waits: what is asked then has no answer
   */
  constructor(say: (text: string) => void, signal: AbortSignal) {
    this.#say = say;
    this.#signal = signal;
  }

  /** Asks until there is an answer. What is none is asked again. */
  async next(): Promise<Answer> {
    const interrupted = Promise.withResolvers<Answer>();
    const interrupt = () => interrupted.resolve("end");
    this.#signal.addEventListener("abort", interrupt, { once: true });
    if (this.#signal.aborted) interrupt();
    try {
      return await Promise.race([interrupted.promise, this.#hear()]);
    } finally {
      this.#signal.removeEventListener("abort", interrupt);
    }
  }

  async #hear(): Promise<Answer> {
    // A terminal shows the end of a line that is typed. Nothing shows that of another input.
    const isShown = runtime.isTerminal("stdin");
    for (;;) {
      this.#say(PROMPT);
      const line = await this.#line();
      if (!isShown || line === undefined || this.#isOver) this.#say("\n");
      if (line === undefined) return "end";
      const answer = parseAnswer(line);
      if (answer !== undefined) return answer;
    }
  }

  /** The next line. The last one may lack its end. @returns `undefined` if there are no more */
  async #line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#unread.indexOf("\n");
      if (end >= 0) {
        const line = this.#unread.slice(0, end);
        this.#unread = this.#unread.slice(end + 1);
        return line;
      }
      if (this.#isOver) break;
      const piece = await this.#input.next();
      if (piece.done === true) this.#isOver = true;
      else this.#unread += this.#decoder.decode(piece.value, { stream: true });
    }
    const last = this.#unread;
    this.#unread = "";
    return last === "" ? undefined : last;
  }
}
