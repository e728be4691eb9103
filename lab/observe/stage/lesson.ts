/**
 * What a lesson is: a question, what it does to find the answer, and the facts that follow from what
 * was seen.
 *
 * @module
 */

import type { Seen } from "./seen.ts";
import type { Stage } from "./stage.ts";
import type { Fact } from "./facts.ts";

/** What is played on a stage. */
export interface Play {
  /** Its name, a word. */
  readonly name: string;
  /**
   * Does it, and explains it.
   *
   * @param stage what it is done with
   * @returns what follows from what was seen, if that is not told in another way
   */
  run(stage: Stage): Promise<readonly Fact[] | void>;
}

/** A lesson. */
export interface Lesson extends Play {
  /** One line that says what it shows. */
  readonly summary: string;
  /** The question that it begins with. */
  readonly question: string;
  /** Three answers. One is right. */
  readonly answers: readonly [string, string, string];
  /** The number of the right one, from 1. */
  readonly right: 1 | 2 | 3;
  /** Why it is right, in a few sentences, with the sections of the RFCs. */
  readonly why: string;
  /**
   * Which events are drawn as they come: all, only calls and numbers, or a table of both ends' states.
   *
   * @default {"everything"}
   */
  readonly draws?: "everything" | "calls" | "table";
  /** For a table: what each connection is, in the order in which they are made. */
  readonly rows?: readonly string[];
  /**
   * What follows from what was seen. It sees nothing but the recording, so that a recording of the
   * lesson has the same facts.
   *
   * @param seen what was seen
   */
  facts(seen: Seen): readonly Fact[];
}
