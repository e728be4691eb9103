/**
 * A protocol whose answers are as long as its client wants: each line is a number of bytes.
 *
 * @module
 */

import { Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** Answers each line with so many bytes. */
export default function* measured(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 64 });
    if (line === null) return;
    yield* write(new Uint8Array(Number(new TextDecoder().decode(line))).fill(0x61));
  }
}
