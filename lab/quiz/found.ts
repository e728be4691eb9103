/**
 * The facts that an experiment has established, by what they are about.
 *
 * @module
 */

import type { Fact } from "../observe/stage/facts.ts";

/** Facts. */
export class Found {
  readonly #facts: readonly Fact[];

  /** @param facts what was established */
  constructor(facts: readonly Fact[]) {
    this.#facts = facts;
  }

  /** How many there were of something. @returns `NaN` if that was not established */
  count(about: string): number {
    const value = this.#value(about);
    return typeof value === "number" ? value : NaN;
  }

  /** What followed what, from all facts about it. @returns nothing if that was not established */
  order(about: string): readonly string[] {
    return this.#facts.filter((fact) => fact.about === about)
      .flatMap(({ value }) => typeof value === "object" ? value : []);
  }

  /** What something was, in a word: also the name of an error. @returns `""` if it is not known */
  word(about: string): string {
    const value = this.#value(about);
    return typeof value === "object" ? value[0] ?? "" : String(value ?? "");
  }

  #value(about: string): Fact["value"] | undefined {
    return this.#facts.find((fact) => fact.about === about)?.value;
  }
}

/** What something was, in a word or two. */
export function said(about: string, value: string): Fact {
  return { fact: "order", about, value: [value] };
}
