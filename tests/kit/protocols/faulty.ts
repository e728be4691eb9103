/**
 * A protocol whose threads die and whose tasks fail in every way, when a client says so.
 *
 * @module
 */

import { loseThread } from "../lose_thread.ts";
import { compute, Input, type Protocol, readLine, write } from "../../../protocol.ts";

const encoder = new TextEncoder();

/** Answers each line with the result of its task. */
export default function* faulty(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    const [word, argument] = new TextDecoder().decode(line).split(" ") as [string, string?];
    let answer = word;
    if (word === "die") loseThread("asked to die");
    else if (word in tasks || word === "missing") {
      try {
        // A function cannot be posted to another thread.
        const given = argument === "function" ? dieOf : argument;
        answer = String(yield* compute<unknown>(word, given));
      } catch (error) {
        answer = `failed: ${(error as Error).message}`;
      }
    }
    yield* write(encoder.encode(`${answer}\n`));
  }
}

function dieOf(reason: string): never {
  throw new Error(reason);
}

/** Its CPU-bound tasks. */
export const tasks = {
  /** Is a plain function. */
  double: (text: string) => Number(text) * 2,
  /** Is a generator with slices. */
  *count(text: string) {
    let sum = 0;
    for (let n = 0; n < Number(text); n++) {
      sum += n;
      yield;
    }
    return sum;
  },
  /** Takes some time and cannot be stopped. */
  spin(ms: string) {
    const until = performance.now() + Number(ms);
    while (performance.now() < until);
    return "spun";
  },
  /** Fails. */
  throw: (text: string) => dieOf(`asked to throw ${text}`),
  /** Returns something that cannot be posted to another thread. */
  unclonable: () => () => {},
  /** Kills its thread. */
  perish() {
    loseThread("asked to perish");
    return "perishing";
  },
  /** Runs for ever, but can be stopped. */
  *endless() {
    for (;;) yield;
  },
  /** Runs for ever, and cannot be stopped. */
  stuck() {
    for (;;);
  },
  /** Runs for ever in a single regular expression. */
  backtrack: () => /^(a+)+$/.test(`${"a".repeat(40)}b`),
  /** Is a generator whose second slice never ends. */
  *slice() {
    yield;
    for (;;);
  },
};
