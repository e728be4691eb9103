/**
 * A protocol whose answers are as long as its client wants: each line is a number of bytes. With
 * `bye` behind the number it is the last one.
 *
 * @module
 */

import { Input, type Protocol, readLine, write } from "../../../protocol.ts";

/** Answers each line with so many bytes. */
export default function* measured(): Protocol {
  const input = new Input();
  for (;;) {
    const line = yield* readLine(input, { limit: 4096 });
    if (line === null) return;
    const [count, bye] = new TextDecoder().decode(line).split(" ");
    yield* write(new Uint8Array(Number(count)).fill(0x61));
    if (bye !== undefined) return;
  }
}
