/**
 * A protocol that works for each line: in its own function, and in one of its tasks, which modes with
 * event loops give to other threads.
 *
 * @module
 */

import { compute, Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** How much each of the two works for a line: some hundredths of a second of a processor. */
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
  while ((yield* readLine(input, { limit: 64 })) !== null) {
    grindHere();
    yield* compute("grindThere", null);
    yield* write(new TextEncoder().encode("done\n"));
  }
}
