/**
 * A load that is itself the limit: between two requests it computes.
 *
 * @module
 */

import type { LoadContext } from "../../../protocol.ts";
import { type Protocol, READ } from "../../../protocol.ts";

/** How long it computes, in milliseconds. */
const COMPUTES_MS = 10;

export { echo as default } from "../../../protocol.ts";

/** Sends some bytes, and computes when the echo is there. */
export function* load({ size, random }: LoadContext): Protocol {
  yield { kind: "write", bytes: random.letters(size) };
  yield READ;
  const until = performance.now() + COMPUTES_MS;
  while (performance.now() < until);
}
