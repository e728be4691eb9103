/**
 * The client's side of an echo that does not know how long an answer is. It ends when nothing more
 * has arrived for a while.
 *
 * @module
 */

import type { LoadContext } from "../../../protocol.ts";
import type { Protocol, ReadAnswer } from "../../../protocol.ts";

/** How long nothing must arrive, in milliseconds. */
const SILENCE_MS = 5;

export { echo as default } from "../../../protocol.ts";

/** Sends some bytes and reads everything that comes back. */
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
