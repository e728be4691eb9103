/**
 * The questions, in the order in which they are best asked.
 *
 * @module
 */

import { CLOSING } from "./closing.ts";
import { DATA } from "./data.ts";
import { FAILING } from "./failing.ts";
import { MODELS } from "./models.ts";
import { OPENING } from "./opening.ts";
import { PORTS_QUESTIONS } from "./ports.ts";
import type { Question } from "./question.ts";
import { CLUSTERS, QUEUES } from "./queues.ts";
import { READINESS } from "./readiness.ts";

/** All questions. */
export const QUESTIONS: readonly Question[] = [
  ...OPENING,
  ...QUEUES,
  ...DATA,
  ...CLOSING,
  ...FAILING,
  ...PORTS_QUESTIONS,
  ...READINESS,
  ...MODELS,
  ...CLUSTERS,
];

/**
 * Finds a question.
 *
 * @param id its name
 * @returns `undefined` if there is none
 */
export function questionOf(id: string): Question | undefined {
  return QUESTIONS.find((question) => question.id === id);
}
