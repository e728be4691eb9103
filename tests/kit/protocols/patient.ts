/**
 * The client's side of an echo that does not know how long an answer is: it is over when for a
 * while nothing more comes.
 *
 * @module
 */

import type { LoadContext } from "../../../lab/load/load_protocol.ts";
import type { Protocol, ReadAnswer } from "../../../protocol.ts";

/** How long nothing more must come, in milliseconds. */
const SILENCE_MS = 5;

export { echo as default } from "../../../protocol.ts";

/** Some bytes, and all that comes back. */
export function* load({ size, random }: LoadContext): Protocol {
  yield { kind: "write", bytes: random.letters(size) };
  let received = 0;
  for (;;) {
    const chunk: ReadAnswer = yield { kind: "read", withinMs: SILENCE_MS };
    if (chunk === undefined && received > 0) break;
    received += chunk?.length ?? 0;
  }
  if (received !== size) throw new Error(`Cannot accept ${received} bytes for ${size}`);
}
