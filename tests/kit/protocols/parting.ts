/**
 * A protocol that says its last words while its client is still talking, and ends in the way that
 * the client has asked for.
 *
 * @module
 */

import { Input, type Protocol, READ, readLine, write } from "../../../protocol.ts";

/** Its last words, as long as the client wants them. */
export default function* parting(): Protocol {
  const line = yield* readLine(new Input(), { limit: 64 });
  if (line === null) return;
  const [way, length] = new TextDecoder().decode(line).split(" ");
  yield* write(new Uint8Array(Number(length)).fill(0x77));
  // The last word is the client's, though it has more to say.
  if (way === "heard" || way === "refused") yield READ;
  if (way === "failed" || way === "refused") throw new Error("asked to fail");
}
