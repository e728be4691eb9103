/**
 * A line comes back in capitals: a protocol of your own, with a client's side for the load.
 *
 * @module
 */

import type { LoadContext } from "../../../protocol.ts";
import { Input, type Protocol, readLine, writeLine } from "../../../protocol.ts";

const LIMIT = 1024;

function shout(line: Uint8Array): Uint8Array {
  return line.map((byte) => byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte);
}

export default function* serve(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: LIMIT });
    if (line === null) return;
    yield* writeLine(shout(line));
  }
}

/** Sends one line and checks its answer. */
export function* load({ input, size, random }: LoadContext): Protocol {
  const payload = random.letters(size);
  yield* writeLine(payload);
  const answer = yield* readLine(input, { limit: LIMIT });
  if (answer?.join() !== shout(payload).join()) throw new Error("Cannot accept the answer");
}
