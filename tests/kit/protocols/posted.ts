/**
 * A protocol that answers an HTTP request when it has read the head, and returns. The client may
 * still be sending the body.
 *
 * @module
 */

import { encodeLine, Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** How long the answer's body is, in bytes: more than the kernel keeps for a peer on its way. */
export const ANSWER_BYTES = 3 << 20;

/** Answers a request, whatever its body says. */
export default function* posted(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 1024 });
    if (line === null) return;
    if (line.length === 0 || (line.length === 1 && line[0] === 0x0d)) break;
  }
  yield* write(encodeLine(`HTTP/1.1 200 OK\r\nContent-Length: ${ANSWER_BYTES}\r\n\r`));
  yield* write(new Uint8Array(ANSWER_BYTES).fill(0x61));
}
