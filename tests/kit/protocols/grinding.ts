/**
 * A protocol that works for each line as often as that says: in its own function, and in one of its
 * tasks, which modes with event loops give to other threads.
 *
 * @module
 */

import { compute, Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** How much each of the two works at a time: some hundredths of a second of a processor. */
const STEPS = 40_000_000;

/** Works where the conversation runs. */
export function grindHere(): number {
  let value = 0;
  for (let step = 0; step < STEPS; step++) value = (value * 31 + step) | 0;
  return value;
}

/** What may be computed elsewhere. */
export const tasks = {
  grindThere(): number {
    let value = 1;
    for (let step = 0; step < STEPS; step++) value = (value * 31 + step) | 0;
    return value;
  },
};

/** Answers each line when the work is done. */
export default function* grinding(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    for (let left = Number(new TextDecoder().decode(line)); left > 0; left--) {
      grindHere();
      yield* compute("grindThere", null);
    }
    yield* write(new TextEncoder().encode("done\n"));
  }
}
