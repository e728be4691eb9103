/**
 * The lessons, in the order in which they are best read.
 *
 * @module
 */

import type { Lesson } from "../stage/lesson.ts";
import { backlog } from "./backlog.ts";
import { close } from "./close.ts";
import { handshake } from "./handshake.ts";
import { keepalive } from "./keepalive.ts";
import { nagle } from "./nagle.ts";
import { ports } from "./ports.ts";
import { reset } from "./reset.ts";
import { retries } from "./retries.ts";
import { slowStart } from "./slow_start.ts";
import { states } from "./states.ts";
import { synCookies } from "./syn_cookies.ts";
import { whyThree } from "./why_three.ts";

/** All lessons. */
export const LESSONS: readonly Lesson[] = [
  handshake,
  whyThree,
  close,
  states,
  backlog,
  synCookies,
  retries,
  reset,
  keepalive,
  nagle,
  ports,
  slowStart,
];

/**
 * Finds a lesson.
 *
 * @param name its name
 * @returns `undefined` if there is none
 */
export function lessonOf(name: string): Lesson | undefined {
  return LESSONS.find((lesson) => lesson.name === name);
}
